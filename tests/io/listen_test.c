/* Sockets that listen, on the ring. */
#include "io/loopback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

static const struct ring_params usual = { .entries = 64, .files = 64, .accepted = 16, .buffers = 16,
					  .buffer_size = 1024 };

struct acceptor {
	struct ring_accept accept;
	i32 handles[64];
	u32 count;
	bool ended;
	i32 result;
};

static void on_accepted(struct ring_accept *accept, i32 handle)
{
	struct acceptor *a = container_of(accept, struct acceptor, accept);

	a->handles[a->count++] = handle;
}

static void on_accept_end(struct ring_accept *accept, i32 result)
{
	struct acceptor *a = container_of(accept, struct acceptor, accept);

	a->ended = true;
	a->result = result;
}

static int start_listening(struct ring *ring, struct acceptor *a, struct net_address *at)
{
	int listener;

	*at = loopback_free();
	*a = (struct acceptor){ .accept = { .accepted = on_accepted, .end = on_accept_end } };
	listener = ring_listen(at);
	assert_true(listener >= 0);
	ring_accept_start(ring, &a->accept, listener);
	ring_turn(ring, 0);
	return listener;
}

static void stop_listening(struct ring *ring, struct acceptor *a, int listener)
{
	if (!a->ended) {
		ring_accept_stop(ring, &a->accept);
		turn_until(ring, a->ended);
		assert_int_equal(a->result, -ECANCELED);
	}
	close(listener);
}

static void connections_are_accepted_until_it_is_cancelled(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	struct acceptor a;
	struct net_address at;
	int listener = start_listening(ring, &a, &at);
	int fds[3];

	(void)state;
	for (u32 i = 0; i < 3; i++)
		fds[i] = loopback_dial(&at);
	turn_until(ring, a.count == 3);
	for (u32 i = 0; i < 3; i++) {
		assert_true(a.handles[i] >= 0 && a.handles[i] < (i32)usual.accepted);
		ring_shut(ring, a.handles[i]);
		close(fds[i]);
	}
	stop_listening(ring, &a, listener);
	loopback_ring_close(ring);
}

static void accepting_ends_when_its_sockets_are_used_up(void **state)
{
	const struct ring_params small = { .entries = 16, .files = 8, .accepted = 2, .buffers = 2,
					   .buffer_size = 256 };
	struct ring *ring = loopback_ring(&small);
	struct acceptor a;
	struct net_address at;
	int listener = start_listening(ring, &a, &at);
	struct ring_stats stats;
	int fds[3];

	(void)state;
	for (u32 i = 0; i < 3; i++)
		fds[i] = loopback_dial(&at);
	turn_until(ring, a.ended);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.result, -ENFILE);
	ring_shut(ring, a.handles[0]);
	turn_until(ring, (ring_stats(ring, &stats), stats.open_handles == 1));
	a.ended = false;
	ring_accept_start(ring, &a.accept, listener);
	close(fds[2]);
	fds[2] = loopback_dial(&at);
	turn_until(ring, a.count == 3);
	ring_shut(ring, a.handles[1]);
	ring_shut(ring, a.handles[2]);
	stop_listening(ring, &a, listener);
	for (u32 i = 0; i < 3; i++)
		close(fds[i]);
	loopback_ring_close(ring);
}

static int dial_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void a_unix_socket_replaces_a_stale_file_only(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	char dir[] = "/tmp/ring_test.XXXXXX";
	char path[64];
	char too_long[200];
	struct acceptor a = { .accept = { .accepted = on_accepted, .end = on_accept_end } };
	struct stat st;
	int listener;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	listener = ring_listen_unix(path);
	assert_true(listener >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(ring_listen_unix(path), -EADDRINUSE);
	close(listener);
	listener = ring_listen_unix(path);
	assert_true(listener >= 0);
	ring_accept_start(ring, &a.accept, listener);
	fd = dial_unix(path);
	turn_until(ring, a.count == 1);
	ring_shut(ring, a.handles[0]);
	close(fd);
	stop_listening(ring, &a, listener);
	memset(too_long, 'x', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	assert_int_equal(ring_listen_unix(too_long), -ENAMETOOLONG);
	unlink(path);
	rmdir(dir);
	loopback_ring_close(ring);
}

/* Sockets of the kernel with this path: the one that listens, and those accepted from it. */
static u32 count_sockets(const char *path)
{
	FILE *file = fopen("/proc/net/unix", "r");
	char line[512];
	u32 count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, path) != NULL;
	fclose(file);
	return count;
}

/* Kernels before 6.13 keep closed sockets of the table while an older operation on one goes on. */
static void closed_connections_are_let_go_while_accepting_goes_on(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	char path[] = "/tmp/ring_test.XXXXXX";
	struct acceptor a = { .accept = { .accepted = on_accepted, .end = on_accept_end } };
	int listener;
	int fd;

	(void)state;
	close(mkstemp(path));
	unlink(path);
	listener = ring_listen_unix(path);
	assert_true(listener >= 0);
	ring_accept_start(ring, &a.accept, listener);
	for (u32 i = 0; i < 12; i++) {
		fd = dial_unix(path);
		turn_until(ring, a.count == i + 1);
		ring_shut(ring, a.handles[i]);
		close(fd);
	}
	turn_until(ring, count_sockets(path) == 1);
	stop_listening(ring, &a, listener);
	unlink(path);
	loopback_ring_close(ring);
}

static void a_unix_socket_tells_who_connected_and_is_connected_to(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	struct acceptor a = { .accept = { .accepted = on_accepted,
					  .end = on_accept_end,
					  .tells_user = true,
					  .user = 12345 } };
	char path[64];
	i32 handle;
	int listener;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/listen-test-%d.sock", (int)getpid());
	unlink(path);
	assert_int_equal(ring_connect_unix(ring, path), -ENOENT);
	listener = ring_listen_unix(path);
	assert_true(listener >= 0);
	ring_accept_start(ring, &a.accept, listener);
	ring_turn(ring, 0);
	handle = ring_connect_unix(ring, path);
	assert_true(handle >= 0);
	turn_until(ring, a.count == 1);
	assert_int_equal(a.accept.user, geteuid());
	assert_true(a.handles[0] >= 0 && a.handles[0] != handle);
	ring_shut(ring, a.handles[0]);
	ring_shut(ring, handle);
	stop_listening(ring, &a, listener);
	assert_int_equal(ring_connect_unix(ring, path), -ECONNREFUSED);
	unlink(path);
	loopback_ring_close(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_accepted_until_it_is_cancelled),
		cmocka_unit_test(accepting_ends_when_its_sockets_are_used_up),
		cmocka_unit_test(a_unix_socket_replaces_a_stale_file_only),
		cmocka_unit_test(a_unix_socket_tells_who_connected_and_is_connected_to),
		cmocka_unit_test(closed_connections_are_let_go_while_accepting_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

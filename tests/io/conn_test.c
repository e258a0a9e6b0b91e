/* Connections on a real ring against ordinary sockets. */
#include "io/conn_owner.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static void plain_bytes_go_both_ways_until_the_peer_closes(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct owner o;
	struct net_address at;
	int listener = loopback_listen(&at);
	char text[8] = "";
	int fd;

	(void)state;
	dial(&o, ring, &at);
	assert_int_equal(o.connected, 0);
	fd = accept(listener, NULL, NULL);
	send_all(&o, ring, "HELO a", 6);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 6);
	assert_string_equal(text, "HELO a");
	assert_int_equal(send(fd, "250 ok", 6, 0), 6);
	close(fd);
	turn_until(ring, o.ends);
	assert_string_equal(buf_text(&o.heard), "250 ok");
	assert_int_equal(o.end, 0);
	assert_false(conn_may_send(&o.conn));
	owner_close(&o, ring);
	assert_int_equal(o.ends, 1);
	close(listener);
	loopback_ring_close(ring);
}

static void a_paused_connection_receives_nothing_until_it_is_resumed(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct owner o;
	struct net_address at;
	int listener = loopback_listen(&at);
	int fd;

	(void)state;
	dial(&o, ring, &at);
	fd = accept(listener, NULL, NULL);
	conn_pause(&o.conn);
	turn_until(ring, !o.conn.receiving);
	assert_int_equal(send(fd, "one", 3, 0), 3);
	for (u32 i = 0; i < 20; i++)
		ring_turn(ring, NS_PER_MS);
	assert_int_equal(o.heard.len, 0);
	conn_resume(&o.conn);
	turn_until(ring, o.heard.len == 3);
	/* Resumed before the pause has come through, and paused again. */
	conn_pause(&o.conn);
	conn_resume(&o.conn);
	assert_int_equal(send(fd, "two", 3, 0), 3);
	turn_until(ring, o.heard.len == 6);
	conn_pause(&o.conn);
	conn_resume(&o.conn);
	conn_pause(&o.conn);
	turn_until(ring, !o.conn.receiving);
	close(fd);
	for (u32 i = 0; i < 20; i++)
		ring_turn(ring, NS_PER_MS);
	assert_int_equal(o.ends, 0);
	conn_resume(&o.conn);
	turn_until(ring, o.ends);
	assert_string_equal(buf_text(&o.heard), "onetwo");
	/* Closed while it pauses. */
	owner_close(&o, ring);
	dial(&o, ring, &at);
	conn_pause(&o.conn);
	owner_close(&o, ring);
	close(listener);
	loopback_ring_close(ring);
}

static void failures_are_told_and_the_memory_comes_back(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct owner o;
	struct net_address nobody = loopback_free();
	struct net_address at;
	int listener = loopback_listen(&at);

	(void)state;
	dial(&o, ring, &nobody);
	assert_int_equal(o.connected, -ECONNREFUSED);
	owner_close(&o, ring);

	dial(&o, ring, &at);
	loopback_reset(accept(listener, NULL, NULL));
	turn_until(ring, o.ends);
	assert_int_equal(o.end, -ECONNRESET);
	owner_close(&o, ring);
	close(listener);
	loopback_ring_close(ring);
}

static void it_closes_in_every_state(void **state)
{
	static char bulk[16 << 20];
	struct ring *ring = loopback_ring(&params);
	struct iovec iov = { bulk, sizeof(bulk) };
	struct owner o;
	struct net_address at;
	int listener = loopback_listen(&at);
	int fd;

	(void)state;
	/* Before the connect was submitted. */
	owner_init(&o, ring);
	assert_int_equal(conn_dial(&o.conn, &at, NULL), 0);
	owner_close(&o, ring);
	/* While bytes are under way that nobody reads. */
	dial(&o, ring, &at);
	conn_send(&o.conn, &iov, 1);
	owner_close(&o, ring);
	/* Within the event that brings bytes; no more come. */
	dial(&o, ring, &at);
	o.closes_at_bytes = true;
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	for (u32 i = 0; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0; i++) {
		assert_true(i < 3);
		(void)!send(fd, bulk, 100000, MSG_NOSIGNAL);
		close(fd);
	}
	turn_until(ring, o.closed);
	assert_true(o.heard.len > 0 && o.heard.len <= params.buffer_size);
	assert_int_equal(o.ends, 0);
	buf_done(&o.heard);
	close(listener);
	loopback_ring_close(ring);
}

/* What the kernel took before counts; what it was still to take is known not to have gone. */
static void a_send_that_is_stopped_tells_that_nothing_of_it_has_gone(void **state)
{
	static char bulk[16 << 20];
	struct ring *ring = loopback_ring(&params);
	struct iovec iov = { bulk, sizeof(bulk) };
	struct owner o;
	struct net_address at;
	int listener = loopback_listen(&at);
	u32 sends;

	(void)state;
	dial(&o, ring, &at);
	conn_stop_sending(&o.conn); /* none is under way */
	send_until_stuck(&o, ring, &iov);
	sends = o.sends;
	conn_stop_sending(&o.conn);
	assert_int_equal(o.sends, sends);
	turn_until(ring, o.sends > sends);
	assert_int_equal(o.sent, -ECANCELED);
	assert_true(o.took_nothing);
	/* The connection stands. */
	assert_true(conn_may_send(&o.conn));
	owner_close(&o, ring);
	close(listener);
	loopback_ring_close(ring);
}

struct acceptor {
	struct ring_accept accept;
	i32 handle;
	bool ended;
};

/* Kernels before 6.13 keep a closed socket of the table until older operations have ended. */
static void a_close_is_heard_by_the_peer_while_an_older_connection_receives(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct owner older, o;
	struct net_address at;
	int listener = loopback_listen(&at), old_fd, fd;
	ssize_t got = -1;
	char byte;

	(void)state;
	dial(&older, ring, &at);
	old_fd = accept(listener, NULL, NULL);
	dial(&o, ring, &at);
	fd = accept(listener, NULL, NULL);
	owner_close(&o, ring);
	turn_until(ring, (got = recv(fd, &byte, 1, MSG_DONTWAIT)) >= 0);
	assert_int_equal(got, 0);
	owner_close(&older, ring);
	close(fd);
	close(old_fd);
	close(listener);
	loopback_ring_close(ring);
}

static void on_accepted(struct ring_accept *accept, i32 handle)
{
	container_of(accept, struct acceptor, accept)->handle = handle;
}

static void on_accept_end(struct ring_accept *accept, i32 result)
{
	(void)result;
	container_of(accept, struct acceptor, accept)->ended = true;
}

static void an_accepted_handle_is_adopted(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct acceptor a = { .accept = { .accepted = on_accepted, .end = on_accept_end },
			      .handle = -1 };
	struct net_address at = loopback_free();
	int listener = ring_listen(&at);
	char text[8] = "";
	struct owner o;
	int fd;

	(void)state;
	ring_accept_start(ring, &a.accept, listener);
	ring_turn(ring, 0);
	fd = loopback_dial(&at);
	turn_until(ring, a.handle >= 0);
	owner_init(&o, ring);
	conn_adopt(&o.conn, a.handle);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	turn_until(ring, o.heard.len == 5);
	send_all(&o, ring, "220 hi", 6);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 6);
	owner_close(&o, ring);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	ring_accept_stop(ring, &a.accept);
	turn_until(ring, a.ended);
	close(listener);
	close(fd);
	loopback_ring_close(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_bytes_go_both_ways_until_the_peer_closes),
		cmocka_unit_test(a_paused_connection_receives_nothing_until_it_is_resumed),
		cmocka_unit_test(failures_are_told_and_the_memory_comes_back),
		cmocka_unit_test(it_closes_in_every_state),
		cmocka_unit_test(a_send_that_is_stopped_tells_that_nothing_of_it_has_gone),
		cmocka_unit_test(a_close_is_heard_by_the_peer_while_an_older_connection_receives),
		cmocka_unit_test(an_accepted_handle_is_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

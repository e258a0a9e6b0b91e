/* Connections with TLS on a real ring, against a server thread. */
#include "base/fail_alloc.h"
#include "io/conn_owner.h"
#include "io/tls_server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum manner { ECHO, NONSENSE, CLOSES, NEVER, STALLS };

struct server {
	pthread_t thread;
	SSL_CTX *ctx;
	int listener;
	enum manner manner;
	size_t echo; /* bytes to send back; then close_notify */
	int fd;      /* STALLS: the connection, on which nothing is read behind the handshake */
};

static void echo(SSL *ssl, size_t left)
{
	static char bytes[16384];
	int n;

	while (left > 0 && (n = SSL_read(ssl, bytes, sizeof(bytes))) > 0) {
		if (SSL_write(ssl, bytes, n) != n)
			return;
		left -= (size_t)n;
	}
	SSL_shutdown(ssl);
}

static void *serve(void *argument)
{
	struct server *s = argument;
	int fd = accept(s->listener, NULL, NULL);
	SSL *ssl = SSL_new(s->ctx);
	char byte;

	SSL_set_fd(ssl, fd);
	if (s->manner == NONSENSE)
		(void)!send(fd, "500 what?\r\n", 11, MSG_NOSIGNAL);
	else if (s->manner == ECHO && SSL_accept(ssl) == 1)
		echo(ssl, s->echo);
	else if (s->manner == STALLS && SSL_accept(ssl) == 1)
		s->fd = dup(fd);
	/* Goes when the client goes, unless it is to go first. */
	while (s->manner != STALLS && s->manner != CLOSES && recv(fd, &byte, 1, 0) > 0) {
	}
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void start_server(struct server *s, enum manner manner, int version, size_t bytes,
			 struct net_address *at)
{
	*s = (struct server){ .manner = manner, .echo = bytes, .ctx = tls_server_open(version),
			      .listener = loopback_listen(at), .fd = -1 };
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop_server(struct server *s)
{
	pthread_join(s->thread, NULL);
	if (s->fd >= 0)
		close(s->fd);
	close(s->listener);
	SSL_CTX_free(s->ctx);
}

static struct tls_context *open_context(void)
{
	const struct tls_params tls = { .sessions_max = 10 };
	struct tls_context *context = tls_context_open(&tls, NULL);

	assert_non_null(context);
	return context;
}

static const struct tls_peer mx_test = { .server_name = { "mx.test", 7 },
					 .session_key = { "key", 3 } };

static void start_tls(struct owner *o, struct ring *ring, struct tls_context *context)
{
	assert_true(conn_start_tls(&o->conn, context, &mx_test));
	assert_int_equal(o->tls_ends, 0);
	assert_false(conn_may_send(&o->conn));
	turn_until(ring, o->tls_ends);
	/* The last bytes of the handshake may still be on their way; the owner learns when they left. */
	if (o->tls_ok)
		turn_until(ring, o->may_send);
	assert_int_equal(conn_may_send(&o->conn), o->tls_ok);
}

static void encrypted_bytes_come_back_as_they_went(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();
	static char bytes[40000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 11);
	for (u32 i = 0; i < 2; i++) {
		struct server s;
		struct owner o;
		struct net_address at;

		start_server(&s, ECHO, versions[i], 10 * sizeof(bytes), &at);
		dial(&o, ring, &at);
		start_tls(&o, ring, context);
		assert_true(o.tls_ok);
		for (size_t round = 1; round <= 10; round++) {
			send_all(&o, ring, bytes, sizeof(bytes));
			turn_until(ring, o.heard.len == round * sizeof(bytes));
			assert_memory_equal(o.heard.ptr + (round - 1) * sizeof(bytes), bytes,
					    sizeof(bytes));
		}
		/* close_notify, though the connection below stands. */
		turn_until(ring, o.ends);
		assert_int_equal(o.end, 0);
		owner_close(&o, ring);
		assert_int_equal(o.tls_ends, 1);
		stop_server(&s);
	}
	tls_context_close(context);
	loopback_ring_close(ring);
}

/* Or an owner that found no way to send when the handshake ended would wait for ever. */
static void it_tells_when_the_last_bytes_of_the_handshake_have_left(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct server s;
		struct owner o;
		struct net_address at;

		start_server(&s, ECHO, versions[i], 0, &at);
		dial(&o, ring, &at);
		assert_true(conn_start_tls(&o.conn, context, &mx_test));
		turn_until(ring, o.tls_ends);
		assert_true(o.tls_ok);
		/* TLS 1.3: the client's Finished is on its way; 1.2: the server's was the last word. */
		assert_int_equal(conn_may_send(&o.conn), versions[i] == TLS1_2_VERSION);
		turn_until(ring, conn_may_send(&o.conn));
		if (versions[i] == TLS1_3_VERSION) {
			assert_true(o.sends > 0);
			assert_int_equal(o.sent, 0);
		}
		owner_close(&o, ring);
		stop_server(&s);
	}
	tls_context_close(context);
	loopback_ring_close(ring);
}

/* Records of a chunk may be at the peer, and a message's end in them. */
static void a_tls_send_that_is_stopped_in_its_middle_may_have_been_got_in_part(void **state)
{
	static char bulk[65536];
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();
	struct iovec iov = { bulk, sizeof(bulk) };
	struct server s;
	struct owner o;
	struct net_address at;
	u32 sends;

	(void)state;
	start_server(&s, STALLS, 0, 0, &at);
	dial(&o, ring, &at);
	start_tls(&o, ring, context);
	send_until_stuck(&o, ring, &iov);
	sends = o.sends;
	assert_true(tls_output(o.conn.tls).len < sizeof(bulk)); /* some of the chunk is with the kernel */
	conn_stop_sending(&o.conn);
	turn_until(ring, o.sends > sends);
	assert_true(o.sent < 0);
	assert_false(o.took_nothing);
	/* What is left of the chunk does not go behind the owner's back, nor does anything else. */
	assert_false(o.conn.sending);
	assert_false(conn_may_send(&o.conn));
	owner_close(&o, ring);
	stop_server(&s);
	tls_context_close(context);
	loopback_ring_close(ring);
}

/* Whatever fails inside: the owner gets its iovecs back, once, and can send nothing more. */
static void a_tls_send_without_memory_is_told_and_was_not_begun(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();
	static char bytes[40000];
	bool failed = true;
	u32 broken = 0;

	(void)state;
	for (u32 n = 1; failed; n++) {
		struct iovec iov[2] = { { bytes, 30000 }, { bytes + 30000, 10000 } };
		struct net_address at;
		struct server s;
		struct owner o;

		start_server(&s, STALLS, TLS1_3_VERSION, 0, &at);
		dial(&o, ring, &at);
		start_tls(&o, ring, context);
		o.sent = 0;
		o.sends = 0;
		fail_alloc(n);
		conn_send(&o.conn, iov, 2);
		failed = fail_alloc_end();
		assert_false(conn_may_send(&o.conn));
		assert_int_equal(o.sends, 0);
		turn_until(ring, o.sent != 0);
		if (o.sent < 0) {
			assert_true(failed && o.took_nothing);
			assert_false(conn_may_send(&o.conn));
			broken++;
		}
		assert_int_equal(o.sends, 1);
		owner_close(&o, ring);
		assert_int_equal(o.sends, 1);
		assert_int_equal(o.heard.len, 0);
		stop_server(&s);
	}
	assert_true(broken > 0);
	tls_context_close(context);
	loopback_ring_close(ring);
}

static void one_send_takes_at_most_64_kib(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();
	static char bytes[200000];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct server s;
	struct owner o;
	struct net_address at;

	(void)state;
	start_server(&s, ECHO, 0, 65536, &at);
	dial(&o, ring, &at);
	start_tls(&o, ring, context);
	conn_send(&o.conn, &iov, 1);
	turn_until(ring, o.sent != 0);
	assert_int_equal(o.sent, 65536);
	turn_until(ring, o.heard.len == 65536);
	owner_close(&o, ring);
	stop_server(&s);
	tls_context_close(context);
	loopback_ring_close(ring);
}

static void a_handshake_that_fails_is_told_once(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct server s;
		struct owner o;
		struct net_address at;

		start_server(&s, i ? CLOSES : NONSENSE, 0, 0, &at);
		dial(&o, ring, &at);
		start_tls(&o, ring, context);
		assert_false(o.tls_ok);
		assert_true(strlen(conn_why(&o.conn)) > 0);
		assert_false(conn_may_send(&o.conn));
		for (u32 turn = 0; turn < 10; turn++)
			ring_turn(ring, TURN_NS);
		assert_int_equal(o.tls_ends, 1);
		assert_int_equal(o.heard.len, 0);
		owner_close(&o, ring);
		stop_server(&s);
	}
	tls_context_close(context);
	loopback_ring_close(ring);
}

static void it_closes_in_the_middle_of_a_handshake(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct tls_context *context = open_context();
	struct server s;
	struct owner o;
	struct net_address at;

	(void)state;
	start_server(&s, NEVER, 0, 0, &at);
	dial(&o, ring, &at);
	assert_true(conn_start_tls(&o.conn, context, &mx_test));
	owner_close(&o, ring);
	assert_int_equal(o.tls_ends, 0);
	stop_server(&s);
	tls_context_close(context);
	loopback_ring_close(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encrypted_bytes_come_back_as_they_went),
		cmocka_unit_test(it_tells_when_the_last_bytes_of_the_handshake_have_left),
		cmocka_unit_test(a_tls_send_that_is_stopped_in_its_middle_may_have_been_got_in_part),
		cmocka_unit_test(a_tls_send_without_memory_is_told_and_was_not_begun),
		cmocka_unit_test(one_send_takes_at_most_64_kib),
		cmocka_unit_test(a_handshake_that_fails_is_told_once),
		cmocka_unit_test(it_closes_in_the_middle_of_a_handshake),
	};

	/* The server's thread may write to a client that has gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

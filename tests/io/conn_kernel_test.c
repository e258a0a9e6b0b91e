/*
 * Connections whose encryption the kernel takes over, against a server thread that speaks OpenSSL; and
 * all the ways in which it does not. Under a kernel without TLS the former are left out: tests/kernel
 * runs this under one that has it.
 */
#include "io/conn_owner.h"
#include "io/tls_server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct server {
	pthread_t thread;
	SSL_CTX *ctx;
	int listener;
	size_t echo;      /* bytes to send back; then close_notify */
	size_t new_keys;  /* after so many bytes the client's keys are to be changed; 0: never */
	bool closes;      /* behind the handshake */
	bool stalls;      /* nothing is read behind the handshake, until the client goes */
};

static bool echo(SSL *ssl, size_t len)
{
	static char bytes[16384];
	int n;

	while (len > 0 && (n = SSL_read(ssl, bytes, (int)(len < sizeof(bytes) ? len : sizeof(bytes)))) > 0) {
		if (SSL_write(ssl, bytes, n) != n)
			return false;
		len -= (size_t)n;
	}
	return len == 0;
}

static void *serve(void *argument)
{
	struct server *s = argument;
	int fd = accept(s->listener, NULL, NULL);
	SSL *ssl = SSL_new(s->ctx);
	char byte;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && s->stalls) {
		struct pollfd gone = { fd, POLLRDHUP, 0 };

		poll(&gone, 1, 20000);
	} else if (!s->closes && SSL_is_init_finished(ssl)) {
		if (s->new_keys > 0 && echo(ssl, s->new_keys)) {
			SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
			SSL_do_handshake(ssl);
			(void)SSL_write(ssl, "250 ok\r\n", 8);
		}
		echo(ssl, s->echo);
		SSL_shutdown(ssl);
	}
	while (!s->closes && !s->stalls && recv(fd, &byte, 1, 0) > 0) {
	}
	SSL_free(ssl);
	close(fd);
	return NULL;
}

/* One of the kernel's answers is another: the n-th, counted from 1. */
static struct {
	u32 asked;
	u32 wrong_at; /* 0: none */
	i32 wrong;
	bool pretends; /* the others are 0 and nothing is done: for kernels that would refuse */
} kernel;

void __real_ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
			    struct slice value);
void __wrap_ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
			    struct slice value);

static struct ring_op *waiting;
static struct ring_op late;
static i32 answer;

static void on_late_answer(struct ring_op *op, i32 result)
{
	struct ring_op *of = waiting;

	(void)op;
	(void)result;
	waiting = NULL;
	of->done(of, answer);
}

void __wrap_ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
			    struct slice value)
{
	kernel.asked++;
	if (kernel.asked != kernel.wrong_at && !kernel.pretends) {
		__real_ring_set_option(ring, op, handle, level, name, value);
		return;
	}
	answer = kernel.asked == kernel.wrong_at ? kernel.wrong : 0;
	waiting = op;
	late.done = on_late_answer;
	ring_later(ring, &late);
}

/* Whether this machine's kernel has it, by what it says of itself. */
static bool kernel_has_tls(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_available_ulp", "r");
	char line[200] = "";

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	return strstr(line, "tls") != NULL;
}

struct world {
	struct ring *ring;
	struct tls_context *context;
	struct server server;
	struct owner owner;
};

static void open_world(struct world *w, int version, const char *suite, struct server server)
{
	static const struct tls_params tls = { .sessions_max = 10 };
	static const struct tls_peer mx_test = { .server_name = { "mx.test", 7 } };
	struct net_address at;

	memset(&kernel, 0, sizeof(kernel));
	w->ring = loopback_ring(&params);
	w->context = tls_context_open(&tls, NULL);
	w->server = server;
	w->server.ctx = tls_server_open(version);
	if (suite)
		assert_int_equal(SSL_CTX_set_ciphersuites(w->server.ctx, suite), 1);
	w->server.listener = loopback_listen(&at);
	assert_int_equal(pthread_create(&w->server.thread, NULL, serve, &w->server), 0);
	dial(&w->owner, w->ring, &at);
	assert_true(conn_start_tls(&w->owner.conn, w->context, &mx_test));
	turn_until(w->ring, w->owner.tls_ends && conn_may_send(&w->owner.conn));
	assert_int_equal(conn_kernel(&w->owner.conn), CONN_KERNEL_UNASKED);
}

static void close_world(struct world *w)
{
	owner_close(&w->owner, w->ring);
	pthread_join(w->server.thread, NULL);
	close(w->server.listener);
	SSL_CTX_free(w->server.ctx);
	tls_context_close(w->context);
	loopback_ring_close(w->ring);
}

static char bytes[300000];

static void fill_bytes(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 11);
}

static void assert_echoed(struct world *w, size_t len)
{
	size_t before = w->owner.heard.len;

	send_all(&w->owner, w->ring, bytes, len);
	turn_until(w->ring, w->owner.heard.len >= before + len || w->owner.ends);
	assert_int_equal(w->owner.heard.len, before + len);
	assert_memory_equal(w->owner.heard.ptr + before, bytes, len);
}

/* Asks the kernel and waits for what comes of it. */
static void ask_kernel(struct world *w)
{
	w->owner.sends = 0;
	assert_true(conn_encrypt_in_kernel(&w->owner.conn));
	assert_false(conn_may_send(&w->owner.conn));
	assert_int_equal(w->owner.sends, 0);
	turn_until(w->ring, w->owner.sends > 0);
	assert_int_equal(w->owner.sends, 1);
	assert_int_equal(w->owner.sent, 0);
	assert_true(conn_may_send(&w->owner.conn));
}

static void the_kernel_goes_on_where_the_process_stopped(void **state)
{
	static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
					      "TLS_CHACHA20_POLY1305_SHA256" };

	(void)state;
	if (!kernel_has_tls())
		skip();
	for (u32 i = 0; i < array_count(suites); i++) {
		const struct server server = { .echo = 60 + 3 * sizeof(bytes) + 10 };
		struct world w;

		open_world(&w, TLS1_3_VERSION, suites[i], server);
		assert_echoed(&w, 60);
		ask_kernel(&w);
		assert_int_equal(conn_kernel(&w.owner.conn), CONN_KERNEL_ON);
		for (u32 round = 0; round < 3; round++)
			assert_echoed(&w, sizeof(bytes));
		assert_echoed(&w, 10);
		assert_int_equal(tls_output(w.owner.conn.tls).len, 0);
		/* close_notify, though the connection below stands. */
		turn_until(w.ring, w.owner.ends);
		assert_int_equal(w.owner.end, 0);
		close_world(&w);
	}
}

static void a_machine_with_or_without_it_sends_all_the_same(void **state)
{
	struct server server = { .echo = 2 * sizeof(bytes) };
	struct world w;

	(void)state;
	open_world(&w, TLS1_3_VERSION, NULL, server);
	ask_kernel(&w);
	assert_int_equal(conn_kernel(&w.owner.conn),
			 kernel_has_tls() ? CONN_KERNEL_ON : CONN_KERNEL_MISSING);
	assert_echoed(&w, sizeof(bytes));
	assert_echoed(&w, sizeof(bytes));
	close_world(&w);
}

/* Where the kernel would refuse by itself, its other answers are made up as well. */
static void whatever_fails_the_process_goes_on(void **state)
{
	static const struct {
		u32 at;
		i32 answer;
		enum conn_kernel result;
	} failures[] = {
		{ 1, -EOPNOTSUPP, CONN_KERNEL_MISSING }, /* a ring before 6.7 */
		{ 1, -EINVAL, CONN_KERNEL_MISSING },     /* rings of 5.x */
		{ 1, -ENOENT, CONN_KERNEL_MISSING },     /* no module */
		{ 1, -ENOTCONN, CONN_KERNEL_REFUSED },
		{ 2, -EINVAL, CONN_KERNEL_REFUSED },
		{ 2, -ENOMEM, CONN_KERNEL_REFUSED },
	};

	(void)state;
	for (u32 i = 0; i < array_count(failures); i++) {
		struct server server = { .echo = 60 + sizeof(bytes) };
		struct world w;

		open_world(&w, TLS1_3_VERSION, NULL, server);
		kernel.wrong_at = failures[i].at;
		kernel.wrong = failures[i].answer;
		kernel.pretends = !kernel_has_tls();
		assert_echoed(&w, 60);
		ask_kernel(&w);
		assert_int_equal(conn_kernel(&w.owner.conn), failures[i].result);
		assert_int_equal(kernel.asked, failures[i].at);
		assert_echoed(&w, sizeof(bytes));
		close_world(&w);
	}
}

static void tls_1_2_stays_with_the_process_and_the_kernel_is_not_asked(void **state)
{
	struct server server = { .echo = sizeof(bytes) };
	struct world w;

	(void)state;
	open_world(&w, TLS1_2_VERSION, NULL, server);
	assert_false(conn_encrypt_in_kernel(&w.owner.conn));
	assert_int_equal(conn_kernel(&w.owner.conn), CONN_KERNEL_VERSION);
	assert_int_equal(kernel.asked, 0);
	assert_true(conn_may_send(&w.owner.conn));
	assert_echoed(&w, sizeof(bytes));
	close_world(&w);
}

static void a_kernel_without_tls_is_asked_once(void **state)
{
	struct server server = { .echo = 60 };
	struct world w;
	struct tls *tls;
	struct slice keys;

	(void)state;
	open_world(&w, TLS1_3_VERSION, NULL, server);
	kernel.wrong_at = 1;
	kernel.wrong = -ENOENT;
	ask_kernel(&w);
	tls = w.owner.conn.tls;
	assert_int_equal(tls_hand_over(tls, &keys), TLS_HANDOVER_LACKING);
	close_world(&w);
}

static void it_closes_while_the_kernel_is_asked(void **state)
{
	(void)state;
	for (u32 at = 1; at <= 2; at++) {
		struct server server = { .echo = 60 };
		struct world w;

		open_world(&w, TLS1_3_VERSION, NULL, server);
		kernel.pretends = !kernel_has_tls();
		assert_true(conn_encrypt_in_kernel(&w.owner.conn));
		if (at == 2)
			turn_until(w.ring, kernel.asked == 2);
		w.owner.sends = 0;
		close_world(&w); /* asserts that it was told once */
		assert_int_equal(w.owner.sends, 0);
	}
}

static void a_peer_that_has_gone_meanwhile_is_told_once(void **state)
{
	struct server server = { .closes = true };
	struct world w;

	(void)state;
	open_world(&w, TLS1_3_VERSION, NULL, server);
	pthread_join(w.server.thread, NULL);
	kernel.pretends = true;
	kernel.wrong_at = 1;
	kernel.wrong = -ENOTCONN;
	w.owner.sends = 0;
	if (conn_may_send(&w.owner.conn))
		assert_true(conn_encrypt_in_kernel(&w.owner.conn));
	turn_until(w.ring, w.owner.ends);
	for (u32 turn = 0; turn < 10; turn++)
		ring_turn(w.ring, TURN_NS);
	assert_int_equal(w.owner.ends, 1);
	assert_true(w.owner.sends <= 1);
	assert_int_equal(pthread_create(&w.server.thread, NULL, serve, &w.server), 0);
	shutdown(w.server.listener, SHUT_RDWR);
	close_world(&w);
}

static void new_keys_make_it_mute_and_replies_still_come(void **state)
{
	struct server server = { .new_keys = 1000, .echo = 10 };
	struct world w;

	(void)state;
	if (!kernel_has_tls())
		skip();
	open_world(&w, TLS1_3_VERSION, NULL, server);
	ask_kernel(&w);
	send_all(&w.owner, w.ring, bytes, 1000);
	turn_until(w.ring, w.owner.heard.len == 1008);
	assert_memory_equal(w.owner.heard.ptr + 1000, "250 ok\r\n", 8);
	assert_true(conn_is_mute(&w.owner.conn));
	assert_false(conn_may_send(&w.owner.conn));
	close_world(&w);
}

/* As in plaintext: what the kernel took is told, and of what it did not take the peer gets nothing. */
static void a_send_that_is_stopped_took_what_was_told(void **state)
{
	static char bulk[1 << 20];
	struct server server = { .stalls = true };
	struct iovec iov = { bulk, sizeof(bulk) };
	struct world w;
	u32 sends;

	(void)state;
	if (!kernel_has_tls())
		skip();
	open_world(&w, TLS1_3_VERSION, NULL, server);
	ask_kernel(&w);
	send_until_stuck(&w.owner, w.ring, &iov);
	sends = w.owner.sends;
	conn_stop_sending(&w.owner.conn);
	turn_until(w.ring, w.owner.sends > sends);
	assert_int_equal(w.owner.sent, -ECANCELED);
	assert_true(w.owner.took_nothing);
	close_world(&w);
}

static void the_process_changes_keys_by_itself(void **state)
{
	struct server server = { .new_keys = 1000, .echo = 1000 };
	struct world w;

	(void)state;
	open_world(&w, TLS1_3_VERSION, NULL, server);
	send_all(&w.owner, w.ring, bytes, 1000);
	turn_until(w.ring, w.owner.heard.len == 1008);
	assert_echoed(&w, 500);
	assert_false(conn_is_mute(&w.owner.conn));
	assert_false(conn_encrypt_in_kernel(&w.owner.conn));
	assert_int_equal(conn_kernel(&w.owner.conn), CONN_KERNEL_KEYS);
	assert_echoed(&w, 500);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_goes_on_where_the_process_stopped),
		cmocka_unit_test(a_machine_with_or_without_it_sends_all_the_same),
		cmocka_unit_test(whatever_fails_the_process_goes_on),
		cmocka_unit_test(tls_1_2_stays_with_the_process_and_the_kernel_is_not_asked),
		cmocka_unit_test(a_kernel_without_tls_is_asked_once),
		cmocka_unit_test(it_closes_while_the_kernel_is_asked),
		cmocka_unit_test(a_peer_that_has_gone_meanwhile_is_told_once),
		cmocka_unit_test(new_keys_make_it_mute_and_replies_still_come),
		cmocka_unit_test(a_send_that_is_stopped_took_what_was_told),
		cmocka_unit_test(the_process_changes_keys_by_itself),
	};

	signal(SIGPIPE, SIG_IGN);
	fill_bytes();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

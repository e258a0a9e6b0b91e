/* The server's side of TLS: over memory against our client, and on a connection of a real ring. */
#include "io/conn_owner.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "io/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

static struct tls_context *open_server(void)
{
	struct error error = { "" };
	struct tls_context *context;
	struct buf pem;

	buf_init(&pem, 1u << 16);
	assert_true(crypto_certificate_make("mx.test", clock_wall_ms(), &pem));
	context = tls_context_open_server(buf_slice(&pem), &error);
	if (!context)
		fail_msg("%s", error.text);
	buf_done(&pem);
	return context;
}

static struct tls_context *open_client(void)
{
	struct tls_params client_params = { .sessions_max = 4 };
	struct error error = { "" };
	struct tls_context *context = tls_context_open(&client_params, &error);

	assert_non_null(context);
	return context;
}

static struct tls *connect_by(struct tls_context *context, struct slice session_key)
{
	const struct tls_peer peer = { .server_name = SLICE("mx.test"),
				       .session_key = session_key };

	return tls_open(context, &peer);
}

/* What `from` has to say goes to `to`, which takes a step of its handshake or reads. */
static void pass(struct tls *from, struct tls *to, bool *done, struct buf *heard)
{
	struct slice out = tls_output(from);
	struct buf copy;
	char plain[64];
	size_t got;

	buf_init(&copy, 1u << 20);
	buf_add_slice(&copy, out);
	tls_sent(from, out.len);
	tls_feed(to, buf_slice(&copy));
	if (!*done) {
		enum tls_result result = tls_handshake(to);

		assert_true(result == TLS_OK || result == TLS_AGAIN);
		*done = result == TLS_OK;
	}
	while (*done && tls_read(to, plain, sizeof(plain), &got) == TLS_OK)
		buf_add(heard, plain, got);
	buf_done(&copy);
}

static void our_client_and_our_server_shake_hands_and_resume(void **state)
{
	struct tls_context *servers = open_server();
	struct tls_context *clients = open_client();

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct tls *server = tls_accept(servers);
		struct tls *client = connect_by(clients, SLICE("mx.test"));
		struct iovec hello = { (void *)"EHLO", 4 };
		bool server_done = false;
		bool client_done = false;
		struct buf heard;
		size_t taken;

		buf_init(&heard, 1u << 16);
		assert_int_equal(tls_handshake(client), TLS_AGAIN);
		for (u32 turn = 0; turn < 4; turn++) {
			pass(client, server, &server_done, &heard);
			pass(server, client, &client_done, &heard);
		}
		assert_true(server_done && client_done);
		assert_int_equal(tls_write(client, &hello, 1, 4, &taken), TLS_OK);
		pass(client, server, &server_done, &heard);
		assert_string_equal(buf_text(&heard), "EHLO");
		assert_int_equal(tls_was_resumed(client), i);
		assert_string_equal(tls_version(server), "TLSv1.3");
		buf_done(&heard);
		tls_close(client);
		tls_close(server);
	}
	tls_context_close(clients);
	tls_context_close(servers);
}

static void without_a_certificate_and_its_key_there_is_no_server(void **state)
{
	struct error error = { "" };
	struct buf pem;
	struct buf other;
	i64 key;

	(void)state;
	assert_null(tls_context_open_server(SLICE("nonsense"), &error));
	assert_string_equal(error.text, "no certificate");
	buf_init(&pem, 1u << 16);
	buf_init(&other, 1u << 16);
	assert_true(crypto_certificate_make("mx.test", clock_wall_ms(), &pem));
	assert_true(crypto_certificate_make("mx.test", clock_wall_ms(), &other));
	/* The key of one with the certificate of the other. */
	key = slice_find(buf_slice(&pem), SLICE("-----BEGIN CERTIFICATE"));
	assert_true(key > 0);
	buf_drop_front(&pem, (size_t)key);
	assert_null(tls_context_open_server(buf_slice(&pem), &error));
	assert_string_equal(error.text, "no private key that fits the certificate");
	key = slice_find(buf_slice(&other), SLICE("-----BEGIN CERTIFICATE"));
	buf_add_slice(&pem, slice_first(buf_slice(&other), (size_t)key));
	assert_null(tls_context_open_server(buf_slice(&pem), &error));
	assert_string_equal(error.text, "no private key that fits the certificate");
	buf_done(&pem);
	buf_done(&other);
}

/* An accepted connection that has heard `len` bytes. */
static int accept_that_heard(struct owner *o, struct ring *ring, struct slice bytes)
{
	struct net_address at;
	struct net_address peer;
	int listener = loopback_listen(&at);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(at.port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in own;
	socklen_t own_len = sizeof(own);
	i32 handle;

	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(ring_accept_one(ring, listener, &peer), -EAGAIN);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &own_len), 0);
	assert_int_equal(poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, 10000), 1);
	handle = ring_accept_one(ring, listener, &peer);
	assert_true(handle >= 0);
	assert_int_equal(peer.family, 4);
	assert_int_equal(peer.port, ntohs(own.sin_port));
	assert_memory_equal(peer.ip, "\x7f\0\0\1", 4);
	owner_init(o, ring);
	conn_adopt(&o->conn, handle);
	assert_int_equal(send(fd, bytes.ptr, bytes.len, 0), bytes.len);
	turn_until(ring, o->heard.len == bytes.len);
	close(listener);
	return fd;
}

static void a_handshake_goes_on_from_what_was_heard_before(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct tls_context *servers = open_server();
	struct tls_context *clients = open_client();
	struct tls *client = connect_by(clients, SLICE_NONE);
	enum tls_result result = tls_handshake(client);
	struct slice hello = tls_output(client);
	char cipher[16384];
	struct owner o;
	ssize_t n;
	int fd;

	(void)state;
	assert_int_equal(result, TLS_AGAIN);
	fd = accept_that_heard(&o, ring, hello);
	tls_sent(client, hello.len);
	assert_true(conn_accept_tls(&o.conn, servers, buf_slice(&o.heard)));
	assert_int_equal(o.tls_ends, 0);
	while (result == TLS_AGAIN) {
		while ((n = recv(fd, cipher, sizeof(cipher), MSG_DONTWAIT)) < 0)
			ring_turn(ring, NS_PER_MS);
		assert_true(n > 0);
		tls_feed(client, (struct slice){ cipher, (size_t)n });
		result = tls_handshake(client);
		hello = tls_output(client);
		if (hello.len > 0)
			assert_int_equal(send(fd, hello.ptr, hello.len, 0), hello.len);
		tls_sent(client, hello.len);
	}
	assert_int_equal(result, TLS_OK);
	turn_until(ring, o.tls_ends == 1);
	assert_true(o.tls_ok);
	owner_close(&o, ring);
	close(fd);
	tls_close(client);
	tls_context_close(clients);
	tls_context_close(servers);
	loopback_ring_close(ring);
}

static void nonsense_instead_of_a_handshake_is_told_once_and_later(void **state)
{
	struct ring *ring = loopback_ring(&params);
	struct tls_context *servers = open_server();
	struct owner o;
	int fd = accept_that_heard(&o, ring, SLICE("MAIL FROM:<evil@x.test>\r\n"));

	(void)state;
	assert_true(conn_accept_tls(&o.conn, servers, buf_slice(&o.heard)));
	assert_int_equal(o.tls_ends, 0);
	turn_until(ring, o.tls_ends == 1);
	assert_false(o.tls_ok);
	for (u32 i = 0; i < 10; i++)
		ring_turn(ring, NS_PER_MS);
	assert_int_equal(o.tls_ends, 1);
	owner_close(&o, ring);
	close(fd);
	tls_context_close(servers);
	loopback_ring_close(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_client_and_our_server_shake_hands_and_resume),
		cmocka_unit_test(without_a_certificate_and_its_key_there_is_no_server),
		cmocka_unit_test(a_handshake_goes_on_from_what_was_heard_before),
		cmocka_unit_test(nonsense_instead_of_a_handshake_is_told_once_and_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The TLS client over memory, and OpenSSL's server over memory as its peer. */
#ifndef TESTS_IO_TLS_MEMORY_H
#define TESTS_IO_TLS_MEMORY_H

#include "io/tls_server.h"

#include "base/buf.h"
#include "base/text.h"
#include "io/tls.h"

struct peer {
	struct tls *tls;
	SSL *server;
	BIO *in;  /* of the server */
	BIO *out;
	bool bytewise; /* to the client byte by byte */
	char wire[4096]; /* what the client reads from */
};

static inline struct tls_context *open_context(u32 sessions)
{
	struct tls_params params = { .sessions_max = sessions };
	struct error error = { "" };
	struct tls_context *context = tls_context_open(&params, &error);

	if (!context)
		fail_msg("%s", error.text);
	return context;
}

static inline void open_server_of(struct peer *p, struct tls *tls, SSL_CTX *ctx)
{
	*p = (struct peer){ .tls = tls, .server = SSL_new(ctx), .in = BIO_new(BIO_s_mem()),
			    .out = BIO_new(BIO_s_mem()) };
	assert_true(p->tls && p->server);
	BIO_set_mem_eof_return(p->in, -1);
	SSL_set_bio(p->server, p->in, p->out);
	SSL_set_accept_state(p->server);
}

static inline void open_peer(struct peer *p, struct tls_context *context, SSL_CTX *ctx, const char *key)
{
	const struct tls_peer peer = { .server_name = SLICE("mx.test"),
				       .session_key = slice_of(key) };

	open_server_of(p, tls_open(context, &peer), ctx);
}

static inline void close_peer(struct peer *p)
{
	tls_close(p->tls);
	SSL_free(p->server);
}

static inline enum tls_result write_text(struct peer *p, const void *text, size_t len)
{
	struct iovec piece = { (void *)text, len };
	enum tls_result result;
	size_t taken;

	result = tls_write(p->tls, &piece, 1, SIZE_MAX, &taken);
	if (result == TLS_OK)
		assert_int_equal(taken, len);
	return result;
}

/* Moves ciphertext of the client; true when there was some. */
static inline bool to_server(struct peer *p)
{
	struct slice out;
	bool any = false;

	assert_false(tls_cannot_send(p->tls));
	while ((out = tls_output(p->tls)).len > 0) {
		size_t some = p->bytewise ? 1 + out.len / 2 : out.len;

		assert_int_equal(BIO_write(p->in, out.ptr, (int)some), some);
		tls_sent(p->tls, some);
		any = true;
	}
	return any;
}

/* One piece of ciphertext of the server, which the client is to read now; false: there is none. */
static inline bool from_server(struct peer *p)
{
	int n = BIO_read(p->out, p->wire, p->bytewise ? 1 : (int)sizeof(p->wire));

	if (n > 0)
		tls_feed(p->tls, (struct slice){ p->wire, (size_t)n });
	return n > 0;
}

static inline enum tls_result shake(struct peer *p)
{
	enum tls_result result;

	do {
		result = tls_handshake(p->tls);
		to_server(p);
		SSL_do_handshake(p->server);
	} while (result == TLS_AGAIN && from_server(p));
	return result;
}

/* Reads all plaintext that there is; returns how reading ended. */
static inline enum tls_result read_all(struct peer *p, struct buf *to)
{
	enum tls_result result;
	char plain[1000];
	size_t got;

	while ((result = tls_read(p->tls, plain, sizeof(plain), &got)) == TLS_OK)
		buf_add(to, plain, got);
	return result;
}

/* Reads on until the server has said all. */
static inline enum tls_result hear(struct peer *p, struct buf *to)
{
	enum tls_result result = TLS_AGAIN;

	while (result == TLS_AGAIN && from_server(p))
		result = read_all(p, to);
	return result;
}

static inline void handshake_and_tickets(struct peer *p)
{
	struct buf nothing;

	assert_int_equal(shake(p), TLS_OK);
	buf_init(&nothing, 100);
	/* In TLS 1.3 tickets come behind the handshake. */
	assert_int_equal(hear(p, &nothing), TLS_AGAIN);
	assert_int_equal(nothing.len, 0);
	buf_done(&nothing);
}

static inline void connect_peer(struct peer *p, struct tls_context *context, SSL_CTX *ctx, const char *key)
{
	open_peer(p, context, ctx, key);
	handshake_and_tickets(p);
}

#endif

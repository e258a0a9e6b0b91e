/*
 * STARTTLS for bare_client: handshakes before the clock starts, then either OpenSSL between memory
 * BIOs or, with --tls kernel, records made by the kernel (kTLS, sending only: replies are small). TLS
 * 1.3, AES-128-GCM.
 */
#include "bare_client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bare_tls {
	SSL *ssl;
};

static SSL_CTX *make_context(bool kernel)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256"))
		bare_fail("TLS 1.3 is not to be had");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (kernel)
		SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
	return ctx;
}

/* Says `text` on a blocking socket and reads replies until the last line of one. */
static void ask(int fd, const char *text)
{
	char reply[4096];
	size_t len = 0, line = 0;

	if (*text && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bare_fail("send: %m");
	for (;;) {
		ssize_t got = read(fd, reply + len, sizeof(reply) - len);

		if (got <= 0)
			bare_fail("the receiver closed before TLS");
		len += (size_t)got;
		for (size_t i = line; i < len; i++) {
			if (reply[i] != '\n')
				continue;
			if (reply[line] != '2')
				bare_fail("refused: %.*s", (int)(i - line), reply + line);
			if (reply[line + 3] == ' ')
				return;
			line = i + 1;
		}
	}
}

struct bare_tls *bare_tls_start(int fd, bool kernel)
{
	static SSL_CTX *ctx;
	struct bare_tls *t = calloc(1, sizeof(*t));

	if (!ctx)
		ctx = make_context(kernel);
	ask(fd, "");
	ask(fd, "EHLO sender.test\r\n");
	ask(fd, "STARTTLS\r\n");
	if (t)
		t->ssl = SSL_new(ctx);
	if (!t || !t->ssl || !SSL_set_fd(t->ssl, fd) || SSL_connect(t->ssl) != 1)
		bare_fail("handshake: %s", ERR_error_string(ERR_get_error(), NULL));
	if (kernel && !BIO_get_ktls_send(SSL_get_wbio(t->ssl)))
		bare_fail("--tls kernel: this kernel or this OpenSSL does not");
	if (kernel && BIO_get_ktls_recv(SSL_get_rbio(t->ssl)))
		bare_fail("--tls kernel: it receives, too, and this program does not know how");
	SSL_set0_rbio(t->ssl, BIO_new(BIO_s_mem()));
	if (!kernel)
		SSL_set0_wbio(t->ssl, BIO_new(BIO_s_mem()));
	return t;
}

size_t bare_tls_seal(struct bare_tls *t, const struct iovec *parts, unsigned count, void **records)
{
	BIO *out = SSL_get_wbio(t->ssl);

	(void)BIO_reset(out);
	for (unsigned i = 0; i < count; i++) {
		if (SSL_write(t->ssl, parts[i].iov_base, (int)parts[i].iov_len) !=
		    (int)parts[i].iov_len)
			bare_fail("SSL_write failed");
	}
	return (size_t)BIO_get_mem_data(out, records);
}

void bare_tls_feed(struct bare_tls *t, const void *records, size_t len)
{
	if (BIO_write(SSL_get_rbio(t->ssl), records, (int)len) != (int)len)
		bare_fail("out of memory");
}

size_t bare_tls_read(struct bare_tls *t, char *clear, size_t size)
{
	int n = SSL_read(t->ssl, clear, (int)size);

	if (n <= 0 && SSL_get_error(t->ssl, n) != SSL_ERROR_WANT_READ)
		bare_fail("SSL_read: %s", ERR_error_string(ERR_get_error(), NULL));
	return n > 0 ? (size_t)n : 0;
}

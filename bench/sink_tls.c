/* STARTTLS (RFC 3207): OpenSSL between two memory BIOs; the ring moves the records. */
#include "sink.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CLEAR_BYTES 16384	/* the most that one record holds */
#define CERT_SECONDS (10L * 365 * 24 * 3600)

static void use_own_certificate(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name;
	bool good;

	if (!key || !cert)
		sink_fail("no certificate could be made");
	name = X509_get_subject_name(cert);
	good = X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
		X509_gmtime_adj(X509_getm_notAfter(cert), CERT_SECONDS) &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"sink.test", -1, -1, 0) &&
		X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
		X509_sign(cert, key, EVP_sha256()) && SSL_CTX_use_certificate(ctx, cert) &&
		SSL_CTX_use_PrivateKey(ctx, key);
	if (!good)
		sink_fail("no certificate could be made");
	X509_free(cert);
	EVP_PKEY_free(key);
}

SSL_CTX *tls_context_make(const struct sink_options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		sink_fail("TLS is not to be had");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"sink", 4);
	if (o->no_resumption) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	if (!o->cert_path)
		use_own_certificate(ctx);
	else if (SSL_CTX_use_certificate_chain_file(ctx, o->cert_path) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, o->key_path, SSL_FILETYPE_PEM) != 1)
		sink_fail("%s or %s cannot be used", o->cert_path, o->key_path);
	return ctx;
}

void tls_start(struct session *s)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	s->ssl = SSL_new(s->sink->tls);
	if (!s->ssl || !in || !out)
		sink_fail("out of memory");
	SSL_set_bio(s->ssl, in, out);
	SSL_set_accept_state(s->ssl);
	s->plain_left = s->out.len;
}

bool tls_feed(struct session *s, const uint8_t *records, size_t len)
{
	uint8_t clear[CLEAR_BYTES];
	bool was_up = SSL_is_init_finished(s->ssl);
	int n, error;

	if (BIO_write(SSL_get_rbio(s->ssl), records, (int)len) != (int)len)
		sink_fail("out of memory");
	ERR_clear_error();
	while ((n = SSL_read(s->ssl, clear, sizeof(clear))) > 0 && s->closing == CLOSING_NO)
		smtp_feed(s, clear, (size_t)n);
	error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, n);
	session_touch(s);
	if (!was_up && SSL_is_init_finished(s->ssl)) {
		sink_count(&s->sink->stats->tls_sessions, 1);
		sink_count(&s->sink->stats->tls_resumed, (uint64_t)SSL_session_reused(s->ssl));
	}
	if (error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ)
		return true;
	if (!SSL_is_init_finished(s->ssl))
		sink_count(&s->sink->stats->tls_failed, 1);
	return false;
}

/* KeyUpdate (RFC 8446 section 4.6.3) goes out in front of the reply. */
static void ask_for_new_keys(struct session *s)
{
	uint32_t after = s->sink->options->new_keys_after;

	if (!after || s->messages < after || s->new_keys_wanted || SSL_version(s->ssl) < TLS1_3_VERSION)
		return;
	s->new_keys_wanted = true;
	if (SSL_key_update(s->ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
		sink_fail("keys cannot be changed");
}

bool tls_take(struct session *s, const uint8_t *text, size_t len, struct sink_buf *records)
{
	BIO *out = SSL_get_wbio(s->ssl);
	size_t pending;
	char *bytes;

	ERR_clear_error();
	ask_for_new_keys(s);
	if (len && SSL_write(s->ssl, text, (int)len) != (int)len)
		return false;
	pending = (size_t)BIO_get_mem_data(out, &bytes);
	sink_buf_add(records, bytes, pending);
	(void)BIO_reset(out);
	return true;
}

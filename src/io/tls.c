#include "io/tls.h"

#include "base/check.h"
#include "base/list.h"
#include "base/text.h"
#include "io/cipher.h"
#include "io/tls_parts.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION_KEY_MAX 96
#define SESSION_BUCKETS 1024
#define RECORD_MAX 16384 /* plaintext of a record: RFC 8446 section 5.1 */

struct session {
	struct list by_key; /* in its bucket */
	struct list by_age;
	SSL_SESSION *session;
	char key[SESSION_KEY_MAX];
};

struct tls_context {
	SSL_CTX *ssl_context;
	BIO_METHOD *method;
	struct cipher_pool pool;
	struct list buckets[SESSION_BUCKETS];
	struct list by_age;
	u32 count;
	u32 max;
	bool is_server;
	bool has_roots;
	bool kernel_lacks; /* TLS; it is not asked again */
	char record[RECORD_MAX]; /* small pieces become one record here */
};

struct tls {
	struct tls_context *context;
	SSL *ssl;
	struct slice in; /* the caller's, not read yet */
	struct cipher out;
	struct tls_sealing sealing;
	enum tls_proof proof;
	char key[SESSION_KEY_MAX];
	const char *reason; /* OpenSSL's own */
	char why[120];
};

static struct list *bucket_of(struct tls_context *context, const char *key)
{
	u32 hash = 2166136261u;

	for (; *key; key++)
		hash = (hash ^ (u8)*key) * 16777619u;
	return &context->buckets[hash % SESSION_BUCKETS];
}

static struct session *find_session(struct tls_context *context, const char *key)
{
	list_for_each(node, bucket_of(context, key)) {
		struct session *s = list_entry(node, struct session, by_key);

		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

static void drop_session(struct tls_context *context, struct session *s)
{
	list_unlink(&s->by_key);
	list_unlink(&s->by_age);
	SSL_SESSION_free(s->session);
	free(s);
	context->count--;
}

/* OpenSSL hands us a session (in TLS 1.3 after the handshake). Returning 1 keeps the reference. */
static int on_new_session(SSL *ssl, SSL_SESSION *ssl_session)
{
	struct tls *tls = SSL_get_app_data(ssl);
	struct tls_context *context = tls->context;
	struct session *s = find_session(context, tls->key);

	if (!tls->key[0] || context->max == 0)
		return 0;
	if (s)
		drop_session(context, s);
	else if (context->count >= context->max)
		drop_session(context, list_entry(context->by_age.next, struct session, by_age));
	s = calloc(1, sizeof(*s));
	if (!s)
		return 0;
	s->session = ssl_session;
	memcpy(s->key, tls->key, sizeof(s->key));
	list_push_back(bucket_of(context, s->key), &s->by_key);
	list_push_back(&context->by_age, &s->by_age);
	context->count++;
	return 1;
}

/* ---- the BIO by which OpenSSL takes ciphertext and hands it over ---- */

static int bio_read(BIO *bio, char *to, int size)
{
	struct tls *tls = BIO_get_data(bio);
	size_t len = min_size(tls->in.len, (size_t)size);

	BIO_clear_retry_flags(bio);
	if (len == 0) {
		BIO_set_retry_read(bio); /* later, and not the end */
		return -1;
	}
	memcpy(to, tls->in.ptr, len);
	tls->in = slice_from(tls->in, len);
	return (int)len;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
	struct tls *tls = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	tls_sealing_count(&tls->sealing, (const u8 *)bytes, (size_t)len);
	return cipher_add(&tls->out, bytes, (size_t)len) ? len : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH; /* nothing is held back; nothing else is asked of it */
}

static BIO_METHOD *make_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "memory of the connection");

	if (method && BIO_meth_set_read(method, bio_read) == 1 &&
	    BIO_meth_set_write(method, bio_write) == 1 &&
	    BIO_meth_set_ctrl(method, bio_control) == 1)
		return method;
	BIO_meth_free(method);
	return NULL;
}

/* ---- contexts ---- */

/* What both sides share. */
static struct tls_context *make_context(const SSL_METHOD *side, struct error *error)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	SSL_CTX *ctx = SSL_CTX_new(side);
	BIO_METHOD *method = make_bio_method();

	if (!context || !ctx || !method) {
		error_set(error, "out of memory for TLS");
		BIO_meth_free(method);
		SSL_CTX_free(ctx);
		free(context);
		return NULL;
	}
	for (u32 i = 0; i < SESSION_BUCKETS; i++)
		list_init(&context->buckets[i]);
	list_init(&context->by_age);
	context->ssl_context = ctx;
	context->method = method;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	return context;
}

struct tls_context *tls_context_open(const struct tls_params *params, struct error *error)
{
	struct tls_context *context = make_context(TLS_client_method(), error);
	SSL_CTX *ctx = context ? context->ssl_context : NULL;

	if (!context)
		return NULL;
	if (!tls_proof_init(ctx)) {
		error_set(error, "out of memory for TLS");
		tls_context_close(context);
		return NULL;
	}
	context->max = params->sessions_max;
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_new_session);
	tls_kernel_watch(ctx);
	return context;
}

/* The first certificate is ours, the others stand behind it. */
static bool use_certificates(SSL_CTX *ctx, struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	bool used = bio != NULL;
	u32 count = 0;
	X509 *certificate;

	while (used && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		used = (count++ == 0 ? SSL_CTX_use_certificate(ctx, certificate) :
				       SSL_CTX_add1_chain_cert(ctx, certificate)) == 1;
		X509_free(certificate);
	}
	BIO_free(bio);
	return used && count > 0;
}

static bool use_key(SSL_CTX *ctx, struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	bool used = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
		    SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	return used;
}

struct tls_context *tls_context_open_server(struct slice pem, struct error *error)
{
	struct tls_context *context = make_context(TLS_server_method(), error);
	bool certified;

	if (!context)
		return NULL;
	context->is_server = true;
	SSL_CTX_set_session_cache_mode(context->ssl_context, SSL_SESS_CACHE_OFF);
	certified = pem.len <= INT_MAX && use_certificates(context->ssl_context, pem);
	if (!certified || !use_key(context->ssl_context, pem)) {
		error_set(error, certified ? "no private key that fits the certificate" :
					     "no certificate");
		ERR_clear_error();
		tls_context_close(context);
		return NULL;
	}
	ERR_clear_error();
	return context;
}

void tls_context_close(struct tls_context *context)
{
	if (!context)
		return;
	while (context->count > 0)
		drop_session(context, list_entry(context->by_age.next, struct session, by_age));
	SSL_CTX_free(context->ssl_context);
	BIO_meth_free(context->method);
	cipher_pool_done(&context->pool);
	free(context);
}

/* ---- one connection ---- */

static bool attach_bio(struct tls *tls)
{
	BIO *bio = BIO_new(tls->context->method);

	if (!bio)
		return false;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	return true;
}

/* Read when they are wanted for the first time: most senders never do. */
static void want_roots(struct tls_context *context)
{
	if (!context->has_roots)
		tls_proof_roots(SSL_CTX_get_cert_store(context->ssl_context));
	context->has_roots = true;
}

static struct tls *make(struct tls_context *context)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	tls->context = context;
	cipher_init(&tls->out, &context->pool);
	tls->ssl = SSL_new(context->ssl_context);
	if (tls->ssl && attach_bio(tls) && SSL_set_app_data(tls->ssl, tls) == 1)
		return tls;
	ERR_clear_error();
	tls_close(tls);
	return NULL;
}

struct tls *tls_accept(struct tls_context *context)
{
	struct tls *tls = make(context);

	ASSERT(context->is_server);
	if (tls)
		SSL_set_accept_state(tls->ssl);
	return tls;
}

struct tls *tls_open(struct tls_context *context, const struct tls_peer *peer)
{
	struct tls *tls;
	struct session *s;

	ASSERT(!context->is_server);
	if (peer->proof == TLS_PROOF_PKIX)
		want_roots(context);
	tls = make(context);
	if (tls && !tls_proof_demand(tls->ssl, peer, &tls->proof)) {
		ERR_clear_error();
		tls_close(tls);
		return NULL;
	}
	if (!tls)
		return NULL;
	SSL_set_connect_state(tls->ssl);
	if (!slice_copy(tls->key, sizeof(tls->key), peer->session_key))
		tls->key[0] = '\0';
	s = tls->key[0] ? find_session(context, tls->key) : NULL;
	if (s)
		SSL_set_session(tls->ssl, s->session);
	return tls;
}

void tls_close(struct tls *tls)
{
	if (!tls)
		return;
	/* Without this mark OpenSSL takes the session for broken and drops it from the cache. */
	if (tls->ssl)
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	cipher_done(&tls->out);
	tls_sealing_wipe(&tls->sealing);
	free(tls);
}

void tls_feed(struct tls *tls, struct slice ciphertext)
{
	tls->in = ciphertext;
}

static enum tls_result judge(struct tls *tls, int ret)
{
	const char *reason = NULL;

	switch (SSL_get_error(tls->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_ENDED;
	}
	if (tls_cannot_send(tls))
		reason = "no memory for ciphertext";
	else if (!tls_is_proven(tls))
		reason = X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl));
	else if (ERR_peek_last_error())
		reason = ERR_reason_error_string(ERR_peek_last_error());
	tls->reason = reason;
	/* OpenSSL has no words for errors of the system. */
	snprintf(tls->why, sizeof(tls->why), "%s", reason ? reason : "connection broken");
	ERR_clear_error();
	return TLS_FAILED;
}

enum tls_result tls_handshake(struct tls *tls)
{
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(tls->ssl);
	tls->sealing.counts = ret == 1;
	return ret == 1 ? TLS_OK : judge(tls, ret);
}

enum tls_result tls_read(struct tls *tls, char *to, size_t size, size_t *got)
{
	int ret;

	if (tls->in.len == 0 && !SSL_has_pending(tls->ssl))
		return TLS_AGAIN;
	ERR_clear_error();
	ret = SSL_read_ex(tls->ssl, to, size, got);
	return ret == 1 ? TLS_OK : judge(tls, ret);
}

static enum tls_result write_all(struct tls *tls, const char *plaintext, size_t len)
{
	while (len > 0) {
		size_t done = 0;
		int ret;

		ERR_clear_error();
		tls->sealing.is_data = !tls_owes_keys(tls);
		ret = SSL_write_ex(tls->ssl, plaintext, len, &done);
		tls->sealing.is_data = false;
		if (ret != 1)
			return judge(tls, ret);
		plaintext += done;
		len -= done;
	}
	return TLS_OK;
}

/*
 * A record costs much beside its bytes, here and at the peer: small pieces are gathered. What fills
 * records by itself is encrypted from where it is.
 */
enum tls_result tls_write(struct tls *tls, const struct iovec *pieces, u32 count, size_t max,
			  size_t *taken)
{
	char *record = tls->context->record;
	enum tls_result result = TLS_OK;
	size_t gathered = 0;

	*taken = 0;
	for (u32 i = 0; i < count && *taken < max && result == TLS_OK; i++) {
		const char *piece = pieces[i].iov_base;
		size_t left = min_size(pieces[i].iov_len, max - *taken);

		*taken += left;
		while (left > 0 && result == TLS_OK) {
			size_t len = min_size(left, RECORD_MAX - gathered);

			if (len == RECORD_MAX) {
				len = left - left % RECORD_MAX;
				result = write_all(tls, piece, len);
			} else {
				memcpy(record + gathered, piece, len);
				gathered += len;
			}
			if (gathered == RECORD_MAX) {
				result = write_all(tls, record, gathered);
				gathered = 0;
			}
			piece += len;
			left -= len;
		}
	}
	return result == TLS_OK ? write_all(tls, record, gathered) : result;
}

struct slice tls_output(struct tls *tls)
{
	return cipher_next(&tls->out);
}

void tls_sent(struct tls *tls, size_t len)
{
	cipher_sent(&tls->out, len);
}

bool tls_cannot_send(const struct tls *tls)
{
	return cipher_has_failed(&tls->out);
}

const char *tls_why(const struct tls *tls)
{
	return tls->why[0] ? tls->why : "no reason given";
}

const char *tls_version(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}

enum tls_proof tls_wanted_proof(const struct tls *tls)
{
	return tls->proof;
}

struct tls_sealing *tls_sealing_of(struct tls *tls)
{
	return &tls->sealing;
}

void tls_kernel_lacks(struct tls *tls)
{
	tls->context->kernel_lacks = true;
}

bool tls_kernel_is_lacking(const struct tls *tls)
{
	return tls->context->kernel_lacks;
}

struct ssl_st *tls_ssl(const struct tls *tls)
{
	return tls->ssl;
}

bool tls_is_proven(const struct tls *tls)
{
	return SSL_get_verify_result(tls->ssl) == X509_V_OK;
}

enum tls_flaw tls_flaw(const struct tls *tls)
{
	switch (SSL_get_verify_result(tls->ssl)) {
	case X509_V_OK:
		return TLS_FLAW_NONE;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_FLAW_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_FLAW_NAME;
	default:
		return TLS_FLAW_UNTRUSTED;
	}
}

const char *tls_reason(const struct tls *tls)
{
	if (!tls_is_proven(tls))
		return X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl));
	return tls->reason ? tls->reason : "connection broken";
}

bool tls_was_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

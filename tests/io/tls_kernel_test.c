/*
 * What the kernel is given to encrypt in OpenSSL's place: a record that is sealed here, by the kernel's
 * own rules and with nothing but these keys, is what OpenSSL's server reads next.
 */
#include "io/tls_memory.h"

#include "base/fail_alloc.h"

#include <linux/tls.h>
#include <string.h>

struct suite {
	const char *name;
	u16 type;
	size_t size;
	const EVP_CIPHER *(*cipher)(void);
};

static const struct suite suites[] = {
	{ "TLS_AES_128_GCM_SHA256", TLS_CIPHER_AES_GCM_128, sizeof(struct tls12_crypto_info_aes_gcm_128),
	  EVP_aes_128_gcm },
	{ "TLS_AES_256_GCM_SHA384", TLS_CIPHER_AES_GCM_256, sizeof(struct tls12_crypto_info_aes_gcm_256),
	  EVP_aes_256_gcm },
	{ "TLS_CHACHA20_POLY1305_SHA256", TLS_CIPHER_CHACHA20_POLY1305,
	  sizeof(struct tls12_crypto_info_chacha20_poly1305), EVP_chacha20_poly1305 },
};

/* A connection as the kernel knows it. */
struct kernel {
	const struct suite *suite;
	u8 key[32];
	u8 nonce[12];
	u64 number;
};

static void take_keys(struct kernel *k, const struct suite *suite, struct slice keys)
{
	const struct tls_crypto_info *info = (const void *)keys.ptr;
	const struct tls12_crypto_info_aes_gcm_128 *a = (const void *)keys.ptr;
	const struct tls12_crypto_info_aes_gcm_256 *b = (const void *)keys.ptr;
	const struct tls12_crypto_info_chacha20_poly1305 *c = (const void *)keys.ptr;
	const u8 *number = c->rec_seq;

	assert_int_equal(keys.len, suite->size);
	assert_int_equal(info->version, TLS_1_3_VERSION);
	assert_int_equal(info->cipher_type, suite->type);
	*k = (struct kernel){ .suite = suite };
	if (suite->type == TLS_CIPHER_AES_GCM_128) {
		memcpy(k->key, a->key, sizeof(a->key));
		memcpy(k->nonce, a->salt, 4);
		memcpy(k->nonce + 4, a->iv, 8);
		number = a->rec_seq;
	} else if (suite->type == TLS_CIPHER_AES_GCM_256) {
		memcpy(k->key, b->key, sizeof(b->key));
		memcpy(k->nonce, b->salt, 4);
		memcpy(k->nonce + 4, b->iv, 8);
		number = b->rec_seq;
	} else {
		memcpy(k->key, c->key, sizeof(c->key));
		memcpy(k->nonce, c->iv, 12);
	}
	for (u32 i = 0; i < 8; i++)
		k->number = k->number << 8 | number[i];
}

/* A record of application data: RFC 8446 section 5.2. Returns its length. */
static int seal(struct kernel *k, const char *text, u8 record[256])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const int len = (int)strlen(text);
	const u8 type = 23;
	u8 nonce[12];
	int out = 0;
	int at = 5;

	memcpy(record, (u8[5]){ 23, 3, 3, 0, (u8)(len + 1 + 16) }, 5);
	for (u32 i = 0; i < 12; i++)
		nonce[i] = k->nonce[i] ^ (i < 4 ? 0 : (u8)(k->number >> (8 * (11 - i))));
	k->number++;
	assert_int_equal(EVP_EncryptInit_ex(ctx, k->suite->cipher(), NULL, k->key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &out, record, 5), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, record + at, &out, (const u8 *)text, len), 1);
	at += out;
	assert_int_equal(EVP_EncryptUpdate(ctx, record + at, &out, &type, 1), 1);
	at += out;
	assert_int_equal(EVP_EncryptFinal_ex(ctx, record + at, &out), 1);
	at += out;
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, record + at), 1);
	EVP_CIPHER_CTX_free(ctx);
	return at + 16;
}

static void assert_server_reads(struct peer *p, const char *text)
{
	char heard[256] = "";

	assert_int_equal(SSL_read(p->server, heard, sizeof(heard)), strlen(text));
	assert_string_equal(heard, text);
}

static SSL_CTX *open_server_for(const struct suite *suite)
{
	SSL_CTX *ctx = tls_server_open(TLS1_3_VERSION);

	assert_int_equal(SSL_CTX_set_ciphersuites(ctx, suite->name), 1);
	return ctx;
}

static void its_records_are_read_behind_those_of_the_process(void **state)
{
	static char bulk[70000], heard[16384];
	struct iovec piece = { bulk, sizeof(bulk) };

	(void)state;
	/* So many records went before: none, one, and one with some of each size. */
	for (u32 i = 0; i < 3 * array_count(suites); i++) {
		const struct suite *suite = &suites[i % array_count(suites)];
		const u32 before = i / array_count(suites);
		struct tls_context *context = open_context(4);
		SSL_CTX *ctx = open_server_for(suite);
		u64 records = 0;
		struct slice keys;
		struct kernel k;
		u8 record[256];
		size_t taken;
		struct peer p;

		connect_peer(&p, context, ctx, "key");
		if (before > 0) {
			assert_int_equal(write_text(&p, "EHLO\r\n", 6), TLS_OK);
			to_server(&p);
			assert_server_reads(&p, "EHLO\r\n");
			records++;
		}
		if (before > 1) {
			assert_int_equal(tls_write(p.tls, &piece, 1, SIZE_MAX, &taken), TLS_OK);
			to_server(&p);
			while (SSL_read(p.server, heard, sizeof(heard)) > 0)
				records++;
			assert_int_equal(records, 1 + 5);
		}
		assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_READY);
		take_keys(&k, suite, keys);
		assert_int_equal(k.number, records);
		tls_handed_over(p.tls);
		for (u32 n = 0; n < 3; n++) {
			int len = seal(&k, "MAIL FROM:<a@b.test>\r\n", record);

			assert_int_equal(BIO_write(p.in, record, len), len);
			assert_server_reads(&p, "MAIL FROM:<a@b.test>\r\n");
		}
		close_peer(&p);
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
}

static void a_session_that_was_resumed_has_keys_of_its_own(void **state)
{
	struct tls_context *context = open_context(4);
	SSL_CTX *ctx = open_server_for(&suites[0]);
	u8 before[32] = { 0 };

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		struct slice keys;
		struct kernel k;
		u8 record[256];
		struct peer p;
		int len;

		connect_peer(&p, context, ctx, "key");
		assert_int_equal(tls_was_resumed(p.tls), i > 0);
		assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_READY);
		take_keys(&k, &suites[0], keys);
		assert_memory_not_equal(k.key, before, 16);
		memcpy(before, k.key, sizeof(before));
		len = seal(&k, "NOOP\r\n", record);
		assert_int_equal(BIO_write(p.in, record, len), len);
		assert_server_reads(&p, "NOOP\r\n");
		close_peer(&p);
	}
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

static void what_was_kept_for_it_is_wiped(void **state)
{
	static const char zeros[sizeof(struct tls12_crypto_info_aes_gcm_128)];
	struct tls_context *context = open_context(4);
	SSL_CTX *ctx = open_server_for(&suites[0]);
	struct slice keys;
	struct slice again;
	struct peer p;

	(void)state;
	connect_peer(&p, context, ctx, "key");
	assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_READY);
	assert_memory_not_equal(keys.ptr, zeros, keys.len);
	tls_handed_over(p.tls);
	assert_memory_equal(keys.ptr, zeros, keys.len);
	assert_int_equal(tls_hand_over(p.tls, &again), TLS_HANDOVER_KEYS);
	/* The kernel did not take them: the process goes on. */
	assert_int_equal(write_text(&p, "NOOP\r\n", 6), TLS_OK);
	to_server(&p);
	assert_server_reads(&p, "NOOP\r\n");
	close_peer(&p);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

static void tls_1_2_and_a_kernel_without_tls_have_no_keys_for_it(void **state)
{
	struct tls_context *context = open_context(4);
	SSL_CTX *old = tls_server_open(TLS1_2_VERSION);
	SSL_CTX *ctx = open_server_for(&suites[0]);
	struct slice keys;
	struct peer p;

	(void)state;
	connect_peer(&p, context, old, "key");
	assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_VERSION);
	close_peer(&p);
	connect_peer(&p, context, ctx, "other");
	tls_kernel_lacks(p.tls);
	close_peer(&p);
	connect_peer(&p, context, ctx, "other");
	assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_LACKING);
	close_peer(&p);
	SSL_CTX_free(ctx);
	SSL_CTX_free(old);
	tls_context_close(context);
}

/* The server changes its own keys, and wants the client's changed, too, or not. */
static void server_changes_keys(struct peer *p, bool wants_ours)
{
	int type = wants_ours ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
	struct buf nothing;

	assert_int_equal(SSL_key_update(p->server, type), 1);
	assert_int_equal(SSL_do_handshake(p->server), 1);
	buf_init(&nothing, 100);
	assert_int_equal(hear(p, &nothing), TLS_AGAIN);
	assert_int_equal(nothing.len, 0);
	buf_done(&nothing);
}

static void keys_that_were_changed_are_not_handed_over(void **state)
{
	struct tls_context *context = open_context(4);
	SSL_CTX *ctx = open_server_for(&suites[0]);
	struct slice keys;
	struct peer p;

	(void)state;
	connect_peer(&p, context, ctx, "key");
	server_changes_keys(&p, false);
	assert_false(tls_owes_keys(p.tls));
	assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_READY);
	server_changes_keys(&p, true);
	assert_true(tls_owes_keys(p.tls));
	assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_KEYS);
	/* The process changes them and goes on. */
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(write_text(&p, "NOOP\r\n", 6), TLS_OK);
		to_server(&p);
		assert_server_reads(&p, "NOOP\r\n");
		assert_false(tls_owes_keys(p.tls));
		assert_int_equal(tls_hand_over(p.tls, &keys), TLS_HANDOVER_KEYS);
	}
	close_peer(&p);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

static void without_memory_there_are_no_keys_and_the_process_goes_on(void **state)
{
	bool failed = true;
	u32 without = 0;

	(void)state;
	for (u32 n = 1; failed; n++) {
		struct tls_context *context = open_context(4);
		SSL_CTX *ctx = open_server_for(&suites[1]);
		enum tls_handover handover;
		struct slice keys;
		struct peer p;

		connect_peer(&p, context, ctx, "key");
		fail_alloc(n);
		handover = tls_hand_over(p.tls, &keys);
		failed = fail_alloc_end();
		assert_true(handover == TLS_HANDOVER_READY || (failed && handover == TLS_HANDOVER_CIPHER));
		without += handover == TLS_HANDOVER_CIPHER;
		tls_handed_over(p.tls);
		assert_int_equal(write_text(&p, "NOOP\r\n", 6), TLS_OK);
		to_server(&p);
		assert_server_reads(&p, "NOOP\r\n");
		close_peer(&p);
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
	assert_true(without > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_records_are_read_behind_those_of_the_process),
		cmocka_unit_test(a_session_that_was_resumed_has_keys_of_its_own),
		cmocka_unit_test(what_was_kept_for_it_is_wiped),
		cmocka_unit_test(tls_1_2_and_a_kernel_without_tls_have_no_keys_for_it),
		cmocka_unit_test(without_memory_there_are_no_keys_and_the_process_goes_on),
		cmocka_unit_test(keys_that_were_changed_are_not_handed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Signatures made eight at a time: the bytes that OpenSSL makes, or none. */
#include "dkim/rsa_batch.h"

#include "base/random.h"
#include "dkim/rsa_lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cmocka.h>

static const enum rsa_batch_code codes[] = { RSA_BATCH_IFMA, RSA_BATCH_PORTABLE };

static struct crypto_key *new_key(u32 bits)
{
	struct error error;
	struct crypto_key *key = crypto_key_generate(CRYPTO_RSA, bits, &error);

	assert_non_null(key);
	return key;
}

static struct rsa_batch_key *prepared(const struct crypto_key *key)
{
	struct rsa_batch_key *made = rsa_batch_key_make(key);

	assert_non_null(made);
	return made;
}

/* A key of our own making, by way of PEM as a key file would come. */
static struct crypto_key *key_with(u32 bits, u32 primes, const char *exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	BIGNUM *e = NULL;
	EVP_PKEY *pkey = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	struct error error;
	struct crypto_key *key;
	char *text;
	long len;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, (int)primes), 1);
	assert_true(BN_dec2bn(&e, exponent) > 0);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &pkey), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	key = crypto_key_from_pem((struct slice){ text, (size_t)len }, &error);
	assert_non_null(key);
	BIO_free(bio);
	BN_free(e);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

struct signed_batch {
	u8 digest[RSA_BATCH_MAX][SHA256_SIZE];
	u8 signature[RSA_BATCH_MAX][CRYPTO_SIGNATURE_MAX];
	struct rsa_batch_item items[RSA_BATCH_MAX];
};

static void fill(struct signed_batch *b, struct rsa_batch_key *const *keys, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		random_bytes(b->digest[i], SHA256_SIZE);
		memset(b->signature[i], 0xa5, CRYPTO_SIGNATURE_MAX);
		b->items[i] = (struct rsa_batch_item){ keys[i], b->digest[i], b->signature[i] };
	}
}

static void assert_as_openssl(const struct crypto_key *key, const u8 *digest, const u8 *signature)
{
	struct crypto_signer *signer = crypto_signer_open(key, NULL);
	u8 expected[CRYPTO_SIGNATURE_MAX];
	size_t len;

	assert_non_null(signer);
	len = crypto_sign_digest(signer, digest, expected);
	assert_int_equal(len, crypto_key_signature_size(key));
	assert_memory_equal(signature, expected, len);
	/* What is behind the signature was not written to. */
	if (len < CRYPTO_SIGNATURE_MAX)
		assert_int_equal(signature[len], 0xa5);
	crypto_signer_close(signer);
}

static void compare_keys(enum rsa_batch_code code, u32 bits, u32 key_count, u32 rounds)
{
	struct rsa_batch *batch = rsa_batch_open(code);
	struct crypto_key *keys[RSA_BATCH_MAX];
	struct rsa_batch_key *made[RSA_BATCH_MAX];
	struct rsa_batch_key *in_lane[RSA_BATCH_MAX];
	struct signed_batch b;

	if (!batch && code == RSA_BATCH_IFMA)
		return; /* this processor has none; the portable code is tested in any case */
	assert_non_null(batch);
	for (u32 i = 0; i < key_count; i++) {
		keys[i] = new_key(bits);
		made[i] = prepared(keys[i]);
	}
	for (u32 round = 0; round < rounds; round++) {
		for (u32 i = 0; i < RSA_BATCH_MAX; i++)
			in_lane[i] = made[(i + round) % key_count];
		fill(&b, in_lane, RSA_BATCH_MAX);
		if (round == 0) {
			memset(b.digest[0], 0, SHA256_SIZE);
			memset(b.digest[1], 0xff, SHA256_SIZE);
		}
		assert_int_equal(rsa_batch_sign(batch, b.items, RSA_BATCH_MAX), 0xff);
		for (u32 i = 0; i < RSA_BATCH_MAX; i++)
			assert_as_openssl(keys[(i + round) % key_count], b.digest[i],
					  b.signature[i]);
	}
	for (u32 i = 0; i < key_count; i++) {
		rsa_batch_key_free(made[i]);
		crypto_key_free(keys[i]);
	}
	rsa_batch_close(batch);
}

static void every_length_of_key_signs_as_openssl_does(void **state)
{
	static const struct {
		u32 bits, key_count, rounds;
	} cases[] = {
		{ 1024, 8, 8 }, { 1040, 2, 1 }, { 1536, 2, 2 }, { 2048, 8, 4 },
		{ 2064, 2, 1 }, { 2080, 1, 1 }, { 3072, 1, 1 }, { 4096, 1, 1 },
	};

	(void)state;
	for (size_t c = 0; c < array_count(codes); c++) {
		for (size_t i = 0; i < array_count(cases); i++)
			compare_keys(codes[c], cases[i].bits, cases[i].key_count, cases[i].rounds);
	}
}

static void a_batch_may_have_empty_lanes(void **state)
{
	struct crypto_key *key = new_key(1024);
	struct rsa_batch_key *made = prepared(key);
	struct rsa_batch_key *in_lane[RSA_BATCH_MAX];
	struct rsa_batch *batch = rsa_batch_open(RSA_BATCH_PORTABLE);
	struct signed_batch b;

	(void)state;
	for (u32 i = 0; i < RSA_BATCH_MAX; i++)
		in_lane[i] = made;
	for (u32 count = 1; count <= RSA_BATCH_MAX; count++) {
		fill(&b, in_lane, RSA_BATCH_MAX);
		assert_int_equal(rsa_batch_sign(batch, b.items, count), (1 << count) - 1);
		for (u32 i = 0; i < count; i++)
			assert_as_openssl(key, b.digest[i], b.signature[i]);
		for (u32 i = count; i < RSA_BATCH_MAX; i++)
			assert_int_equal(b.signature[i][0], 0xa5);
	}
	rsa_batch_close(batch);
	rsa_batch_key_free(made);
	crypto_key_free(key);
}

static void keys_of_one_group_may_differ_in_length(void **state)
{
	struct rsa_batch *batch = rsa_batch_open(RSA_BATCH_PORTABLE);
	struct crypto_key *keys[2] = { new_key(1536), new_key(2048) };
	struct rsa_batch_key *made[2] = { prepared(keys[0]), prepared(keys[1]) };
	struct signed_batch b;

	(void)state;
	assert_int_equal(rsa_batch_key_group(made[0]), rsa_batch_key_group(made[1]));
	fill(&b, made, 2);
	assert_int_equal(rsa_batch_sign(batch, b.items, 2), 3);
	for (u32 i = 0; i < 2; i++) {
		assert_as_openssl(keys[i], b.digest[i], b.signature[i]);
		rsa_batch_key_free(made[i]);
		crypto_key_free(keys[i]);
	}
	rsa_batch_close(batch);
}

static void keys_that_are_not_for_batches_are_refused(void **state)
{
	struct error error;
	struct crypto_key *keys[] = {
		key_with(1024, 2, "3"),
		key_with(2048, 3, "65537"),
		key_with(1032, 2, "65537"), /* halves of 516 bits, not of whole bytes */
		crypto_key_generate(CRYPTO_ED25519, 0, &error),
	};

	(void)state;
	for (size_t i = 0; i < array_count(keys); i++) {
		assert_non_null(keys[i]);
		assert_null(rsa_batch_key_make(keys[i]));
		crypto_key_free(keys[i]);
	}
}

/*
 * As a fault of the processor in one half of the work would: the wrong signature and the right one
 * together give the primes away (Boneh, DeMillo, Lipton 1997), so it must not get out.
 */
static void a_wrong_signature_does_not_leave_the_batch(void **state)
{
	const u32 k = 10;
	struct crypto_key *key = new_key(1024);
	struct rsa_batch *batch = rsa_batch_open(RSA_BATCH_PORTABLE);
	const u32 places[] = {
		RSA_KEY_P(k) + RSA_HALF_EXPONENT(k) + 3, RSA_KEY_Q(k) + RSA_HALF_EXPONENT(k),
		RSA_KEY_P(k) + RSA_HALF_INTO(k) + 1,	 RSA_KEY_Q(k) + RSA_HALF_ONE(k) + 2,
		RSA_KEY_Q(k) + RSA_HALF_FACTOR(k),	 RSA_KEY_QINV(k) + 5,
	};

	(void)state;
	for (size_t i = 0; i < array_count(places); i++) {
		struct rsa_batch_key *good = prepared(key);
		struct rsa_batch_key *bad = prepared(key);
		struct rsa_batch_key *in_lane[RSA_BATCH_MAX] = { good, bad, good };
		struct signed_batch b;

		bad->words[places[i]] ^= 1ull << 17;
		fill(&b, in_lane, 3);
		assert_int_equal(rsa_batch_sign(batch, b.items, 3), 5);
		assert_int_equal(b.signature[1][0], 0xa5);
		assert_as_openssl(key, b.digest[0], b.signature[0]);
		assert_as_openssl(key, b.digest[2], b.signature[2]);
		rsa_batch_key_free(good);
		rsa_batch_key_free(bad);
	}
	rsa_batch_close(batch);
	crypto_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_of_key_signs_as_openssl_does),
		cmocka_unit_test(a_batch_may_have_empty_lanes),
		cmocka_unit_test(keys_of_one_group_may_differ_in_length),
		cmocka_unit_test(keys_that_are_not_for_batches_are_refused),
		cmocka_unit_test(a_wrong_signature_does_not_leave_the_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

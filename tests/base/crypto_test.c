/* Hashes against published vectors and OpenSSL's newer interface; keys and signatures. */
#include "base/crypto.h"

#include "base/fail_alloc.h"
#include "base/random.h"
#include "base/text.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static void assert_hex(const u8 *bytes, size_t len, const char *want)
{
	char text[129] = "";

	hex_encode(text, bytes, len);
	assert_string_equal(text, want);
}

static void sha256_gives_the_published_digests(void **state)
{
	struct sha256 h;
	u8 out[SHA256_SIZE];

	(void)state;
	sha256_init(&h);
	sha256_finish(&h, out);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_init(&h);
	sha256_add(&h, "abc", 3);
	sha256_finish(&h, out);
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_copied_midstate_is_independent_of_the_original(void **state)
{
	struct sha256 h;
	struct sha256 copy;
	u8 a[SHA256_SIZE];
	u8 b[SHA256_SIZE];

	(void)state;
	sha256_init(&h);
	for (int i = 0; i < 100; i++)
		sha256_add(&h, "0123456789", 10);
	copy = h;
	sha256_add(&h, "x", 1);
	sha256_finish(&h, a);
	sha256_add(&copy, "x", 1);
	sha256_finish(&copy, b);
	assert_memory_equal(a, b, SHA256_SIZE);
}

static void hmac_gives_the_digests_of_rfc_4231(void **state)
{
	u8 key[131];
	u8 out[SHA256_SIZE];
	const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	memset(key, 0x0b, 20);
	hmac_sha256(out, key, 20, "Hi There", 8);
	assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(out, key, sizeof(key), text, strlen(text));
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void crypto_equal_sees_every_byte(void **state)
{
	u8 a[32] = { 0 };
	u8 b[32] = { 0 };

	(void)state;
	assert_true(crypto_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 1;
		assert_false(crypto_equal(a, b, sizeof(a)));
		b[i] = 0;
	}
	assert_true(crypto_equal(a, "x", 0));
}

static void siphash_gives_the_authors_values(void **state)
{
	u8 key[16];
	u8 in[15];
	u8 out[16];

	(void)state;
	for (u8 i = 0; i < 16; i++)
		key[i] = i;
	for (u8 i = 0; i < 15; i++)
		in[i] = i;
	assert_true(siphash64(key, in, 15) == 0xa129ca6149be45e5ull);
	assert_true(siphash64(key, "", 0) == 0x726fdb47dd0e0e31ull);
	siphash128(out, key, "", 0);
	assert_hex(out, 16, "a3817f04ba25a8e66df67214c7550293");
}

static void openssl_siphash(const u8 *key, const u8 *in, size_t len, u8 *out, size_t size)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_END };
	size_t got = 0;

	assert_int_equal(EVP_MAC_init(ctx, key, 16, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, in, len), 1);
	assert_int_equal(EVP_MAC_final(ctx, out, &got, size), 1);
	assert_int_equal(got, size);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

static void siphash_agrees_with_openssl_for_every_length(void **state)
{
	struct random random;
	u8 key[16];
	u8 in[200];
	u8 want[16];
	u8 got[16];
	u64 word;

	(void)state;
	random_seed(&random, 5);
	for (size_t len = 0; len <= sizeof(in); len++) {
		for (size_t i = 0; i < len; i++)
			in[i] = (u8)random_u64(&random);
		for (size_t i = 0; i < sizeof(key); i++)
			key[i] = (u8)random_u64(&random);
		openssl_siphash(key, in, len, want, 8);
		word = siphash64(key, in, len);
		for (int i = 0; i < 8; i++)
			got[i] = (u8)(word >> (8 * i));
		assert_memory_equal(got, want, 8);
		openssl_siphash(key, in, len, want, 16);
		siphash128(got, key, in, len);
		assert_memory_equal(got, want, 16);
	}
}

/* Verifies with a public key that was decoded from what DKIM publishes. */
static bool verifies(const struct crypto_key *key, const u8 *digest, const u8 *signature,
		     size_t len)
{
	EVP_PKEY *pkey = NULL;
	struct buf pub;
	bool ok;

	buf_init(&pub, 4096);
	assert_true(crypto_key_public(key, &pub));
	if (crypto_key_algorithm(key) == CRYPTO_ED25519) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		assert_int_equal(pub.len, 32);
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (u8 *)pub.ptr, 32);
		ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		     EVP_DigestVerify(ctx, signature, len, digest, SHA256_SIZE) == 1;
		EVP_MD_CTX_free(ctx);
	} else {
		const u8 *at = (const u8 *)pub.ptr;
		EVP_PKEY_CTX *ctx;

		pkey = d2i_PUBKEY(NULL, &at, (long)pub.len);
		assert_non_null(pkey);
		ctx = EVP_PKEY_CTX_new(pkey, NULL);
		assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
		ok = EVP_PKEY_verify(ctx, signature, len, digest, SHA256_SIZE) == 1;
		EVP_PKEY_CTX_free(ctx);
	}
	EVP_PKEY_free(pkey);
	buf_done(&pub);
	return ok;
}

static void assert_signs(const struct crypto_key *key)
{
	struct crypto_signer *signer = crypto_signer_open(key, NULL);
	u8 digest[SHA256_SIZE];
	u8 signature[CRYPTO_SIGNATURE_MAX];

	assert_non_null(signer);
	for (int i = 0; i < 20; i++) {
		size_t len;

		random_bytes(digest, sizeof(digest));
		len = crypto_sign_digest(signer, digest, signature);
		assert_int_equal(len, crypto_key_signature_size(key));
		assert_true(verifies(key, digest, signature, len));
		signature[i % len] ^= 1;
		assert_false(verifies(key, digest, signature, len));
	}
	crypto_signer_close(signer);
}

static void every_kind_of_key_signs_and_survives_pem(void **state)
{
	static const u32 bits[] = { 1024, 2048, 4096, 1032 };
	struct buf pem;

	(void)state;
	buf_init(&pem, 16384);
	for (size_t i = 0; i <= array_count(bits); i++) {
		bool rsa = i < array_count(bits);
		struct crypto_key *key = crypto_key_generate(rsa ? CRYPTO_RSA : CRYPTO_ED25519,
							     rsa ? bits[i] : 0, NULL);
		struct crypto_key *again;
		struct buf one, two;

		assert_non_null(key);
		assert_int_equal(crypto_key_bits(key), rsa ? bits[i] : 256);
		assert_int_equal(crypto_key_signature_size(key), rsa ? bits[i] / 8 : 64);
		assert_signs(key);
		buf_reset(&pem);
		assert_true(crypto_key_to_pem(key, &pem));
		again = crypto_key_from_pem(buf_slice(&pem), NULL);
		assert_non_null(again);
		assert_true(crypto_key_id(again) != crypto_key_id(key));
		buf_init(&one, 4096);
		buf_init(&two, 4096);
		assert_true(crypto_key_public(key, &one) && crypto_key_public(again, &two));
		assert_true(slice_equal(buf_slice(&one), buf_slice(&two)));
		assert_signs(again);
		buf_done(&one);
		buf_done(&two);
		crypto_key_free(key);
		crypto_key_free(again);
	}
	buf_done(&pem);
}

static void keys_of_a_wrong_size_are_refused(void **state)
{
	struct error error;

	(void)state;
	assert_null(crypto_key_generate(CRYPTO_RSA, 1023, &error));
	assert_non_null(strstr(error.text, "1024 to 4096"));
	assert_null(crypto_key_generate(CRYPTO_RSA, 4097, &error));
	assert_non_null(strstr(error.text, "1024 to 4096"));
}

static void pem_of(EVP_PKEY *pkey, const EVP_CIPHER *cipher, bool public_half, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (public_half)
		assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	else
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher,
							       cipher ? "word" : NULL,
							       cipher ? 4 : 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	buf_reset(out);
	buf_add(out, text, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void assert_refused(struct slice pem, const char *words)
{
	struct error error = { "" };

	assert_null(crypto_key_from_pem(pem, &error));
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void pem_that_cannot_sign_is_refused_with_the_reason(void **state)
{
	struct buf pem;
	char *at;

	(void)state;
	buf_init(&pem, 16384);
	assert_refused(SLICE(""), "no private key");
	assert_refused(SLICE("hello\n"), "no PEM private key");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), NULL, false, &pem);
	assert_refused(buf_slice(&pem), "neither RSA nor Ed25519");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)768), NULL, false, &pem);
	assert_refused(buf_slice(&pem), "768 bits");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4104), NULL, false, &pem);
	assert_refused(buf_slice(&pem), "4104 bits");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, true, &pem);
	assert_refused(buf_slice(&pem), "no PEM private key");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_aes_256_cbc(), false, &pem);
	assert_refused(buf_slice(&pem), "encrypted");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, false, &pem);
	at = strstr(buf_text(&pem), "\n-----END");
	assert_refused((struct slice){ pem.ptr, (size_t)(at - pem.ptr) - 5 }, "no PEM private key");
	buf_done(&pem);
}

/* The private exponents of one key behind the modulus of another. */
static void a_private_key_that_does_not_fit_its_public_half_is_refused(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(pkey, &der);
	struct buf pem;
	char base64[4096];
	size_t size;

	(void)state;
	assert_true(len > 200);
	der[20] ^= 0x10; /* inside the modulus */
	size = base64_encode(base64, der, (size_t)len);
	buf_init(&pem, 16384);
	buf_add_text(&pem, "-----BEGIN RSA PRIVATE KEY-----\n");
	for (size_t at = 0; at < size; at += 64) {
		buf_add(&pem, base64 + at, min_size(64, size - at));
		buf_add_char(&pem, '\n');
	}
	buf_add_text(&pem, "-----END RSA PRIVATE KEY-----\n");
	assert_refused(buf_slice(&pem), "private key");
	buf_done(&pem);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

static void *sign_in_a_thread(void *key)
{
	struct crypto_signer *signer = crypto_signer_open(key, NULL);
	u8 digest[SHA256_SIZE];
	u8 signature[CRYPTO_SIGNATURE_MAX];
	size_t good = 0;

	for (int i = 0; signer && i < 50; i++) {
		random_bytes(digest, sizeof(digest));
		good += crypto_sign_digest(signer, digest, signature) > 0 &&
			verifies(key, digest, signature, crypto_key_signature_size(key));
	}
	crypto_signer_close(signer);
	return good == 50 ? key : NULL;
}

static void threads_share_a_key_each_with_its_own_signer(void **state)
{
	struct crypto_key *key = crypto_key_generate(CRYPTO_RSA, 1024, NULL);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < array_count(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_in_a_thread, key), 0);
	for (size_t i = 0; i < array_count(threads); i++) {
		void *result = NULL;

		pthread_join(threads[i], &result);
		assert_ptr_equal(result, key);
	}
	crypto_key_free(key);
}

static void a_signer_outlives_its_key(void **state)
{
	struct crypto_key *key = crypto_key_generate(CRYPTO_ED25519, 0, NULL);
	struct crypto_signer *signer = crypto_signer_open(key, NULL);
	u8 digest[SHA256_SIZE] = { 0 };
	u8 signature[CRYPTO_SIGNATURE_MAX];

	(void)state;
	crypto_key_free(key);
	assert_int_equal(crypto_sign_digest(signer, digest, signature), 64);
	crypto_signer_close(signer);
}

/* Whichever allocation fails, the file is not blamed. */
static void want_of_memory_is_not_taken_for_a_broken_key(void **state)
{
	static const enum crypto_algorithm kinds[] = { CRYPTO_RSA, CRYPTO_ED25519 };

	(void)state;
	for (size_t i = 0; i < array_count(kinds); i++) {
		struct crypto_key *key = crypto_key_generate(kinds[i], 1024, NULL);
		bool failed = true;
		struct buf pem;

		buf_init(&pem, 16384);
		assert_true(crypto_key_to_pem(key, &pem));
		crypto_key_free(key);
		/* Of thousands, some: with sanitizers they take long. */
		for (u64 n = 1; failed; n += kinds[i] == CRYPTO_RSA ? 4 : 1) {
			struct error error = { "" };

			fail_alloc(n);
			key = crypto_key_from_pem(buf_slice(&pem), &error);
			failed = fail_alloc_end();
			if (!key)
				assert_string_equal(error.text, "out of memory");
			crypto_key_free(key);
		}
		buf_done(&pem);
	}
}

static void a_certificate_of_our_own_serves_its_host_for_ten_years(void **state)
{
	static const u64 now_ms = 1764500000000;
	static const u64 year_ms = 365ull * 24 * 3600 * 1000;
	struct buf pem;
	struct slice text;

	(void)state;
	buf_init(&pem, 16384);
	assert_true(crypto_certificate_make("mail.example.jp", now_ms, &pem));
	text = buf_slice(&pem);
	assert_true(crypto_certificate_serves(text, "mail.example.jp", now_ms));
	assert_true(crypto_certificate_serves(text, "mail.example.jp", now_ms + 9 * year_ms));
	assert_false(crypto_certificate_serves(text, "mail.example.jp", now_ms + 11 * year_ms));
	assert_false(crypto_certificate_serves(text, "mail.example.jp", now_ms - year_ms));
	assert_false(crypto_certificate_serves(text, "www.example.jp", now_ms));
	/* The certificate, and half of it; the key stands in front. */
	assert_false(crypto_certificate_serves(slice_from(text, 300), "mail.example.jp", now_ms));
	text.len -= 100;
	assert_false(crypto_certificate_serves(text, "mail.example.jp", now_ms));
	assert_false(crypto_certificate_serves((struct slice){ NULL, 0 }, "mail.example.jp", 0));
	buf_done(&pem);
}

static void a_key_that_is_not_the_certificates_serves_nobody(void **state)
{
	struct buf one;
	struct buf other;
	size_t end;

	(void)state;
	buf_init(&one, 16384);
	buf_init(&other, 16384);
	assert_true(crypto_certificate_make("a.example", 1764500000000, &one));
	assert_true(crypto_certificate_make("a.example", 1764500000000, &other));
	end = (size_t)(strstr(buf_text(&other), "-----BEGIN CERTIFICATE") - other.ptr);
	other.len = end;
	buf_add_text(&other, strstr(buf_text(&one), "-----BEGIN CERTIFICATE"));
	assert_false(crypto_certificate_serves(buf_slice(&other), "a.example", 1764500000000));
	buf_done(&one);
	buf_done(&other);
}

static void a_host_name_of_full_length_gets_its_certificate(void **state)
{
	char host[254];
	struct buf pem;

	(void)state;
	memset(host, 'a', sizeof(host));
	for (size_t i = 63; i < sizeof(host); i += 64)
		host[i] = '.';
	host[253] = '\0';
	buf_init(&pem, 16384);
	assert_true(crypto_certificate_make(host, 1764500000000, &pem));
	assert_true(crypto_certificate_serves(buf_slice(&pem), host, 1764500000000));
	buf_done(&pem);
}

static void without_memory_there_is_no_certificate(void **state)
{
	bool failed = true;

	(void)state;
	for (u64 n = 1; failed; n += 7) {
		struct buf pem;
		bool is_made;

		buf_init(&pem, 16384);
		fail_alloc(n);
		is_made = crypto_certificate_make("a.example", 1764500000000, &pem);
		failed = fail_alloc_end();
		/* OpenSSL can do without some. */
		assert_true(is_made || failed);
		if (is_made)
			assert_true(crypto_certificate_serves(buf_slice(&pem), "a.example",
							      1764500000000));
		buf_done(&pem);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(a_copied_midstate_is_independent_of_the_original),
		cmocka_unit_test(hmac_gives_the_digests_of_rfc_4231),
		cmocka_unit_test(crypto_equal_sees_every_byte),
		cmocka_unit_test(siphash_gives_the_authors_values),
		cmocka_unit_test(siphash_agrees_with_openssl_for_every_length),
		cmocka_unit_test(every_kind_of_key_signs_and_survives_pem),
		cmocka_unit_test(keys_of_a_wrong_size_are_refused),
		cmocka_unit_test(pem_that_cannot_sign_is_refused_with_the_reason),
		cmocka_unit_test(a_private_key_that_does_not_fit_its_public_half_is_refused),
		cmocka_unit_test(threads_share_a_key_each_with_its_own_signer),
		cmocka_unit_test(a_signer_outlives_its_key),
		cmocka_unit_test(want_of_memory_is_not_taken_for_a_broken_key),
		cmocka_unit_test(a_certificate_of_our_own_serves_its_host_for_ten_years),
		cmocka_unit_test(a_key_that_is_not_the_certificates_serves_nobody),
		cmocka_unit_test(a_host_name_of_full_length_gets_its_certificate),
		cmocka_unit_test(without_memory_there_is_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

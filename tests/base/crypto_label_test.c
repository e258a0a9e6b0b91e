/* Key material of TLS 1.3 against the trace of RFC 8448, and HKDF-Expand-Label against OpenSSL's. */
#include "base/crypto.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static void assert_expands(const char *secret, const char *label, const char *want)
{
	u8 bytes[CRYPTO_HASH_MAX];
	u8 out[CRYPTO_HASH_MAX];
	char hex[2 * CRYPTO_HASH_MAX + 1] = "";
	const size_t len = strlen(want) / 2;

	assert_true(hex_decode(bytes, strlen(secret) / 2, slice_of(secret)));
	assert_true(crypto_expand_label(CRYPTO_SHA256, bytes, label, out, len));
	hex_encode(hex, out, len);
	assert_string_equal(hex, want);
}

/* RFC 8448 section 3, "derive write traffic keys for application data". */
static void keys_are_those_of_the_published_trace(void **state)
{
	static const char client[] = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
	static const char server[] = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";

	(void)state;
	assert_expands(client, "key", "17422dda596ed5d9acd890e3c63f5051");
	assert_expands(client, "iv", "5b78923dee08579033e523d9");
	assert_expands(server, "key", "9f02283b6c9c07efc26bb9f2ac92e356");
	assert_expands(server, "iv", "cf782b88dd83549aadf1e984");
}

/* HKDF-Expand of OpenSSL's, given the structure that RFC 8446 section 7.1 spells. */
static void expand_by_openssl(const char *digest, u8 *secret, size_t secret_len, const char *label, u8 *out,
			      size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	u8 info[64] = { 0, (u8)len, (u8)(6 + strlen(label)) };
	size_t info_len = 3 + 6 + strlen(label) + 1;

	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, strlen(label));
	OSSL_PARAM params[] = {
		OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, secret, secret_len),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, info_len),
		OSSL_PARAM_END,
	};
	assert_int_equal(EVP_KDF_derive(context, out, len, params), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

static void both_hashes_give_what_openssl_does(void **state)
{
	static const size_t lengths[] = { 1, 12, 16, 32 };
	static const char *const labels[] = { "iv", "key", "traffic upd", "0123456789abcdef" };
	static const char *const digests[] = { "SHA256", "SHA384" };
	u8 secret[CRYPTO_HASH_MAX];
	u8 out[CRYPTO_HASH_MAX];
	u8 want[CRYPTO_HASH_MAX];

	(void)state;
	assert_int_equal(crypto_hash_size(CRYPTO_SHA256), 32);
	assert_int_equal(crypto_hash_size(CRYPTO_SHA384), 48);
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (u8)(i * 37 + 5);
	for (u32 i = 0; i < 2 * array_count(lengths) * array_count(labels); i++) {
		enum crypto_hash hash = i % 2 ? CRYPTO_SHA384 : CRYPTO_SHA256;
		size_t len = lengths[i / 2 % array_count(lengths)];
		const char *label = labels[i / 2 / array_count(lengths)];

		expand_by_openssl(digests[i % 2], secret, crypto_hash_size(hash), label, want, len);
		assert_true(crypto_expand_label(hash, secret, label, out, len));
		assert_memory_equal(out, want, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_those_of_the_published_trace),
		cmocka_unit_test(both_hashes_give_what_openssl_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

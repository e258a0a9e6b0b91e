#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crypto_ec.h"
#include "base/text.h"

#include <string.h>

static void a_key_is_the_same_after_it_was_written_and_read(void **state)
{
	struct crypto_ec *key = crypto_ec_make();
	struct crypto_ec *again;
	u8 x[2][CRYPTO_EC_NUMBER];
	u8 y[2][CRYPTO_EC_NUMBER];
	struct buf pem;

	(void)state;
	assert_non_null(key);
	buf_init(&pem, 4096);
	assert_true(crypto_ec_write(key, &pem));
	assert_true(slice_has_prefix(buf_slice(&pem), SLICE("-----BEGIN PRIVATE KEY-----\n")));
	again = crypto_ec_read(buf_slice(&pem));
	assert_non_null(again);
	assert_true(crypto_ec_point(key, x[0], y[0]) && crypto_ec_point(again, x[1], y[1]));
	assert_memory_equal(x[0], x[1], CRYPTO_EC_NUMBER);
	assert_memory_equal(y[0], y[1], CRYPTO_EC_NUMBER);
	assert_memory_not_equal(x[0], y[0], CRYPTO_EC_NUMBER);
	assert_null(crypto_ec_read(slice_first(buf_slice(&pem), 60)));
	crypto_ec_free(key);
	crypto_ec_free(again);
	buf_done(&pem);
}

static void a_key_of_another_kind_is_none(void **state)
{
	/* Ed25519, and the curve P-384. */
	static const char ed25519[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
		"-----END PRIVATE KEY-----\n";

	(void)state;
	assert_null(crypto_ec_read(slice_of(ed25519)));
	assert_null(crypto_ec_read(SLICE("")));
	assert_null(crypto_ec_read(SLICE("-----BEGIN PRIVATE KEY-----\n")));
}

static void two_signatures_of_one_text_are_of_a_fixed_length_and_differ(void **state)
{
	struct crypto_ec *key = crypto_ec_make();
	u8 signature[2][CRYPTO_EC_SIGNATURE];

	(void)state;
	memset(signature, 0, sizeof(signature));
	assert_true(crypto_ec_sign(key, SLICE("a.b"), signature[0]));
	assert_true(crypto_ec_sign(key, SLICE("a.b"), signature[1]));
	assert_memory_not_equal(signature[0], signature[1], CRYPTO_EC_SIGNATURE);
	crypto_ec_free(key);
}

static void a_request_names_the_hosts(void **state)
{
	static const char *const names[] = { "www.shop.test", "news.shop.test" };
	struct crypto_ec *key = crypto_ec_make();
	struct buf der;

	(void)state;
	buf_init(&der, 4096);
	assert_true(crypto_ec_request(key, names, 2, &der));
	assert_int_equal((u8)der.ptr[0], 0x30); /* a SEQUENCE */
	assert_true(slice_find(buf_slice(&der), slice_of(names[0])) > 0);
	assert_true(slice_find(buf_slice(&der), slice_of(names[1])) > 0);
	buf_reset(&der);
	assert_false(crypto_ec_request(key, names, 0, &der));
	crypto_ec_free(key);
	buf_done(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_the_same_after_it_was_written_and_read),
		cmocka_unit_test(a_key_of_another_kind_is_none),
		cmocka_unit_test(two_signatures_of_one_text_are_of_a_fixed_length_and_differ),
		cmocka_unit_test(a_request_names_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

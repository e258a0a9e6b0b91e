#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/text.h"
#include "web/totp.h"

#include <stdio.h>

/* RFC 6238 appendix B, of which apps show the last six digits. */
static void codes_are_those_of_the_standard(void **state)
{
	static const struct {
		u64 second;
		u32 code;
	} rows[] = {
		{ 59, 287082 },		{ 1111111109, 81804 },	{ 1111111111, 50471 },
		{ 1234567890, 5924 },	{ 2000000000, 279037 }, { 20000000000, 353130 },
	};
	u32 code;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		assert_true(crypto_totp((const u8 *)"12345678901234567890", 20,
					rows[i].second / 30, &code));
		assert_int_equal(code, rows[i].code);
	}
}

static struct account account_with_secret(void)
{
	struct account account = { .secret_len = TOTP_SECRET };

	memcpy(account.secret, "12345678901234567890", TOTP_SECRET);
	return account;
}

static bool takes(struct account *account, const char *text, u64 second)
{
	return totp_take(account, slice_of(text), second * 1000);
}

static void a_code_counts_once_and_not_long(void **state)
{
	struct account account = account_with_secret();

	(void)state;
	assert_false(takes(&account, "050472", 1111111111));
	assert_true(takes(&account, " 050 471", 1111111111));
	assert_false(takes(&account, "050471", 1111111111));
	/* The one before is older than what was used. */
	assert_false(takes(&account, "081804", 1111111111));
	account.totp_step = 0;
	assert_true(takes(&account, "081804", 1111111111));
	account.totp_step = 0;
	assert_true(takes(&account, "050471", 1111111111 - 30));
	account.totp_step = 0;
	assert_false(takes(&account, "050471", 1111111111 + 61));
	assert_false(takes(&account, "050471", 1111111111 - 61));
	assert_false(takes(&account, "", 1111111111));
	assert_false(takes(&account, "0050471", 1111111111));
}

static void a_recovery_code_counts_once(void **state)
{
	struct account account = account_with_secret();
	char codes[ACCOUNT_RECOVERY_CODES][TOTP_RECOVERY_SIZE];

	(void)state;
	totp_make_recovery(&account, codes);
	for (u32 i = 0; i < ACCOUNT_RECOVERY_CODES; i++) {
		assert_int_equal(strlen(codes[i]), TOTP_RECOVERY_SIZE - 1);
		assert_true(takes(&account, codes[i], 0));
		assert_false(takes(&account, codes[i], 0));
		assert_int_equal(account.recovery_count, ACCOUNT_RECOVERY_CODES - 1 - i);
	}
	assert_false(takes(&account, "aaaaa-aaaaa-aaaaa", 0));
}

static void apps_are_told_the_secret_as_they_want_it(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	totp_text((const u8 *)"12345678901234567890", &out);
	assert_string_equal(buf_text(&out), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
	buf_reset(&out);
	totp_uri((const u8 *)"12345678901234567890", SLICE("m.shop.example"),
		 SLICE("a+b&c@shop.example"), &out);
	assert_string_equal(buf_text(&out),
			    "otpauth://totp/m.shop.example:a%2Bb%26c%40shop.example?secret="
			    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=m.shop.example");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_standard),
		cmocka_unit_test(a_code_counts_once_and_not_long),
		cmocka_unit_test(a_recovery_code_counts_once),
		cmocka_unit_test(apps_are_told_the_secret_as_they_want_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Passwords as they are kept: the numbers of RFC 7914, and what is no such text. */
#include "base/crypto.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum crypto_password check(const char *kept, const char *password)
{
	return crypto_password_check(slice_of(kept), slice_of(password));
}

/* Section 12, the vectors that have a salt. */
static void the_rfcs_passwords_are_right(void **state)
{
	static const char nacl[] = "$scrypt$ln=10,r=8,p=16$TmFDbA$"
				   "/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD"
				   "7m2DYMvfoswGQA";
	static const char chloride[] = "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$"
				       "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr5"
				       "5h6F3A1lHkDfzwF7RVdYhw";

	(void)state;
	assert_int_equal(check(nacl, "password"), CRYPTO_PASSWORD_RIGHT);
	assert_int_equal(check(chloride, "pleaseletmein"), CRYPTO_PASSWORD_RIGHT);
	assert_int_equal(check(nacl, "Password"), CRYPTO_PASSWORD_WRONG);
	assert_int_equal(check(nacl, ""), CRYPTO_PASSWORD_WRONG);
}

static void a_password_is_kept_twice_in_two_ways(void **state)
{
	struct buf first;
	struct buf second;

	(void)state;
	buf_init(&first, CRYPTO_PASSWORD_TEXT - 1);
	buf_init(&second, CRYPTO_PASSWORD_TEXT - 1);
	assert_true(crypto_password_keep(SLICE("correct horse"), &first));
	assert_true(crypto_password_keep(SLICE("correct horse"), &second));
	assert_false(slice_equal(buf_slice(&first), buf_slice(&second)));
	assert_true(crypto_password_is_kept(buf_slice(&first)));
	assert_int_equal(check(buf_text(&first), "correct horse"), CRYPTO_PASSWORD_RIGHT);
	assert_int_equal(check(buf_text(&first), "correct horsf"), CRYPTO_PASSWORD_WRONG);
	buf_done(&first);
	buf_done(&second);
}

static void what_is_no_kept_password_fits_none(void **state)
{
	static const char *const texts[] = {
		"", "secret", "$scrypt$", "$scrypt$ln=10,r=8,p=1$", "$scrypt$ln=10,r=8,p=1$TmFDbA$",
		"$scrypt$ln=10,r=8,p=1$TmFDbA$AAAA", /* too short a hash */
		"$scrypt$ln=10,r=8$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=10,r=8,p=1,x=1$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=18,r=8,p=1$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA", /* 1 GiB a guess */
		"$scrypt$ln=0,r=8,p=1$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=10,r=17,p=1$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=10,r=8,p=17$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=10,r=8,p=1$TmF!bA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$6$ln=10,r=8,p=1$TmFDbA$AAAAAAAAAAAAAAAAAAAAAAAA",
	};

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		assert_false(crypto_password_is_kept(slice_of(texts[i])));
		assert_int_equal(check(texts[i], "secret"), CRYPTO_PASSWORD_WRONG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_passwords_are_right),
		cmocka_unit_test(a_password_is_kept_twice_in_two_ways),
		cmocka_unit_test(what_is_no_kept_password_fits_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

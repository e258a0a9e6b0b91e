/* What DNS was found to say, in Japanese: every code has its sentence, filled in with what it is
 * about. */
#include "base/text.h"
#include "delivery/identity_check.h"
#include "dkim/record.h"
#include "dns/dmarc.h"
#include "dns/spf_reason.h"
#include "web/identity_words.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool is_japanese(const char *text)
{
	for (; text && *text; text++) {
		if ((unsigned char)*text >= 0xe3)
			return true;
	}
	return false;
}

/* Names of protocols, and what is nothing but a name, are the same everywhere. */
static bool is_same_everywhere(const char *code)
{
	static const char *const codes[] = { "ptr", "spf-pass", "spf-fail", "spf-softfail",
					     "spf-neutral" };

	for (size_t i = 0; i < array_count(codes); i++) {
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

static void check_code(const char *code)
{
	const char *words = identity_words_of_code(code, LANGUAGE_JAPANESE);

	if (!words || !(is_japanese(words) || is_same_everywhere(code)))
		print_error("no Japanese for %s\n", code);
	assert_non_null(words);
	assert_true(is_japanese(words) || is_same_everywhere(code));
}

static void test_every_finding_and_every_reason_is_said_in_japanese(void **state)
{
	(void)state;
	for (u32 i = 0; i < IDENTITY_FINDINGS; i++)
		check_code(identity_finding_name((enum identity_finding)i));
	for (u32 i = SPF_REASON_NONE + 1; i < SPF_REASONS; i++)
		check_code(spf_reason_name((enum spf_reason)i));
	for (u32 i = DKIM_FAULT_NONE + 1; i < DKIM_FAULTS; i++)
		check_code(dkim_fault_name((enum dkim_fault)i));
	for (u32 i = 0; i < DMARC_FAULTS; i++)
		check_code(dmarc_fault_name((enum dmarc_fault)i));
}

static void test_every_advice_is_said_in_japanese(void **state)
{
	(void)state;
	for (u32 i = IDENTITY_ADVICE_NONE + 1; i < IDENTITY_ADVICES; i++)
		assert_true(is_japanese(identity_words_of_advice(
			identity_advice_name((enum identity_advice)i), LANGUAGE_JAPANESE)));
}

static void assert_said(const char *json, enum language language, const char *found,
			const char *advice)
{
	json_t *check = json_loads(json, 0, NULL);
	struct buf text;

	assert_non_null(check);
	buf_init(&text, 4096);
	identity_words_found(check, language, &text);
	assert_string_equal(buf_text(&text), found);
	buf_reset(&text);
	identity_words_advice(check, language, &text);
	assert_string_equal(buf_text(&text), advice);
	buf_done(&text);
	json_decref(check);
}

static void test_details_stand_where_they_belong(void **state)
{
	(void)state;
	assert_said(
		"{\"code\": \"ptr-other\", \"details\": [\"a.example\", \"192.0.2.1\", \"mail.example\"],"
		" \"advice\": \"ptr\"}",
		LANGUAGE_JAPANESE, "a.example（EHLO の名前と異なります）",
		"アドレス 192.0.2.1 の逆引き（PTR）を mail.example に設定するよう、回線事業者に依頼してください");
	assert_said(
		"{\"code\": \"spf-softfail\", \"reason\": \"spf-matched\", \"details\": [\"~all\", \"\"]}",
		LANGUAGE_JAPANESE, "softfail（一致した項目 ~all）", "");
	assert_said("{\"code\": \"spf-permerror\", \"reason\": \"spf-prefix\","
		    " \"details\": [\"a/33\", \"inner.example\"]}",
		    LANGUAGE_JAPANESE,
		    "permerror：レコードに誤りがあります（プレフィックス長に誤りがあります：a/33、"
		    "inner.example のレコード）",
		    "");
}

static void test_english_and_what_is_not_known_stay_as_they_were_kept(void **state)
{
	static const char known[] =
		"{\"code\": \"key\", \"found\": \"published, the key that signs\","
		" \"advice\": \"align\", \"advice_text\": \"the records above\"}";

	(void)state;
	assert_said(known, LANGUAGE_ENGLISH, "published, the key that signs", "the records above");
	assert_said("{\"code\": \"of-another-version\", \"found\": \"something\"}",
		    LANGUAGE_JAPANESE, "something", "");
	/* As a result that was kept before there were codes. */
	assert_said("{\"found\": \"none\", \"publish\": \"x. IN TXT \\\"v=spf1\\\"\"}",
		    LANGUAGE_JAPANESE, "none", "");
	assert_said("{\"code\": \"ptr\", \"details\": []}", LANGUAGE_JAPANESE, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_finding_and_every_reason_is_said_in_japanese),
		cmocka_unit_test(test_every_advice_is_said_in_japanese),
		cmocka_unit_test(test_details_stand_where_they_belong),
		cmocka_unit_test(test_english_and_what_is_not_known_stay_as_they_were_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What hosts' words and numbers mean for an address: wording of many hosts, in one table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "smtp/report_parts.h"

#include <string.h>

struct judgement {
	const char *words; /* flattened */
	enum report_kind kind;
	enum report_reason reason;
};

/* Of each reason the usual words; words that name two reasons; words that name the wrong one. */
static const struct judgement judgements[] = {
	{ "550 5.1.1 <x>: email address could not be found", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "550 #5.1.0 address rejected.", REPORT_HARD, REPORT_REASON_NONE },
	{ "511 sorry, no mailbox here by that name", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "550 no such user here", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "550 invalid recipient: <x>", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "550 requested action not taken: mailbox unavailable", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "554 delivery error: dd this user doesn't have an account", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "unrouteable address", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "550 5.4.1 recipient address rejected: access denied", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "450 4.1.1 user unknown in local table", REPORT_SOFT, REPORT_REASON_MAILBOX },
	{ "550 5.1.10 resolver.adr.recipnotfound", REPORT_HARD, REPORT_REASON_MAILBOX },
	{ "550 5.2.1 the account that you tried to reach is inactive", REPORT_HARD, REPORT_REASON_DISABLED },
	{ "550 account has been closed", REPORT_HARD, REPORT_REASON_DISABLED },
	{ "550 5.1.2 no such host", REPORT_HARD, REPORT_REASON_DOMAIN },
	{ "dns type 'mx' lookup of x responded with code nxdomain", REPORT_HARD, REPORT_REASON_DOMAIN },
	{ "all relevant mx records point to non-existent hosts", REPORT_HARD, REPORT_REASON_DOMAIN },
	{ "556 5.1.10 recipient address has null mx", REPORT_HARD, REPORT_REASON_DOMAIN },
	{ "452 4.2.2 the account that you tried to reach is over quota", REPORT_SOFT, REPORT_REASON_FULL },
	{ "554 requested mail action aborted: exceeded storage allocation", REPORT_SOFT, REPORT_REASON_FULL },
	{ "550 5.1.1 user unknown or mailbox is full", REPORT_SOFT, REPORT_REASON_FULL },
	{ "550 mailbox is full and can't accept messages now", REPORT_SOFT, REPORT_REASON_FULL },
	{ "552 5.3.4 message size exceeds fixed limit", REPORT_SOFT, REPORT_REASON_SIZE },
	{ "554 5.7.1 service unavailable; client host blocked using x", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "550 messages from 192.0.2.9 weren't sent: our block list", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "550 administrative prohibition", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "550 5.7.1 unable to relay", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "553 not in my list of allowed rcpthosts (#5.7.1)", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "421 4.7.0 temporarily deferred due to user complaints", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "550 message rejected due to content restrictions", REPORT_SOFT, REPORT_REASON_POLICY },
	/* The sender's own domain is at fault. */
	{ "450 4.1.8 <x>: sender address rejected: domain not found", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "553 domain of sender address x@y does not exist", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "550 sender verify failed: user unknown", REPORT_SOFT, REPORT_REASON_POLICY },
	{ "all hosts have been failing for a long time", REPORT_SOFT, REPORT_REASON_EXPIRED },
	{ "4.4.7 delivery time expired", REPORT_SOFT, REPORT_REASON_EXPIRED },
	{ "conversation with mx.example timed out", REPORT_SOFT, REPORT_REASON_SYSTEM },
	{ "connection refused by mx.example", REPORT_SOFT, REPORT_REASON_SYSTEM },
	{ "554 5.4.6 too many hops", REPORT_SOFT, REPORT_REASON_SYSTEM },
	{ "452 4.5.3 too many recipients", REPORT_SOFT, REPORT_REASON_SYSTEM },
	/* Numbers alone. */
	{ "550 sorry", REPORT_HARD, REPORT_REASON_NONE },
	{ "551 sorry", REPORT_HARD, REPORT_REASON_NONE },
	{ "554 sorry", REPORT_SOFT, REPORT_REASON_NONE },
	{ "5.0.0 sorry", REPORT_SOFT, REPORT_REASON_NONE },
	{ "450 sorry", REPORT_SOFT, REPORT_REASON_NONE },
	{ "552 sorry", REPORT_SOFT, REPORT_REASON_FULL },
	{ "sorry", REPORT_SOFT, REPORT_REASON_NONE },
	{ "", REPORT_SOFT, REPORT_REASON_NONE },
};

static void words_of_hosts_are_judged_as_they_are_meant(void **state)
{
	u32 wrong = 0;

	(void)state;
	for (size_t i = 0; i < array_count(judgements); i++) {
		const struct judgement *j = &judgements[i];
		struct report_recipient recipient = { 0 };

		report_judge_failure(&recipient, slice_of(j->words));
		if (recipient.kind == j->kind && recipient.reason == j->reason)
			continue;
		print_error("\"%s\" is %s %s\n", j->words, report_kind_name(recipient.kind),
			    report_reason_name(recipient.reason));
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void numbers_are_told_from_what_looks_like_them(void **state)
{
	static const struct {
		const char *text;
		u16 status[3];
		u16 code;
	} cases[] = {
		{ "550 5.1.1 x", { 5, 1, 1 }, 550 },
		{ "550-5.1.1 x 550 5.2.2", { 5, 1, 1 }, 550 },
		{ "(#5.1.1)", { 5, 1, 1 }, 0 },
		{ "4.4.123.", { 4, 4, 123 }, 0 },
		{ "said: 452: full", { 0 }, 452 },
		{ "<<< 554", { 0 }, 554 },
		{ "250 2.1.0 ok, 550 5.1.1 no", { 5, 1, 1 }, 550 },
		{ "5.1.1.1 4.1.1.9", { 0 }, 0 },
		{ "10.5.1.1 v5.1.1 5.1 5.1. 5..1 5.1.a 3.1.1 5.1.1234 55.1.1", { 0 }, 0 },
		{ "1550 5500 550x 550.5 599 x550 550/1 -550", { 0 }, 0 },
		{ "5", { 0 }, 0 },
		{ "55", { 0 }, 0 },
		{ "5.1.", { 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		u16 status[3] = { 0 };
		u16 code = 0;

		report_find_status(slice_of(cases[i].text), 4, status);
		report_find_code(slice_of(cases[i].text), &code);
		if (memcmp(status, cases[i].status, sizeof(status)) != 0 || code != cases[i].code)
			fail_msg("\"%s\": %u.%u.%u %u", cases[i].text, status[0], status[1], status[2], code);
	}
}

static void a_known_status_is_kept_and_a_vague_one_made_exact(void **state)
{
	struct report_recipient exact = { .status = { 5, 2, 2 }, .code = 550 };
	struct report_recipient vague = { .status = { 5, 0, 0 } };

	(void)state;
	report_judge_failure(&exact, SLICE("551 5.1.1 user unknown"));
	assert_int_equal(exact.status[1], 2);
	assert_int_equal(exact.code, 550);
	assert_int_equal(exact.reason, REPORT_REASON_FULL);
	report_judge_failure(&vague, SLICE("551 5.1.1 user unknown"));
	assert_int_equal(vague.status[1], 1);
	assert_int_equal(vague.code, 551);
	assert_int_equal(vague.kind, REPORT_HARD);
}

static void an_address_is_found_in_any_text(void **state)
{
	static const struct {
		const char *text;
		const char *address; /* NULL: none */
	} cases[] = {
		{ "to <taro@example.jp>.", "taro@example.jp" },
		{ "taro@example.jp", "taro@example.jp" },
		{ "mailto:taro@example.jp.", "taro@example.jp" },
		{ "(taro+x=y@ex-ample.jp-)", "taro+x=y@ex-ample.jp" },
		{ "宛先taro@example.jpです", "taro@example.jp" },
		{ "宛先<太郎@例え.jp>です", "太郎@例え.jp" },
		{ "\"a b\\\"c\"@example.jp", "\"a b\\\"c\"@example.jp" },
		{ "..a..b.@docomo.example", "..a..b.@docomo.example" },
		{ "@ @@ a@ @b c@d", "c@d" },
		{ "\"@x", NULL },
		{ "nothing", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct slice text = slice_of(cases[i].text);
		size_t before = 0;
		struct slice found = report_next_address(text, &before);

		if (!cases[i].address) {
			assert_null(found.ptr);
			continue;
		}
		if (!found.ptr || !slice_equal(found, slice_of(cases[i].address)))
			fail_msg("\"%s\": \"%.*s\"", cases[i].text, SLICE_FMT(found));
		assert_ptr_equal(found.ptr, text.ptr + before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_hosts_are_judged_as_they_are_meant),
		cmocka_unit_test(numbers_are_told_from_what_looks_like_them),
		cmocka_unit_test(a_known_status_is_kept_and_a_vague_one_made_exact),
		cmocka_unit_test(an_address_is_found_in_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

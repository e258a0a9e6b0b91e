/* Paths and envelope parameters: what is one, what is none, and where its parts are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "smtp/envelope.h"

#include <stdio.h>
#include <string.h>

static void a_path_is_cut_into_its_parts(void **state)
{
	static const struct {
		const char *in;
		const char *path;
		const char *local;
		const char *domain;
		const char *marks; /* u: utf8, o: odd dots, l: literal */
	} cases[] = {
		{ "<>", "", "", "", "" },
		{ "<a@b>", "a@b", "a", "b", "" },
		{ "<a.b+c=d@x-y.z.test>", "a.b+c=d@x-y.z.test", "a.b+c=d", "x-y.z.test", "" },
		{ "<Postmaster>", "Postmaster", "Postmaster", "", "" },
		{ "<@r.test:a@b.test>", "a@b.test", "a", "b.test", "" },
		{ "<@r.test,@[192.0.2.1]:a@b.test>", "a@b.test", "a", "b.test", "" },
		{ "<\"a b\"@x.test>", "\"a b\"@x.test", "\"a b\"", "x.test", "" },
		{ "<\"a>@<\\\"b\\\\\"@x.test>", "\"a>@<\\\"b\\\\\"@x.test", "\"a>@<\\\"b\\\\\"", "x.test",
		  "" },
		{ "<\"\"@x.test>", "\"\"@x.test", "\"\"", "x.test", "" },
		{ "<a@[192.0.2.1]>", "a@[192.0.2.1]", "a", "[192.0.2.1]", "l" },
		{ "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]", "l" },
		{ "<a..b@docomo.example>", "a..b@docomo.example", "a..b", "docomo.example", "o" },
		{ "<.ab@au.example>", ".ab@au.example", ".ab", "au.example", "o" },
		{ "<ab.@au.example>", "ab.@au.example", "ab.", "au.example", "o" },
		{ "<\xc3\xa9@\xe6\x97\xa5\xe6\x9c\xac.test>", "\xc3\xa9@\xe6\x97\xa5\xe6\x9c\xac.test",
		  "\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac.test", "u" },
		{ "<\"\xc3\xa9 \\\xc3\xa9\"@x.test>", "\"\xc3\xa9 \\\xc3\xa9\"@x.test",
		  "\"\xc3\xa9 \\\xc3\xa9\"", "x.test", "u" },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		char line[128];
		struct smtp_mailbox mailbox;
		char marks[4];
		struct slice s;

		snprintf(line, sizeof(line), "%s rest", cases[i].in);
		s = slice_of(line);
		assert_true(smtp_mailbox_read(&mailbox, &s));
		assert_true(slice_equal(s, SLICE(" rest")));
		assert_true(slice_equal(mailbox.path, slice_of(cases[i].path)));
		assert_true(slice_equal(mailbox.local, slice_of(cases[i].local)));
		assert_true(slice_equal(mailbox.domain, slice_of(cases[i].domain)));
		snprintf(marks, sizeof(marks), "%s%s%s", mailbox.utf8 ? "u" : "",
			 mailbox.odd_dots ? "o" : "", mailbox.literal ? "l" : "");
		assert_string_equal(marks, cases[i].marks);
	}
}

static void what_is_no_path_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "<", ">", "a@b.test", "<a>", "<a@>", "<@b.test>", "<a@b.test", "< a@b.test>",
		"<a b@b.test>", "<a@b..test>", "<a@.test>", "<a@test.>", "<a@-b.test>", "<a@b-.test>",
		"<a@b_c.test>", "<a@b.test@c.test>", "<a@b@c.test>", "<\"a@b.test>", "<\"a\"b@c.test>",
		"<\"a\x01\"@b.test>", "<\"a\\\"@b.test>", "<a@[192.0.2]>", "<a@[192.0.2.256]>",
		"<a@[2001:db8::1]>", "<a@[IPv6:192.0.2.1]>", "<a@[IPv6:]>", "<a@[]>", "<a@[",
		"<a@[192.0.2.1>", "<a@[192.0.2.1]x>", "<@r.test a@b.test>", "<@r.test,:a@b.test>",
		"<@:a@b.test>", "<...@b.test>",
		"<.@b.test>", "<a\xff@b.test>", "<a@b\xc3.test>", "<a\xc2\x80@b.test>", "<a,b@c.test>",
		"<postmaster@>", "<postmasters>", "<a\x7f@b.test>", "<a\r\n@b.test>",
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		struct slice s = slice_of(cases[i]);
		struct smtp_mailbox mailbox;

		if (smtp_mailbox_read(&mailbox, &s))
			fail_msg("'%s' was taken", cases[i]);
	}
}

static void lengths_have_their_limits(void **state)
{
	static const struct {
		u32 local;
		u32 label; /* of three */
		bool good;
	} cases[] = {
		{ 64, 63, true }, { 64, 64, false }, { 190, 63, true }, { 191, 63, true },
		{ 192, 63, true }, { 193, 63, false }, { 1, 63, true },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		char line[1024];
		struct smtp_mailbox mailbox;
		struct slice s;
		bool good;

		memset(line, 'a', sizeof(line));
		snprintf(line, sizeof(line), "<%0*u@%0*u.%0*u.%0*u>", (int)cases[i].local, 1,
			 (int)cases[i].label, 1, (int)cases[i].label, 1, (int)cases[i].label, 1);
		s = slice_of(line);
		good = smtp_mailbox_read(&mailbox, &s);
		assert_int_equal(good, cases[i].good);
	}
	assert_true(smtp_domain_is_valid(SLICE("a.test")));
	assert_false(smtp_domain_is_valid(SLICE("a.test ")));
}

static void parameters_of_mail_are_read(void **state)
{
	static const struct {
		const char *in;
		const char *refusal;
	} cases[] = {
		{ "FROM:<a@b.test>", NULL },
		{ "from:<a@b.test> ", NULL },
		{ "FROM: <>  SIZE=1  RET=FULL", NULL },
		{ "FROM:<a@b.test> SIZE=18446744073709551615", NULL },
		{ "FROM:<a@b.test> SIZE=18446744073709551616", "501" },
		{ "FROM:<a@b.test> SIZE=", "501" },
		{ "FROM:<a@b.test> SIZE", "501" },
		{ "FROM:<a@b.test> SIZE=-1", "501" },
		{ "FROM:<a@b.test> SIZE=1 size=1", "501" },
		{ "FROM:<a@b.test>SIZE=1", "501" },
		{ "FROM:<a@b.test> BODY=7bit", NULL },
		{ "FROM:<a@b.test> BODY=", "501" },
		{ "FROM:<a@b.test> SMTPUTF8=1", "501" },
		{ "FROM:<a@b.test> RET=SOME", "501" },
		{ "FROM:<a@b.test> ENVID=", "501" },
		{ "FROM:<a@b.test> ENVID=a+2Bb", NULL },
		{ "FROM:<a@b.test> ENVID=a+2bb", "501" },
		{ "FROM:<a@b.test> ENVID=a+2", "501" },
		{ "FROM:<a@b.test> ENVID=a=b", "501" },
		{ "FROM:<a@b.test> AUTH=<>", NULL },
		{ "FROM:<a@b.test> AUTH=a+40b", NULL },
		{ "FROM:<a@b.test> AUTH=", "501" },
		{ "FROM:<a@b.test> FOO", "555" },
		{ "FROM:<a@b.test> =", "555" },
		{ "FROM:<a@b.test> NOTIFY=NEVER", "555" },
		{ "FROM:<\xc3\xa9@b.test>", "553" },
		{ "FROM:<\xc3\xa9@b.test> SMTPUTF8", NULL },
		{ "FROM", "501" },
		{ "FROM:", "501" },
		{ "", "501" },
	};
	struct smtp_offer offer = { .esmtp = true, .auth = true };

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		struct smtp_mail mail;
		const char *refusal = smtp_mail_read(&mail, slice_of(cases[i].in), &offer);

		if (!refusal != !cases[i].refusal ||
		    (refusal && strncmp(refusal, cases[i].refusal, 3) != 0))
			fail_msg("'%s': %s", cases[i].in, refusal ? refusal : "taken");
	}
}

static void parameters_of_rcpt_are_read(void **state)
{
	static char orcpt[SMTP_ORCPT_MAX + 64];
	static const struct {
		const char *in;
		const char *refusal;
		u8 notify;
	} cases[] = {
		{ "TO:<a@b.test>", NULL, 0 },
		{ "TO:<a@b.test> NOTIFY=NEVER", NULL, SMTP_NOTIFY_NEVER },
		{ "TO:<a@b.test> notify=failure,SUCCESS,Delay", NULL,
		  SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY },
		{ "TO:<a@b.test> NOTIFY=FAILURE,FAILURE", "501", 0 },
		{ "TO:<a@b.test> NOTIFY=NEVER,FAILURE", "501", 0 },
		{ "TO:<a@b.test> NOTIFY=FAILURE,", "501", 0 },
		{ "TO:<a@b.test> NOTIFY=", "501", 0 },
		{ "TO:<a@b.test> NOTIFY", "501", 0 },
		{ "TO:<a@b.test> ORCPT=rfc822;a+40b.test", NULL, 0 },
		{ "TO:<a@b.test> ORCPT=rfc822;", "501", 0 },
		{ "TO:<a@b.test> ORCPT=;a", "501", 0 },
		{ "TO:<a@b.test> ORCPT=a", "501", 0 },
		{ "TO:<a@b.test> ORCPT=rfc822;a=b", "501", 0 },
		{ "TO:<a@b.test> SIZE=1", "555", 0 },
		{ "TO:<>", "501", 0 },
		{ "TO:<\xc3\xa9@b.test>", "553", 0 },
	};
	struct smtp_offer offer = { .esmtp = true };
	struct smtp_rcpt rcpt;

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		const char *refusal = smtp_rcpt_read(&rcpt, slice_of(cases[i].in), &offer);

		if (!refusal != !cases[i].refusal ||
		    (refusal && strncmp(refusal, cases[i].refusal, 3) != 0))
			fail_msg("'%s': %s", cases[i].in, refusal ? refusal : "taken");
		if (!refusal)
			assert_int_equal(rcpt.notify, cases[i].notify);
	}
	for (int len = SMTP_ORCPT_MAX; len <= SMTP_ORCPT_MAX + 1; len++) {
		snprintf(orcpt, sizeof(orcpt), "TO:<a@b.test> ORCPT=rfc822;%0*u", len - 7, 1);
		assert_int_equal(smtp_rcpt_read(&rcpt, slice_of(orcpt), &offer) != NULL,
				 len > SMTP_ORCPT_MAX);
	}
}

static void without_ehlo_there_are_no_parameters(void **state)
{
	struct smtp_offer offer = { .esmtp = false };
	struct smtp_mail mail;

	(void)state;
	assert_null(smtp_mail_read(&mail, SLICE("FROM:<a@b.test>"), &offer));
	assert_non_null(smtp_mail_read(&mail, SLICE("FROM:<a@b.test> SIZE=1"), &offer));
	offer.esmtp = true;
	assert_null(smtp_mail_read(&mail, SLICE("FROM:<a@b.test> SIZE=1"), &offer));
	assert_int_equal(mail.size, 1);
	assert_non_null(smtp_mail_read(&mail, SLICE("FROM:<a@b.test> AUTH=<>"), &offer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_cut_into_its_parts),
		cmocka_unit_test(what_is_no_path_is_refused),
		cmocka_unit_test(lengths_have_their_limits),
		cmocka_unit_test(parameters_of_mail_are_read),
		cmocka_unit_test(parameters_of_rcpt_are_read),
		cmocka_unit_test(without_ehlo_there_are_no_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What users handed in: the file that it is kept in, what it lacks, and what cannot be sent. */
#include "receive/submitted.h"

#include "base/text.h"
#include "smtp/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "Received: by mx.a.test with ESMTPSA id 1;\r\n\tnow\r\n"
#define HEAD "client 192.0.2.1\nhello laptop\nfrom ann@a.test\nuser ann\ncustomer a.test\n"
#define TO "to \"b c\"@x.test\nnotify 6\norcpt rfc822;b+20c@x.test\nto d@y.test\n"

static struct submitted *mail;

static int set_up(void **state)
{
	(void)state;
	mail = malloc(sizeof(*mail));
	return mail ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(mail);
	return 0;
}

static void assert_slice(struct slice got, const char *wanted)
{
	if (!slice_equal(got, slice_of(wanted)))
		fail_msg("got \"%.*s\", wanted \"%s\"", SLICE_FMT(got), wanted);
}

static void a_file_is_read_whole(void **state)
{
	struct error error;

	(void)state;
	assert_true(submitted_read(mail,
				   SLICE(HEAD "ret 2\nenvid QQ1\n" TO "\n" TRACE
					      "Subject: x\r\n folded\r\n\r\nbody\r\n"),
				   &error));
	assert_slice(mail->user, "ann");
	assert_slice(mail->customer, "a.test");
	assert_slice(mail->from, "ann@a.test");
	assert_slice(mail->envid, "QQ1");
	assert_int_equal(mail->ret, SMTP_RETURN_HEADERS);
	assert_int_equal(mail->recipient_count, 2);
	assert_slice(mail->recipients[0].address, "\"b c\"@x.test");
	assert_slice(mail->recipients[0].orcpt, "rfc822;b+20c@x.test");
	assert_int_equal(mail->recipients[0].notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE);
	assert_slice(mail->recipients[1].address, "d@y.test");
	assert_int_equal(mail->recipients[1].notify, 0);
	assert_slice(mail->received, TRACE);
	assert_slice(mail->content, "Subject: x\r\n folded\r\n\r\nbody\r\n");
}

static void what_is_no_such_file_is_refused(void **state)
{
	static const char *const files[] = {
		"",
		HEAD,
		HEAD TO,
		HEAD TO "\nSubject: x\r\n\r\n",
		HEAD "\n" TRACE "\r\nx\r\n",
		"from a@a.test\n" TO "\n" TRACE "\r\nx\r\n",
		HEAD "notify 1\n" TO "\n" TRACE,
		HEAD "orcpt x\n" TO "\n" TRACE,
		HEAD TO "notify 256\n\n" TRACE,
		HEAD TO "notify x\n\n" TRACE,
		HEAD "to \n\n" TRACE,
		HEAD "ret 3\n" TO "\n" TRACE,
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < array_count(files); i++) {
		if (submitted_read(mail, slice_of(files[i]), &error))
			fail_msg("read: %s", files[i]);
	}
}

static void too_many_recipients_are_refused(void **state)
{
	struct error error;
	struct buf file;

	(void)state;
	buf_init(&file, 1u << 20);
	buf_add_text(&file, HEAD);
	for (u32 i = 0; i < SUBMITTED_RECIPIENTS_MAX + 1; i++)
		buf_add_format(&file, "to r%u@x.test\n", i);
	buf_add_text(&file, "\n" TRACE "\r\nx\r\n");
	assert_false(submitted_read(mail, buf_slice(&file), &error));
	buf_done(&file);
}

static void what_lacks_is_the_same_each_time(void **state)
{
	struct error error;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_true(submitted_read(mail, SLICE(HEAD TO "\n" TRACE "Subject: x\r\n\r\nDate: no\r\n"),
				   &error));
	submitted_add_missing(mail, SLICE("19a0f1e3c0000001deadbeef"), &out);
	assert_slice(buf_slice(&out), "Date: Thu, 23 Oct 2025 03:30:31 +0000\r\n"
				      "Message-ID: <19a0f1e3c0000001deadbeef@a.test>\r\n");
	buf_reset(&out);
	assert_true(submitted_read(mail,
				   SLICE(HEAD TO "\n" TRACE "DATE: x\r\nmessage-id: <1@x>\r\n\r\n"),
				   &error));
	submitted_add_missing(mail, SLICE("19a0f1e3c0000001deadbeef"), &out);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

static void what_cannot_be_sent_is_refused_with_the_place(void **state)
{
	static const struct {
		const char *content;
		const char *says; /* NULL: it is fine */
	} cases[] = {
		{ "From: ann@a.test\r\n\r\nx\r\n", NULL },
		{ "From: Ann <ANN@A.TEST>\r\nSubject: {{x}}\r\n\r\n{{y\r\n", NULL },
		{ "From: =?utf-8?q?ann?= <ann@a.test>\r\n\r\n", NULL },
		{ "From: bob@a.test\r\n\r\nx\r\n", "5.7.1 From: ann may not write as bob@a.test" },
		{ "From: ann@b.test\r\n\r\nx\r\n", "5.7.1 From: ann may not write as ann@b.test" },
		{ "From: ann@a.test <bob@a.test>\r\n\r\n", "5.7.1 From: ann may not write as bob" },
		{ "From: ann@a.test, bob@a.test\r\n\r\n", "5.6.0 message:1: From: it must be one" },
		{ "From : ann@a.test\r\n\r\nx\r\n", NULL },
		{ "Subject: x\r\n\r\nFrom: ann@a.test\r\n", "5.6.0 message:1: there is no From" },
		{ "From: ann@a.test\r\nX\r\n\r\nx\r\n", "5.6.0 message:2: a header field needs" },
		{ "From: ann@a.test\r\nSender: bob@a.test\r\n\r\nx\r\n", NULL },
		{ "\tFrom: ann@a.test\r\n\r\n", "5.6.0 message:1: it begins with white space" },
		{ "", "5.6.0 message:1: there is no From field" },
	};
	char from[] = "ann@a.test";
	const struct user ann = { .name = "ann", .customer = "a.test", .from = from };

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct error error = { "" };
		bool retry;
		bool good = submitted_check(slice_of(cases[i].content), &ann, &retry, &error);

		if (good != !cases[i].says)
			fail_msg("%s: %s", cases[i].content, good ? "taken" : error.text);
		if (cases[i].says && !slice_has_prefix(slice_of(error.text), slice_of(cases[i].says)))
			fail_msg("\"%s\" does not begin with \"%s\"", error.text, cases[i].says);
		assert_false(retry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole),
		cmocka_unit_test(what_is_no_such_file_is_refused),
		cmocka_unit_test(too_many_recipients_are_refused),
		cmocka_unit_test(what_lacks_is_the_same_each_time),
		cmocka_unit_test(what_cannot_be_sent_is_refused_with_the_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Mail that somebody wrote elsewhere and submits: nothing in it is a template. */
#include "message/fixture.h"

static void compose_literal(struct fixture *f, const char *whole)
{
	fixture_init(f);
	f->options.literal = true;
	if (!fixture_compile(f, slice_of(whole)))
		fail_msg("refused: %s", f->error.text);
	assert_int_equal(fixture_compose(f, false), MESSAGE_OK);
}

static void braces_are_text_in_every_place(void **state)
{
	struct fixture f;

	(void)state;
	compose_literal(&f, "From: a@example.jp\nSubject: {{name}} {{{{\nX-A: {{}}\n"
			    "Date: Mon, 30 Nov 2026 10:00:00 +0900\nMessage-ID: <1@example.jp>\n"
			    "To: b@example.net\nMIME-Version: 1.0\n"
			    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{{nobody|shout}}\n"
			    "--b\nContent-Type: text/html; x=\"{{\"\n\n<a {{x}}>\n"
			    "--b\nContent-Transfer-Encoding: base64\n\ne3tuYW1lfX0=\n"
			    "--b\nContent-Transfer-Encoding: quoted-printable\n\n{{=C3=A4\n--b--\n");
	assert_has(&f.bytes, SLICE("Subject: {{name}} {{{{\r\n"));
	assert_has(&f.bytes, SLICE("X-A: {{}}\r\n"));
	assert_has(&f.bytes, SLICE("\r\n{{nobody|shout}}\r\n"));
	assert_has(&f.bytes, SLICE("<a {{x}}>\r\n"));
	assert_has(&f.bytes, SLICE("e3tuYW1lfX0="));
	assert_has(&f.bytes, SLICE("{{=C3=A4"));
	fixture_done(&f);
}

static void fields_in_ascii_pass_as_they_were_written(void **state)
{
	struct fixture f;

	(void)state;
	compose_literal(&f, "From: a@example.jp\nTo: Friends: x@y.test, \"Z, z\" <z@y.test>;\n"
			    "Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\n"
			    "Received: from [192.0.2.1] by mx.example.jp; now\n"
			    "Sender: (a comment) a@example.jp\n\nx\n");
	assert_has(&f.bytes, SLICE("\r\nTo: Friends: x@y.test, \"Z, z\" <z@y.test>;\r\n"));
	assert_has(&f.bytes, SLICE("\r\nSubject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\r\n"));
	assert_has(&f.bytes, SLICE("Received: from [192.0.2.1] by mx.example.jp; now\r\n"));
	assert_has(&f.bytes, SLICE("\r\nSender: (a comment) a@example.jp\r\n"));
	fixture_done(&f);
}

static void fields_beyond_ascii_are_encoded(void **state)
{
	struct fixture f;

	(void)state;
	compose_literal(&f, "From: \xe6\x97\xa5 <a@example.jp>\nTo: \xe6\x97\xa5 <b@example.net>\n"
			    "Subject: \xe6\x97\xa5\n\nx\n");
	assert_false(f.composed.utf8_headers);
	for (size_t i = 0; i < f.bytes.len; i++)
		assert_true((u8)f.bytes.ptr[i] < 0x80);
	assert_has(&f.bytes, SLICE("\r\nSubject: =?UTF-8?"));
	fixture_done(&f);
}

static void who_gets_a_blind_copy_is_not_told(void **state)
{
	struct fixture f;

	(void)state;
	compose_literal(&f, "From: a@example.jp\nBcc: secret@example.net\nReturn-Path: <p@q.test>\n"
			    "Subject: s\n\nx\n");
	assert_true(slice_find(buf_slice(&f.bytes), SLICE("secret")) < 0);
	assert_true(slice_find(buf_slice(&f.bytes), SLICE("Return-Path")) < 0);
	assert_has(&f.bytes, SLICE("\r\nTo: undisclosed-recipients:;\r\n"));
	assert_true(slice_find(buf_slice(&f.bytes), SLICE("taro@")) < 0);
	fixture_done(&f);
}

static void who_has_a_copy_is_enough_of_an_addressee(void **state)
{
	struct fixture f;

	(void)state;
	compose_literal(&f, "From: a@example.jp\nCc: c@example.net\nSubject: s\n\nx\n");
	assert_true(slice_find(buf_slice(&f.bytes), SLICE("\r\nTo:")) < 0);
	fixture_done(&f);
}

static void an_author_is_still_needed_and_one_only(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.options.literal = true;
	assert_false(fixture_compile(&f, SLICE("Subject: s\n\nx\n")));
	assert_false(fixture_compile(&f, SLICE("From: a@b.test, c@d.test\n\nx\n")));
	assert_false(fixture_compile(&f, SLICE("From: a@b.test\nFrom: a@b.test\n\nx\n")));
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(braces_are_text_in_every_place),
		cmocka_unit_test(fields_in_ascii_pass_as_they_were_written),
		cmocka_unit_test(fields_beyond_ascii_are_encoded),
		cmocka_unit_test(who_gets_a_blind_copy_is_not_told),
		cmocka_unit_test(who_has_a_copy_is_enough_of_an_addressee),
		cmocka_unit_test(an_author_is_still_needed_and_one_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

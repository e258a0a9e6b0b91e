/* Literal mail: what keeps its bytes, what is written anew, and what is refused. */
#include "message/fixture.h"

#include <stdio.h>

#define HEAD                                                                                       \
	"Received: from client by mx.example.jp\r\n\twith ESMTPSA id 1; today\r\n"                 \
	"From: =?utf-8?b?6aOb6ISa?= <a@example.jp>\r\nTo: undisclosed-recipients:;\r\n"            \
	"Subject:   two  {{spaces}}\r\n folded\r\nDate: Wed, 25 Nov 2026 03:12:00 +0000\r\n"       \
	"Message-ID: <x{{y}}@example.jp>\r\n"
#define PLAIN HEAD "MIME-Version: 1.0\r\n"

static void set_up(struct fixture *f)
{
	fixture_init(f);
	f->options.literal = true;
	f->options.encoding = MESSAGE_ENCODING_8BIT;
	f->options.column_count = 0;
}

static void compile(struct fixture *f, struct slice whole)
{
	if (!fixture_compile(f, whole))
		fail_msg("refused: %s", f->error.text);
}

static void every_byte_of_plain_mail_stays(void **state)
{
	static const char *const bodies[] = {
		"Hello {{name}}, {{ {{{{ }}\r\n.\r\n..two\r\nFrom me  \r\n\r\n\r\n", "", "\r\n",
		"{{name|nonsense}}\r\n\x1b$B%F%9%H\x1b(B\r\n"
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < array_count(bodies); i++) {
		char whole[1024];

		set_up(&f);
		snprintf(whole, sizeof(whole), PLAIN "\r\n%s", bodies[i]);
		compile(&f, slice_of(whole));
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
		if (bodies[i][0])
			assert_slice(buf_slice(&f.bytes), slice_of(whole));
		assert_false(f.composed.eightbit);
		fixture_done(&f);
	}
}

static void dots_are_stuffed_on_the_wire_alone(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	compile(&f, SLICE(PLAIN "\r\n.\r\nx\r\n..y\r\n"));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE(".\r\nx\r\n..y\r\n"));
	assert_slice(fixture_body(&f.wire), SLICE("..\r\nx\r\n...y\r\n"));
	fixture_done(&f);
}

static void signed_parts_boundaries_and_preambles_stay(void **state)
{
	static const struct slice content =
		SLICE("Content-Type: multipart/signed; micalg=pgp-sha256;\r\n"
		      "\tprotocol=\"application/pgp-signature\"; boundary=\"b 1\"\r\n");
	static const struct slice body =
		SLICE("preamble\r\n--b 1\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
		      "signed  \r\n\r\n--b 1\r\nContent-Type: application/pgp-signature\r\n\r\n"
		      "-----BEGIN PGP SIGNATURE-----\r\n\r\n--b 1--\r\nepilogue {{x}}\r\n");
	struct fixture f;
	char whole[2048];

	(void)state;
	set_up(&f);
	snprintf(whole, sizeof(whole), PLAIN "%.*s\r\n%.*s", SLICE_FMT(content), SLICE_FMT(body));
	compile(&f, slice_of(whole));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_slice(buf_slice(&f.bytes), slice_of(whole));
	fixture_done(&f);
}

#define EIGHT                                                                                      \
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"       \
	"\xe9\xa3\x9b\xe8\x84\x9a {{name}}\r\n"

static void octets_over_127_stay_for_who_takes_them(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	compile(&f, SLICE(PLAIN EIGHT));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_slice(buf_slice(&f.bytes), SLICE(PLAIN EIGHT));
	assert_true(f.composed.eightbit);
	assert_false(f.composed.utf8_headers);
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_false(f.composed.eightbit);
	assert_has(&f.bytes, SLICE("Content-Transfer-Encoding: quoted-printable\r\n"));
	fixture_done(&f);
}

/* Whoever keeps mail in mbox files changes such a line; it is the author's, and not ours to refuse. */
static void a_line_that_begins_with_from_stays_the_author_s(void **state)
{
	static const struct slice body = SLICE("From y\r\n\xc3\xa9\r\n");
	struct fixture f;
	char whole[1024];

	(void)state;
	set_up(&f);
	snprintf(whole, sizeof(whole),
		 PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
		       "Content-Transfer-Encoding: 8bit\r\n\r\n%.*s",
		 SLICE_FMT(body));
	compile(&f, slice_of(whole));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), body);
	fixture_done(&f);
}

static void what_is_anothers_is_never_written_anew(void **state)
{
	static const struct slice whole =
		SLICE(PLAIN "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
			    "\r\nSubject: \xe9\xa3\x9b\r\n\r\nx\r\n");
	struct fixture f;

	(void)state;
	set_up(&f);
	compile(&f, whole);
	for (u32 eightbit = 0; eightbit < 2; eightbit++) {
		assert_int_equal(fixture_compose(&f, eightbit), MESSAGE_OK);
		assert_slice(buf_slice(&f.bytes), whole);
		assert_true(f.composed.eightbit);
	}
	fixture_done(&f);
}

static void fields_in_raw_utf8_become_encoded_words(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	compile(&f, SLICE("From: \xe9\xa3\x9b <a@example.jp>\r\nSubject: \xe9\xa3\x9b\r\n\r\nx\r\n"));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("\r\nSubject: =?UTF-8?"));
	assert_false(f.composed.utf8_headers);
	assert_has(&f.bytes, SLICE("Date: "));
	assert_has(&f.bytes, SLICE("Message-ID: <tok-1.c1@example.jp>\r\n"));
	fixture_done(&f);
}

static void an_author_is_one_for_every_reader(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	compile(&f, SLICE("From: <e@evil.test> <a@example.jp>\r\nTo: b@example.net\r\n\r\nx\r\n"));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("From: \"<e@evil.test>\" <a@example.jp>\r\n"));
	fixture_done(&f);
}

static void what_the_road_would_break_is_encoded(void **state)
{
	struct buf whole;
	struct fixture f;

	(void)state;
	set_up(&f);
	buf_init(&whole, 1u << 20);
	buf_add_text(&whole, PLAIN "\r\n");
	for (u32 i = 0; i < 1500; i++)
		buf_add_char(&whole, 'x');
	buf_add_text(&whole, "\r\n{{name}}\r\n");
	compile(&f, buf_slice(&whole));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("Content-Transfer-Encoding: quoted-printable\r\n"));
	assert_has(&f.bytes, SLICE("{{name}}"));
	buf_reset(&whole);
	buf_add_text(&whole, PLAIN "\r\n");
	for (u32 i = 0; i < 100; i++)
		buf_add_text(&whole, ".x\r\n");
	compile(&f, buf_slice(&whole));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("Content-Transfer-Encoding: base64\r\n"));
	buf_done(&whole);
	fixture_done(&f);
}

static void refusals_name_line_and_field(void **state)
{
	static const struct {
		const char *whole;
		const char *says;
	} cases[] = {
		{ "Subject: s\r\n\r\nx", "t:1: there is no From field" },
		{ PLAIN "From: b@example.jp\r\n\r\nx", "From: the field is given twice" },
		{ "From: a@example.jp, b@example.jp\r\n\r\nx", "t:1: From: it must be one" },
		{ "From: a@example.jp\r\nSubject: a\001b\r\n\r\nx", "t:2: Subject: it holds a" },
		{ "From: a@example.jp\r\nnonsense\r\n\r\nx", "t:2: a header field needs a name" },
		{ "From: a@example.jp\r\n\r\na\rb", "t:3: there is a CR without LF" },
		{ "From: a@example.jp\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
		  "t:2: the multipart has no closing boundary" },
		{ "From: a@example.jp\r\nSubject: \xff\r\n\r\nx", "t:2: this is not valid UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct fixture f;

		set_up(&f);
		if (fixture_compile(&f, slice_of(cases[i].whole)))
			fail_msg("accepted: %s", cases[i].whole);
		if (!strstr(f.error.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", f.error.text, cases[i].says);
		fixture_done(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_of_plain_mail_stays),
		cmocka_unit_test(dots_are_stuffed_on_the_wire_alone),
		cmocka_unit_test(signed_parts_boundaries_and_preambles_stay),
		cmocka_unit_test(octets_over_127_stay_for_who_takes_them),
		cmocka_unit_test(a_line_that_begins_with_from_stays_the_author_s),
		cmocka_unit_test(what_is_anothers_is_never_written_anew),
		cmocka_unit_test(fields_in_raw_utf8_become_encoded_words),
		cmocka_unit_test(an_author_is_one_for_every_reader),
		cmocka_unit_test(what_the_road_would_break_is_encoded),
		cmocka_unit_test(refusals_name_line_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

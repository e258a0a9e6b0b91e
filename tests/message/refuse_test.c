/* Every template that is refused, with the place that the sentence must name. */
#include "message/fixture.h"

#define OK "From: a@example.jp\nSubject: s\n"

struct refusal {
	const char *whole;
	const char *says;
};

static void check_all(const struct refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fixture f;

		fixture_init(&f);
		if (fixture_compile(&f, slice_of(cases[i].whole)))
			fail_msg("accepted: %s", cases[i].whole);
		if (!strstr(f.error.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", f.error.text, cases[i].says);
		fixture_done(&f);
	}
}

static void the_template_language_is_checked_with_line_numbers(void **state)
{
	static const struct refusal cases[] = {
		{ OK "\nhello\n{{nobody}}\n", "t:5: unknown field \"nobody\"" },
		{ OK "\n{{}}", "t:4: unknown field \"(none)\"" },
		{ OK "\nx\n\n{{name|shout}}", "t:6: unknown filter \"shout\"" },
		{ OK "\n{{name|}}", "t:4: unknown filter" },
		{ OK "\n{{name", "t:4: a field that starts with {{ does not end" },
		{ OK "\n{{name}", "t:4: a field that starts with {{ does not end" },
		{ OK "\n{{na me}}", "t:4: a field that starts with {{ does not end" },
		{ OK "\n{{name\n}}", "t:4: a field that starts with {{ does not end" },
		{ OK "\n{{name|default}}", "t:4: default needs a text" },
		{ OK "\n{{name|default:x}}",
		  "t:4: a text needs straight double quotes" },
		{ OK "\n{{name|default:\"x}}", "t:4: the text has no closing quote" },
		{ OK "\n{{name|default:\"x\"|default:\"y\"}}", "t:4: the filter is given twice" },
		{ OK "\n{{name|raw}}", "t:4: raw is for HTML text only" },
		{ OK "Content-Type: text/html\n\n<a title=\"{{name|raw}}\">",
		  "t:5: raw is for HTML text" },
		{ OK "Content-Type: text/html\n\n<a title={{name}}>",
		  "t:5: a field in an attribute needs" },
		{ OK "Content-Type: text/html\n\n<a {{name}}>",
		  "t:5: fields cannot stand inside a tag" },
		{ OK "Content-Type: text/html\n\n<{{name}}>",
		  "t:5: fields cannot stand inside a tag" },
		{ OK "Content-Type: text/html\n\n<style>\n{{name}}",
		  "t:6: fields cannot stand inside script" },
		{ OK "\n{{name|upper|upper|upper|upper|upper|upper|upper|upper|upper}}",
		  "t:4: too many filters" },
		{ OK "X-A: a\n {{no}}\n\nx", "t:4: unknown field \"no\"" },
	};

	(void)state;
	check_all(cases, array_count(cases));
}

static void header_fields_are_checked_with_line_numbers(void **state)
{
	static const struct refusal cases[] = {
		{ OK "X-{{name}}: x\n\n",
		  "t:3: a merge field cannot stand in a header field's name" },
		{ "Subject: s\nFrom: {{name}} <a@example.jp>\n\n",
		  "t:2: From: a merge field cannot" },
		{ OK "Content-Type: text/{{name}}\n\n", "t:3: Content-Type has a character" },
		{ OK "Content-Type: text/plain; x={{name}}\n\n",
		  "t:3: Content-Type: a merge field cannot" },
		{ OK "Content-Language: {{name}}\n\n",
		  "t:3: Content-Language: a merge field cannot" },
		{ OK "MIME-Version: {{name}}\n\n", "t:3: MIME-Version: a merge field cannot" },
		{ OK "no colon here\n\nbody", "t:3: a header field needs a name and a colon" },
		{ OK ": x\n\nbody", "t:3: a header field needs a name and a colon" },
		{ OK ".X: x\n\nbody", "t:3: a header field's name has a character" },
		{ OK "X Y: x\n\nbody", "t:3: a header field's name has a character" },
		{ "Subject: s\n\nbody", "t:1: there is no From field" },
		{ OK "From: b@example.jp\n\n", "t:3: From: the field is given twice" },
		{ OK "SUBJECT: again\n\n", "t:3: SUBJECT: the field is given twice" },
		{ OK "Received: x\n\n", "t:3: Received: a template cannot set this field" },
		{ OK "Return-Path: <x@y.test>\n\n", "t:3: Return-Path: a template cannot set" },
		{ OK "DKIM-Signature: x\n\n", "t:3: DKIM-Signature: a template cannot set" },
		{ OK "bcc: x@y.test\n\n", "t:3: bcc: a template cannot set" },
		{ "From: a@example.jp, b@example.jp\n\n", "t:1: From: it must be one address" },
		{ "From: nonsense\n\n", "t:1: From: address \"nonsense\": there is no @" },
		{ "From: A <a@example.jp\n\n", "t:1: From: an address has no > at its end" },
		{ OK "Reply-To: a@b\n\n",
		  "t:3: Reply-To: address \"a@b\": the domain has only one label" },
		{ OK "X-A: \xff\n\n", "t:3: this is not valid UTF-8" },
		{ OK "X-A: a\x01"
		     "b\n\n",
		  "t:3: X-A: it holds a control character" },
		{ OK "Message-ID: <\xc3\xa4@x.test>\n\n",
		  "t:3: Message-ID: it can hold ASCII only" },
		{ OK "Content-Type: text/plain\nContent-Type: text/html\n\n",
		  "t:4: Content-Type is given twice" },
		{ OK "Content-Type: nonsense\n\n", "t:3: Content-Type needs a type and a subtype" },
		{ OK "Content-Transfer-Encoding: binary\n\n",
		  "t:3: Content-Transfer-Encoding must be" },
	};

	(void)state;
	check_all(cases, array_count(cases));
}

static void bodies_are_checked_with_line_numbers(void **state)
{
	static const struct refusal cases[] = {
		{ OK "\nab\xff", "t:4: this is not valid UTF-8" },
		{ OK "\nab\ncd\xc3", "t:5: this is not valid UTF-8" },
		{ OK "\na\nb\rc", "t:5: there is a CR without LF" },
		{ OK "Content-Transfer-Encoding: base64\n\nISEh\nISEh!",
		  "t:5: the part declares base64, but is not" },
		{ OK "Content-Transfer-Encoding: base64\n\ne3tuYW1lfX0=\n",
		  "t:5: merge fields cannot stand in a base64" },
		{ OK "Content-Transfer-Encoding: quoted-printable\n\nx=ZZ\n",
		  "t:5: the part declares quoted-printable, but" },
		{ OK "Content-Transfer-Encoding: quoted-printable\n\nsoft=\nbreak\n{{no}}\n",
		  "t:7: unknown field \"no\"" },
		{ OK "Content-Type: text/plain; charset=shift_jis\n\n{{name}}",
		  "t:3: merge fields need a part in UTF-8" },
		{ OK "Content-Type: multipart/mixed\n\n", "t:3: a multipart needs a boundary" },
		{ OK "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
		  "t:3: the multipart has no closing" },
		{ OK "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n\nx\n{{no}}\n--b--\n",
		  "t:9: unknown field" },
		{ OK
		  "Content-Type: multipart/mixed; boundary=b\n\n--b\nX-Y: {{name}}\n\nx\n--b--\n",
		  "t:6: X-Y: a merge field" },
		{ OK "Content-Type: message/rfc822\n\nX: \xc3\xa4",
		  "t:5: message/* and multipart/signed parts must be 7bit" },
	};

	(void)state;
	check_all(cases, array_count(cases));
}

static void a_nul_byte_is_refused_with_its_line(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_false(fixture_compile(&f, SLICE(OK "\na\nb\0c")));
	assert_string_equal(f.error.text, "t:5: there is a NUL byte");
	fixture_done(&f);
}

static void a_line_over_998_octets_is_refused_where_7bit_or_8bit_is_declared(void **state)
{
	struct fixture f;
	struct buf whole;

	(void)state;
	fixture_init(&f);
	buf_init(&whole, 1u << 16);
	buf_add_text(&whole, OK "Content-Transfer-Encoding: 8bit\n\nshort\n");
	for (int i = 0; i < 999; i++)
		buf_add_char(&whole, 'x');
	assert_false(fixture_compile(&f, buf_slice(&whole)));
	assert_string_equal(f.error.text, "t:6: the line is over 998 octets");
	whole.len--;
	assert_true(fixture_compile(&f, buf_slice(&whole)));
	buf_done(&whole);
	fixture_done(&f);
}

static void characters_that_iso_2022_jp_lacks_are_named(void **state)
{
	static const struct refusal cases[] = {
		{ OK "\nx\n\xe2\x91\xa0\n",
		  "t:5: ISO-2022-JP cannot carry \"\xe2\x91\xa0\" (U+2460): write (1)" },
		{ OK "\n\xe9\xab\x99\n",
		  "t:4: ISO-2022-JP cannot carry \"\xe9\xab\x99\" (U+9AD9): write U+9AD8" },
		{ "From: a@example.jp\nSubject: \xf0\x9f\x98\x80\n\nx",
		  "t:2: Subject: ISO-2022-JP cannot carry U+1F600" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct fixture f;

		fixture_init(&f);
		f.options.charset = MESSAGE_ISO_2022_JP;
		assert_false(fixture_compile(&f, slice_of(cases[i].whole)));
		if (!strstr(f.error.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", f.error.text, cases[i].says);
		fixture_done(&f);
	}
}

static void a_template_without_unsubscribe_is_refused_when_one_is_required(void **state)
{
	struct fixture f;
	struct message_facts facts;

	(void)state;
	fixture_init(&f);
	f.options.require_unsubscribe = true;
	assert_false(fixture_compile(&f, SLICE(OK "\nx")));
	assert_non_null(strstr(f.error.text, "t:1: there is no List-Unsubscribe"));
	f.options.unsubscribe_mailto = SLICE("u-{{_token}}@example.jp");
	assert_true(fixture_compile(&f, SLICE(OK "\nx")));
	message_facts(f.message, &facts);
	assert_true(facts.has_unsubscribe && !facts.has_one_click);
	f.options.unsubscribe_url = SLICE("https://example.jp/{{_token");
	assert_false(fixture_compile(&f, SLICE(OK "\nx")));
	assert_non_null(strstr(f.error.text, "unsubscribe-url:1:"));
	fixture_done(&f);
}

static void the_separate_form_refuses_content_fields_and_names_its_text(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.source.headers = SLICE("From: a@example.jp\r\nContent-Type: text/plain\r\n");
	assert_false(fixture_compile(&f, SLICE_NONE));
	assert_non_null(strstr(f.error.text, "t:2: Content-Type: this field is made by itself"));
	f.source.headers = SLICE("From: a@example.jp\r\n");
	f.source.text = SLICE("a\rb\r\n{{no}}");
	f.source.html = SLICE("x");
	assert_false(fixture_compile(&f, SLICE_NONE));
	assert_string_equal(f.error.text, "t (text):3: unknown field \"no\"");
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_template_language_is_checked_with_line_numbers),
		cmocka_unit_test(header_fields_are_checked_with_line_numbers),
		cmocka_unit_test(bodies_are_checked_with_line_numbers),
		cmocka_unit_test(a_nul_byte_is_refused_with_its_line),
		cmocka_unit_test(a_line_over_998_octets_is_refused_where_7bit_or_8bit_is_declared),
		cmocka_unit_test(characters_that_iso_2022_jp_lacks_are_named),
		cmocka_unit_test(a_template_without_unsubscribe_is_refused_when_one_is_required),
		cmocka_unit_test(the_separate_form_refuses_content_fields_and_names_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

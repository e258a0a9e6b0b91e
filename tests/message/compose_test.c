/* What is composed for a recipient: bytes, pieces, sharing, and values that mean harm. */
#include "message/fixture.h"

#include "base/random.h"

#include <pthread.h>
#include <stdlib.h>

#define OK "From: a@example.jp\nSubject: s\n"

static void the_same_recipient_gives_the_same_bytes(void **state)
{
	struct fixture f;
	struct buf first;

	(void)state;
	fixture_init(&f);
	buf_init(&first, 1u << 20);
	f.values[0] = SLICE("Taro");
	assert_true(fixture_compile(&f, SLICE(OK "\nHello {{name}}, {{_token}} {{_date}}\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	buf_add_slice(&first, buf_slice(&f.bytes));
	assert_has(&f.bytes, SLICE("Message-ID: <tok-1.c1@example.jp>\r\n"));
	assert_has(&f.bytes, SLICE("Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n"));
	assert_has(&f.bytes, SLICE("To: taro@example.net\r\n"));
	f.recipient.id = SLICE("id-9");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("Message-ID: <id-9.c1@example.jp>\r\n"));
	f.recipient.id = SLICE("id>9");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	f.recipient.id = SLICE_NONE;
	/* A recompiled template and another composed in between change nothing. */
	assert_true(fixture_compile(&f, SLICE(OK "\nHello {{name}}, {{_token}} {{_date}}\n")));
	f.values[0] = SLICE("Somebody else");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	f.values[0] = SLICE("Taro");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(buf_slice(&f.bytes), buf_slice(&first));
	buf_done(&first);
	fixture_done(&f);
}

static void values_with_line_ends_or_nul_cannot_enter_a_header(void **state)
{
	static const struct slice evil[] = { SLICE("x\r\nBcc: evil@example.org"), SLICE("x\nX: y"),
					     SLICE("x\ry"), SLICE("x\0y"), SLICE("\xff") };
	static const char *const templates[] = {
		"From: a@example.jp\nSubject: {{name}}\n\nx",
		"From: a@example.jp\nSubject: s\nTo: {{name}} <{{email}}>\n\nx",
		"From: a@example.jp\nSubject: s\nReply-To: {{name}}@example.jp\n\nx",
		"From: a@example.jp\nSubject: s\nReferences: <{{name}}@example.jp>\n\nx",
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t t = 0; t < array_count(templates); t++) {
		assert_true(fixture_compile(&f, slice_of(templates[t])));
		for (size_t i = 0; i < array_count(evil); i++) {
			f.values[0] = evil[i];
			assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
			assert_non_null(strstr(f.error.text, "field \"name\""));
		}
	}
	fixture_done(&f);
}

static void values_cannot_add_addresses_or_identifiers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(
		fixture_compile(&f, SLICE("From: a@example.jp\nTo: {{name}} <{{email}}>\n\nx")));
	f.values[0] = SLICE("\"x\" <evil@example.org>, y");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes,
		   SLICE("To: \"\\\"x\\\" <evil@example.org>, y\" <taro@example.net>\r\n"));
	assert_true(fixture_compile(
		&f, SLICE("From: a@example.jp\nReply-To: {{name}}@example.jp\n\nx")));
	f.values[0] = SLICE("a@evil.test, b");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	assert_true(fixture_compile(
		&f, SLICE("From: a@example.jp\nMessage-ID: <{{name}}@example.jp>\n\nx")));
	f.values[0] = SLICE("a> <b");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	assert_non_null(strstr(f.error.text,
			       "t:2: field \"name\": the value cannot stand in an identifier"));
	fixture_done(&f);
}

static void a_value_that_looks_like_an_encoded_word_stays_text(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(&f, SLICE("From: a@example.jp\nSubject: hi {{name}}\n\nx")));
	f.values[0] = SLICE("=?utf-8?q?x?=");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("Subject: hi =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=\r\n"));
	fixture_done(&f);
}

static void bad_tokens_are_refused(void **state)
{
	static const struct slice bad[] = { SLICE(""), SLICE("a b"), SLICE("A"), SLICE("a>"),
					    SLICE("a\r\n") };
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(&f, SLICE(OK "\nx")));
	for (size_t i = 0; i < array_count(bad); i++) {
		f.recipient.token = bad[i];
		assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	}
	fixture_done(&f);
}

static void a_quoted_printable_literal_never_depends_on_the_value_before_it(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile_body(&f, SLICE("Hi {{name}}, bye\n{{name}}\n")));
	f.values[0] = SLICE(".x ");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE("Hi=20.x=20=\r\n, bye\r\n=2Ex=20\r\n"));
	assert_slice(fixture_body(&f.wire), fixture_body(&f.bytes));
	f.values[0] = SLICE("From\nme\r\n.\r");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes),
		     SLICE("Hi=20From\r\nme\r\n=2E\r\n=\r\n, bye\r\nFrom\r\nme\r\n=2E\r\n\r\n"));
	fixture_done(&f);
}

static void long_values_keep_quoted_printable_lines_within_76(void **state)
{
	struct fixture f;
	static char value[70000];

	(void)state;
	fixture_init(&f);
	memset(value, 'v', sizeof(value));
	f.values[0] = (struct slice){ value, sizeof(value) };
	assert_true(fixture_compile_body(&f, SLICE("0123456789 {{name}}\xc3\xa4")));
	for (size_t len = 0; len < sizeof(value); len = len * 2 + 1) {
		struct slice rest;

		f.values[0].len = len;
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
		rest = fixture_body(&f.bytes);
		while (rest.ptr)
			assert_true(slice_split(&rest, '\n').len <= 77);
	}
	fixture_done(&f);
}

static void a_shared_body_is_hashed_once(void **state)
{
	struct fixture f;
	struct message_facts facts;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile_body(&f, SLICE("Hello\n")));
	message_facts(f.message, &facts);
	assert_true(facts.body_is_shared);
	assert_int_equal(facts.body_bytes, 7);
	assert_int_equal(facts.shared_prefix_bytes, 7);
	assert_true(fixture_compile_body(&f, SLICE("Hello\n{{name}}\nlast\n")));
	message_facts(f.message, &facts);
	assert_false(facts.body_is_shared);
	assert_int_equal(facts.field_uses, 1);
	assert_int_equal(facts.shared_prefix_bytes, 7);
	assert_string_equal(facts.from_domain, "example.jp");
	fixture_done(&f);
}

/* P04: the shape of each body, and the dots that the wire needs. */
static void dots_are_doubled_at_line_starts_only_wherever_blocks_end(void **state)
{
	static char line[4200];
	const struct {
		size_t fill;
		struct slice tail;
		u32 dots;
	} cases[] = { { 4095, SLICE(".b\n"), 0 },
		      { 4094, SLICE("\n.b\n"), 1 },
		      { 0, SLICE(".\n"), 1 },
		      { 0, SLICE(".x\n..y\n"), 2 },
		      { 4093, SLICE("\n.b\n"), 1 } };
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < array_count(cases); i++) {
		size_t len = 0;
		u32 dots = 0;

		/* Lines of 88, so that the part stays 7bit, but for the last one. */
		memset(line, 'a', cases[i].fill);
		for (len = 88; len < cases[i].fill; len += 89)
			line[len] = '\n';
		memcpy(line + cases[i].fill, cases[i].tail.ptr, cases[i].tail.len);
		len = cases[i].fill + cases[i].tail.len;
		assert_true(fixture_compile_body(&f, (struct slice){ line, len }));
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
		for (u32 k = 0; k < f.composed.piece_count; k++)
			dots += f.composed.pieces[k].stuffing;
		assert_int_equal(dots, cases[i].dots);
		assert_int_equal(f.wire.len, f.bytes.len + dots);
		assert_int_equal(slice_find(buf_slice(&f.bytes), SLICE("7bit")) > 0, true);
	}
	fixture_done(&f);
}

static void many_dot_lines_make_the_part_quoted_printable(void **state)
{
	struct fixture f;
	struct buf text;

	(void)state;
	fixture_init(&f);
	buf_init(&text, 1u << 16);
	for (int i = 0; i < 200; i++)
		buf_add_text(&text, ".dot, and text that people can read\n");
	assert_true(fixture_compile_body(&f, buf_slice(&text)));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(buf_slice(&f.wire), buf_slice(&f.bytes));
	assert_slice(slice_first(fixture_body(&f.bytes), 7), SLICE("=2Edot,"));
	buf_done(&text);
	fixture_done(&f);
}

static void values_are_stuffed_in_8bit_parts_and_too_many_dots_fall_back(void **state)
{
	struct fixture f;
	struct buf value;

	(void)state;
	fixture_init(&f);
	buf_init(&value, 1u << 16);
	f.options.encoding = MESSAGE_ENCODING_8BIT;
	assert_true(fixture_compile_body(&f, SLICE("\xe3\x81\x82\n{{name}}.x\n")));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_true(f.composed.eightbit);
	assert_slice(fixture_body(&f.wire), SLICE("\xe3\x81\x82\r\n..x\r\n"));
	f.values[0] = SLICE(".a\n.b\nc");
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_slice(fixture_body(&f.wire), SLICE("\xe3\x81\x82\r\n..a\r\n..b\r\nc.x\r\n"));
	assert_slice(fixture_body(&f.bytes), SLICE("\xe3\x81\x82\r\n.a\r\n.b\r\nc.x\r\n"));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_false(f.composed.eightbit);
	assert_slice(fixture_body(&f.bytes), SLICE("=E3=81=82\r\n=2Ea\r\n=2Eb\r\nc=\r\n=2Ex\r\n"));
	f.values[0] = SLICE("From me");
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_false(f.composed.eightbit);
	for (int i = 0; i < 60; i++)
		buf_add_text(&value, ".\n");
	f.values[0] = buf_slice(&value);
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_false(f.composed.eightbit);
	buf_done(&value);
	fixture_done(&f);
}

static void an_iso_2022_jp_line_over_998_octets_names_its_field(void **state)
{
	struct fixture f;
	static char value[2000];

	(void)state;
	fixture_init(&f);
	memset(value, 'v', sizeof(value));
	f.options.charset = MESSAGE_ISO_2022_JP;
	assert_true(fixture_compile_body(&f, SLICE("x\n{{name}}end\n")));
	f.values[0] = (struct slice){ value, 995 };
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	f.values[0].len = 996;
	assert_int_equal(fixture_compose(&f, true), MESSAGE_BAD_VALUE);
	assert_string_equal(f.error.text, "t:2: field \"name\": a line would be over 998 octets");
	f.values[0] = SLICE("\xe9\xab\x99");
	assert_int_equal(fixture_compose(&f, true), MESSAGE_BAD_VALUE);
	assert_non_null(strstr(f.error.text, "field \"name\": ISO-2022-JP cannot carry U+9AD9"));
	fixture_done(&f);
}

static void many_large_literals_and_fields_keep_within_the_pieces(void **state)
{
	struct fixture f;
	struct buf text;
	struct buf want;

	(void)state;
	fixture_init(&f);
	buf_init(&text, 8u << 20);
	buf_init(&want, 8u << 20);
	for (int i = 0; i < 300; i++) {
		for (int k = 0; k < 60; k++) {
			buf_add_format(&text, "line %d of block %d, forty octets or so\n", k, i);
			buf_add_format(&want, "line %d of block %d, forty octets or so\r\n", k, i);
		}
		buf_add_text(&text, "{{name}}\n");
		buf_add_text(&want, "N\r\n");
	}
	f.values[0] = SLICE("N");
	assert_true(fixture_compile_body(&f, buf_slice(&text)));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_true(f.composed.piece_count <= MESSAGE_PIECES_MAX);
	assert_slice(fixture_body(&f.bytes), buf_slice(&want));
	buf_done(&text);
	buf_done(&want);
	fixture_done(&f);
}

static void too_big_a_message_is_told_from_a_bad_value(void **state)
{
	struct fixture f;
	char *value = malloc(20u << 20);

	(void)state;
	assert_non_null(value);
	memset(value, '=', 20u << 20);
	fixture_init(&f);
	assert_true(fixture_compile_body(&f, SLICE("{{name}}")));
	f.values[0] = (struct slice){ value, 20u << 20 };
	assert_int_equal(fixture_compose(&f, false), MESSAGE_TOO_BIG);
	f.values[0].len = 10;
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	free(value);
	fixture_done(&f);
}

static void filters_and_defaults_work_in_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("  \xe3\x80\x80 ");
	f.values[1] = SLICE("\xc3\xa9t\xc3\xa9 \xef\xbd\x81");
	f.values[2] = SLICE("a b&\xc3\xa9");
	assert_true(fixture_compile_body(
		&f,
		SLICE("{{name|trim|default:\"fr\\\"iend}}\"}}\n{{ note | upper }}\n{{link|url}}\n"
		      "{{{{name}}\n{{email}}\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes),
		     SLICE("fr\"iend}}\r\n=C3=89T=C3=89 =EF=BC=A1\r\na%20b%26%C3%A9\r\n{{name}}\r\n"
			   "taro@example.net\r\n"));
	fixture_done(&f);
}

/* P01, P03: what we write has no fold behind a colon, and a body always ends with a line end. */
static void bodies_end_with_a_line_end_and_no_field_starts_with_a_fold(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(
		&f, SLICE(OK "List-Unsubscribe:\n\t<https://u.example/x>\n\nHello")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("\r\nList-Unsubscribe: <https://u.example/x>\r\n"));
	assert_has(&f.bytes, SLICE("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	assert_slice(fixture_body(&f.bytes), SLICE("Hello\r\n"));
	assert_true(fixture_compile(&f, SLICE(OK "\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE(""));
	assert_true(fixture_compile(&f, SLICE(OK)));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE(""));
	fixture_done(&f);
}

static void parts_with_their_own_encoding_pass_as_they_are(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(&f, SLICE(OK "Content-Transfer-Encoding: quoted-printable\n\n"
						 "odd=3d=\ncase\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE("odd=3d=\r\ncase\r\n"));
	/* One that a relay would touch is written anew. */
	assert_true(fixture_compile(&f, SLICE(OK "Content-Transfer-Encoding: quoted-printable\n\n"
						 ".dot =\nx\nFrom x\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE("=2Edot x\r\n=46rom x\r\n"));
	/* With fields it is decoded first. */
	f.values[0] = SLICE("\xc3\xa4");
	assert_true(fixture_compile(&f, SLICE(OK "Content-Transfer-Encoding: quoted-printable\n\n"
						 "=C3=A4 {=\n{name}}\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE("=C3=A4=20=C3=A4\r\n"));
	fixture_done(&f);
}

static void a_part_header_is_rewritten_where_it_is_odd(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(
		&f,
		SLICE(OK "Content-Type: text/plain; o\n dd=x; =y; name=\"=?utf-8?q?a=0D=0Ab?=\"\n"
			 "Content-Language: en,\n \n de\n"
			 "Content-Disposition: inline; filename=\"\xc3\xa4.txt\"\n\nx")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("\r\nContent-Type: text/plain; charset=utf-8;"
				   " name*=UTF-8''a%0D%0Ab\r\n"));
	assert_has(&f.bytes, SLICE("\r\nContent-Language: en,\r\n de\r\n"));
	assert_has(&f.bytes, SLICE("inline; filename*=UTF-8''%C3%A4.txt\r\n"));
	fixture_done(&f);
}

static void folds_in_a_part_header_that_is_rewritten_leave_no_bare_line_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(
		&f,
		SLICE(OK "Content-Type: image/png\n ; name=a\n\t; x*=b\n ; y=\"\xc3\xa4\n z\"\n"
			 "Content-Disposition: inline\n\t; filename=\"\xc3\xa4\"\n"
			 "Content-Transfer-Encoding: base64\n\neA==\n")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("\r\nContent-Type: image/png; name=a; x*=b;"
				   " y*=UTF-8''%C3%A4%20z\r\n"));
	assert_has(&f.bytes, SLICE("\r\nContent-Disposition: inline; filename*=UTF-8''%C3%A4\r\n"));
	fixture_done(&f);
}

static void only_international_local_parts_need_utf8_headers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("\xe9\xa3\x9b");
	assert_true(fixture_compile(&f, SLICE("From: \xe9\xa3\x9b <a@\xe4\xbe\x8b.jp>\n"
					      "Subject: {{name}}\n\nx")));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_false(f.composed.utf8_headers);
	assert_has(&f.bytes, SLICE("<a@xn--fsq.jp>\r\n"));
	assert_true(fixture_compile(
		&f, SLICE("From: a@example.jp\nReply-To: {{name}}@example.jp\n\nx")));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_true(f.composed.utf8_headers);
	assert_true(fixture_compile(&f, SLICE("From: \xe9\xa3\x9b@example.jp\n\nx")));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_true(f.composed.utf8_headers);
	fixture_done(&f);
}

static void a_warm_message_keeps_its_memory(void **state)
{
	struct fixture f;
	const char *head;
	const char *scratch;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("\xe9\xa3\x9b");
	assert_true(fixture_compile(
		&f, SLICE("From: a@example.jp\nSubject: {{name}}\n\n{{name|upper}}")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	head = f.composed.head.ptr;
	scratch = f.composed.scratch.ptr;
	for (int i = 0; i < 100; i++)
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_ptr_equal(f.composed.head.ptr, head);
	assert_ptr_equal(f.composed.scratch.ptr, scratch);
	fixture_done(&f);
}

struct thread_run {
	const struct fixture *shared;
	bool equal;
};

static void *compose_many_times(void *arg)
{
	struct thread_run *run = arg;
	struct message_composed composed;
	struct error error;
	struct buf bytes;

	message_composed_init(&composed);
	buf_init(&bytes, 1u << 20);
	run->equal = true;
	for (int i = 0; i < 2000 && run->equal; i++) {
		run->equal = message_compose(run->shared->message, &run->shared->recipient, false,
					     &composed, &error) == MESSAGE_OK;
		buf_reset(&bytes);
		for (u32 k = 0; k < composed.piece_count; k++)
			buf_add(&bytes, composed.pieces[k].ptr, composed.pieces[k].len);
		run->equal = run->equal &&
			     slice_equal(buf_slice(&bytes), buf_slice(&run->shared->bytes));
	}
	buf_done(&bytes);
	message_composed_done(&composed);
	return NULL;
}

static void threads_share_a_compiled_message(void **state)
{
	struct fixture f;
	struct thread_run runs[4];
	pthread_t threads[4];

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("\xe9\xa3\x9b");
	assert_true(fixture_compile(
		&f, SLICE("From: a@example.jp\nSubject: {{name}}\n\n{{name|upper}}")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	for (size_t i = 0; i < array_count(threads); i++) {
		runs[i].shared = &f;
		assert_int_equal(pthread_create(&threads[i], NULL, compose_many_times, &runs[i]),
				 0);
	}
	for (size_t i = 0; i < array_count(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_true(runs[i].equal);
	}
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_recipient_gives_the_same_bytes),
		cmocka_unit_test(values_with_line_ends_or_nul_cannot_enter_a_header),
		cmocka_unit_test(values_cannot_add_addresses_or_identifiers),
		cmocka_unit_test(a_value_that_looks_like_an_encoded_word_stays_text),
		cmocka_unit_test(bad_tokens_are_refused),
		cmocka_unit_test(a_quoted_printable_literal_never_depends_on_the_value_before_it),
		cmocka_unit_test(long_values_keep_quoted_printable_lines_within_76),
		cmocka_unit_test(a_shared_body_is_hashed_once),
		cmocka_unit_test(dots_are_doubled_at_line_starts_only_wherever_blocks_end),
		cmocka_unit_test(many_dot_lines_make_the_part_quoted_printable),
		cmocka_unit_test(values_are_stuffed_in_8bit_parts_and_too_many_dots_fall_back),
		cmocka_unit_test(an_iso_2022_jp_line_over_998_octets_names_its_field),
		cmocka_unit_test(many_large_literals_and_fields_keep_within_the_pieces),
		cmocka_unit_test(too_big_a_message_is_told_from_a_bad_value),
		cmocka_unit_test(filters_and_defaults_work_in_order),
		cmocka_unit_test(bodies_end_with_a_line_end_and_no_field_starts_with_a_fold),
		cmocka_unit_test(parts_with_their_own_encoding_pass_as_they_are),
		cmocka_unit_test(a_part_header_is_rewritten_where_it_is_odd),
		cmocka_unit_test(
			folds_in_a_part_header_that_is_rewritten_leave_no_bare_line_end),
		cmocka_unit_test(only_international_local_parts_need_utf8_headers),
		cmocka_unit_test(a_warm_message_keeps_its_memory),
		cmocka_unit_test(threads_share_a_compiled_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

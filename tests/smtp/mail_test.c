/* Reading mail that came in: header fields, parameters, texts, the tree of parts, their contents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "smtp/mail.h"

#include <string.h>

static struct arena arena;

static void assert_text(struct slice found, const char *expected)
{
	if (!found.ptr || !slice_equal(found, slice_of(expected)))
		fail_msg("found \"%.*s\", not \"%s\"", SLICE_FMT(found), expected);
}

static void fields_are_found_among_what_is_none(void **state)
{
	struct slice headers = SLICE("From x Mon Nov 30\n"
				     "  a fold of nothing: x\n"
				     ": no name\n"
				     "Two Words: no\n"
				     "A: 1\r\n"
				     "B :2\n"
				     "b: second\n"
				     "C:\n\tfolded\r\n  twice\n"
				     "no colon\n"
				     "D: end");
	struct mail_field field;
	u32 count = 0;

	(void)state;
	assert_text(slice_trim(mail_find(headers, SLICE("a"))), "1");
	assert_text(mail_find(headers, SLICE("B")), "2");
	assert_text(mail_find(headers, SLICE("C")), "\n\tfolded\r\n  twice");
	assert_text(mail_find(headers, SLICE("D")), " end");
	assert_null(mail_find(headers, SLICE("E")).ptr);
	assert_null(mail_find(headers, SLICE("Two Words")).ptr);
	while (mail_next_field(&headers, &field))
		count++;
	assert_int_equal(count, 5);
}

static void a_message_is_cut_at_its_first_empty_line(void **state)
{
	static const struct {
		const char *message;
		const char *headers;
		const char *body;
	} cases[] = {
		{ "A: 1\r\n\r\nx\r\n\r\ny", "A: 1\r\n", "x\r\n\r\ny" },
		{ "A: 1\n\nx", "A: 1\n", "x" },
		{ "A: 1\r\r\n\r\r\nx", "A: 1\r\r\n", "x" },
		{ "\nx", "", "x" },
		{ "A: 1", "A: 1", "" },
		{ "A: 1\n \nB: 2\n", "A: 1\n \nB: 2\n", "" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct slice headers;
		struct slice body;

		mail_split(slice_of(cases[i].message), &headers, &body);
		assert_text(headers, cases[i].headers);
		assert_text(body, cases[i].body);
	}
}

static void text_fields_are_unfolded_and_decoded(void **state)
{
	static const struct {
		struct slice value;
		const char *text;
	} cases[] = {
		{ SLICE(" plain\r\n and folded "), "plain and folded" },
		{ SLICE("=?UTF-8?Q?caf=C3=A9_au_lait?="), "café au lait" },
		{ SLICE("=?us-ascii?q?a=5Fb_c?="), "a_b c" },
		{ SLICE("=?utf-8?B?5aSq?= =?utf-8?B?6YOO?="), "太郎" },
		{ SLICE("=?utf-8?B?5aQ=?=\r\n =?utf-8?B?qumDjg==?="), "太郎" },
		{ SLICE("=?iso-2022-jp?B?GyRCQkAbKEI=?= =?utf-8?B?6YOO?="), "太郎" },
		{ SLICE("=?ISO-2022-JP*ja?b?GyRCQkBPOhsoQg==?= (x)"), "太郎 (x)" },
		{ SLICE("(=?shift_jis?q?=91=BE?=)"), "(太)" },
		{ SLICE("a =?utf-8?q?b?= c"), "a b c" },
		{ SLICE("=?utf-8?q?a?=\t =?bad word"), "a  =?bad word" }, /* no tab */
		{ SLICE("=?x?y?z?="), "=?x?y?z?=" },
		{ SLICE("=?utf-8?q?=zz=4"), "=?utf-8?q?=zz=4" },
		{ SLICE("=?utf-8?q?=zz=4?="), "=zz=4" },
		{ SLICE("=?utf-8?q?=0D=0A=00x?="), "x" },
		{ SLICE("=??q?x?="), "=??q?x?=" },
		{ SLICE("raw \xe5\xa4\xaa"), "raw 太" },
		{ SLICE("raw \x1b$BB@\x1b(B"), "raw 太" },
		{ SLICE("raw \x83\x5c\x95\x5c"), "raw ソ表" },
		{ SLICE("nul \0 and \x7f"), "nul   and" },
		{ SLICE(""), "" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		assert_text(mail_text(&arena, cases[i].value), cases[i].text);
	}
}

static void comments_are_no_part_of_structured_fields(void **state)
{
	static const struct {
		const char *value;
		const char *bare;
	} cases[] = {
		{ " text/plain (a (nested) one) ; charset=x (b)", "text/plain   ; charset=x" },
		{ "\"(quoted)\" (c)", "\"(quoted)\"" },
		{ "\"a\\\"(b\" (c)", "\"a\\\"(b\"" },
		{ "(\\)) x", "x" },
		{ "no end (of it; a=(b)", "no end (of it; a=(b)" },
		{ "folded\r\n\tvalue", "folded value" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++)
		assert_text(mail_bare(&arena, slice_of(cases[i].value)), cases[i].bare);
	assert_int_equal(mail_bare(&arena, SLICE_NONE).len, 0);
	assert_non_null(mail_bare(&arena, SLICE_NONE).ptr);
}

static void a_parameter_is_read_in_every_form(void **state)
{
	static const struct {
		const char *value;
		const char *found; /* NULL: none */
	} cases[] = {
		{ "m/x; name=a", "a" },
		{ "m/x;NAME = \"a b;c\" ; x=y", "a b;c" },
		{ "m/x; name=\"a\\\"b\\\\\"", "a\"b\\" },
		{ "m/x; other=\"; name=no\"; name=yes", "yes" },
		{ "m/x; name*0=a; name*1=\" b\"; name*2=c", "a bc" },
		{ "m/x; name*1=b; name*0=a; name*3=no", "ab" },
		{ "m/x; name*=utf-8'ja'%E5%A4%AA", "太" },
		{ "m/x; name*0*=utf-8''%41; name*1=%42; name*2*=%43", "A%42C" },
		{ "m/x; name=old; name*=utf-8''new", "new" },
		{ "m/x; name*=%4", "%4" },
		{ "m/x; name", "" },
		{ "m/x; name=", "" },
		{ "m/x; name=\"open", "open" },
		{ "m/x; xname=a", NULL },
		{ "m/x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct slice found;

		assert_true(mail_parameter(&arena, slice_of(cases[i].value), SLICE("name"), &found));
		if (cases[i].found)
			assert_text(found, cases[i].found);
		else
			assert_null(found.ptr);
	}
}

/* "type@depth" of every part, and its body in brackets when it has no parts. */
static void assert_tree(const char *message, const char *expected)
{
	const struct mail_part *part = mail_read(&arena, slice_of(message));
	struct buf out;

	assert_non_null(part);
	buf_init(&out, 10000);
	for (; part; part = part->next) {
		buf_add_format(&out, "%.*s@%u", SLICE_FMT(part->type), part->depth);
		if (!part->is_multipart)
			buf_add_format(&out, "[%.*s]", SLICE_FMT(part->body));
		if (part->next)
			buf_add_char(&out, ' ');
	}
	assert_text(buf_slice(&out), expected);
	buf_done(&out);
}

static void a_tree_is_read_in_order(void **state)
{
	(void)state;
	assert_tree("A: 1\n\nbody", "text/plain@0[body]");
	assert_tree("Content-Type: TEXT/HTML (c); x=y\n\nb", "text/html@0[b]");
	assert_tree("Content-Type: nonsense\n\nb", "text/plain@0[b]");
	assert_tree("Content-Type: multipart/mixed; boundary=\"b b\"\n\n"
		    "preamble\n--b b\n\none\n--b b \t\nContent-Type: a/b\n\ntwo\n\n--b b--\n"
		    "epilogue\n--b b\nno",
		    "multipart/mixed@0 text/plain@1[one] a/b@1[two\n]");
	assert_tree("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
		    "multipart/mixed@0 text/plain@1[one]");
	assert_tree("Content-Type: multipart/a; boundary=b\n\n--b\n"
		    "Content-Type: multipart/c; boundary=bb\n\n"
		    "--bb\n\nin\n--bb--\n--b\n\nout\n--b--\n",
		    "multipart/a@0 multipart/c@1 text/plain@2[in] text/plain@1[out]");
}

static void broken_delimiters_lose_as_little_as_can_be(void **state)
{
	(void)state;
	/* No end of the inner, no end of the outer. */
	assert_tree("Content-Type: multipart/a; boundary=b\n\n--b\n"
		    "Content-Type: multipart/c; boundary=i\n\n"
		    "--i\n\nin\n--b\n\nout",
		    "multipart/a@0 multipart/c@1 text/plain@2[in] text/plain@1[out]");
	/* Another boundary than the one that was said, or none said. */
	assert_tree("Content-Type: multipart/a; boundary=b\n\n--x\nContent-Type: c/d\n\none\n--x--\n",
		    "multipart/a@0 c/d@1[one]");
	assert_tree("Content-Type: multipart/a\n\n--x\ncontent-type: c/d\n\none\n--x\n\ntwo",
		    "multipart/a@0 c/d@1[one] text/plain@1[two]");
	/* Nothing that looks like one: no parts. */
	assert_tree("Content-Type: multipart/a; boundary=b\n\ntext\n--\nContent-Type: x",
		    "multipart/a@0[text\n--\nContent-Type: x]");
	/* A delimiter with more behind it is none. */
	assert_tree("Content-Type: multipart/a; boundary=b\n\n--b\n\none\n--bc\n--b x\n--b--",
		    "multipart/a@0 text/plain@1[one\n--bc\n--b x]");
	assert_tree("Content-Type: multipart/a; boundary=b\n\n--b", "multipart/a@0");
}

static void a_message_inside_is_not_taken_apart(void **state)
{
	(void)state;
	assert_tree("Content-Type: message/rfc822\n\n"
		    "Content-Type: multipart/a; boundary=b\n\n--b\n\nx\n--b--\n",
		    "message/rfc822@0[Content-Type: multipart/a; boundary=b\n\n--b\n\nx\n--b--\n]");
}

static void contents_are_decoded_and_errors_read_over(void **state)
{
	static const struct {
		const char *head;
		struct slice body;
		const char *content;
	} cases[] = {
		{ "", SLICE("a\r\nb"), "a\r\nb" },
		{ "Content-Transfer-Encoding: 8bit\n", SLICE("a=41"), "a=41" },
		{ "Content-Transfer-Encoding: x-uuencode\n", SLICE("a=41"), "a=41" },
		{ "Content-Transfer-Encoding: Quoted-Printable\n",
		  SLICE("a=41=\r\nb=3d \t\r\nc=\n"), "aAb=\nc" },
		{ "Content-Transfer-Encoding: quoted-printable (x)\n", SLICE("=4=ZZ=e5=A4=aa="), "=4=ZZ太" },
		{ "Content-Transfer-Encoding: BASE64\n", SLICE("QU\r\nJD*RA"), "ABCD" },
		{ "Content-Transfer-Encoding: base64\n", SLICE("QUI=QUI="), "AB" },
		{ "Content-Transfer-Encoding: base64\n", SLICE("Q"), "" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct buf message;
		struct mail_part *part;

		buf_init(&message, 1000);
		buf_add_text(&message, cases[i].head);
		buf_add_char(&message, '\n');
		buf_add_slice(&message, cases[i].body);
		part = mail_read(&arena, buf_slice(&message));
		assert_non_null(part);
		assert_text(mail_content(&arena, part, 1000), cases[i].content);
		/* A limit cuts and does no more. */
		for (size_t max = 0; max < strlen(cases[i].content); max++) {
			struct slice cut = mail_content(&arena, part, max);

			assert_in_range(cut.len, 0, max);
			assert_memory_equal(cut.ptr, cases[i].content, cut.len);
		}
		buf_done(&message);
	}
}

static void texts_become_utf_8_with_lf_and_html_its_visible_text(void **state)
{
	static const struct {
		const char *message;
		const char *text;
	} cases[] = {
		{ "Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9\r\nb\rc\r\r\nd\x01",
		  "café\nb\nc\nd " },
		{ "\n\x1b$BB@\x1b(B", "太" },
		{ "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n5aSq", "太" },
		{ "Content-Type: text/html\n\n<html><style>x</style><P>a &lt;b@c.example&gt;"
		  "<br/>d&nbsp;e&amp;&#233;",
		  "\na <b@c.example>\nd e&é" },
		{ "Content-Type: text/html\n\n<b@c.example> 1 < 2 <!-- no --><script>no</script>end",
		  "<b@c.example> 1 < 2 end" },
		{ "Content-Type: text/html\n\na<div class=x>b</div>c<td>d</td>&#1;&#xx;&bogus;<",
		  "a\nb\ncd&#1;&#xx;&bogus;<" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct mail_part *part = mail_read(&arena, slice_of(cases[i].message));

		assert_non_null(part);
		assert_text(mail_content_text(&arena, part, 10000), cases[i].text);
	}
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64u << 10, 4u << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_among_what_is_none),
		cmocka_unit_test(a_message_is_cut_at_its_first_empty_line),
		cmocka_unit_test(text_fields_are_unfolded_and_decoded),
		cmocka_unit_test(comments_are_no_part_of_structured_fields),
		cmocka_unit_test(a_parameter_is_read_in_every_form),
		cmocka_unit_test(a_tree_is_read_in_order),
		cmocka_unit_test(broken_delimiters_lose_as_little_as_can_be),
		cmocka_unit_test(a_message_inside_is_not_taken_apart),
		cmocka_unit_test(contents_are_decoded_and_errors_read_over),
		cmocka_unit_test(texts_become_utf_8_with_lf_and_html_its_visible_text),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

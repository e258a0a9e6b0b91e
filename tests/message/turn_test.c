/* Conditions and loops: what of a text a recipient gets, and what the language refuses. */
#include "message/fixture.h"

#include "base/arena.h"
#include "message/list_value.h"
#include "smtp/mail.h"

#include <stdio.h>

static struct slice make_list(struct buf *out, const struct slice *items, size_t count)
{
	buf_reset(out);
	list_value_begin(out);
	for (size_t i = 0; i < count; i++)
		list_value_add(out, items[i]);
	return buf_slice(out);
}

/* The body as a reader of mail sees it, without the line end that a body ends with. */
static void check_read(struct fixture *f, const char *wanted, const char *what)
{
	struct arena arena;
	struct mail_part *part;
	struct slice text;

	arena_init(&arena, 64u << 10, 16u << 20);
	part = mail_read(&arena, buf_slice(&f->bytes));
	text = mail_content_text(&arena, part, 1u << 20);
	while (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	if (!slice_equal(text, slice_of(wanted)))
		fail_msg("%s: got \"%.*s\", wanted \"%s\"", what, SLICE_FMT(text), wanted);
	arena_done(&arena);
}

/* In every encoding the reader gets the same. `wanted` NULL: the values are refused. */
static void check_body(struct fixture *f, const char *body, const char *wanted)
{
	static const struct {
		enum message_charset charset;
		enum message_encoding encoding;
	} ways[] = { { MESSAGE_UTF8, MESSAGE_ENCODING_AUTO },
		     { MESSAGE_UTF8, MESSAGE_ENCODING_8BIT },
		     { MESSAGE_ISO_2022_JP, MESSAGE_ENCODING_AUTO } };

	for (size_t i = 0; i < array_count(ways); i++) {
		f->options.charset = ways[i].charset;
		f->options.encoding = ways[i].encoding;
		if (!fixture_compile_body(f, slice_of(body)))
			fail_msg("\"%s\": %s", body, f->error.text);
		assert_int_equal(fixture_compose(f, true),
				 wanted ? MESSAGE_OK : MESSAGE_BAD_VALUE);
		if (wanted)
			check_read(f, wanted, body);
	}
}

static void conditions_choose_what_a_recipient_reads(void **state)
{
	static const struct {
		const char *name;
		const char *condition;
		bool holds;
	} cases[] = {
		{ "x", "name", true },
		{ "", "name", false },
		{ "x", "not name", false },
		{ "", "name empty", true },
		{ " ", "name empty", false },
		{ " ", "name|trim empty", true },
		{ "20", "name = 20", true },
		{ "20.0", "name = 20", true },
		{ "020", "name = \"20\"", false },
		{ "1,200", "name > 1199.5", true },
		{ "9", "name < 10", true },
		{ "9", "name < \"10\"", false },
		{ "-3", "name <= -3", true },
		{ "-3", "name >= -2", false },
		{ "many", "name > 1", false },
		{ "many", "name <= 1", false },
		{ "many", "name != 1", true },
		{ "", "name = 0", false },
		{ "123456789012345678901", "name > 1", false },
		{ "Gold", "name = \"gold\"", false },
		{ "Gold", "name|lower = \"gold\"", true },
		{ "\xe6\x9d\xb1\xe4\xba\xac", "name == \"\xe6\x9d\xb1\xe4\xba\xac\"", true },
		{ "2026-11-30", "name >= \"2026-04-01\" and name<\"2027-04-01\"", true },
		{ "a,b,c", "name contains \"b\"", true },
		{ "a,b,c", "name contains \"d\"", false },
		{ "5", "name = note", true }, /* 5.0 */
		{ "6", "name>note", true },
		{ "x", "name = \"y\" or name = \"x\" and note", true },
		{ "x", "(name = \"x\" or note empty) and not (note = 5)", false },
		{ "x", "not not name", true },
		{ "x", "name = \"y\" or not note", false },
		{ "x\"\\", "name = \"x\\\"\\\\\"", true },
		{ "}}", "name = \"}}\"", true },
		{ "x", "email = \"taro@example.net\" and _token = \"tok-1\"", true },
		{ "x", "nobody", false },
	};
	struct slice columns[4] = { SLICE("name"), SLICE("note"), SLICE("link"), SLICE("nobody") };
	char body[256];

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct fixture f;

		fixture_init(&f);
		f.options.columns = columns;
		f.options.column_count = 4;
		f.values[0] = slice_of(cases[i].name);
		f.values[1] = SLICE("5.0");
		snprintf(body, sizeof(body), "a{{#if %s}}yes{{#else}}no{{/if}}b",
			 cases[i].condition);
		check_body(&f, body, cases[i].holds ? "ayesb" : "anob");
		fixture_done(&f);
	}
}

static void the_first_clause_that_holds_is_taken(void **state)
{
	static const char body[] = "{{#if name = 1}}one {{note}}{{#elif name = 2}}two"
				   "{{#elif name = 3}}{{note}} three{{#else}}many{{/if}}!";
	static const char *const wanted[] = { "many!", "one N!", "two!", "N three!", "many!" };

	(void)state;
	for (u32 i = 0; i < array_count(wanted); i++) {
		struct fixture f;
		char name[2] = { (char)('0' + i), '\0' };

		fixture_init(&f);
		f.values[0] = slice_of(name);
		f.values[1] = SLICE("N");
		check_body(&f, body, wanted[i]);
		fixture_done(&f);
	}
}

static void a_tag_alone_on_its_line_takes_the_line_with_it(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("x");
	check_body(&f, "a\n{{#if name}}\nb\n  {{#else}}  \nc\n{{/if}}\nd", "a\nb\nd");
	check_body(&f, "{{#if name empty}}\nb\n{{#else}}\nc\n{{/if}}", "c");
	check_body(&f, "a\n{{#if name}} b\n{{/if}} c\n", "a\n b\n c");
	check_body(&f, "\n\n{{#if name}}\n\n{{/if}}\n\nz", "\n\n\n\nz");
	fixture_done(&f);
}

/* A line's beginning is found whichever way led to it: dots are doubled, lines that relays change. */
static void lines_that_begin_behind_a_condition_are_safe(void **state)
{
	struct fixture f;
	static const char body[] = "a\n{{#if name}}x{{/if}}.b\n{{#if note}}{{/if}}From c\n"
				   "{{#if name}}\n.d\n{{/if}}\n.e {{#if note}}f{{/if}} \n";

	(void)state;
	fixture_init(&f);
	check_body(&f, body, "a\n.b\nFrom c\n.e  ");
	assert_true(slice_find(buf_slice(&f.wire), SLICE("\n.b")) < 0);
	f.values[0] = SLICE("x");
	check_body(&f, body, "a\nx.b\nFrom c\n.d\n.e  ");
	fixture_done(&f);
}

static void loops_run_over_lists_of_texts_and_objects(void **state)
{
	static const struct slice items[] = { SLICE("red"), SLICE("green & blue"), SLICE("") };
	struct slice objects[2];
	struct fixture f;
	struct buf list;
	struct buf tags;
	struct buf object[2];

	(void)state;
	fixture_init(&f);
	buf_init(&list, 1u << 16);
	buf_init(&tags, 1u << 16);
	f.values[0] = make_list(&list, items, 3);
	f.values[1] = SLICE("N");
	check_body(&f, "{{#each name}}{{_index}}.{{this}}{{#if not _last}}, {{/if}}{{/each}}!",
		   "1.red, 2.green & blue, 3.!");
	check_body(&f,
		   "{{#each name as c}}\n{{#if _first}}\nfirst {{note}}\n{{/if}}\n* "
		   "{{c|upper}}\n{{/each}}\nend",
		   "first N\n* RED\n* GREEN & BLUE\n* \nend");
	check_body(&f, "{{#if name contains \"red\"}}r{{/if}}{{#if name contains \"re\"}}x{{/if}}",
		   "r");
	check_body(&f, "{{#each link}}x{{#else}}none{{/each}} {{#each note}}[{{item}}]{{/each}}",
		   "none [N]");
	f.values[0] = make_list(&list, items, 0);
	check_body(&f, "{{#each name}}x{{#else}}none{{/each}}{{#if name}}y{{/if}}", "none");
	for (u32 i = 0; i < 2; i++) {
		buf_init(&object[i], 1u << 16);
		object_value_begin(&object[i]);
		object_value_add(&object[i], SLICE("title"), i ? SLICE("B") : SLICE("A"));
		object_value_add(&object[i], SLICE("tags"), make_list(&tags, items, i * 2));
		objects[i] = buf_slice(&object[i]);
	}
	f.values[0] = make_list(&list, objects, 2);
	check_body(&f,
		   "{{#each name as p}}{{item.title}}:{{#each p.tags}}{{p.title}}{{this}} "
		   "{{#else}}-{{/each}}{{this.price|default:\"?\"}};{{/each}}",
		   "A:-?;B:Bred Bgreen & blue ?;");
	check_body(&f, "{{#each name}}{{this}}{{/each}}", NULL);
	check_body(&f, "{{name}}", NULL);
	assert_string_equal(f.error.text,
			    "t:1: field \"name\": the value is a list: {{#each}} writes its items");
	for (u32 i = 0; i < 2; i++)
		buf_done(&object[i]);
	buf_done(&list);
	buf_done(&tags);
	fixture_done(&f);
}

static void conditions_work_in_the_subject(void **state)
{
	static const char whole[] =
		"From: a@example.jp\n"
		"Subject: =?utf-8?q?=C3=A9?= {{#if name}}{{name}}, {{#elif note = 1}}you "
		"{{#else}}\xe3\x81\x82{{/if}} hello\n\nbody\n";
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile(&f, slice_of(whole)));
	f.values[0] = SLICE("Ann");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("Subject: =?UTF-8?B?w6k=?= Ann,  hello\r\n"));
	f.values[0] = SLICE("");
	f.values[1] = SLICE("1");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("Subject: =?UTF-8?B?w6k=?= you  hello\r\n"));
	fixture_done(&f);
}

static void what_stands_in_front_of_a_condition_is_hashed_once(void **state)
{
	struct message_facts facts;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile_body(&f, SLICE("0123456789{{#if name}}x{{/if}}y")));
	message_facts(f.message, &facts);
	assert_false(facts.body_is_shared);
	assert_false(facts.is_same_for_all);
	assert_int_equal(facts.shared_prefix_bytes, 10 + 3); /* and its soft break */
	fixture_done(&f);
}

/* The decoded content of a message in HTML. */
static void check_html(struct fixture *f, struct slice html, const char *wanted)
{
	struct arena arena;

	f->source.headers = SLICE("From: a@example.jp\nSubject: s\n");
	f->source.html = html;
	message_free(f->message);
	f->message = message_compile(&f->source, &f->options, &f->error);
	if (!f->message)
		fail_msg("%s", f->error.text);
	assert_int_equal(fixture_compose(f, false), MESSAGE_OK);
	arena_init(&arena, 64u << 10, 16u << 20);
	assert_slice(mail_content(&arena, mail_read(&arena, buf_slice(&f->bytes)), 1u << 20),
		     slice_of(wanted));
	arena_done(&arena);
}

static void html_is_followed_through_every_clause(void **state)
{
	static const struct slice html =
		SLICE("<a {{#if name}}class=\"{{name}}\" {{/if}}href=\"https://x.test/{{#if "
		      "name}}?n={{name}}{{#else}}{{note}}{{/if}}{{note}}\">{{name}}{{note}}</a>"
		      "<input {{#if name}}checked{{/if}} title={{#if note}}\"{{note}}\""
		      "{{#else}}''{{/if}}><!-- {{#if name}}{{name}}{{/if}} -->");
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("a&b");
	f.values[1] = SLICE("c&d");
	/* Behind a join a URL's value is encoded for both: percent signs do no harm in a path. */
	check_html(&f, html,
		   "<a class=\"a&amp;b\" href=\"https://x.test/?n=a%26bc%26d\">a&amp;bc&amp;d</a>"
		   "<input checked title=\"c&amp;d\"><!-- a&amp;b -->\n");
	f.values[0] = SLICE("");
	check_html(&f, html,
		   "<a href=\"https://x.test/c&amp;dc%26d\">c&amp;d</a>"
		   "<input  title=\"c&amp;d\"><!--  -->\n");
	fixture_done(&f);
}

static void check_refused(const char *html, const char *why)
{
	struct fixture f;

	fixture_init(&f);
	f.source.headers = SLICE("From: a@example.jp\nSubject: s\n");
	f.source.html = slice_of(html);
	f.message = message_compile(&f.source, &f.options, &f.error);
	if (f.message)
		fail_msg("\"%s\" was taken", html);
	if (!strstr(f.error.text, why))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", html, f.error.text, why);
	fixture_done(&f);
}

static void html_that_depends_on_the_way_is_refused(void **state)
{
	static const char *const cases[] = {
		"{{#if name}}<a href=\"{{/if}}x\">",
		"{{#if name}}<p {{#else}}<p title='{{/if}}{{note}}'>",
		"<p title={{#if name}}\"{{#else}}'{{/if}}{{note}}>",
		"{{#if name}}<!-- {{/if}}-->",
		"{{#each name}}<a {{/each}}>",
		"{{#if name}}<script>{{#else}}<style>{{/if}}",
		"<a href=\"x{{#each name}}?{{/each}}\">",
		"{{#if name}}a{{#elif note}}<b{{/if}}>",
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++)
		check_refused(cases[i], "t (html):1: ");
	check_refused("<{{#if name}}a{{/if}}>", "cannot stand in a tag's name");
	check_refused("<scr{{#if name}}ipt{{/if}}>{{name}}", "cannot stand in a tag's name");
	check_refused("<!-- -{{#if name}}-{{/if}}> ", "at a comment's end");
	check_refused("<script></{{#if name}}x{{/if}}script>", "behind a < in script");
}

static void mistakes_are_told_with_their_line(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "\n{{#if name}}x", "t (html):2: what begins here with {{#if}} has no {{/if}}" },
		{ "{{#each name}}\n", ":1: what begins here with {{#each}} has no {{/each}}" },
		{ "\n{{/if}}", ":2: there is nothing open that this could end \"/if\"" },
		{ "{{#if name}}{{/each}}", "nothing open that this could end" },
		{ "{{#else}}", "there is nothing open that this could belong to \"#else\"" },
		{ "{{#if name}}{{#else}}{{#else}}{{/if}}", "could belong to" },
		{ "{{#if name}}{{#else}}{{#elif name}}{{/if}}", "could belong to" },
		{ "{{#if}}", "a condition needs a field" },
		{ "{{#if nobody}}", "unknown field \"nobody\"" },
		{ "{{#if name = other}}", "unknown field \"other\"" },
		{ "{{#if name = \"x}}", "does not end with }}" },
		{ "{{#if name = 1 2}}", "more than the tag can hold \"2\"" },
		{ "{{#if name and}}", "a condition needs a field" },
		{ "{{#if (name}}", "a ) is missing" },
		{ "{{#if name|raw}}", "raw is for HTML text only" },
		{ "{{#if name = note|lower}}", "filters stand on the left side" },
		{ "{{#if name}}{{/if x}}", "more than the tag can hold \"x\"" },
		{ "{{#endif}}", "unknown tag: the language has #if #elif #else /if #each /each" },
		{ "{{#each name x}}", "a loop is {{#each list}}" },
		{ "{{#each name as a.b}}", "a name without dots" },
		{ "{{this}}", "unknown field \"this\"" },
		{ "{{_index}}", "unknown field \"_index\"" },
		{ "{{#each name}}{{#else}}{{this}}{{/each}}", "unknown field \"this\"" },
		{ "{{#if name", "does not end with }}" },
		{ "{{env}}", "unknown field \"env\"" },
		{ "{{>foot}}", "there is no block \"foot\"" },
		{ "{{name|date}}", "date needs a format" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++)
		check_refused(cases[i].text, cases[i].why);
}

static void nesting_and_length_have_limits(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 64u << 20);
	for (u32 i = 0; i < 1000000; i++)
		buf_add_text(&text, "{{#each name}}");
	check_refused(buf_text(&text), "loops are nested too deeply");
	buf_reset(&text);
	for (u32 i = 0; i < 1000000; i++)
		buf_add_text(&text, "{{#if name}}");
	check_refused(buf_text(&text), "nested too deeply");
	buf_reset(&text);
	buf_add_text(&text, "{{#if ");
	for (u32 i = 0; i < 1000000; i++)
		buf_add_text(&text, "(");
	buf_add_text(&text, "}}");
	check_refused(buf_text(&text), "nested too deeply");
	buf_reset(&text);
	buf_add_text(&text, "{{#if name");
	for (u32 i = 0; i < 32; i++)
		buf_add_text(&text, " or name");
	buf_add_text(&text, "}}");
	check_refused(buf_text(&text), "the condition is too long");
	buf_done(&text);
}

/* Four loops of 100 items inside each other: a hundred million rounds are not run. */
static void a_run_has_a_limit_of_steps(void **state)
{
	struct slice items[100];
	struct fixture f;
	struct buf list;

	(void)state;
	fixture_init(&f);
	buf_init(&list, 1u << 16);
	for (u32 i = 0; i < 100; i++)
		items[i] = SLICE("x");
	f.values[0] = make_list(&list, items, 100);
	assert_true(fixture_compile_body(
		&f, SLICE("{{#each name}}{{#each name}}{{#each name}}{{#each name}}"
			  "{{/each}}{{/each}}{{/each}}{{/each}}")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	assert_true(strstr(f.error.text, "more steps than a message may") != NULL);
	buf_done(&list);
	fixture_done(&f);
}

static void output_has_a_limit(void **state)
{
	struct slice items[100];
	struct fixture f;
	struct buf list;

	(void)state;
	fixture_init(&f);
	buf_init(&list, 1u << 20);
	for (u32 i = 0; i < 100; i++)
		items[i] = SLICE("0123456789012345678901234567890123456789012345678901234567890123");
	f.values[0] = make_list(&list, items, 100);
	assert_true(fixture_compile_body(
		&f, SLICE("{{#each name}}{{#each name}}{{#each name as c}}{{c}}{{c}}{{c}}{{c}}"
			  "{{c}}{{c}}{{c}}{{c}}{{/each}}{{/each}}{{/each}}")));
	assert_int_not_equal(fixture_compose(&f, false), MESSAGE_OK);
	buf_done(&list);
	fixture_done(&f);
}

static void a_value_cannot_make_a_program_of_a_link(void **state)
{
	static const struct {
		const char *link;
		bool good;
	} cases[] = {
		{ "https://x.test/", true },   { "mailto:a@x.test", true }, { "", true },
		{ "/path:x", true },	       { "javascript", true },      { "javascript:x", false },
		{ " Java\tScript :x", false }, { "vbscript:x", false },
		{ "data:image/png;base64,AA==", true },     { "data:text/html,x", false },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct fixture f;

		fixture_init(&f);
		f.source.headers = SLICE("From: a@example.jp\nSubject: s\n");
		f.source.html = i & 1 ? SLICE("<a href=\"{{#if name}}x{{/if}}{{link}}\">a</a>")
				      : SLICE("<a href=\"{{#each name}}{{this}}{{/each}}{{#each "
					      "link}}{{this}}{{/each}}\">a</a>");
		f.message = message_compile(&f.source, &f.options, &f.error);
		f.values[2] = slice_of(cases[i].link);
		assert_int_equal(fixture_compose(&f, false),
				 cases[i].good ? MESSAGE_OK : MESSAGE_BAD_VALUE);
		fixture_done(&f);
	}
}

static void damaged_lists_end_where_they_are_damaged(void **state)
{
	static const char bytes[] = "\xfd\x01" "a\xff\xff\xff\xff\x7f\x03" "bc";
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.values[0] = (struct slice){ bytes, sizeof(bytes) - 1 };
	check_body(&f, "{{#each name}}{{this}};{{/each}}", "a;");
	f.values[0] = SLICE("\xfd");
	check_body(&f, "{{#each name}}{{this}};{{/each}}", "");
	f.values[0] = SLICE("\xfd\x02\xfe\x01");
	check_body(&f, "{{#each name}}{{this.x}};{{/each}}", ";");
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_choose_what_a_recipient_reads),
		cmocka_unit_test(the_first_clause_that_holds_is_taken),
		cmocka_unit_test(a_tag_alone_on_its_line_takes_the_line_with_it),
		cmocka_unit_test(lines_that_begin_behind_a_condition_are_safe),
		cmocka_unit_test(loops_run_over_lists_of_texts_and_objects),
		cmocka_unit_test(conditions_work_in_the_subject),
		cmocka_unit_test(what_stands_in_front_of_a_condition_is_hashed_once),
		cmocka_unit_test(html_is_followed_through_every_clause),
		cmocka_unit_test(html_that_depends_on_the_way_is_refused),
		cmocka_unit_test(mistakes_are_told_with_their_line),
		cmocka_unit_test(nesting_and_length_have_limits),
		cmocka_unit_test(a_run_has_a_limit_of_steps),
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(a_value_cannot_make_a_program_of_a_link),
		cmocka_unit_test(damaged_lists_end_where_they_are_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

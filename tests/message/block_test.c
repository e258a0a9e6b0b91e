/* Reusable fragments come in where they are named, and mistakes in them are told with their name. */
#include "message/fixture.h"

static const struct {
	const char *name;
	const char *text;
	const char *html; /* NULL: as the text */
} known[] = {
	{ "foot", "-- \r\n{{name}}, {{>place}}\r\n", "<p>{{name}}, {{>place}}</p>\n" },
	{ "place", "Tokyo", NULL },
	{ "self", "x{{>self}}", NULL },
	{ "ping", "{{>pong}}", NULL },
	{ "pong", "{{>ping}}", NULL },
	{ "wrong", "a\nb {{nobody}}", NULL },
	{ "open", "a\n{{#if name}}b", NULL },
	{ "unclear", "a\n\n<p{{name}}>", NULL },
	{ "list", "{{#each name}}\n* {{this}}\n{{/each}}\n", NULL },
	{ "many", "{{>few}}{{>few}}{{>few}}{{>few}}{{>few}}{{>few}}{{>few}}{{>few}}", NULL },
	{ "few", "{{>place}}{{>place}}{{>place}}{{>place}}{{>place}}{{>place}}{{>place}}", NULL },
};

static bool find(void *owner, struct slice name, bool html, struct slice *text)
{
	(void)owner;
	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_equal(name, slice_of(known[i].name))) {
			*text = slice_of(html && known[i].html ? known[i].html : known[i].text);
			return true;
		}
	}
	return false;
}

static const struct message_blocks blocks = { .find = find };

static void start(struct fixture *f)
{
	fixture_init(f);
	f->options.blocks = &blocks;
}

static void blocks_stand_where_they_are_named(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.values[0] = SLICE("Ann");
	if (!fixture_compile_body(&f, SLICE("Hi\n{{>foot}}\n{{> place }}!{{{{>place}}\n")))
		fail_msg("%s", f.error.text);
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE("Hi\r\n--=20\r\nAnn=\r\n, Tokyo\r\nTokyo!{{>place}}"
						   "\r\n"));
	f.source.text = SLICE_NONE;
	f.source.html = SLICE("<b>x</b>{{>foot}}");
	message_free(f.message);
	f.message = message_compile(&f.source, &f.options, &f.error);
	assert_non_null(f.message);
	f.values[0] = SLICE("A&B");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("<b>x</b><p>A&amp;B=\r\n, Tokyo</p>"));
	fixture_done(&f);
}

static void mistakes_name_the_block_and_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "\n{{>nobody}}", "t (text):2: there is no block \"nobody\"" },
		{ "{{>self}}", "self:1: a block stands inside itself: \"self > self\"" },
		{ "{{>ping}}", "pong:1: a block stands inside itself: \"ping > pong > ping\"" },
		{ "x\n{{>wrong}}", "wrong:2: unknown field \"nobody\"" },
		{ "x\n{{>place}}\n\n{{nobody}}", "t (text):4: unknown field \"nobody\"" },
		{ "x\n{{>place}} {{>foot}}\n{{>place}}{{nobody}}",
		  "t (text):3: unknown field \"nobody\"" },
		{ "{{>open}}\n\n", "open:2: what begins here with {{#if}} has no {{/if}}" },
		{ "{{>}}", "there is no block" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct fixture f;

		start(&f);
		assert_false(fixture_compile_body(&f, slice_of(cases[i].text)));
		if (!strstr(f.error.text, cases[i].why))
			fail_msg("\"%s\" does not say \"%s\"", f.error.text, cases[i].why);
		fixture_done(&f);
	}
}

static void a_value_s_trouble_names_the_block(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.values[0] = SLICE("\xfd\x02\xfd\x00");
	assert_true(fixture_compile_body(&f, SLICE("{{>list}}{{note}}")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	assert_string_equal(
		f.error.text,
		"list:2: field \"this\": the value is a list: {{#each}} writes its items");
	f.values[0] = SLICE_NONE;
	f.values[1] = SLICE("\xff");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_BAD_VALUE);
	assert_string_equal(f.error.text, "t:1: field \"note\": the value is not valid UTF-8");
	fixture_done(&f);
}

static void the_number_of_blocks_has_a_limit(void **state)
{
	struct fixture f;
	struct buf text;

	(void)state;
	start(&f);
	buf_init(&text, 1u << 20);
	for (u32 i = 0; i < 20; i++)
		buf_add_text(&text, "{{>many}}");
	assert_false(fixture_compile_body(&f, buf_slice(&text)));
	assert_true(strstr(f.error.text, "there are too many blocks") != NULL);
	buf_done(&text);
	fixture_done(&f);
}

static void a_header_field_has_no_blocks(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_false(fixture_compile(
		&f, SLICE("From: a@example.jp\nSubject: {{>place}}\n\nx\n")));
	assert_string_equal(f.error.text, "t:2: a block cannot stand in a header field");
	fixture_done(&f);
}

/* What is handed on is the same message. */
static void a_text_can_be_handed_on_with_its_blocks_in_place(void **state)
{
	struct fixture f;
	struct buf flat;
	struct buf first;

	(void)state;
	start(&f);
	buf_init(&flat, 1u << 20);
	buf_init(&first, 1u << 20);
	f.values[0] = SLICE("Ann");
	assert_true(message_blocks_expand("t", SLICE("a\n  {{>list}}\nb{{>foot}}"), false, &blocks,
					  &flat, &f.error));
	assert_slice(buf_slice(&flat), SLICE("a\n  {{#each name}}\n* {{this}}\n{{/each}}\nb-- "
					     "\n{{name}}, Tokyo"));
	assert_true(fixture_compile_body(&f, SLICE("a\n  {{>list}}\nb{{>foot}}")));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	buf_add_slice(&first, fixture_body(&f.bytes));
	f.options.blocks = NULL;
	assert_true(fixture_compile_body(&f, buf_slice(&flat)));
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), buf_slice(&first));
	buf_reset(&flat);
	assert_false(message_blocks_expand("t", SLICE("\n{{>x}}"), true, &blocks, &flat, &f.error));
	assert_string_equal(f.error.text, "t:2: there is no block \"x\"");
	buf_done(&flat);
	buf_done(&first);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_stand_where_they_are_named),
		cmocka_unit_test(mistakes_name_the_block_and_its_line),
		cmocka_unit_test(a_value_s_trouble_names_the_block),
		cmocka_unit_test(the_number_of_blocks_has_a_limit),
		cmocka_unit_test(a_header_field_has_no_blocks),
		cmocka_unit_test(a_text_can_be_handed_on_with_its_blocks_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

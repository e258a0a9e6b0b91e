/* What stored_block.h and draft_fill.h promise: blocks and templates in what is sent. */
#include "store/audience_fixture.h"

#include "store/audience_template.h"
#include "web/draft_fill.h"
#include "web/setting.h"
#include "web/stored_block.h"

static struct arena arena;
static struct stored_blocks blocks;
static struct error error;

static int setup(void **state)
{
	if (audience_fixture_setup_writing(state) != 0)
		return -1;
	arena_init(&arena, 4096, 1u << 20);
	stored_blocks_init(&blocks, txn, &arena);
	return 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	return audience_fixture_teardown(state);
}

static u32 keep(enum audience_template_kind kind, const char *name, struct slice html,
		struct slice text)
{
	const struct audience_template_version version = {
		.by = SLICE("t"),
		.of = { [AUDIENCE_TEMPLATE_SUBJECT] = SLICE("its subject"),
			[AUDIENCE_TEMPLATE_PREHEADER] = SLICE("its preheader"),
			[AUDIENCE_TEMPLATE_HTML] = html,
			[AUDIENCE_TEMPLATE_TEXT] = text },
	};
	struct audience_template one = { .kind = kind, .by = SLICE("t"), .name = slice_of(name) };

	must(audience_template_add(txn, &one, &version));
	return one.id;
}

static void assert_expands(const char *text, bool html, const char *wanted)
{
	struct slice out;

	if (!stored_blocks_expand(&blocks, "t", slice_of(text), html, &out, &error))
		fail_msg("%s", error.text);
	assert_int_equal(out.len, strlen(wanted));
	assert_memory_equal(out.ptr, wanted, out.len);
}

static void assert_refused(const char *text, const char *words)
{
	struct slice out;

	assert_false(stored_blocks_expand(&blocks, "t", slice_of(text), true, &out, &error));
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void a_block_stands_where_it_is_named(void **state)
{
	(void)state;
	keep(AUDIENCE_TEMPLATE_BLOCK, "Foot", SLICE("<p>foot</p>\n"), SLICE("foot"));
	keep(AUDIENCE_TEMPLATE_BLOCK, "outer", SLICE("<div>{{> foot }}</div>"), SLICE(""));
	keep(AUDIENCE_TEMPLATE_BLOCK, "words", SLICE(""), SLICE("plain words"));
	assert_expands("a {{>foot}} b", true, "a <p>foot</p> b");
	assert_expands("a {{>FOOT}} b", false, "a foot b");
	assert_expands("{{>outer}}", true, "<div><p>foot</p></div>");
	/* Without a text one is made; without HTML the text stands there. */
	assert_expands("{{>outer}}", false, "foot");
	assert_expands("{{>words}}", true, "plain words");
	assert_expands("{{name}} {{{{>foot}} {{>foot", true, "{{name}} {{{{>foot}} {{>foot");
}

static void what_is_no_block_is_refused_by_name(void **state)
{
	(void)state;
	keep(AUDIENCE_TEMPLATE_MAIL, "a mail", SLICE("x"), SLICE("x"));
	keep(AUDIENCE_TEMPLATE_BLOCK, "one", SLICE("{{>two}}"), SLICE(""));
	keep(AUDIENCE_TEMPLATE_BLOCK, "two", SLICE("\n{{>one}}"), SLICE(""));
	assert_refused("\n{{>nobody}}", "t:2: there is no block \"nobody\"");
	assert_refused("{{>a mail}}", "t:1: there is no block \"a mail\"");
	assert_refused("{{>one}}", "two:2: a block stands inside itself: \"one > two > one\"");
}

static void a_block_that_is_to_be_kept_goes_before_the_one_that_is(void **state)
{
	(void)state;
	keep(AUDIENCE_TEMPLATE_BLOCK, "one", SLICE("old"), SLICE("old"));
	keep(AUDIENCE_TEMPLATE_BLOCK, "two", SLICE("<i>{{>one}}</i>"), SLICE(""));
	blocks.instead = SLICE("one");
	blocks.instead_html = SLICE("<b>new</b>");
	blocks.instead_text = SLICE("");
	assert_expands("{{>two}}", true, "<i><b>new</b></i>");
	assert_expands("{{>one}}", false, "new");
	blocks.instead_html = SLICE("{{>two}}");
	assert_refused("{{>one}}", "\"one > two > one\"");
}

static void the_sender_s_block_says_who_sends(void **state)
{
	(void)state;
	assert_expands("[{{>sender}}]", true, "[]");
	must(setting_put(txn, SETTING_SENDER_NAME, SLICE("A & B <{{x}}>")));
	must(setting_put(txn, SETTING_SENDER_ADDRESS, SLICE("1-1 Chiyoda\r\nTokyo")));
	must(setting_put(txn, SETTING_SENDER_CONTACT, SLICE("help@shop.example")));
	assert_expands("{{>sender}}", false,
		       "A & B <{{{{x}}>\n1-1 Chiyoda\nTokyo\nhelp@shop.example");
	assert_expands("{{>sender}}", true,
		       "A &amp; B &lt;{{{{x}}&gt;<br>\n1-1 Chiyoda<br>\nTokyo<br>\n"
		       "<a href=\"mailto:help@shop.example\" style=\"color:inherit\">"
		       "help@shop.example</a>");
	/* Somebody's own goes before it. */
	keep(AUDIENCE_TEMPLATE_BLOCK, "sender", SLICE("us"), SLICE("us"));
	assert_expands("{{>sender}}", true, "us");
}

static void uses_are_found_by_name(void **state)
{
	(void)state;
	assert_true(stored_blocks_are_in(SLICE("x {{>a}}")));
	assert_false(stored_blocks_are_in(SLICE("x {{a}} {{{{>a}} {{>a")));
	assert_true(stored_block_is_in(SLICE("{{>b}}{{> A }}"), SLICE("a")));
	assert_false(stored_block_is_in(SLICE("{{>ab}} {{a}}"), SLICE("a")));
}

static struct draft draft_of(struct slice html, struct slice template_id)
{
	struct draft draft;

	for (u32 i = 0; i < DRAFT_FIELDS; i++)
		draft.of[i] = SLICE("");
	draft.of[DRAFT_HTML] = html;
	draft.of[DRAFT_TEMPLATE] = template_id;
	return draft;
}

static void a_draft_is_filled_and_its_texts_can_be_kept(void **state)
{
	struct draft draft = draft_of(SLICE(""), SLICE("2"));
	enum draft_field field;
	struct draft back = draft;
	struct buf packed;

	(void)state;
	keep(AUDIENCE_TEMPLATE_BLOCK, "foot", SLICE("<p>foot</p>"), SLICE("foot"));
	assert_int_equal(keep(AUDIENCE_TEMPLATE_MAIL, "m", SLICE("<b>{{>foot}}</b>"), SLICE("")), 2);
	draft.of[DRAFT_SUBJECT] = SLICE("own subject");
	assert_true(draft_is_open(&draft));
	assert_true(draft_fill(&draft, txn, &arena, &field, &error));
	assert_false(draft_is_open(&draft));
	assert_true(slice_equal(draft.of[DRAFT_HTML], SLICE("<b><p>foot</p></b>")));
	assert_true(slice_equal(draft.of[DRAFT_SUBJECT], SLICE("own subject")));
	assert_true(slice_equal(draft.of[DRAFT_PREHEADER], SLICE("its preheader")));
	assert_int_equal(draft.of[DRAFT_TEMPLATE].len, 0);
	buf_init(&packed, 1u << 20);
	draft_texts_pack(&draft, &packed);
	assert_true(draft_texts_unpack(buf_slice(&packed), &arena, &back));
	for (u32 i = 0; i < DRAFT_FIELDS; i++)
		assert_true(slice_equal(back.of[i], draft.of[i]));
	assert_false(draft_texts_unpack(SLICE("\xff"), &arena, &back));
	buf_done(&packed);
}

static void a_draft_that_cannot_be_filled_stays_and_names_its_field(void **state)
{
	struct draft draft = draft_of(SLICE("{{>gone}}"), SLICE(""));
	enum draft_field field;

	(void)state;
	assert_false(draft_fill(&draft, txn, &arena, &field, &error));
	assert_int_equal(field, DRAFT_HTML);
	assert_true(slice_equal(draft.of[DRAFT_HTML], SLICE("{{>gone}}")));
	draft = draft_of(SLICE(""), SLICE("77"));
	assert_false(draft_fill(&draft, txn, &arena, &field, &error));
	assert_int_equal(field, DRAFT_TEMPLATE);
	assert_string_equal(error.text, "there is no such template");
	keep(AUDIENCE_TEMPLATE_BLOCK, "foot", SLICE("x"), SLICE("x"));
	draft = draft_of(SLICE(""), SLICE("1"));
	assert_false(draft_fill(&draft, txn, &arena, &field, &error));
	assert_string_equal(error.text, "the template \"foot\" is a block");
	/* What needs nothing is left alone. */
	draft = draft_of(SLICE("<p>x</p>"), SLICE(""));
	assert_true(draft_fill(&draft, txn, &arena, &field, &error));
	/* A template beside a text is for draft_check to refuse. */
	draft = draft_of(SLICE("<p>x</p>"), SLICE("1"));
	assert_true(draft_fill(&draft, txn, &arena, &field, &error));
	assert_int_equal(draft.of[DRAFT_TEMPLATE].len, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_stands_where_it_is_named),
		TEST(what_is_no_block_is_refused_by_name),
		TEST(a_block_that_is_to_be_kept_goes_before_the_one_that_is),
		TEST(the_sender_s_block_says_who_sends),
		TEST(uses_are_found_by_name),
		TEST(a_draft_is_filled_and_its_texts_can_be_kept),
		TEST(a_draft_that_cannot_be_filled_stays_and_names_its_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

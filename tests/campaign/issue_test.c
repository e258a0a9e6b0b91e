/* What the sender is given of a draft. */
#include "base/text.h"
#include "campaign/issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct issue_attribute attributes[] = { { SLICE("name"), 3 }, { SLICE("rank"), 9 } };

static struct issue_facts facts_of(void)
{
	return (struct issue_facts){ .base = SLICE("https://mail.shop.example"),
				     .attributes = attributes,
				     .attribute_count = array_count(attributes),
				     .list_name = SLICE("weekly"),
				     .list_title = SLICE("週報") };
}

static struct draft good_draft(void)
{
	struct draft draft = { 0 };

	draft.of[DRAFT_NAME] = SLICE("December");
	draft.of[DRAFT_FROM] = SLICE("店 <shop@shop.example>");
	draft.of[DRAFT_SUBJECT] = SLICE("News for {{name}}");
	draft.of[DRAFT_TEXT] = SLICE("Hello.\nhttps://shop.example/a\nOut: {{unsubscribe_url}}\n");
	draft.of[DRAFT_HTML] = SLICE("<html><body class=\"x\"><a href=\"https://shop.example/a\">a</a>"
				     "<a href=\"{{ unsubscribe_url }}\">out</a></body></html>");
	return draft;
}

static void make(struct issue *issue, const struct draft *draft, const struct issue_facts *facts)
{
	enum draft_field field;
	struct error error = { "" };

	if (!issue_make(issue, draft, facts, &field, &error))
		fail_msg("%s: %s", draft_field_name(field), error.text);
}

static bool has(const struct buf *buf, const char *text)
{
	return slice_find(buf_slice(buf), slice_of(text)) >= 0;
}

static const struct issue_column *column(const struct issue *issue, const char *name)
{
	for (size_t i = 0; i < issue->column_count; i++) {
		if (strcmp(issue->columns[i].name, name) == 0)
			return &issue->columns[i];
	}
	return NULL;
}

static void texts_have_countable_links_and_their_own_pages(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	make(&issue, &draft, &facts);
	assert_string_equal(issue.domain, "shop.example");
	assert_true(has(&issue.headers, "From: \"店\" <shop@shop.example>\n"));
	assert_true(has(&issue.headers, "List-Id: <weekly.shop.example>\n"));
	assert_true(has(&issue.html, "https://mail.shop.example/t/c/{{hk_track}}/1"));
	assert_true(has(&issue.html, "https://mail.shop.example/u/{{hk_unsubscribe}}"));
	assert_true(has(&issue.text, "Out: https://mail.shop.example/u/{{hk_unsubscribe}}\n"));
	assert_int_equal(issue.wrap->count, 1);
	assert_true(slice_equal(issue.wrap->urls[0], SLICE("https://shop.example/a")));
	assert_true(slice_equal(buf_slice(&issue.unsubscribe_url),
				SLICE("https://mail.shop.example/u/{{hk_unsubscribe}}")));
	issue_done(&issue);
}

static void columns_are_those_that_the_texts_use(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	make(&issue, &draft, &facts);
	assert_int_equal(column(&issue, "hk_track")->kind, ISSUE_TRACK);
	assert_int_equal(column(&issue, "hk_unsubscribe")->kind, ISSUE_UNSUBSCRIBE);
	assert_int_equal(column(&issue, "name")->attribute, 3);
	assert_null(column(&issue, "rank"));
	assert_null(column(&issue, "hk_view"));
	issue_done(&issue);
}

static void without_counting_links_stay_and_nobody_is_followed(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	draft.of[DRAFT_TRACK] = SLICE("no");
	make(&issue, &draft, &facts);
	assert_true(has(&issue.html, "href=\"https://shop.example/a\""));
	assert_false(has(&issue.html, "/t/"));
	assert_null(column(&issue, "hk_track"));
	assert_non_null(column(&issue, "hk_unsubscribe"));
	issue_done(&issue);
}

static void of_two_subjects_a_column_says_which(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	draft.of[DRAFT_SUBJECT_B] = SLICE("{{rank}} only");
	make(&issue, &draft, &facts);
	assert_int_equal(column(&issue, "hk_variant")->kind, ISSUE_VARIANT);
	assert_non_null(column(&issue, "rank"));
	assert_non_null(column(&issue, "name"));
	issue_done(&issue);
}

static void a_preheader_comes_first_in_the_body_and_is_text(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	draft.of[DRAFT_PREHEADER] = SLICE("1 < 2 & {{rank}}");
	make(&issue, &draft, &facts);
	assert_true(has(&issue.html, "<body class=\"x\"><div "));
	assert_true(has(&issue.html, "1 &lt; 2 &amp; {{rank}}"));
	assert_int_equal(column(&issue, "rank")->attribute, 9);
	issue_done(&issue);
}

static void a_text_that_nobody_wrote_is_made_of_the_html(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	draft.of[DRAFT_TEXT] = SLICE(" \r\n"); /* as a form has it */
	draft.of[DRAFT_HTML] = SLICE("<p>Hello {{name}}</p><p><a href=\"https://shop.example/a\">a</a></p>");
	make(&issue, &draft, &facts);
	assert_true(has(&issue.text, "Hello {{name}}"));
	assert_true(has(&issue.text, "https://mail.shop.example/t/c/{{hk_track}}/1"));
	assert_int_equal(issue.wrap->count, 1);
	issue_done(&issue);
}

static void what_the_sender_would_refuse_is_told_with_its_field(void **state)
{
	static const struct {
		enum draft_field set;
		const char *value;
		enum draft_field told;
	} rows[] = {
		{ DRAFT_SUBJECT, "For {{nobody}}", DRAFT_SUBJECT },
		{ DRAFT_FROM, "no address", DRAFT_FROM },
		{ DRAFT_REPLY_TO, "x@", DRAFT_REPLY_TO },
		{ DRAFT_TEXT, "{{nobody}}", DRAFT_TEXT },
		{ DRAFT_HTML, "<p>{{nobody}}</p>", DRAFT_HTML },
		{ DRAFT_HTML, "<p>{{name</p>", DRAFT_HTML },
		{ DRAFT_NAME, "", DRAFT_NAME },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct draft draft = good_draft();
		struct issue_facts facts = facts_of();
		enum draft_field field;
		struct error error = { "" };
		struct issue issue;

		draft.of[rows[i].set] = slice_of(rows[i].value);
		assert_false(issue_make(&issue, &draft, &facts, &field, &error));
		if (field != rows[i].told)
			fail_msg("%zu: %s: %s", i, draft_field_name(field), error.text);
		issue_done(&issue);
	}
}

/* The text is made of the HTML: nobody could look for a line of it. */
static void what_is_wrong_with_html_alone_is_told_at_its_line(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	enum draft_field field;
	struct error error = { "" };
	struct issue issue;

	(void)state;
	draft.of[DRAFT_TEXT] = SLICE(" \r\n");
	draft.of[DRAFT_HTML] = SLICE("<p>Hello</p>\n\n<p>{{nobody}}</p>");
	assert_false(issue_make(&issue, &draft, &facts, &field, &error));
	assert_int_equal(field, DRAFT_HTML);
	assert_string_equal(error.text, "mail (html):3: unknown field \"nobody\"");
	issue_done(&issue);
	/* Both are hers: the text is looked at first. */
	draft.of[DRAFT_TEXT] = SLICE("{{nobody}}");
	assert_false(issue_make(&issue, &draft, &facts, &field, &error));
	assert_int_equal(field, DRAFT_TEXT);
	assert_string_equal(error.text, "mail (text):1: unknown field \"nobody\"");
	issue_done(&issue);
}

static void braces_that_are_no_page_stay_as_they_are(void **state)
{
	struct draft draft = good_draft();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	draft.of[DRAFT_HTML] = SLICE("");
	draft.of[DRAFT_TRACK] = SLICE("no");
	draft.of[DRAFT_TEXT] = SLICE("{{name}}{{name|upper}}{{view_url}}{{ preferences_url }}");
	make(&issue, &draft, &facts);
	assert_true(slice_equal(buf_slice(&issue.text),
				SLICE("{{name}}{{name|upper}}https://mail.shop.example/v/{{hk_view}}"
				      "https://mail.shop.example/p/{{hk_preferences}}")));
	assert_int_equal(column(&issue, "hk_view")->kind, ISSUE_VIEW);
	assert_int_equal(column(&issue, "hk_preferences")->kind, ISSUE_PREFERENCES);
	issue_done(&issue);
}

#define IMAGE_PATH "/i/0123456789abcdef0123456789abcdef/a.png"

static bool load_image(void *owner, const u8 id[MAIL_IMAGE_ID_SIZE], struct mail_image *image,
		       struct error *error)
{
	(void)id;
	(void)error;
	if (owner)
		*image = (struct mail_image){ SLICE("a.png"), IMAGE_PNG, SLICE("bytes") };
	return true;
}

static struct draft draft_with_image(void)
{
	struct draft draft = good_draft();

	draft.of[DRAFT_HTML] = SLICE("<p>Hello {{name}}</p><img src=\"" IMAGE_PATH "\" alt=\"\">");
	return draft;
}

static void images_have_our_host_in_mail_and_none_on_our_pages(void **state)
{
	struct draft draft = draft_with_image();
	struct issue_facts facts = facts_of();
	struct issue issue;

	(void)state;
	facts.load_image = load_image;
	make(&issue, &draft, &facts);
	assert_true(has(&issue.html, "src=\"https://mail.shop.example" IMAGE_PATH "\""));
	assert_int_equal(issue.whole.len, 0);
	issue_done(&issue);
	facts.is_for_pages = true;
	draft.of[DRAFT_INLINE] = SLICE("yes");
	make(&issue, &draft, &facts);
	assert_true(has(&issue.html, "src=\"" IMAGE_PATH "\""));
	assert_int_equal(issue.whole.len, 0);
	issue_done(&issue);
}

static void images_in_the_mail_itself_make_one_text_of_all_that_is_always_the_same(void **state)
{
	struct draft draft = draft_with_image();
	struct issue_facts facts = facts_of();
	struct issue issue;
	struct issue again;

	(void)state;
	draft.of[DRAFT_INLINE] = SLICE("yes");
	facts.load_image = load_image;
	facts.image_owner = &draft;
	make(&issue, &draft, &facts);
	make(&again, &draft, &facts);
	assert_true(slice_equal(buf_slice(&issue.whole), buf_slice(&again.whole)));
	assert_true(has(&issue.whole, "From: \"店\" <shop@shop.example>\n"));
	assert_true(has(&issue.whole, "Content-Type: multipart/related"));
	assert_true(has(&issue.whole, "cid:0123456789abcdef0123456789abcdef@shop.example"));
	assert_true(has(&issue.whole, "\n\nYnl0ZXM=\n"));
	assert_non_null(column(&issue, "name"));
	issue_done(&again);
	/* Without the image there is nothing to take in. */
	facts.image_owner = NULL;
	issue_done(&issue);
	make(&issue, &draft, &facts);
	assert_true(has(&issue.html, "src=\"https://mail.shop.example" IMAGE_PATH "\""));
	assert_int_equal(issue.whole.len, 0);
	issue_done(&issue);
}

static void without_values_a_mail_with_images_is_hashed_once_for_all(void **state)
{
	struct draft draft = draft_with_image();
	struct issue_facts facts = facts_of();
	struct message_facts told;
	struct message *message;
	struct issue issue;
	struct error error;

	(void)state;
	draft.of[DRAFT_TEXT] = SLICE("Hello.");
	draft.of[DRAFT_HTML] = SLICE("<p>Hello</p><img src=\"" IMAGE_PATH "\" alt=\"\">");
	draft.of[DRAFT_TRACK] = SLICE("no");
	draft.of[DRAFT_INLINE] = SLICE("yes");
	facts.load_image = load_image;
	facts.image_owner = &draft;
	make(&issue, &draft, &facts);
	assert_true(issue.whole.len > 0);
	message = issue_compile(&issue, &error);
	assert_non_null(message);
	message_facts(message, &told);
	assert_true(told.body_is_shared);
	message_free(message);
	issue_done(&issue);
	/* With one in the HTML, what stands before it is. */
	draft.of[DRAFT_HTML] = SLICE("<p>Hello</p>{{name}}<img src=\"" IMAGE_PATH "\" alt=\"\">");
	make(&issue, &draft, &facts);
	message = issue_compile(&issue, &error);
	assert_non_null(message);
	message_facts(message, &told);
	assert_false(told.body_is_shared);
	assert_true(told.shared_prefix_bytes > strlen("Hello."));
	message_free(message);
	issue_done(&issue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_have_countable_links_and_their_own_pages),
		cmocka_unit_test(columns_are_those_that_the_texts_use),
		cmocka_unit_test(without_counting_links_stay_and_nobody_is_followed),
		cmocka_unit_test(of_two_subjects_a_column_says_which),
		cmocka_unit_test(a_preheader_comes_first_in_the_body_and_is_text),
		cmocka_unit_test(a_text_that_nobody_wrote_is_made_of_the_html),
		cmocka_unit_test(what_the_sender_would_refuse_is_told_with_its_field),
		cmocka_unit_test(what_is_wrong_with_html_alone_is_told_at_its_line),
		cmocka_unit_test(braces_that_are_no_page_stay_as_they_are),
		cmocka_unit_test(images_have_our_host_in_mail_and_none_on_our_pages),
		cmocka_unit_test(without_values_a_mail_with_images_is_hashed_once_for_all),
		cmocka_unit_test(
			images_in_the_mail_itself_make_one_text_of_all_that_is_always_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

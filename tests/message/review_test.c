/* What is wrong with a message is found before it is sent, with its place and in both languages. */
#include "message/fixture.h"

#include "message/review.h"
#include "base/utf8.h"

static const struct slice columns[] = { SLICE("name"), SLICE("city"), SLICE("unsubscribe_url") };
static const struct slice ways_out[] = { SLICE("unsubscribe_url") };

#define FOOT_TEXT                                                                                  \
	"Hikyaku Ltd., 1-2-3 Chuo,\n Tokyo. Questions: https://example.jp/ask\n"                   \
	"Unsubscribe: {{unsubscribe_url}}\n"
#define FOOT_HTML                                                                                  \
	"<p>Hikyaku&nbsp;Ltd.<br>1-2-3 Chuo, Tokyo</p><a href=\"https://example.jp/ask\">ask</a> " \
	"<a href=\"{{unsubscribe_url}}\">leave</a>"
#define HIDDEN "<div style=\"display:none\">In short</div>"

static struct review_input good(void)
{
	return (struct review_input){
		.subject = SLICE("News of spring"),
		.text = SLICE("Hello\n" FOOT_TEXT),
		.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>" FOOT_HTML),
		.columns = columns,
		.column_count = array_count(columns),
		.has_unsubscribe_header = true,
		.unsubscribe_fields = ways_out,
		.unsubscribe_field_count = 1,
		.sender_name = SLICE("Hikyaku Ltd."),
		.sender_address = SLICE("1-2-3 Chuo, Tokyo"),
		.sender_contact = SLICE("https://example.jp/ask"),
	};
}

/* "kind part:line detail;" for each. */
static void check(const struct review_input *input, const char *wanted)
{
	struct review review;
	struct arena arena;
	struct error error;
	struct buf out;

	arena_init(&arena, 4096, 64u << 20);
	buf_init(&out, 1u << 20);
	assert_true(review_message(input, &arena, &review, &error));
	for (u32 i = 0; i < review.count; i++) {
		const struct review_finding *f = &review.findings[i];

		buf_add_format(&out, "%d %d:%u %.*s;", f->kind, f->part, f->line,
			       SLICE_FMT(f->detail));
	}
	assert_slice(buf_slice(&out), slice_of(wanted));
	buf_done(&out);
	arena_done(&arena);
}

static void check_one(const struct review_input *input, enum review_kind kind,
		      enum review_part part, u32 line, const char *detail)
{
	char wanted[512];
	struct buf text = { .ptr = wanted, .size = sizeof(wanted), .max = sizeof(wanted) };

	buf_add_format(&text, "%d %d:%u %s;", kind, part, line, detail);
	check(input, buf_text(&text));
}

static void a_good_message_has_no_findings(void **state)
{
	struct review_input input = good();

	(void)state;
	check(&input, "");
	input.html = SLICE_NONE;
	check(&input, "");
}

static void what_the_law_asks_for_is_missed(void **state)
{
	struct review_input input = good();
	struct review review;
	struct arena arena;
	struct error error;

	(void)state;
	input.html = SLICE_NONE;
	input.text = SLICE("Hikyaku Ltd. 1-2-3 Chuo, Tokyo https://example.jp/ask");
	check_one(&input, REVIEW_NO_UNSUBSCRIBE_LINK, REVIEW_TEXT, 0, "");
	input.text = SLICE("1-2-3 Chuo, Tokyo https://example.jp/ask {{unsubscribe_url}}");
	check_one(&input, REVIEW_NO_SENDER_NAME, REVIEW_TEXT, 0, "Hikyaku Ltd.");
	input.text = SLICE("Hikyaku Ltd. https://example.jp/ask {{unsubscribe_url}}");
	check_one(&input, REVIEW_NO_SENDER_ADDRESS, REVIEW_TEXT, 0, "1-2-3 Chuo, Tokyo");
	input.text = SLICE("Hikyaku Ltd. 1-2-3 Chuo, Tokyo {{unsubscribe_url}}");
	check_one(&input, REVIEW_NO_SENDER_CONTACT, REVIEW_TEXT, 0, "https://example.jp/ask");
	input = good();
	input.has_unsubscribe_header = false;
	check_one(&input, REVIEW_NO_UNSUBSCRIBE_HEADER, REVIEW_MESSAGE, 0, "");
	input = good();
	input.sender_address = SLICE_NONE;
	check_one(&input, REVIEW_IDENTITY_UNSET, REVIEW_MESSAGE, 0, "address");
	/* A field in a comment or a hidden place is no way out. */
	input = good();
	input.text = SLICE_NONE;
	input.html = SLICE("<p hidden>{{unsubscribe_url}}</p><!-- {{unsubscribe_url}} -->");
	arena_init(&arena, 4096, 64u << 20);
	assert_true(review_message(&input, &arena, &review, &error));
	assert_int_equal(review.counts[REVIEW_MUST], 4);
	assert_int_equal(review.findings[0].severity, REVIEW_MUST);
	arena_done(&arena);
}

static void subject_and_parts_are_looked_at(void **state)
{
	struct review_input input = good();

	(void)state;
	input.subject = SLICE(" ");
	check_one(&input, REVIEW_SUBJECT_EMPTY, REVIEW_SUBJECT, 0, "");
	input.subject = SLICE("春のお知らせ春のお知らせ春のお知らせ春のお知らせ春のお知らせ春");
	check_one(&input, REVIEW_SUBJECT_LONG, REVIEW_SUBJECT, 0, "");
	input = good();
	input.text = SLICE_NONE;
	check_one(&input, REVIEW_NO_TEXT, REVIEW_MESSAGE, 0, "");
	input.makes_text = true;
	check(&input, "");
	input.html = SLICE_NONE;
	check_one(&input, REVIEW_BODY_EMPTY, REVIEW_MESSAGE, 0, "");
	input = good();
	input.html = SLICE("<p>Hello, here is what is new</p>" FOOT_HTML);
	check_one(&input, REVIEW_NO_PREHEADER, REVIEW_HTML, 0, "");
}

static void the_compiler_s_word_is_passed_on(void **state)
{
	struct review_input input = good();

	(void)state;
	input.text = SLICE("\n{{nobody}}\n" FOOT_TEXT);
	check_one(&input, REVIEW_TEMPLATE_BROKEN, REVIEW_TEXT, 0,
		  "mail (text):2: unknown field \"nobody\"");
	input = good();
	input.subject = SLICE("{{#if name}}x");
	check_one(&input, REVIEW_TEMPLATE_BROKEN, REVIEW_SUBJECT, 0,
		  "mail:2: what begins here with {{#if}} has no {{/if}}");
}

static void fields_that_may_be_empty_are_named(void **state)
{
	static const bool empty[] = { false, true, false };
	struct review_input input = good();

	(void)state;
	input.subject = SLICE("{{name}}, {{name|trim|default:\"you\"}} {{email}}");
	check_one(&input, REVIEW_FIELD_MAY_BE_EMPTY, REVIEW_SUBJECT, 1, "name");
	input.may_be_empty = empty;
	check(&input, "");
	input.text = SLICE("{{#if city = \"x\"}}{{city}}{{/if}}\n{{city|upper}}\n" FOOT_TEXT);
	check_one(&input, REVIEW_FIELD_MAY_BE_EMPTY, REVIEW_TEXT, 2, "city");
	input.text = SLICE("{{city|default:\"|\"}}{{#each city}}{{this}}{{/each}}\n" FOOT_TEXT);
	check(&input, "");
}

static void characters_that_the_charset_lacks_are_named(void **state)
{
	struct review_input input = good();

	(void)state;
	input.text = SLICE("あ\n① " FOOT_TEXT);
	check(&input, "");
	input.charset = MESSAGE_ISO_2022_JP;
	check_one(&input, REVIEW_CHARACTER, REVIEW_TEXT, 2, "①");
}

static void links_are_looked_at(void **state)
{
	static const struct {
		const char *html;
		enum review_kind kind;
		const char *detail;
	} cases[] = {
		{ "<a href=\"javascript:alert(1)\">x</a>", REVIEW_LINK_SCRIPT,
		  "javascript:alert(1)" },
		{ "<a href=\" JAVA&#10;SCRIPT:x\">x</a>", REVIEW_LINK_SCRIPT, "JAVA\nSCRIPT:x" },
		{ "<a href=\"data:text/html,x\">x</a>", REVIEW_LINK_SCRIPT, "data:text/html,x" },
		{ "<a href=\"\">x</a>", REVIEW_LINK_EMPTY, "" },
		{ "<a href='#'>x</a>", REVIEW_LINK_EMPTY, "" },
		{ "<a href=\"/shop\">x</a>", REVIEW_LINK_RELATIVE, "/shop" },
		{ "<a href=\"www.x.test\">x</a>", REVIEW_LINK_RELATIVE, "www.x.test" },
		{ "<a href=\"http://x.test/?a&amp;b\">x</a>", REVIEW_LINK_PLAIN,
		  "http://x.test/?a&b" },
		{ "<a href=\"https://bit.ly/x\">x</a>", REVIEW_LINK_SHORTENED,
		  "https://bit.ly/x" },
		{ "<a href=\"https://x.test/\"> https://y.test/a </a>", REVIEW_LINK_DISGUISED,
		  "https://y.test/a" },
		{ "<img src=\"https://x.test/a.png\">", REVIEW_IMAGE_WITHOUT_ALT,
		  "https://x.test/a.png" },
		{ "<img src=\"a.png\" alt=a>", REVIEW_LINK_RELATIVE, "a.png" },
		{ "<img src=\"data:image/png;base64,AAAA\" alt=\"\">", REVIEW_IMAGE_DATA, "" },
		{ "<script>x</script>", REVIEW_ELEMENT, "script" },
		{ "<iframe src=\"https://x.test\"></iframe>", REVIEW_ELEMENT, "iframe" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct review_input input = good();
		struct buf html;

		buf_init(&html, 1u << 16);
		buf_add_slice(&html, input.html);
		buf_add_text(&html, "\n\n");
		buf_add_text(&html, cases[i].html);
		input.html = buf_slice(&html);
		check_one(&input, cases[i].kind, REVIEW_HTML, 3, cases[i].detail);
		buf_done(&html);
	}
}

static void good_links_and_images_are_left_alone(void **state)
{
	struct review_input input = good();

	(void)state;
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p><a href=\"#top\">x</a><a href="
				  "\"mailto:a@x.test\">x</a><a href='tel:1'>x</a><a "
				  "href=\"{{name|default:\"https://x.test\"}}\">x</a><a name=x>"
				  "<img src=\"cid:logo\" alt=\"\"><img src=\"https://x.test/o\" "
				  "width=1 height=1><a href=\"https://www.x.test/?a\">"
				  "https://X.test</a><a href=\"https://x.test\">x</a> "
				  "https://y.test <!-- <a href=\"javascript:x\"> -->" FOOT_HTML);
	check(&input, "");
}

static enum review_image large(void *owner, struct slice url, u64 *bytes)
{
	bool is_ours = slice_has_prefix(url, SLICE("/i/"));

	(void)owner;
	*bytes = 700u << 10;
	if (slice_find(url, SLICE("gone")) < 0)
		return is_ours ? REVIEW_IMAGE_HERE : REVIEW_IMAGE_ELSEWHERE;
	*bytes = 0;
	return REVIEW_IMAGE_LOST;
}

static void own_images_are_there_and_not_too_many_for_a_mail(void **state)
{
	struct review_input input = good();

	(void)state;
	input.image = large;
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>\n<img src=\"/i/a/b.png\" alt=b>"
				  "<a href=\"/i/a/b.png\">large</a>" FOOT_HTML);
	check(&input, "");
	input.inline_max = 800u << 10;
	check(&input, "");
	input.inline_max = 600u << 10;
	check_one(&input, REVIEW_INLINE_LARGE, REVIEW_HTML, 0, "700");
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>\n<img src=\"/i/gone.png\" alt=b>"
				  FOOT_HTML);
	check_one(&input, REVIEW_IMAGE_GONE, REVIEW_HTML, 2, "/i/gone.png");
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>\n<a href=\"/i/gone.png\">b</a>"
				  FOOT_HTML);
	check_one(&input, REVIEW_IMAGE_GONE, REVIEW_HTML, 2, "/i/gone.png");
}

static void addresses_in_styles_are_looked_at_too(void **state)
{
	struct review_input input = good();

	(void)state;
	input.image = large;
	input.html =
		SLICE(HIDDEN
		      "<p style=\"background:url(/i/a/b.png)\">Hello, here is what is new</p>"
		      "<style>a { mask: url(#x); src: url('https://x.test/f') }</style>" FOOT_HTML);
	check(&input, "");
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>\n"
				  "<p style=\"background:url(/i/gone.png)\"></p>" FOOT_HTML);
	check_one(&input, REVIEW_IMAGE_GONE, REVIEW_HTML, 2, "/i/gone.png");
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>\n"
				  "<style>\np { background: url(paper.png) }</style>" FOOT_HTML);
	check_one(&input, REVIEW_LINK_RELATIVE, REVIEW_HTML, 3, "paper.png");
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>\n"
				  "<td style='background:url(\"http://x.test/p.png\")'>" FOOT_HTML);
	check_one(&input, REVIEW_LINK_PLAIN, REVIEW_HTML, 2, "http://x.test/p.png");
}

static void large_messages_are_told(void **state)
{
	struct review_input input = good();
	struct buf html;

	(void)state;
	buf_init(&html, 1u << 20);
	buf_add_slice(&html, input.html);
	while (html.len <= REVIEW_HTML_MAX)
		buf_add_text(&html, "<p>more and more</p>\n");
	input.html = buf_slice(&html);
	check_one(&input, REVIEW_HTML_LARGE, REVIEW_HTML, 0, "103");
	buf_reset(&html);
	buf_add_slice(&html, good().html);
	buf_add_text(&html, "<img src=\"https://x.test/a\" alt=a>");
	input.image = large;
	input.html = buf_slice(&html);
	check(&input, "");
	buf_add_text(&html, "<img src=\"https://x.test/b\" alt=b>");
	input.html = buf_slice(&html);
	check_one(&input, REVIEW_IMAGES_LARGE, REVIEW_HTML, 0, "1400");
	buf_done(&html);
	input = good();
	buf_init(&html, 1u << 20);
	for (u32 i = 0; i < 999; i++)
		buf_add_char(&html, 'x');
	buf_add_text(&html, "\n" FOOT_TEXT);
	input.text = buf_slice(&html);
	check_one(&input, REVIEW_LINE_LONG, REVIEW_TEXT, 1, "");
	buf_done(&html);
}

static void of_one_kind_a_few_are_noted_and_all_are_counted(void **state)
{
	struct review_input input = good();
	struct review review;
	struct arena arena;
	struct error error;
	struct buf html;

	(void)state;
	arena_init(&arena, 4096, 64u << 20);
	buf_init(&html, 1u << 20);
	buf_add_slice(&html, input.html);
	for (u32 i = 0; i < 1000; i++)
		buf_add_text(&html, "<a href=\"\">x</a>\n");
	input.html = buf_slice(&html);
	assert_true(review_message(&input, &arena, &review, &error));
	assert_int_equal(review.count, REVIEW_SAME_MAX);
	assert_int_equal(review.counts[REVIEW_SHOULD], 1000);
	buf_done(&html);
	arena_done(&arena);
}

static bool find_block(void *owner, struct slice name, bool html, struct slice *text)
{
	(void)owner;
	*text = html ? SLICE(FOOT_HTML) : SLICE(FOOT_TEXT);
	return slice_equal(name, SLICE("foot"));
}

static void blocks_are_read_in_their_places(void **state)
{
	static const struct message_blocks blocks = { .find = find_block };
	struct review_input input = good();

	(void)state;
	input.blocks = &blocks;
	input.text = SLICE("Hello\n{{>foot}}");
	input.html = SLICE(HIDDEN "<p>Hello, here is what is new</p>{{>foot}}");
	check(&input, "");
}

static void every_finding_has_words_in_both_languages(void **state)
{
	(void)state;
	for (int kind = 0; kind < REVIEW_KINDS; kind++) {
		struct review_finding finding = { .kind = (enum review_kind)kind,
						  .detail = SLICE("contact") };
		char room[4][1024];

		for (int i = 0; i < 4; i++) {
			struct buf out = { .ptr = room[i],
					   .size = sizeof(room[i]),
					   .max = sizeof(room[i]) };

			(i & 1 ? review_add_advice : review_add_problem)(&finding, i >= 2, &out);
			assert_true(out.len > 10 && !out.failed);
			assert_true(utf8_is_valid(buf_slice(&out)));
			assert_int_equal(utf8_is_ascii(buf_slice(&out)), i < 2);
			assert_true(slice_find_char(buf_slice(&out), '%') < 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_message_has_no_findings),
		cmocka_unit_test(what_the_law_asks_for_is_missed),
		cmocka_unit_test(subject_and_parts_are_looked_at),
		cmocka_unit_test(the_compiler_s_word_is_passed_on),
		cmocka_unit_test(fields_that_may_be_empty_are_named),
		cmocka_unit_test(characters_that_the_charset_lacks_are_named),
		cmocka_unit_test(links_are_looked_at),
		cmocka_unit_test(good_links_and_images_are_left_alone),
		cmocka_unit_test(addresses_in_styles_are_looked_at_too),
		cmocka_unit_test(large_messages_are_told),
		cmocka_unit_test(own_images_are_there_and_not_too_many_for_a_mail),
		cmocka_unit_test(of_one_kind_a_few_are_noted_and_all_are_counted),
		cmocka_unit_test(blocks_are_read_in_their_places),
		cmocka_unit_test(every_finding_has_words_in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "web/page_identity.h"

#include "base/clock.h"
#include "base/text.h"
#include "web/identity.h"
#include "web/identity_words.h"

#define TEXT_MAX_BYTES (64u << 10)

enum word { TITLE, WHY, NO_ANSWER, PUBLISH, ALL_RECORDS, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Receivers cannot see that the mail is yours",
		      "差出人のドメインを受信側が確認できません" } },
	[WHY] = { { "Neither SPF nor DKIM vouches for mail of {1}: large receivers refuse "
		    "such mail. Publish one of these records in the domain's DNS.",
		    "{1} のメールは SPF でも DKIM でも確認できないため、"
		    "大手の受信側に拒否されます。次のレコードを DNS に登録してください。" } },
	[NO_ANSWER] = { { "What DNS says of {1} could not be found out just now.",
			  "{1} の DNS を確認できませんでした。" } },
	[PUBLISH] = { { "Publish:", "登録するレコード:" } },
	[ALL_RECORDS] = { { "All records", "すべてのレコード" } },
};

static struct slice text_of(const json_t *check, const char *name)
{
	const char *text = json_string_value(json_object_get(check, name));

	return slice_of(text ? text : "");
}

/* Results of a program that did not tell the record apart have it in front of the advice. */
static struct slice record_of(const json_t *check)
{
	return text_of(check, json_object_get(check, "code") ? "record" : "publish");
}

void page_identity_found(struct page *page, const json_t *check)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	identity_words_found(check, page->language, &text);
	page_text(page, buf_slice(&text));
	buf_done(&text);
}

static void show_advice(struct page *page, const json_t *check)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	identity_words_advice(check, page->language, &text);
	if (text.len > 0) {
		PAGE_HTML(page, "<p class=\"hint\">");
		page_text(page, buf_slice(&text));
		PAGE_HTML(page, "</p>");
	}
	buf_done(&text);
}

void page_identity_to_do(struct page *page, const json_t *check)
{
	struct slice record = record_of(check);

	if (record.len > 0)
		page_copy(page, record);
	show_advice(page, check);
}

static void show_row(struct page *page, const json_t *check)
{
	PAGE_HTML(page, "<li><strong>");
	page_text(page, text_of(check, "check"));
	PAGE_HTML(page, "</strong> ");
	page_identity_found(page, check);
	if (record_of(check).len > 0) {
		PAGE_HTML(page, "<p class=\"hint\">");
		page_words(page, &words[PUBLISH]);
		PAGE_HTML(page, "</p>");
	}
	page_identity_to_do(page, check);
	PAGE_HTML(page, "</li>");
}

void page_identity_stops(struct page *page, const json_t *result, struct slice domain)
{
	const json_t *checks = json_object_get(result, "checks");
	bool is_known = identity_is_fresh(result, clock_wall_ms());

	page_card_begin(page, &words[TITLE]);
	PAGE_HTML(page, "<p>");
	PAGE_SENTENCE(page, &words[is_known ? WHY : NO_ANSWER], domain);
	PAGE_HTML(page, "</p>");
	if (is_known) {
		PAGE_HTML(page, "<ul>");
		for (size_t i = 0; i < json_array_size(checks); i++) {
			if (identity_stops_by(json_array_get(checks, i)))
				show_row(page, json_array_get(checks, i));
		}
		PAGE_HTML(page, "</ul>");
	}
	PAGE_LINK(page, &words[ALL_RECORDS], "/admin/dns");
	page_card_end(page);
}

/* A campaign as it will look, wide and narrow, and a test to a few addresses. */
#include "base/text.h"
#include "web/mailing.h"
#include "web/mailing_preview.h"
#include "web/mailing_review.h"
#include "web/page.h"
#include "web/page_campaign.h"
#include "web/page_look.h"

#include <string.h>

enum word {
	TITLE, PREVIEW, SUBJECT, PLAIN, TEST, TEST_HINT, SEND_TEST, SENT, CANNOT, CHECKS,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Campaigns", "キャンペーン" } },
	[PREVIEW] = { { "Preview", "プレビュー" } },
	[SUBJECT] = { { "Subject", "件名" } },
	[PLAIN] = { { "Plain text", "テキスト" } },
	[TEST] = { { "Send a test", "テスト送信" } },
	[TEST_HINT] = { { "Addresses, one on each line; up to 20. Nothing is counted.",
			  "メールアドレスを1行に1件、20件まで。計測はされません。" } },
	[SEND_TEST] = { { "Send", "送信" } },
	[CANNOT] = { { "It cannot be shown as it is: {1}", "このままでは表示できません: {1}" } },
	[CHECKS] = { { "Before it is sent", "送信前の確認" } },
	[SENT] = { { "The test is on its way.", "テストを送信しました。" } },
};

/* The message alone, for the frames of the page below. */
void page_campaign_frame(struct call *call)
{
	struct mailing_preview *preview = NULL;
	struct audience_campaign campaign;
	const struct contact *chosen;
	struct contact contact;
	bool ok = false;

	if (mailing_find(call, &campaign)) {
		if (page_look_contact(call, &contact, &chosen))
			preview = mailing_preview_make(call, &campaign, chosen, &ok);
		if (ok)
			mailing_preview_answer(call, preview);
		else
			call_refuse(call, 422, NULL, "%s",
				    preview ? preview->error.text : "no memory");
	}
	audience_abort(call->web->reader);
	mailing_preview_free(preview);
}

static void show_review(struct page *page, struct mailing_preview *preview)
{
	struct review review;

	page_card_begin(page, &words[CHECKS]);
	if (!mailing_review_make(page->call, preview, &review)) {
		PAGE_HTML(page, "<p class=\"error\">");
		PAGE_SENTENCE(page, &words[CANNOT], SLICE("no memory"));
		PAGE_HTML(page, "</p>");
	} else {
		page_look_findings(page, &review);
	}
	page_card_end(page);
}

/* `who`: the contact whose values are shown; empty: the first one. */
static void show_message(struct page *page, u32 id, struct slice who,
			 const struct mailing_preview *preview)
{
	page_card_begin(page, NULL);
	page_facts_begin(page);
	page_fact(page, &words[SUBJECT]);
	page_text(page, preview->message.subject);
	page_facts_end(page);
	page_card_end(page);
	if (preview->message.html.len > 0)
		PAGE_LOOK_FRAMES(page, "/admin/campaigns/{}/frame?contact={}", DIGITS(id), who);
	page_card_begin(page, &words[TEST]);
	PAGE_FORM(page, "/admin/campaigns/{}/test", DIGITS(id));
	page_field(page, &(struct page_field){ .name = "to",
					       .label = &words[TEST],
					       .hint = &words[TEST_HINT],
					       .rows = 3,
					       .is_required = true });
	page_submit(page, TONE_GOOD, &words[SEND_TEST]);
	page_form_end(page);
	page_card_end(page);
	page_card_begin(page, &words[PLAIN]);
	PAGE_HTML(page, "<pre class=\"plain\">");
	page_text(page, preview->message.text);
	PAGE_HTML(page, "</pre>");
	page_card_end(page);
}

void page_campaign_preview(struct call *call)
{
	struct page_head head = { .place = PLACE_CAMPAIGNS,
				  .title = &words[PREVIEW],
				  .crumbs = { { "/admin/campaigns", &words[TITLE] } } };
	struct mailing_preview *preview = NULL;
	struct audience_campaign campaign;
	const struct contact *chosen;
	struct contact contact;
	struct page page;
	bool ok = false;

	if (mailing_find(call, &campaign)) {
		bool is_there = page_look_contact(call, &contact, &chosen);

		preview = mailing_preview_make(call, &campaign, chosen, &ok);
		page_campaign_place(&head, &campaign);
		page_begin(&page, call, &head);
		PAGE_LOOK_CHOICE(&page, is_there, "/admin/campaigns/{}/preview",
				 DIGITS(campaign.id));
		if (ok) {
			show_review(&page, preview);
			show_message(&page, campaign.id,
				     is_there ? slice_trim(call_query(call, "contact")) : SLICE(""),
				     preview);
		} else {
			PAGE_HTML(&page, "<p class=\"error\">");
			page_words_trouble(&page, &words[CANNOT],
					   slice_of(preview ? preview->error.text : "no memory"));
			PAGE_HTML(&page, "</p>");
		}
		page_end(&page, 200);
	}
	audience_abort(call->web->reader);
	mailing_preview_free(preview);
}

/* ---- a test ---- */

static void on_kept(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REPLIED)
		CALL_REDIRECT(call, TONE_GOOD, &words[SENT], "/admin/campaigns/{}/preview",
			      slice_of(call->argument));
	else
		call_refuse_end(call, end, json);
}

static const struct exchange_events test_events = { NULL, on_kept };

void page_campaign_test(struct call *call)
{
	struct slice lines = form_get(call->form, "to");
	json_t *to = json_array();

	while (to && lines.ptr && lines.len > 0) {
		struct slice line = slice_split(&lines, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = slice_trim(line);
		if (line.len > 0)
			json_array_append_new(to, json_stringn(line.ptr, line.len));
	}
	json_decref(call->json);
	call->json = json_pack("{s:o}", "to", to);
	if (call->json)
		mailing_test(call, &test_events);
	else
		call_refuse(call, 503, NULL, "no memory");
}

/* What stops a campaign's start: each finding, each record that lacks, and a way past them. */
#include "base/text.h"
#include "web/page.h"
#include "web/page_campaign.h"
#include "web/page_identity.h"
#include "web/page_look.h"
#include "web/trouble.h"

#include <string.h>

enum word {
	TITLE,
	CAMPAIGNS,
	INTRODUCTION,
	FINDINGS,
	SETTINGS,
	EDIT,
	OVERRIDE,
	OVERRIDE_WHY,
	OVERRIDE_FINDINGS,
	OVERRIDE_IDENTITY,
	SEND,
	AGAIN,
	CHANGED,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "It is not sent yet", "まだ配信されていません" } },
	[CAMPAIGNS] = { { "Campaigns", "キャンペーン" } },
	[INTRODUCTION] = { { "Nothing was sent. Mend what is named here, then try once more.",
			     "メールは送信されていません。次の点を直してから、もう一度お試しください。" } },
	[FINDINGS] = { { "To be mended in the mail", "メールの要修正箇所" } },
	[SETTINGS] = { { "Say in the settings who sends", "設定で送信者の情報を入力する" } },
	[EDIT] = { { "Edit", "編集する" } },
	[OVERRIDE] = { { "Send it all the same", "このまま配信する" } },
	[OVERRIDE_WHY] = { { "Your name and these reasons go to the audit log.",
			     "実行した人と理由は監査ログに記録されます。" } },
	[OVERRIDE_FINDINGS] = { { "Send it with what is to be mended: {1}",
				  "次の問題があっても配信する: {1}" } },
	[OVERRIDE_IDENTITY] = { { "Send it although receivers may refuse mail of {1}",
				  "{1} のメールが受信側に拒否されるおそれがあっても配信する" } },
	[SEND] = { { "Send", "配信する" } },
	[AGAIN] = { { "Try once more", "もう一度試す" } },
	[CHANGED] = { { "It was changed meanwhile: look at it again.",
			"その間に変更されました。もう一度確認してください。" } },
};

const struct words *page_campaign_changed(void)
{
	return &words[CHANGED];
}

/* ---- what was found ---- */

static bool is_sender_unset(const struct review *review)
{
	for (u32 i = 0; i < review->count; i++) {
		if (review->findings[i].kind == REVIEW_IDENTITY_UNSET)
			return true;
	}
	return false;
}

static void show_findings(struct page *page, const struct mailing_stops *stops)
{
	page_card_begin(page, &words[FINDINGS]);
	PAGE_HTML(page, "<ul>");
	for (u32 i = 0; i < stops->review.count; i++) {
		if (stops->review.findings[i].severity == REVIEW_MUST)
			page_look_finding(page, &stops->review.findings[i]);
	}
	PAGE_HTML(page, "</ul>");
	if (is_sender_unset(&stops->review) && web_route_is_open(page->call, "/admin/settings")) {
		PAGE_HTML(page, "<p>");
		PAGE_LINK(page, &words[SETTINGS], "/admin/settings");
		PAGE_HTML(page, "</p>");
	}
	PAGE_ACTION(page, &words[EDIT], "/admin/campaigns/{}/edit",
		    slice_of(page->call->argument));
	page_card_end(page);
}

/* ---- past it ---- */

static void add_problems(const struct page *page, const struct review *review, struct buf *out)
{
	for (u32 i = 0; i < review->count; i++) {
		if (review->findings[i].severity != REVIEW_MUST)
			continue;
		if (out->len > 0)
			buf_add_text(out, " / ");
		trouble_add_finding(&review->findings[i], page->language, out);
	}
}

static void fill_in(struct page *page, enum word word, struct slice value, struct buf *out)
{
	struct slice sentence = slice_of(words[word].text[page->language]);
	i64 at = slice_find(sentence, SLICE("{1}"));

	buf_add_slice(out, slice_first(sentence, at > 0 ? (size_t)at : 0));
	buf_add_slice(out, value);
	buf_add_slice(out, slice_from(sentence, (at > 0 ? (size_t)at : 0) + 3));
}

static void show_override(struct page *page, const struct mailing_stops *stops)
{
	struct buf problems;
	struct buf label;

	buf_init(&problems, 64u << 10);
	buf_init(&label, 80u << 10);
	page_card_begin(page, &words[OVERRIDE]);
	page_paragraph(page, &words[OVERRIDE_WHY]);
	PAGE_FORM(page, "/admin/campaigns/{}/{}", slice_of(page->call->argument),
		  slice_of(page->call->second));
	page_hidden(page, "seen", DIGITS(stops->changed_ms));
	if (stops->stops & MAILING_STOP_FINDINGS) {
		add_problems(page, &stops->review, &problems);
		fill_in(page, OVERRIDE_FINDINGS, buf_slice(&problems), &label);
		page_check_text(page, "override", slice_of(mailing_stop_name(0)),
				buf_slice(&label), false);
	}
	buf_reset(&label);
	if (stops->stops & MAILING_STOP_IDENTITY) {
		fill_in(page, OVERRIDE_IDENTITY, slice_of(stops->customer), &label);
		page_check_text(page, "override", slice_of(mailing_stop_name(1)),
				buf_slice(&label), false);
	}
	page_submit(page, TONE_BAD, &words[SEND]);
	page_form_end(page);
	page_card_end(page);
	buf_done(&problems);
	buf_done(&label);
}

void page_campaign_stopped(struct call *call, const struct mailing_stops *stops)
{
	const struct page_head head = { .place = PLACE_CAMPAIGNS,
					.title = &words[TITLE],
					.crumbs = { { "/admin/campaigns", &words[CAMPAIGNS] } } };
	struct page page;

	page_begin(&page, call, &head);
	page_message(&page, TONE_WARNING, &words[INTRODUCTION]);
	if (stops->stops & MAILING_STOP_FINDINGS)
		show_findings(&page, stops);
	if (stops->stops & MAILING_STOP_IDENTITY)
		page_identity_stops(&page, stops->identity, slice_of(stops->customer));
	PAGE_HTML(&page, "<div class=\"actions\">");
	PAGE_BUTTON(&page, TONE_GOOD, &words[AGAIN], "/admin/campaigns/{}/{}",
		    slice_of(call->argument), slice_of(call->second));
	PAGE_HTML(&page, "</div>");
	show_override(&page, stops);
	page_end(&page, 422);
}

/* ---- what the form says ---- */

u32 page_campaign_overrides(const struct form *form, u64 *seen_ms)
{
	u32 overrides = 0;
	struct slice name;
	u32 at = 0;

	if (!slice_to_u64(form_get(form, "seen"), seen_ms))
		*seen_ms = 0;
	while ((name = form_next(form, "override", &at)).ptr) {
		for (u32 i = 0; i < MAILING_STOPS; i++) {
			if (slice_equal(name, slice_of(mailing_stop_name(i))))
				overrides |= 1u << i;
		}
	}
	return overrides;
}

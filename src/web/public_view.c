/*
 * /v/TOKEN: a campaign's mail in a browser, with the reader's own values; and the public archive,
 * of campaigns whose author allows it: /a/ lists them, /a/ID shows one as somebody sees it whom we
 * do not know, /a/rss is for feed readers (RSS 2.0).
 *
 * What is shown is composed anew of the draft, which does not change once it was sent; values are
 * those that the contact has now.
 */
#include "base/clock.h"
#include "base/text.h"
#include "store/audience_campaign.h"
#include "store/audience_contact.h"
#include "web/mailing_preview.h"
#include "web/public_page.h"
#include "web/setting.h"

#include <string.h>

#define ARCHIVE_ROWS 50
#define ARCHIVE_LOOKS 1000 /* campaigns that are looked at for them */

enum word { ARCHIVE, NONE, GONE, FEED, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[ARCHIVE] = { { "Newsletters", "メールマガジン バックナンバー" } },
	[NONE] = { { "There is nothing to read yet.", "公開されているメールマガジンはありません。" } },
	[GONE] = { { "It is not to be read here.", "このメールは公開されていません。" } },
	[FEED] = { { "RSS feed", "RSS フィード" } },
};

static bool was_sent(const struct audience_campaign *campaign)
{
	return campaign->started_ms > 0 && campaign->state != AUDIENCE_CAMPAIGN_DRAFT &&
	       campaign->state != AUDIENCE_CAMPAIGN_SCHEDULED;
}

static bool is_public(const struct audience_campaign *campaign, struct draft *draft)
{
	return was_sent(campaign) && draft_unpack(campaign->draft, draft) &&
	       slice_equal(draft->of[DRAFT_ARCHIVE], SLICE("yes"));
}

/* Within a transaction. `contact` NULL: as somebody sees it whom we do not know. */
static void show(struct call *call, const struct audience_campaign *campaign,
		 const struct contact *contact)
{
	const struct contact nobody = { .address = SLICE(""), .values = SLICE("") };
	struct mailing_preview *preview;
	bool ok;

	preview = mailing_preview_make(call, campaign, contact ? contact : &nobody, &ok);
	if (ok)
		mailing_preview_answer(call, preview);
	else
		call_problem_page(call, 404, &words[GONE]);
	mailing_preview_free(preview);
}

void public_view(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	struct link_token token;
	struct contact contact;
	enum store_result result;

	if (!public_token_read(call, LINK_VIEW, &token)) {
		public_refuse_token(call);
		return;
	}
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = audience_campaign_get(txn, token.campaign, &campaign);
	if (result == STORE_OK)
		result = contact_get(txn, token.contact, &contact);
	if (result == STORE_OK && was_sent(&campaign))
		show(call, &campaign, &contact);
	else
		public_refuse_token(call);
	audience_abort(txn);
}

/* ---- the archive ---- */

void public_archived(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	struct draft draft;
	enum store_result result = STORE_NOT_FOUND;
	u32 id;

	if (slice_to_u32(slice_of(call->argument), &id)) {
		result = audience_begin_read(txn);
		if (result == STORE_OK)
			result = audience_campaign_get(txn, id, &campaign);
	}
	if (result == STORE_OK && is_public(&campaign, &draft))
		show(call, &campaign, NULL);
	else
		call_problem_page(call, 404, &words[GONE]);
	audience_abort(txn);
}

/* The newest ones first; `visit` within a transaction. False: the store failed. */
static bool visit_public(struct call *call,
			 void (*visit)(void *owner, const struct audience_campaign *campaign,
				       const struct draft *draft),
			 void *owner)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign = { .id = UINT32_MAX };
	enum store_result result = audience_begin_read(txn);
	struct draft draft;
	u32 found = 0;

	setting_zone(txn, &call->zone);
	for (u32 i = 0; i < ARCHIVE_LOOKS && found < ARCHIVE_ROWS && result == STORE_OK; i++) {
		result = audience_campaign_before(txn, campaign.id, &campaign);
		if (result != STORE_OK || !is_public(&campaign, &draft))
			continue;
		visit(owner, &campaign, &draft);
		found++;
	}
	audience_abort(txn);
	return result == STORE_OK || result == STORE_NOT_FOUND;
}

struct listing {
	struct page page;
	u32 count;
};

static void list_one(void *owner, const struct audience_campaign *campaign,
		     const struct draft *draft)
{
	struct listing *listing = owner;

	PAGE_HTML(&listing->page, "<li>");
	page_date(&listing->page, campaign->started_ms);
	PAGE_HTML(&listing->page, " ");
	PAGE_LINK_TEXT(&listing->page, draft->of[DRAFT_NAME], "/a/{}", DIGITS(campaign->id));
	PAGE_HTML(&listing->page, "</li>");
	listing->count++;
}

void public_archive(struct call *call)
{
	const struct page_head head = { .title = &words[ARCHIVE], .is_public = true };
	struct listing listing = { .count = 0 };

	page_begin(&listing.page, call, &head);
	PAGE_HTML(&listing.page, "<ul>");
	if (!visit_public(call, list_one, &listing))
		listing.page.out->failed = true;
	PAGE_HTML(&listing.page, "</ul>");
	if (listing.count == 0)
		page_nothing(&listing.page, &words[NONE]);
	PAGE_HTML(&listing.page, "<p>");
	PAGE_LINK(&listing.page, &words[FEED], "/a/rss");
	PAGE_HTML(&listing.page, "</p>");
	page_end(&listing.page, 200);
}

/* ---- the feed ---- */

/* XML has no other controls (XML 1.0 section 2.2). */
static void add_xml(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '&')
			buf_add_text(out, "&amp;");
		else if (c == '<')
			buf_add_text(out, "&lt;");
		else if (c == '>')
			buf_add_text(out, "&gt;");
		else
			buf_add_char(out, (u8)c < ' ' ? ' ' : c);
	}
}

struct feed {
	struct buf *out;
	struct slice base;
};

static void feed_one(void *owner, const struct audience_campaign *campaign,
		     const struct draft *draft)
{
	struct feed *feed = owner;
	char date[CLOCK_RFC5322_SIZE];

	clock_format_rfc5322(date, campaign->started_ms);
	buf_add_text(feed->out, "<item><title>");
	add_xml(feed->out, draft->of[DRAFT_NAME]);
	buf_add_text(feed->out, "</title><link>");
	add_xml(feed->out, feed->base);
	buf_add_format(feed->out, "/a/%u</link><guid>", campaign->id);
	add_xml(feed->out, feed->base);
	buf_add_format(feed->out, "/a/%u</guid><pubDate>%s</pubDate>", campaign->id, date);
	if (draft->of[DRAFT_PREHEADER].len > 0) {
		buf_add_text(feed->out, "<description>");
		add_xml(feed->out, draft->of[DRAFT_PREHEADER]);
		buf_add_text(feed->out, "</description>");
	}
	buf_add_text(feed->out, "</item>\n");
}

void public_feed(struct call *call)
{
	const char *base = call->web->config->web.url;
	struct feed feed = { &call->answer_body, slice_of(base ? base : "") };

	buf_add_text(feed.out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			       "<rss version=\"2.0\"><channel><title>");
	add_xml(feed.out, slice_of(words[ARCHIVE].text[call_language(call)]));
	buf_add_text(feed.out, "</title><link>");
	add_xml(feed.out, feed.base);
	buf_add_text(feed.out, "/a/</link><description></description>\n");
	if (!visit_public(call, feed_one, &feed))
		feed.out->failed = true;
	buf_add_text(feed.out, "</channel></rss>\n");
	if (feed.out->failed) {
		buf_reset(feed.out);
		call_refuse(call, 503, NULL, "it cannot be read now");
		return;
	}
	call_answer_text(call, 200, "application/rss+xml; charset=utf-8", SLICE(""));
}

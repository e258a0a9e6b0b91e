/* What became of a campaign, as a person reads it: shares, hours, receivers, refusals, links. */
#include "base/smtp_class.h"
#include "base/text.h"
#include "store/audience_campaign_count.h"
#include "web/mailing_report.h"
#include "web/page_campaign.h"
#include "web/page_sequence.h"
#include "web/page_sender.h"

#include <stdlib.h>

#define HOUR_MS (3600ull * 1000)
#define LINES_MAX 400 /* of one kind: hours, receivers, links; the table has all */
#define LINE_NUMBERS 3

enum word {
	RECIPIENTS,
	DELIVERED,
	OPENED,
	CLICKED,
	BOUNCED,
	UNSUBSCRIBED,
	COMPLAINED,
	HOURS,
	RECEIVERS,
	REFUSALS,
	LINKS,
	SEGMENTS,
	CSV,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[RECIPIENTS] = { { "Recipients", "宛先" } },
	[DELIVERED] = { { "Delivered", "到達" } },
	[OPENED] = { { "Opened", "開封" } },
	[CLICKED] = { { "Clicked", "クリック" } },
	[BOUNCED] = { { "Bounced", "不達" } },
	[UNSUBSCRIBED] = { { "Unsubscribed", "配信停止" } },
	[COMPLAINED] = { { "Complained", "迷惑メール報告" } },
	[HOURS] = { { "By hour", "時間別" } },
	[RECEIVERS] = { { "By receiver", "受信側別" } },
	[REFUSALS] = { { "Why it bounced", "不達の理由" } },
	[LINKS] = { { "Links", "リンク別" } },
	[SEGMENTS] = { { "Among the contacts of a segment", "セグメント別の結果を見る" } },
	[CSV] = { { "All numbers as a table (CSV)", "すべての数値を CSV でダウンロード" } },
};

const struct words page_class_words[SMTP_CLASS_COUNT] = {
	[SMTP_CLASS_NONE] = { { "Not said", "理由の記載なし" } },
	[SMTP_CLASS_UNKNOWN] = { { "Unknown words", "分類できない応答" } },
	[SMTP_CLASS_BAD_MAILBOX] = { { "No such mailbox", "宛先が存在しない" } },
	[SMTP_CLASS_MAILBOX_FULL] = { { "Mailbox full", "メールボックスの容量超過" } },
	[SMTP_CLASS_POLICY] = { { "A rule of the receiver's", "受信側の方針による拒否" } },
	[SMTP_CLASS_CONTENT] = { { "The content", "内容による拒否" } },
	[SMTP_CLASS_REPUTATION] = { { "Our address or domain is thought badly of",
				      "送信元の評価による拒否" } },
	[SMTP_CLASS_RATE] = { { "Too much at once", "流量の制限" } },
	[SMTP_CLASS_AUTH_FAILURE] = { { "SPF, DKIM or DMARC", "認証(SPF・DKIM・DMARC)の失敗" } },
	[SMTP_CLASS_DNS] = { { "A name does not resolve", "名前解決の失敗" } },
	[SMTP_CLASS_GREYLISTED] = { { "Put off on principle", "グレーリスティング" } },
	[SMTP_CLASS_TRANSIENT_HOST] = { { "Trouble of the host", "受信サーバーの障害" } },
	[SMTP_CLASS_PROTOCOL] = { { "A protocol error", "通信手順のエラー" } },
};

/* Counts of several kinds that are of one thing: an hour, a receiver, a link, a class. */
struct line {
	u64 id;
	struct slice of;
	u64 counts[LINE_NUMBERS];
};

struct lines {
	struct line at[LINES_MAX];
	u32 count;
};

struct report {
	struct lines hours;
	struct lines receivers;
	struct lines refusals;
	struct lines links;
};

void page_campaign_place(struct page_head *head, const struct audience_campaign *campaign)
{
	if (!(campaign->flags & AUDIENCE_CAMPAIGN_OF_STEP))
		return;
	head->place = PLACE_SEQUENCES;
	head->crumbs[0] = (struct page_crumb){ "/admin/sequences", &page_sequence_title };
}

u64 page_campaign_counted(struct audience_txn *txn, u32 campaign, enum campaign_counted what)
{
	u64 count;

	return campaign_count_get(txn, campaign, what, 0, &count) == STORE_OK ? count : 0;
}

static void add(struct lines *lines, const struct mailing_number *number, u32 column)
{
	u32 i = 0;

	while (i < lines->count && lines->at[i].id != number->id)
		i++;
	if (i == LINES_MAX)
		return;
	if (i == lines->count)
		lines->at[lines->count++] = (struct line){ .id = number->id, .of = number->of };
	lines->at[i].counts[column] += number->count;
}

static void take_number(void *owner, const struct mailing_number *number)
{
	struct report *report = owner;

	switch (number->kind) {
	case CAMPAIGN_DELIVERED_IN: add(&report->hours, number, 0); break;
	case CAMPAIGN_OPENS_IN: add(&report->hours, number, 1); break;
	case CAMPAIGN_CLICKS_IN: add(&report->hours, number, 2); break;
	case CAMPAIGN_SITE_DELIVERED: add(&report->receivers, number, 0); break;
	case CAMPAIGN_SITE_BOUNCED: add(&report->receivers, number, 1); break;
	case CAMPAIGN_BOUNCED_BY: add(&report->refusals, number, 0); break;
	case CAMPAIGN_LINK_CLICKED: add(&report->links, number, 0); break;
	case CAMPAIGN_LINK_CLICKS: add(&report->links, number, 1); break;
	default: break;
	}
}

static int compare_ids(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_counts(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	return (x->counts[0] < y->counts[0]) - (x->counts[0] > y->counts[0]);
}

static void show_counts(struct page *page, const struct line *line, u32 columns)
{
	for (u32 i = 0; i < columns; i++)
		page_cell_number(page, line->counts[i]);
	page_row_end(page);
}

static void show_hours(struct page *page, struct lines *hours)
{
	static const struct page_column columns[] = {
		{ { { "Hour", "時刻" } }, false },     { { { "Delivered", "到達" } }, true },
		{ { { "Opens", "開封数" } }, true },   { { { "Clicks", "クリック数" } }, true },
		{ { { NULL, NULL } }, false },
	};

	if (hours->count == 0)
		return;
	qsort(hours->at, hours->count, sizeof(*hours->at), compare_ids);
	page_card_begin(page, &words[HOURS]);
	/* One hour is no line. */
	if (hours->count > 1)
		page_chart_begin(page, &words[HOURS], columns);
	else
		page_table_begin(page, &words[HOURS], columns);
	for (u32 i = 0; i < hours->count; i++) {
		page_row_begin(page);
		page_cell_time(page, hours->at[i].id * HOUR_MS);
		show_counts(page, &hours->at[i], 3);
	}
	if (hours->count > 1)
		page_chart_end(page);
	else
		page_table_end(page);
	page_card_end(page);
}

static void show_receivers(struct page *page, struct lines *receivers)
{
	static const struct page_column columns[] = {
		{ { { "Receiver", "受信側" } }, false },
		{ { { "Delivered", "到達" } }, true },
		{ { { "Bounced", "不達" } }, true },
		{ { { NULL, NULL } }, false },
	};

	if (receivers->count == 0)
		return;
	qsort(receivers->at, receivers->count, sizeof(*receivers->at), compare_counts);
	page_card_begin(page, &words[RECEIVERS]);
	page_table_begin(page, &words[RECEIVERS], columns);
	for (u32 i = 0; i < receivers->count; i++) {
		page_row_begin(page);
		page_cell_text(page, receivers->at[i].of.len > 0 ? receivers->at[i].of :
								   SLICE("-"));
		show_counts(page, &receivers->at[i], 2);
	}
	page_table_end(page);
	page_card_end(page);
}

static void show_refusals(struct page *page, struct lines *refusals)
{
	static const struct page_column columns[] = {
		{ { { "Reason", "理由" } }, false },
		{ { { "Recipients", "人数" } }, true },
		{ { { NULL, NULL } }, false },
	};

	if (refusals->count == 0)
		return;
	qsort(refusals->at, refusals->count, sizeof(*refusals->at), compare_counts);
	page_card_begin(page, &words[REFUSALS]);
	page_table_begin(page, &words[REFUSALS], columns);
	for (u32 i = 0; i < refusals->count; i++) {
		u64 class = refusals->at[i].id;

		page_row_begin(page);
		page_cell(page);
		page_words(page, &page_class_words[class < SMTP_CLASS_COUNT ? class :
									  SMTP_CLASS_UNKNOWN]);
		show_counts(page, &refusals->at[i], 1);
	}
	page_table_end(page);
	page_card_end(page);
}

static void show_links(struct page *page, struct lines *links)
{
	static const struct page_column columns[] = {
		{ { { "Link", "リンク" } }, false },
		{ { { "People", "人数" } }, true },
		{ { { "Clicks", "クリック数" } }, true },
		{ { { NULL, NULL } }, false },
	};

	if (links->count == 0)
		return;
	qsort(links->at, links->count, sizeof(*links->at), compare_counts);
	page_card_begin(page, &words[LINKS]);
	page_table_begin(page, &words[LINKS], columns);
	for (u32 i = 0; i < links->count; i++) {
		page_row_begin(page);
		page_cell_text(page, links->at[i].of);
		show_counts(page, &links->at[i], 2);
	}
	page_table_end(page);
	page_card_end(page);
}

static void show_tiles(struct page *page, u32 id)
{
	struct audience_txn *txn = page->call->web->reader;
	u64 sent = page_campaign_counted(txn, id, CAMPAIGN_SENT);
	u64 delivered = page_campaign_counted(txn, id, CAMPAIGN_DELIVERED);
	const struct {
		enum word word;
		enum campaign_counted what;
		u64 whole;
	} tiles[] = {
		{ DELIVERED, CAMPAIGN_DELIVERED, sent },
		{ BOUNCED, CAMPAIGN_BOUNCED, sent },
		{ OPENED, CAMPAIGN_OPENED, delivered },
		{ CLICKED, CAMPAIGN_CLICKED, delivered },
		{ UNSUBSCRIBED, CAMPAIGN_UNSUBSCRIBED, delivered },
		{ COMPLAINED, CAMPAIGN_COMPLAINED, delivered },
	};

	page_tiles_begin(page);
	page_tile(page, &words[RECIPIENTS], sent);
	for (size_t i = 0; i < array_count(tiles); i++)
		page_tile_share(page, &words[tiles[i].word],
				page_campaign_counted(txn, id, tiles[i].what), tiles[i].whole);
	page_tiles_end(page);
}

void page_campaign_report(struct page *page, const struct audience_campaign *c,
			  const struct draft *draft)
{
	const u32 id = c->id;
	struct report *report = calloc(1, sizeof(*report));

	show_tiles(page, id);
	page_campaign_subjects(page, c, draft);
	if (!report || mailing_report(page->call->web->reader, id, take_number, report) !=
			       STORE_OK) {
		page->out->failed = true;
		free(report);
		return;
	}
	show_hours(page, &report->hours);
	show_receivers(page, &report->receivers);
	show_refusals(page, &report->refusals);
	show_links(page, &report->links);
	PAGE_HTML(page, "<p>");
	PAGE_LINK(page, &words[SEGMENTS], "/admin/campaigns/{}/segments", DIGITS(id));
	PAGE_HTML(page, "</p><p>");
	PAGE_LINK(page, &words[CSV], "/admin/campaigns/{}/report.csv", DIGITS(id));
	PAGE_HTML(page, "</p>");
	free(report);
}

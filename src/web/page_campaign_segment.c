/* What became of a campaign among the contacts of a segment, beside all of them. */
#include "base/text.h"
#include "store/audience_segment.h"
#include "web/mailing.h"
#include "web/mailing_segment.h"
#include "web/page_campaign.h"

#include <string.h>

enum word { TITLE, CAMPAIGNS, INTRODUCTION, SEGMENT, SHOW, NONE, ALL, REST, CSV, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "By segment", "セグメント別" } },
	[CAMPAIGNS] = { { "Campaigns", "キャンペーン" } },
	[INTRODUCTION] = { { "What became of the campaign among those who are in a segment now.",
			     "現在そのセグメントに含まれる受信者の結果です。" } },
	[SEGMENT] = { { "Segment", "セグメント" } },
	[SHOW] = { { "Count", "集計する" } },
	[NONE] = { { "There is no segment yet.", "セグメントはまだありません。" } },
	[ALL] = { { "All recipients", "すべての受信者" } },
	[REST] = { { "All others", "それ以外の受信者" } },
	[CSV] = { { "As a table (CSV)", "CSV でダウンロード" } },
};

/* ---- choosing ---- */

/* False: there are none. */
static bool show_choice(struct page *page, u32 chosen)
{
	struct audience_txn *txn = page->call->web->reader;
	struct audience_segment segment = { 0 };
	bool is_any = false;

	while (audience_segment_after(txn, segment.id, &segment) == STORE_OK) {
		if (!is_any) {
			PAGE_SEARCH(page, "/admin/campaigns/{}/segments",
				    slice_of(page->call->argument));
			page_select_begin(page, &(struct page_field){ .name = "segment",
								      .label = &words[SEGMENT] });
		}
		is_any = true;
		page_option_text(page, DIGITS(segment.id), segment.name, segment.id == chosen);
	}
	if (!is_any)
		return false;
	page_select_end(page);
	page_submit(page, TONE_GOOD, &words[SHOW]);
	page_form_end(page);
	return true;
}

static void begin(struct page *page, struct call *call, u32 chosen)
{
	const struct page_head head = { .place = PLACE_CAMPAIGNS,
					.title = &words[TITLE],
					.crumbs = { { "/admin/campaigns", &words[CAMPAIGNS] } } };

	page_begin(page, call, &head);
	page_paragraph(page, &words[INTRODUCTION]);
	if (!show_choice(page, chosen))
		page_nothing(page, &words[NONE]);
}

/* ---- the numbers ---- */

static void show_row(struct page *page, struct slice name, const u64 counts[MAILING_SHARES])
{
	const u64 delivered = counts[MAILING_SHARE_DELIVERED];

	page_row_begin(page);
	page_cell_text(page, name);
	for (u32 i = 0; i < MAILING_SHARES; i++) {
		page_cell_number(page, counts[i]);
		if (i < MAILING_SHARE_OPENED)
			continue;
		PAGE_HTML(page, " (");
		page_percent(page, counts[i], delivered);
		PAGE_HTML(page, ")");
	}
	page_row_end(page);
}

/* Of all of them the campaign itself keeps count. */
static void read_all(struct audience_txn *txn, u32 campaign, u64 counts[MAILING_SHARES])
{
	static const enum campaign_counted counted[MAILING_SHARES] = {
		[MAILING_SHARE_SENT] = CAMPAIGN_SENT,
		[MAILING_SHARE_DELIVERED] = CAMPAIGN_DELIVERED,
		[MAILING_SHARE_BOUNCED] = CAMPAIGN_BOUNCED,
		[MAILING_SHARE_OPENED] = CAMPAIGN_OPENED,
		[MAILING_SHARE_CLICKED] = CAMPAIGN_CLICKED,
		[MAILING_SHARE_UNSUBSCRIBED] = CAMPAIGN_UNSUBSCRIBED,
		[MAILING_SHARE_COMPLAINED] = CAMPAIGN_COMPLAINED,
	};

	for (u32 i = 0; i < MAILING_SHARES; i++)
		counts[i] = page_campaign_counted(txn, campaign, counted[i]);
}

static void show_numbers(struct page *page, const struct mailing_segment *of)
{
	static const struct page_column columns[] = {
		{ { { "Of", "対象" } }, false },
		{ { { "Recipients", "宛先" } }, true },
		{ { { "Delivered", "到達" } }, true },
		{ { { "Bounced", "不達" } }, true },
		{ { { "Opened", "開封" } }, true },
		{ { { "Clicked", "クリック" } }, true },
		{ { { "Unsubscribed", "配信停止" } }, true },
		{ { { "Complained", "迷惑メール報告" } }, true },
		{ { { NULL, NULL } }, false },
	};
	u64 all[MAILING_SHARES];
	u64 rest[MAILING_SHARES];

	read_all(page->call->web->reader, of->campaign, all);
	for (u32 i = 0; i < MAILING_SHARES; i++)
		rest[i] = all[i] - min_u64(of->counts[i], all[i]);
	page_card_begin(page, &words[TITLE]);
	page_table_begin(page, &words[TITLE], columns);
	show_row(page, slice_of(of->name), of->counts);
	show_row(page, slice_of(words[REST].text[page->language]), rest);
	show_row(page, slice_of(words[ALL].text[page->language]), all);
	page_table_end(page);
	PAGE_HTML(page, "<p>");
	PAGE_LINK(page, &words[CSV], "/admin/campaigns/{}/report.csv?segment={}",
		  DIGITS(of->campaign), DIGITS(of->segment));
	PAGE_HTML(page, "</p>");
	page_card_end(page);
}

static void tell(struct call *call, const struct mailing_segment *of)
{
	struct page page;
	enum store_result result = audience_begin_read(call->web->reader);

	if (result == STORE_OK) {
		begin(&page, call, of->segment);
		show_numbers(&page, of);
	}
	audience_abort(call->web->reader);
	if (result == STORE_OK)
		page_end(&page, 200);
	else
		call_refuse(call, 503, NULL, "contacts cannot be read");
}

void page_campaign_segments(struct call *call)
{
	struct audience_campaign campaign;
	struct page page;
	u64 segment = 0;

	if (mailing_find(call, &campaign) &&
	    web_query_number(call, SLICE("segment"), &segment)) {
		if (segment > 0) {
			mailing_segment_count(call, campaign.id, (u32)min_u64(segment, UINT32_MAX),
					      tell);
		} else {
			begin(&page, call, 0);
			page_end(&page, 200);
		}
	}
	audience_abort(call->web->reader);
}

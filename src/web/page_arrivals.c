/* Bounces by day and receiver: part of the page on how mail arrives. */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/local_day.h"
#include "web/arrival_report.h"
#include "web/page_sender.h"

#include <stdlib.h>

#define DAYS_DEFAULT 30
#define SITES_SHOWN 50

enum word {
	TITLE,
	HINT,
	NOTHING,
	DAYS,
	DAYS_OF,
	RECEIVER,
	ALL,
	OTHERS,
	SHOW,
	BY_RECEIVER,
	REASONS,
	CSV,
	FAILED,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Bounces and complaints by day", "不達と迷惑メール報告の推移" } },
	[HINT] = { { "A bounce is about the address (gone, or full), about our message or who sends"
		     " it (blocked), or about the receiver itself.",
		     "不達の原因は、宛先（存在しない・容量超過など）、"
		     "メールの内容や送信元（ブロックなど）、受信側の障害などに分けられます。" } },
	[NOTHING] = { { "Nothing was sent in these days.", "この期間の送信はありません。" } },
	[DAYS] = { { "Days", "期間" } },
	[DAYS_OF] = { { "{1} days", "{1}日間" } },
	[RECEIVER] = { { "Receiver", "受信側" } },
	[ALL] = { { "All of them", "すべて" } },
	[OTHERS] = { { "Others", "その他" } },
	[SHOW] = { { "Show", "表示" } },
	[BY_RECEIVER] = { { "By receiver", "受信側別" } },
	[REASONS] = { { "What receivers said", "受信側の応答" } },
	[CSV] = { { "All numbers as a table (CSV)", "すべての数値を CSV でダウンロード" } },
	[FAILED] = { { "The numbers cannot be read at the moment.",
		       "現在、数値を読み込めません。" } },
};

/* ---- what is wanted ---- */

static const u32 choices[] = { 7, 30, 90, 365 };

static void read_query(struct page *page, struct arrival_report *report)
{
	struct call *call = page->call;
	i32 today = local_day(&call->zone, clock_wall_ms());
	u32 wanted = 0;
	u32 site;

	report->days = DAYS_DEFAULT;
	if (!slice_to_u32(call_query(call, "days"), &wanted))
		wanted = 0;
	for (size_t i = 0; i < array_count(choices); i++)
		report->days = choices[i] == wanted ? wanted : report->days;
	report->first = today < (i32)report->days ? 0 : (u32)today - report->days + 1;
	report->site = ARRIVAL_ALL;
	if (slice_to_u32(call_query(call, "receiver"), &site) && site <= DELIVERY_SITES_MAX)
		report->site = site;
}

static bool has_any(const struct arrival_sum *sum)
{
	return sum->delivered + arrival_bounced(sum) + sum->deferred + sum->complained > 0;
}

/* Within the transaction: names are views. */
static void write_name(struct page *page, u32 site)
{
	struct slice name = delivery_site_name(page->call->web->reader, site);

	if (name.len > 0)
		page_text(page, name);
	else
		page_words(page, &words[OTHERS]);
}

static void show_choice(struct page *page, const struct arrival_report *report)
{
	struct audience_txn *txn = page->call->web->reader;

	PAGE_SEARCH(page, "/admin/deliverability");
	page_select_begin(page, &(struct page_field){ .name = "days", .label = &words[DAYS] });
	for (size_t i = 0; i < array_count(choices); i++) {
		struct slice number = DIGITS(choices[i]);

		PAGE_HTML(page, "<option");
		page_attribute(page, "value", number);
		if (choices[i] == report->days)
			PAGE_HTML(page, " selected");
		PAGE_HTML(page, ">");
		PAGE_SENTENCE(page, &words[DAYS_OF], number);
		PAGE_HTML(page, "</option>");
	}
	page_select_end(page);
	page_select_begin(page,
			  &(struct page_field){ .name = "receiver", .label = &words[RECEIVER] });
	page_option(page, SLICE(""), &words[ALL], report->site == ARRIVAL_ALL);
	for (u32 site = 1; site <= DELIVERY_SITES_MAX; site++) {
		if (has_any(&report->by_site[site]) || site == report->site)
			page_option_text(page, DIGITS(site), delivery_site_name(txn, site),
					 site == report->site);
	}
	if (has_any(&report->by_site[0]) || report->site == 0)
		page_option(page, SLICE("0"), &words[OTHERS], report->site == 0);
	page_select_end(page);
	page_submit(page, TONE_GOOD, &words[SHOW]);
	page_form_end(page);
}

/* ---- what there is ---- */

static void show_days(struct page *page, const struct arrival_report *report)
{
	static const struct page_column columns[] = {
		{ { { "Day", "日付" } }, false },
		{ { { "About the address", "宛先が原因の不達" } }, true },
		{ { { "About us", "内容・送信元が原因の不達" } }, true },
		{ { { "Other bounces", "その他の不達" } }, true },
		{ { { "Complaints", "迷惑メール報告" } }, true },
		{ { { NULL, NULL } }, false },
	};

	page_chart_begin(page, &words[TITLE], columns);
	for (u32 i = 0; i < report->days; i++) {
		const struct arrival_sum *sum = &report->by_day[i];

		page_row_begin(page);
		page_cell(page);
		page_date(page, local_day_begins_ms(&page->call->zone, (i32)(report->first + i)));
		for (u32 group = 0; group < ARRIVAL_GROUPS; group++)
			page_cell_number(page, sum->bounced[group]);
		page_cell_number(page, sum->complained);
		page_row_end(page);
	}
	page_chart_end(page);
}

static void show_sum(struct page *page, const struct arrival_sum *sum)
{
	u64 bounced = arrival_bounced(sum);

	page_cell_number(page, sum->delivered);
	page_cell_number(page, bounced);
	page_cell(page);
	page_percent(page, bounced, sum->delivered + bounced);
	for (u32 group = 0; group < ARRIVAL_GROUPS; group++)
		page_cell_number(page, sum->bounced[group]);
	page_cell_number(page, sum->deferred);
	page_cell_number(page, sum->complained);
	page_row_end(page);
}

static void add(struct arrival_sum *to, const struct arrival_sum *sum)
{
	to->delivered += sum->delivered;
	to->deferred += sum->deferred;
	to->complained += sum->complained;
	for (u32 group = 0; group < ARRIVAL_GROUPS; group++)
		to->bounced[group] += sum->bounced[group];
}

/* The one that most mail went to, of those that were not shown; 0: no more. */
static u32 next_site(const struct arrival_report *report, const bool *is_shown)
{
	u64 most = 0;
	u32 found = 0;

	for (u32 site = 1; site <= DELIVERY_SITES_MAX; site++) {
		const struct arrival_sum *sum = &report->by_site[site];
		u64 all = sum->delivered + arrival_bounced(sum) + sum->deferred +
			  sum->complained;

		if (!is_shown[site] && all > most) {
			most = all;
			found = site;
		}
	}
	return found;
}

static void show_sites(struct page *page, const struct arrival_report *report)
{
	static const struct page_column columns[] = {
		{ { { "Receiver", "受信側" } }, false },
		{ { { "Delivered", "到達" } }, true },
		{ { { "Bounced", "不達" } }, true },
		{ { { "Share", "割合" } }, true },
		{ { { "Address", "宛先" } }, true },
		{ { { "Us", "内容・送信元" } }, true },
		{ { { "Other", "その他" } }, true },
		{ { { "Put off", "再送" } }, true },
		{ { { "Complaints", "迷惑メール報告" } }, true },
		{ { { NULL, NULL } }, false },
	};
	bool is_shown[DELIVERY_SITES_MAX + 1] = { false };
	struct arrival_sum others = report->by_site[0];
	u32 count = 0;

	PAGE_HTML(page, "<h3>");
	page_words(page, &words[BY_RECEIVER]);
	PAGE_HTML(page, "</h3>");
	page_table_begin(page, &words[BY_RECEIVER], columns);
	for (u32 site = next_site(report, is_shown); site != 0;
	     site = next_site(report, is_shown)) {
		is_shown[site] = true;
		if (count++ >= SITES_SHOWN) {
			add(&others, &report->by_site[site]);
			continue;
		}
		page_row_begin(page);
		page_cell(page);
		PAGE_HTML(page, "<a");
		PAGE_URL(page, "href", "/admin/deliverability?days={}&receiver={}",
			 DIGITS(report->days), DIGITS(site));
		PAGE_HTML(page, ">");
		write_name(page, site);
		PAGE_HTML(page, "</a>");
		show_sum(page, &report->by_site[site]);
	}
	if (has_any(&others)) {
		page_row_begin(page);
		page_cell(page);
		page_words(page, &words[OTHERS]);
		show_sum(page, &others);
	}
	page_table_end(page);
}

static void show_reasons(struct page *page, const struct arrival_report *report)
{
	static const struct page_column columns[] = {
		{ { { "Reason", "理由" } }, false },
		{ { { "Bounced", "不達" } }, true },
		{ { { "Put off", "再送" } }, true },
		{ { { NULL, NULL } }, false },
	};

	PAGE_HTML(page, "<h3>");
	page_words(page, &words[REASONS]);
	PAGE_HTML(page, "</h3>");
	page_table_begin(page, &words[REASONS], columns);
	for (u32 class = 0; class < SMTP_CLASS_COUNT; class++) {
		if (report->bounced_by[class] + report->deferred_by[class] == 0)
			continue;
		page_row_begin(page);
		page_cell(page);
		page_words(page, &page_class_words[class]);
		page_cell_number(page, report->bounced_by[class]);
		page_cell_number(page, report->deferred_by[class]);
		page_row_end(page);
	}
	page_table_end(page);
}

static void show(struct page *page, const struct arrival_report *report)
{
	char from[CALENDAR_TEXT_SIZE];
	bool is_any = false;

	for (u32 site = 0; site <= DELIVERY_SITES_MAX; site++)
		is_any = is_any || has_any(&report->by_site[site]);
	show_choice(page, report);
	if (!is_any) {
		page_nothing(page, &words[NOTHING]);
		return;
	}
	page_paragraph(page, &words[HINT]);
	show_days(page, report);
	show_sites(page, report);
	show_reasons(page, report);
	calendar_format(from, (i32)report->first);
	PAGE_HTML(page, "<p>");
	PAGE_LINK(page, &words[CSV], "/admin/deliverability/numbers.csv?from={}", slice_of(from));
	PAGE_HTML(page, "</p>");
}

void page_arrivals(struct page *page)
{
	struct audience_txn *txn = page->call->web->reader;
	struct arrival_report *report = calloc(1, sizeof(*report));
	enum store_result result = STORE_FAILED;

	page_card_begin(page, &words[TITLE]);
	if (report) {
		read_query(page, report);
		result = audience_begin_read(txn);
	}
	if (result == STORE_OK)
		result = arrival_report_read(txn, report);
	if (result == STORE_OK)
		show(page, report);
	else
		page_message(page, TONE_WARNING, &words[FAILED]);
	audience_abort(txn);
	free(report);
	page_card_end(page);
}

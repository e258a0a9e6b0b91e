/* Parts of pages: cards, messages, facts, tiles, tables. */
#include "base/text.h"
#include "web/page.h"

enum word { COPY, BEFORE, AFTER, PAGES, FIGURES, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[COPY] = { { "Copy", "コピー" } },
	[BEFORE] = { { "Previous", "前へ" } },
	[AFTER] = { { "Next", "次へ" } },
	[FIGURES] = { { "The figures", "数値を表示" } },
	[PAGES] = { { "Pages of the table", "表のページ" } },
};

static const char *const tones[] = {
	[TONE_NEUTRAL] = "neutral",
	[TONE_GOOD] = "good",
	[TONE_WARNING] = "warning",
	[TONE_BAD] = "bad",
};

void page_card_begin(struct page *page, const struct words *title)
{
	PAGE_HTML(page, "<section class=\"card\">");
	if (title) {
		PAGE_HTML(page, "<h2>");
		page_words(page, title);
		PAGE_HTML(page, "</h2>");
	}
}

void page_card_end(struct page *page)
{
	PAGE_HTML(page, "</section>");
}

void page_heading(struct page *page, const struct words *title)
{
	PAGE_HTML(page, "<h2>");
	page_words(page, title);
	PAGE_HTML(page, "</h2>");
}

void page_paragraph(struct page *page, const struct words *sentence)
{
	PAGE_HTML(page, "<p>");
	page_words(page, sentence);
	PAGE_HTML(page, "</p>");
}

void page_nothing(struct page *page, const struct words *sentence)
{
	PAGE_HTML(page, "<p class=\"nothing\">");
	page_words(page, sentence);
	PAGE_HTML(page, "</p>");
}

void page_message_begin(struct page *page, enum page_tone tone)
{
	PAGE_HTML(page, "<p");
	page_attribute(page, "class", SLICE("message"));
	page_attribute(page, "data-tone", slice_of(tones[tone]));
	page_attribute(page, "role", tone == TONE_BAD ? SLICE("alert") : SLICE("status"));
	PAGE_HTML(page, ">");
}

void page_message_end(struct page *page)
{
	PAGE_HTML(page, "</p>");
}

void page_message_text(struct page *page, enum page_tone tone, struct slice text)
{
	page_message_begin(page, tone);
	page_text(page, text);
	page_message_end(page);
}

void page_message_trouble(struct page *page, enum page_tone tone, struct slice english)
{
	page_message_begin(page, tone);
	page_trouble(page, english);
	page_message_end(page);
}

void page_message(struct page *page, enum page_tone tone, const struct words *sentence)
{
	page_message_text(page, tone, slice_of(sentence->text[page->language]));
}

void page_badge(struct page *page, enum page_tone tone, const struct words *label)
{
	PAGE_HTML(page, "<span class=\"badge\"");
	page_attribute(page, "data-tone", slice_of(tones[tone]));
	PAGE_HTML(page, ">");
	page_words(page, label);
	PAGE_HTML(page, "</span>");
}

/* ---- facts and tiles ---- */

void page_facts_begin(struct page *page)
{
	PAGE_HTML(page, "<dl class=\"facts\">");
	page->column = 0;
}

void page_fact(struct page *page, const struct words *label)
{
	if (page->column++ > 0)
		PAGE_HTML(page, "</dd>");
	PAGE_HTML(page, "<dt>");
	page_words(page, label);
	PAGE_HTML(page, "</dt><dd>");
}

void page_facts_end(struct page *page)
{
	if (page->column > 0)
		PAGE_HTML(page, "</dd>");
	PAGE_HTML(page, "</dl>");
	page->column = 0;
}

void page_tiles_begin(struct page *page)
{
	PAGE_HTML(page, "<dl class=\"tiles\">");
}

static void begin_tile(struct page *page, const struct words *label, u64 number)
{
	PAGE_HTML(page, "<div><dt>");
	page_words(page, label);
	PAGE_HTML(page, "</dt><dd>");
	page_number(page, number);
}

void page_tile(struct page *page, const struct words *label, u64 number)
{
	begin_tile(page, label, number);
	PAGE_HTML(page, "</dd></div>");
}

void page_tile_share(struct page *page, const struct words *label, u64 number, u64 whole)
{
	begin_tile(page, label, number);
	PAGE_HTML(page, " <small>");
	page_percent(page, number, whole);
	PAGE_HTML(page, "</small></dd></div>");
}

void page_tiles_end(struct page *page)
{
	PAGE_HTML(page, "</dl>");
}

/* The button is shown by the script, which alone can do it. */
void page_copy(struct page *page, struct slice text)
{
	PAGE_HTML(page, "<span class=\"copy\"><code>");
	page_text(page, text);
	PAGE_HTML(page, "</code><button type=\"button\" class=\"quiet\" data-copy hidden>");
	page_words(page, &words[COPY]);
	PAGE_HTML(page, "</button></span>");
}

/* ---- tables ---- */

static bool is_column(const struct page_column *column)
{
	return column->words.text[0] != NULL;
}

void page_table_begin(struct page *page, const struct words *caption,
		      const struct page_column *columns)
{
	page->table = columns;
	PAGE_HTML(page, "<div class=\"scroll\" tabindex=\"0\" role=\"group\"");
	if (caption)
		page_attribute(page, "aria-label", slice_of(caption->text[page->language]));
	PAGE_HTML(page, "><table>");
	if (caption) {
		PAGE_HTML(page, "<caption>");
		page_words(page, caption);
		PAGE_HTML(page, "</caption>");
	}
	PAGE_HTML(page, "<thead><tr>");
	for (const struct page_column *column = columns; is_column(column); column++) {
		PAGE_HTML(page, "<th scope=\"col\"");
		if (column->is_number)
			PAGE_HTML(page, " class=\"number\"");
		PAGE_HTML(page, ">");
		page_words(page, &column->words);
		PAGE_HTML(page, "</th>");
	}
	PAGE_HTML(page, "</tr></thead><tbody>");
}

void page_row_begin(struct page *page)
{
	PAGE_HTML(page, "<tr>");
	page->column = 0;
}

/* Each says its column, which a small screen shows beside it. */
void page_cell(struct page *page)
{
	const struct page_column *column = &page->table[page->column];

	if (page->column++ > 0)
		PAGE_HTML(page, "</td>");
	PAGE_HTML(page, "<td");
	page_attribute(page, "data-label", slice_of(column->words.text[page->language]));
	if (column->is_number)
		PAGE_HTML(page, " class=\"number\"");
	PAGE_HTML(page, ">");
}

void page_cell_text(struct page *page, struct slice text)
{
	page_cell(page);
	page_text(page, text);
}

void page_cell_number(struct page *page, u64 number)
{
	page_cell(page);
	page_number(page, number);
}

void page_cell_time(struct page *page, u64 at_ms)
{
	page_cell(page);
	page_time(page, at_ms);
}

void page_row_end(struct page *page)
{
	if (page->column > 0)
		PAGE_HTML(page, "</td>");
	PAGE_HTML(page, "</tr>");
	page->column = 0;
}

void page_table_end(struct page *page)
{
	PAGE_HTML(page, "</tbody></table></div>");
	page->table = NULL;
}

void page_chart_begin(struct page *page, const struct words *caption,
		      const struct page_column *columns)
{
	const char *zone = page->call->zone.name;

	PAGE_HTML(page, "<figure class=\"drawing\">"
			"<div class=\"chart\" data-chart hidden role=\"img\"");
	page_attribute(page, "aria-label", slice_of(caption->text[page->language]));
	page_attribute(page, "data-zone", slice_of(zone ? zone : "UTC"));
	PAGE_HTML(page, "></div><details><summary>");
	page_words(page, &words[FIGURES]);
	PAGE_HTML(page, "</summary>");
	page_table_begin(page, caption, columns);
}

void page_chart_end(struct page *page)
{
	page_table_end(page);
	PAGE_HTML(page, "</details></figure>");
}

static void write_page_link(struct page *page, const char *format, const struct slice *values,
			    const struct words *label, struct slice rel)
{
	PAGE_HTML(page, "<a class=\"button\"");
	page_attribute(page, "rel", rel);
	page_url(page, "href", format, values);
	PAGE_HTML(page, ">");
	page_words(page, label);
	PAGE_HTML(page, "</a>");
}

static void begin_pager(struct page *page)
{
	PAGE_HTML(page, "<nav class=\"pager\"");
	page_attribute(page, "aria-label", slice_of(words[PAGES].text[page->language]));
	PAGE_HTML(page, ">");
}

void page_pager(struct page *page, const char *format, struct slice before, struct slice after)
{
	if (!before.ptr && !after.ptr)
		return;
	begin_pager(page);
	if (before.ptr)
		write_page_link(page, format, &before, &words[BEFORE], SLICE("prev"));
	if (after.ptr)
		write_page_link(page, format, &after, &words[AFTER], SLICE("next"));
	PAGE_HTML(page, "</nav>");
}

void page_next(struct page *page, const char *format, const struct slice *values)
{
	begin_pager(page);
	write_page_link(page, format, values, &words[AFTER], SLICE("next"));
	PAGE_HTML(page, "</nav>");
}

/* Versions of a template: all of them; one beside the newest, line by line; bringing it back. */
#include "base/text.h"
#include "web/line_diff.h"
#include "web/page_look.h"
#include "web/page_template.h"

#define ARENA_CHUNK (64u << 10)
#define ARENA_MAX (128u << 20)
#define CONTEXT 3 /* lines shown around a change */
#define ROWS_MAX 3000

enum word {
	TITLE, VERSION, RESTORE, RESTORED, SAME, NEWEST, HOW, LOOK, WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Versions", "履歴" } },
	[VERSION] = { { "Version {1}", "版 {1}" } },
	[RESTORE] = { { "Bring this version back", "この版に戻す" } },
	[RESTORED] = { { "It is back, as a new version.", "新しい版として復元しました。" } },
	[SAME] = { { "It does not differ from the newest version.", "最新の版と同じ内容です。" } },
	[NEWEST] = { { "newest", "最新" } },
	[HOW] = { { "From this version to the newest one", "この版から最新の版までの変更" } },
	[LOOK] = { { "How it looked", "表示" } },
};

static const struct words labels[AUDIENCE_TEMPLATE_TEXTS] = {
	[AUDIENCE_TEMPLATE_SUBJECT] = { { "Subject", "件名" } },
	[AUDIENCE_TEMPLATE_PREHEADER] = { { "Preheader", "プリヘッダー" } },
	[AUDIENCE_TEMPLATE_HTML] = { { "HTML", "HTML 本文" } },
	[AUDIENCE_TEMPLATE_TEXT] = { { "Text", "テキスト本文" } },
	[AUDIENCE_TEMPLATE_SAMPLE] = { { "Sample values", "サンプル値" } },
};

/* ---- all of them ---- */

static void show_row(struct page *page, const struct audience_template *one,
		     const struct audience_template_version *version)
{
	page_row_begin(page);
	page_cell(page);
	PAGE_LINK_TEXT(page, DIGITS(version->number), "/admin/templates/{}/versions/{}",
		       DIGITS(one->id), DIGITS(version->number));
	if (version->number == one->version) {
		PAGE_HTML(page, " ");
		page_badge(page, TONE_GOOD, &words[NEWEST]);
	}
	page_cell_time(page, version->made_ms);
	page_cell_text(page, version->by);
	page_row_end(page);
}

void page_template_versions(struct call *call)
{
	static const struct page_column columns[] = {
		{ { { "Version", "版" } }, false },
		{ { { "Saved", "保存日時" } }, false },
		{ { { "By", "更新者" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct page_head head = { .place = PLACE_TEMPLATES,
				  .title = &words[TITLE],
				  .crumbs = { { "/admin/templates", &page_templates_title } } };
	struct audience_template_version version;
	enum store_result result = STORE_OK;
	struct audience_template one;
	struct page page;

	if (template_find(call, 0, &one, &version)) {
		page_begin(&page, call, &head);
		PAGE_HTML(&page, "<p>");
		PAGE_LINK_TEXT(&page, one.name, "/admin/templates/{}", DIGITS(one.id));
		PAGE_HTML(&page, "</p>");
		page_table_begin(&page, &words[TITLE], columns);
		while (result == STORE_OK) {
			show_row(&page, &one, &version);
			result = audience_template_version_before(call->web->reader, one.id,
								  version.number, &version);
		}
		page_table_end(&page);
		page_end(&page, 200);
	}
	audience_abort(call->web->reader);
}

/* ---- one ---- */

/* Whether a change is within a few lines of the row. */
static bool is_near(const struct line_diff *diff, size_t at)
{
	size_t first = at < CONTEXT ? 0 : at - CONTEXT;

	for (size_t i = first; i < diff->count && i <= at + CONTEXT; i++) {
		if (diff->rows[i].kind != LINE_SAME)
			return true;
	}
	return false;
}

static void show_line(struct page *page, const struct line_diff_row *row)
{
	if (row->kind == LINE_SAME) {
		PAGE_HTML(page, "<span>");
		page_text(page, row->line);
		PAGE_HTML(page, "\n</span>");
	} else if (row->kind == LINE_GONE) {
		PAGE_HTML(page, "<del>");
		page_text(page, row->line);
		PAGE_HTML(page, "\n</del>");
	} else {
		PAGE_HTML(page, "<ins>");
		page_text(page, row->line);
		PAGE_HTML(page, "\n</ins>");
	}
}

static void show_diff(struct page *page, const struct line_diff *diff, const struct words *label)
{
	bool skipped = false;
	u32 shown = 0;

	page_card_begin(page, label);
	PAGE_HTML(page, "<pre class=\"diff\" tabindex=\"0\"");
	page_attribute(page, "aria-label", slice_of(label->text[page->language]));
	PAGE_HTML(page, " role=\"region\">");
	for (size_t i = 0; i < diff->count && shown < ROWS_MAX; i++) {
		if (!is_near(diff, i)) {
			skipped = true;
			continue;
		}
		if (skipped)
			PAGE_HTML(page, "<span>…\n</span>");
		skipped = false;
		show_line(page, &diff->rows[i]);
		shown++;
	}
	if (shown == ROWS_MAX)
		PAGE_HTML(page, "<span>…\n</span>");
	PAGE_HTML(page, "</pre>");
	page_card_end(page);
}

static void show_changes(struct page *page, const struct audience_template_version *old,
			 const struct audience_template_version *newest)
{
	struct line_diff diff;
	struct arena arena;
	u32 count = 0;

	page_heading(page, &words[HOW]);
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++) {
		arena_init(&arena, ARENA_CHUNK, ARENA_MAX);
		if (line_diff_make(old->of[i], newest->of[i], &arena, &diff) && diff.differs) {
			show_diff(page, &diff, &labels[i]);
			count++;
		}
		arena_done(&arena);
	}
	if (count == 0)
		page_paragraph(page, &words[SAME]);
}

void page_template_version(struct call *call)
{
	u32 number = template_number(call->second);
	struct page_head head = { .place = PLACE_TEMPLATES,
				  .title = &words[TITLE],
				  .crumbs = { { "/admin/templates", &page_templates_title } } };
	struct audience_template_version newest;
	struct audience_template_version old;
	struct audience_template one;
	struct page page;

	if (template_find(call, number > 0 ? number : UINT32_MAX, &one, &old) &&
	    audience_template_version(call->web->reader, one.id, one.version, &newest) ==
		    STORE_OK) {
		page_begin(&page, call, &head);
		PAGE_HTML(&page, "<p>");
		PAGE_LINK_TEXT(&page, one.name, "/admin/templates/{}", DIGITS(one.id));
		PAGE_HTML(&page, " &ndash; ");
		PAGE_SENTENCE(&page, &words[VERSION], DIGITS(old.number));
		PAGE_HTML(&page, " &ndash; ");
		page_time(&page, old.made_ms);
		PAGE_HTML(&page, " ");
		page_text(&page, old.by);
		PAGE_HTML(&page, "</p>");
		if (old.number != one.version && call->session.role != ACCOUNT_VIEWER) {
			PAGE_HTML(&page, "<div class=\"actions\">");
			PAGE_BUTTON(&page, TONE_GOOD, &words[RESTORE],
				    "/admin/templates/{}/versions/{}", DIGITS(one.id),
				    DIGITS(old.number));
			PAGE_HTML(&page, "</div>");
		}
		show_changes(&page, &old, &newest);
		page_heading(&page, &words[LOOK]);
		PAGE_LOOK_FRAMES(&page, "/admin/templates/{}/frame?version={}", DIGITS(one.id),
				 DIGITS(old.number));
		page_end(&page, 200);
	}
	audience_abort(call->web->reader);
}

/* ---- back ---- */

static void on_restored(struct call *call, struct call_order *base)
{
	const struct template_order *order = container_of(base, struct template_order, order);

	if (page_template_is_done(call, order))
		CALL_REDIRECT(call, TONE_GOOD, &words[RESTORED], "/admin/templates/{}",
			      DIGITS(order->id));
}

void page_template_restore(struct call *call)
{
	struct template_order *order = template_order_new(call, TEMPLATE_ORDER_RESTORE);

	if (!order)
		return;
	order->id = template_number(call->argument);
	order->restored = template_number(call->second);
	order->japanese = call_language(call) == LANGUAGE_JAPANESE;
	order->order.answer = on_restored;
	call_give_order(call, &order->order);
}

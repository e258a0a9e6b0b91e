/* Writing a segment: rows that are added and taken away by the server, or text. */
#include "base/text.h"
#include "campaign/segment_words.h"
#include "web/page_segment.h"
#include "web/segment_order.h"
#include "web/segment_rows.h"
#include "web/setting.h"
#include "web/trouble.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT_WAIT_MS 2500

enum word {
	TITLE,
	NEW,
	NAME,
	NAME_TAKEN,
	NAME_MISSING,
	TOO_MANY,
	OUTDATED,
	GONE,
	SAVED,
	SAVE,
	COUNT,
	COUNTED,
	TO_TEXT,
	TO_ROWS,
	TEXT,
	TEXT_HINT,
	NO_ROWS,
	TOO_DEEP,
	TOO_MANY_ROWS,
	MATCH,
	MATCH_ALL,
	MATCH_ANY,
	AT_COLUMN,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Segments", "セグメント" } },
	[NEW] = { { "New segment", "セグメントを作成" } },
	[NAME] = { { "Name", "名前" } },
	[NAME_TAKEN] = { { "Another segment has this name.", "同じ名前のセグメントがあります。" } },
	[NAME_MISSING] = { { "A segment has a name.", "名前を入力してください。" } },
	[TOO_MANY] = { { "There are as many segments as there can be.",
			 "セグメント数が上限に達しています。" } },
	[OUTDATED] = { { "Somebody has changed it since you began. Open it again to see how.",
			 "編集中に他のユーザーが更新しました。開き直して確認してください。" } },
	[GONE] = { { "The segment was deleted meanwhile.", "このセグメントは削除されています。" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[SAVE] = { { "Save", "保存" } },
	[COUNT] = { { "Count", "人数を確認" } },
	[COUNTED] = { { "Contacts:", "該当する連絡先:" } },
	[TO_TEXT] = { { "Write it as text", "テキストで編集" } },
	[TO_ROWS] = { { "Write it in rows", "フォームで編集" } },
	[TEXT] = { { "Condition", "条件式" } },
	[TEXT_HINT] = { { "For instance: prefecture = \"東京\" and opened within 30 days and not in "
			  "list \"vip\". Groups stand in brackets.",
			  "例: prefecture = \"東京\" and opened within 30 days and not in list "
			  "\"vip\"　かっこでまとめられます。" } },
	[NO_ROWS] = { { "Without a condition everybody is in it.",
			"条件がない場合は全員が該当します。" } },
	[TOO_DEEP] = { { "This condition has groups within groups: it is written as text.",
			 "入れ子の条件はテキストで編集してください。" } },
	[TOO_MANY_ROWS] = { { "There is no room for another row.", "これ以上条件を追加できません。" } },
	[MATCH] = { { "Contacts match", "一致の方法" } },
	[MATCH_ALL] = { { "all of these conditions", "すべての条件を満たす" } },
	[MATCH_ANY] = { { "any of these conditions", "いずれかの条件を満たす" } },
	[AT_COLUMN] = { { "At character {1}: {2}", "{1}文字目付近に誤りがあります（{2}）" } },
};

/* What is being written. Slices are views of the form, or of the transaction. */
struct editor {
	struct call *call;
	struct segment_catalog catalog;
	u32 id; /* 0: a new one */
	u32 version;
	struct slice name;
	bool is_text;
	struct slice text;
	struct buf printed; /* what `text` is of, unless it is the form's */
	struct segment_rows rows;
	struct segment *segment; /* what rows are of that are not the form's; freed with it */
	u32 bad_row;
	u32 column; /* of the error in the text; 0: it is not about a place */
	struct error error;
	const struct words *name_error;
	const struct words *message;
	const struct segment_counted *counted;
};

/* Begins a transaction; false: answered. */
static bool editor_open(struct editor *editor, struct call *call)
{
	*editor = (struct editor){ .call = call, .bad_row = SEGMENT_ROWS_MAX };
	if (audience_begin_read(call->web->reader) != STORE_OK) {
		call_refuse(call, 503, NULL, "segments cannot be read");
		return false;
	}
	segment_catalog_init(&editor->catalog, call->web->reader);
	segment_rows_init(&editor->rows);
	buf_init(&editor->printed, 2 * SEGMENT_TEXT_MAX);
	return true;
}

static void editor_close(struct editor *editor)
{
	audience_abort(editor->call->web->reader);
	segment_rows_done(&editor->rows);
	segment_free(editor->segment);
	buf_done(&editor->printed);
}

static u32 id_of(const struct call *call)
{
	u32 id;

	return slice_to_u32(slice_of(call->argument), &id) ? id : 0;
}

static void editor_read(struct editor *editor)
{
	const struct form *form = editor->call->form;
	u64 version = 0;

	editor->id = id_of(editor->call);
	/* What a form of ours says is a number. */
	editor->version = form_number(form, "version", &version) ? (u32)version : 0;
	editor->name = slice_first(form_text(form, "name"), SEGMENT_NAME_MAX);
	editor->is_text = slice_equal(form_text(form, "mode"), SLICE("text"));
	editor->text = form_text(form, "text");
	segment_rows_of_form(&editor->rows, form, &editor->catalog.names);
}

/* NULL: `error` says why. */
static struct segment *editor_settle(struct editor *editor)
{
	const struct segment_names *names = &editor->catalog.names;
	struct segment_problem problem;
	struct segment *segment;

	if (!editor->is_text)
		return segment_rows_settle(&editor->rows, names, &editor->bad_row, &editor->error);
	segment = segment_of_text(editor->text, names, &problem);
	if (!segment) {
		editor->error = problem.error;
		editor->column = problem.column;
	}
	return segment;
}

static void editor_to_text(struct editor *editor, const struct segment *segment)
{
	buf_reset(&editor->printed);
	/* Everybody is no text at all: there is nothing to be read. */
	if (segment->root->kind != SEGMENT_ALL || segment->root->first)
		segment_print(segment->root, SEGMENT_BY_NAME, &editor->printed);
	editor->text = buf_slice(&editor->printed);
	editor->is_text = true;
}

/* Rows, unless it has none. Takes the segment. */
static void editor_to_rows(struct editor *editor, struct segment *segment)
{
	editor->segment = segment;
	segment_rows_done(&editor->rows);
	segment_rows_init(&editor->rows);
	editor->is_text = !segment_rows_of_tree(&editor->rows, segment);
	if (!editor->is_text)
		return;
	editor->message = &words[TOO_DEEP];
	editor_to_text(editor, segment);
}

/* ---- the page ---- */

static void write_rows(struct editor *editor, struct page *page)
{
	page_select_begin(page, &(struct page_field){ .name = "any", .label = &words[MATCH] });
	page_option(page, SLICE("0"), &words[MATCH_ALL], !editor->rows.is_any);
	page_option(page, SLICE("1"), &words[MATCH_ANY], editor->rows.is_any);
	page_select_end(page);
	for (u32 i = 0; i < editor->rows.count; i++)
		page_segment_row(page, &editor->rows.rows[i], i,
				 slice_of(editor->bad_row == i ? editor->error.text : ""));
	if (editor->rows.count == 0)
		page_nothing(page, &words[NO_ROWS]);
	page_segment_choices(page, editor->catalog.txn);
}

static void write_text(const struct editor *editor, struct page *page)
{
	page_field(page, &(struct page_field){ .name = "text",
					       .label = &words[TEXT],
					       .hint = &words[TEXT_HINT],
					       .value = editor->text,
					       .length_max = SEGMENT_TEXT_MAX,
					       .rows = 6 });
}

static void write_messages(const struct editor *editor, struct page *page)
{
	struct trouble room;

	if (editor->message)
		page_message(page, TONE_BAD, editor->message);
	if (editor->error.text[0] && editor->column > 0) {
		PAGE_HTML(page, "<p class=\"error\" role=\"alert\">");
		PAGE_SENTENCE(page, &words[AT_COLUMN], DIGITS(editor->column),
			      trouble_in(page->language, slice_of(editor->error.text), &room));
		PAGE_HTML(page, "</p>");
	} else if (editor->error.text[0] && editor->bad_row == SEGMENT_ROWS_MAX) {
		page_message_trouble(page, TONE_BAD, slice_of(editor->error.text));
	}
}

/* Where there is script the number follows what is written (script.js). */
static void write_count(const struct editor *editor, struct page *page)
{
	PAGE_HTML(page, "<span role=\"status\" data-live=\"count\">");
	if (editor->counted) {
		page_words(page, &words[COUNTED]);
		PAGE_HTML(page, " <strong>");
		page_segment_counted(page, editor->counted);
		PAGE_HTML(page, "</strong>");
	}
	PAGE_HTML(page, "</span>");
}

static void write_form(struct editor *editor, struct page *page)
{
	if (editor->id > 0)
		PAGE_FORM(page, "/admin/segments/{}", DIGITS(editor->id));
	else
		PAGE_FORM(page, "/admin/segments");
	page_hidden(page, "version", DIGITS(editor->version));
	page_hidden(page, "mode", editor->is_text ? SLICE("text") : SLICE("rows"));
	page_field(page, &(struct page_field){ .name = "name",
					       .label = &words[NAME],
					       .error = editor->name_error,
					       .value = editor->name,
					       .autocomplete = "off",
					       .length_max = SEGMENT_NAME_MAX });
	write_messages(editor, page);
	/* The first button is what the Enter key presses: it keeps nothing. */
	PAGE_HTML(page, "<div class=\"actions\">");
	page_submit_as(page, TONE_NEUTRAL, &words[COUNT], "do", SLICE("count"));
	write_count(editor, page);
	PAGE_HTML(page, "</div>");
	if (editor->is_text)
		write_text(editor, page);
	else
		write_rows(editor, page);
	PAGE_HTML(page, "<div class=\"actions\">");
	page_submit_as(page, TONE_GOOD, &words[SAVE], "do", SLICE("save"));
	page_submit_as(page, TONE_NEUTRAL, &words[editor->is_text ? TO_ROWS : TO_TEXT], "do",
		       editor->is_text ? SLICE("rows") : SLICE("text"));
	PAGE_HTML(page, "</div>");
	page_form_end(page);
}

static void editor_show(struct editor *editor)
{
	static const struct page_crumb above = { "/admin/segments", &words[TITLE] };
	bool is_good = !editor->error.text[0] && !editor->message && !editor->name_error;
	struct page page;

	page_begin(&page, editor->call,
		   &(struct page_head){ .place = PLACE_SEGMENTS,
					.title = &words[NEW],
					.named = editor->id > 0 ? editor->name : SLICE(""),
					.crumbs = { above } });
	page_card_begin(&page, NULL);
	write_form(editor, &page);
	page_card_end(&page);
	page_end(&page, is_good ? 200 : 422);
}

void page_segment_new(struct call *call)
{
	struct editor editor;

	if (!editor_open(&editor, call))
		return;
	editor_show(&editor);
	editor_close(&editor);
}

void page_segment_edit(struct call *call)
{
	struct audience_segment kept;
	struct segment *segment;
	struct editor editor;

	if (!editor_open(&editor, call))
		return;
	editor.id = id_of(call);
	if (audience_segment_get(call->web->reader, editor.id, &kept) != STORE_OK) {
		editor_close(&editor);
		call_problem_page(call, 404, NULL);
		return;
	}
	editor.version = kept.version;
	editor.name = kept.name;
	editor.text = kept.text;
	editor.is_text = true;
	segment = editor_settle(&editor);
	if (segment)
		editor_to_rows(&editor, segment);
	/* To be shown what it is, not told that something is wrong. */
	editor.message = NULL;
	editor_show(&editor);
	editor_close(&editor);
}

/* ---- what the form's buttons do ---- */

static const struct words *words_of(enum segment_order_end end)
{
	switch (end) {
	case SEGMENT_ORDER_TOO_MANY: return &words[TOO_MANY];
	case SEGMENT_ORDER_OUTDATED: return &words[OUTDATED];
	case SEGMENT_ORDER_GONE: return &words[GONE];
	default: return NULL;
	}
}

static void on_saved(struct call *call, struct call_order *call_order)
{
	const struct segment_order *order =
		container_of(call_order, struct segment_order, order);
	struct editor editor;

	if (!call_order_is_well(call, call_order))
		return;
	if (order->end == SEGMENT_ORDER_DONE) {
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/segments/{}",
			      DIGITS(order->id));
		return;
	}
	if (!editor_open(&editor, call))
		return;
	editor_read(&editor);
	editor.message = words_of(order->end);
	if (order->end == SEGMENT_ORDER_NAME_TAKEN)
		editor.name_error = &words[NAME_TAKEN];
	editor_show(&editor);
	editor_close(&editor);
}

/* Gives the order; false: the editor says why not. */
static bool save(struct editor *editor)
{
	struct segment *segment = editor_settle(editor);
	struct segment_order *order = NULL;

	if (editor->name.len == 0)
		editor->name_error = &words[NAME_MISSING];
	if (segment && editor->name.len > 0)
		order = segment_order_make(editor->call,
					   editor->id > 0 ? SEGMENT_ORDER_CHANGE :
							    SEGMENT_ORDER_ADD,
					   segment, &editor->error);
	segment_free(segment);
	if (!order)
		return false;
	order->id = editor->id;
	order->wanted = editor->version;
	slice_copy(order->name, sizeof(order->name), editor->name);
	order->order.answer = on_saved;
	call_give_order(editor->call, &order->order);
	return true;
}

static void on_counted(void *owner, const struct segment_counted *counted)
{
	struct call *call = owner;
	struct editor editor;

	call->count = NULL;
	if (!editor_open(&editor, call))
		return;
	editor_read(&editor);
	if (!counted->has_failed)
		editor.counted = counted;
	editor_show(&editor);
	editor_close(&editor);
}

/* Begins to count; false: the editor says why not. */
static bool count(struct editor *editor)
{
	struct segment *segment = editor_settle(editor);
	struct time_zone zone;

	if (!segment)
		return false;
	setting_zone(editor->catalog.txn, &zone);
	editor->call->count = segment_count_begin(editor->call->web, segment, &zone,
						  COUNT_WAIT_MS, on_counted, editor->call);
	return editor->call->count || error_set(&editor->error, "no memory");
}

static void change_shape(struct editor *editor, bool to_text)
{
	struct segment *segment = editor_settle(editor);

	if (!segment)
		return;
	if (!to_text) {
		editor_to_rows(editor, segment);
		return;
	}
	editor_to_text(editor, segment);
	segment_free(segment);
}

/* True: the call is answered later. */
static bool do_what_is_asked(struct editor *editor)
{
	const struct form *form = editor->call->form;
	struct slice what = form_text(form, "do");
	u32 index;

	if (slice_equal(what, SLICE("save")))
		return save(editor);
	if (slice_equal(what, SLICE("add"))) {
		if (!segment_rows_add(&editor->rows, form_text(form, "add"),
				      &editor->catalog.names))
			editor->message = &words[TOO_MANY_ROWS];
	} else if (slice_has_prefix(what, SLICE("remove."))) {
		if (slice_to_u32(slice_from(what, 7), &index))
			segment_rows_remove(&editor->rows, index);
	} else if (slice_equal(what, SLICE("text"))) {
		change_shape(editor, true);
	} else if (slice_equal(what, SLICE("rows"))) {
		change_shape(editor, false);
	} else {
		return count(editor);
	}
	return false;
}

void page_segment_form(struct call *call)
{
	struct editor editor;

	if (!editor_open(&editor, call))
		return;
	editor_read(&editor);
	if (!do_what_is_asked(&editor))
		editor_show(&editor);
	editor_close(&editor);
}

/* Segments: the list, and one with its number, first members and why somebody is in it or not. */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/segment_words.h"
#include "web/contact_search.h"
#include "web/page_segment.h"
#include "web/segment_order.h"
#include "web/setting.h"

#define COUNT_WAIT_MS 1500
#define MEMBERS_SHOWN 20
#define LOOKS_MAX 20000u

enum word {
	TITLE,
	ADD,
	NOTHING,
	BROKEN,
	CONDITION,
	MEMBERS,
	NO_MEMBERS,
	ABOUT,
	GUESS_HINT,
	EDIT,
	DELETE,
	DELETED,
	USED,
	EXPORT,
	EXPORT_OLD,
	WHY,
	WHY_HINT,
	WHO,
	ASK,
	IS_IN,
	IS_OUT,
	NO_CONTACT,
	HELD,
	NOT_HELD,
	ALL_OF,
	ANY_OF,
	NONE_OF,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Segments", "セグメント" } },
	[ADD] = { { "New segment", "セグメントを作成" } },
	[NOTHING] = { { "There are no segments yet. A segment is a condition, such as who opened "
			"something within 30 days.",
			"セグメントはまだありません。「30日以内に開封した人」のような条件で連絡先を"
			"絞り込めます。" } },
	[BROKEN] = { { "The condition does not work any more: {1}",
		       "この条件は使えなくなっています: {1}" } },
	[CONDITION] = { { "Condition", "条件" } },
	[MEMBERS] = { { "Contacts", "該当する連絡先" } },
	[NO_MEMBERS] = { { "Nobody was found among the first contacts.",
			   "該当する連絡先は見つかりませんでした。" } },
	[ABOUT] = { { "about {1} (±{2})", "約 {1}（±{2}）" } },
	[GUESS_HINT] = { { "Estimated from a sample. Load the page again for the exact number.",
			   "サンプルからの推定値です。正確な数は再読み込みで確認できます。" } },
	[EDIT] = { { "Change", "編集" } },
	[DELETE] = { { "Delete", "削除" } },
	[USED] = { { "A step mail sequence uses it.", "ステップメールで使われています。" } },
	[DELETED] = { { "The segment is deleted.", "セグメントを削除しました。" } },
	[EXPORT] = { { "Export (UTF-8)", "エクスポート（UTF-8）" } },
	[EXPORT_OLD] = { { "Export (Shift_JIS)", "エクスポート（Shift_JIS）" } },
	[WHY] = { { "Why is somebody in it, or not?", "特定の連絡先が該当する理由" } },
	[WHY_HINT] = { { "An e-mail address, or a contact's number.",
			 "メールアドレスまたは連絡先の番号" } },
	[WHO] = { { "Contact", "連絡先" } },
	[ASK] = { { "Explain", "調べる" } },
	[IS_IN] = { { "{1} is in the segment.", "{1} はこのセグメントに該当します。" } },
	[IS_OUT] = { { "{1} is not in the segment.", "{1} はこのセグメントに該当しません。" } },
	[NO_CONTACT] = { { "There is no such contact.", "該当する連絡先がありません。" } },
	[HELD] = { { "true", "該当" } },
	[NOT_HELD] = { { "not true", "非該当" } },
	[ALL_OF] = { { "all of:", "すべてを満たす:" } },
	[ANY_OF] = { { "any of:", "いずれかを満たす:" } },
	[NONE_OF] = { { "not:", "次に当てはまらない:" } },
};

const struct words page_state_words[] = {
	[CONTACT_PENDING] = { { "Waiting for confirmation", "確認待ち" } },
	[CONTACT_ACTIVE] = { { "Active", "配信可能" } },
	[CONTACT_BOUNCED] = { { "Undeliverable", "不達" } },
	[CONTACT_UNSUBSCRIBED] = { { "Unsubscribed", "配信停止" } },
	[CONTACT_COMPLAINED] = { { "Complained", "迷惑メール報告" } },
};

void page_segment_counted(struct page *page, const struct segment_counted *counted)
{
	if (counted->is_exact)
		page_number(page, counted->count);
	else
		PAGE_SENTENCE(page, &words[ABOUT], DIGITS(counted->count),
			      DIGITS(counted->margin));
}

/* The condition by names; of one that is broken what is kept. */
static void write_condition(struct page *page, const struct segment *segment,
			    const struct audience_segment *kept)
{
	struct buf text;

	if (!segment) {
		page_text(page, kept->text);
		return;
	}
	buf_init(&text, 2 * SEGMENT_TEXT_MAX);
	segment_print(segment->root, SEGMENT_BY_NAME, &text);
	page_text(page, buf_slice(&text));
	buf_done(&text);
}

/* ---- the list ---- */

static void show_row(struct page *page, struct audience_txn *txn,
		     const struct audience_segment *kept)
{
	struct segment_problem problem;
	struct segment_catalog catalog;
	struct segment *segment;

	segment_catalog_init(&catalog, txn);
	segment = segment_of_text(kept->text, &catalog.names, &problem);
	page_row_begin(page);
	page_cell(page);
	PAGE_LINK_TEXT(page, kept->name, "/admin/segments/{}", DIGITS(kept->id));
	page_cell(page);
	PAGE_HTML(page, "<code>");
	write_condition(page, segment, kept);
	PAGE_HTML(page, "</code>");
	if (!segment) {
		PAGE_HTML(page, " ");
		page_words_trouble(page, &words[BROKEN], slice_of(problem.error.text));
	}
	page_cell_time(page, kept->changed_ms);
	page_cell_text(page, kept->by);
	page_row_end(page);
	segment_free(segment);
}

static void show_adding(struct page *page)
{
	PAGE_HTML(page, "<div class=\"actions\">");
	PAGE_ACTION(page, &words[ADD], "/admin/segments/new");
	PAGE_HTML(page, "</div>");
}

void page_segments(struct call *call)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false },
		{ { { "Condition", "条件" } }, false },
		{ { { "Changed", "更新日時" } }, false },
		{ { { "By", "更新者" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct audience_txn *txn = call->web->reader;
	struct audience_segment kept = { 0 };
	enum store_result result = audience_begin_read(txn);
	struct page page;
	u32 count = 0;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_SEGMENTS, .title = &words[TITLE] });
	if (call->session.role != ACCOUNT_VIEWER)
		show_adding(&page);
	if (result == STORE_OK)
		result = audience_segment_after(txn, 0, &kept);
	if (result == STORE_NOT_FOUND)
		page_nothing(&page, &words[NOTHING]);
	else
		page_table_begin(&page, &words[TITLE], columns);
	for (; result == STORE_OK; count++) {
		show_row(&page, txn, &kept);
		result = audience_segment_after(txn, kept.id, &kept);
	}
	audience_abort(txn);
	if (count > 0)
		page_table_end(&page);
	if (result != STORE_NOT_FOUND)
		call_refuse(call, 503, NULL, "segments cannot be read");
	else
		page_end(&page, 200);
}

/* ---- one: who is in it ---- */

/* What the page of one segment is made with, within a transaction. */
struct view {
	struct page page;
	struct audience_txn *txn;
	struct audience_segment kept;
	struct segment *segment; /* NULL: it is broken */
	struct segment_problem problem;
	struct time_zone zone;
	struct segment_walk *walk;
};

static void show_members(struct view *view)
{
	static const struct page_column columns[] = {
		{ { { "E-mail address", "メールアドレス" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Since", "登録日時" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct page *page = &view->page;
	struct contact contact;
	u32 count = 0;

	segment_walk_begin(view->walk, view->txn, 0, LOOKS_MAX);
	for (; count < MEMBERS_SHOWN &&
	       segment_walk_next(view->walk, &contact) == SEGMENT_WALK_FOUND;
	     count++) {
		if (count == 0)
			page_table_begin(page, &words[MEMBERS], columns);
		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, contact.address, "/admin/contacts/{}", DIGITS(contact.id));
		page_cell(page);
		page_words(page, &page_state_words[contact.state]);
		page_cell_time(page, contact.created_ms);
		page_row_end(page);
	}
	if (count > 0)
		page_table_end(page);
	else
		page_nothing(page, &words[NO_MEMBERS]);
}

static void show_exports(struct view *view)
{
	struct page *page = &view->page;

	if (!web_route_is_open(page->call, "/admin/segments/{}/export"))
		return;
	PAGE_HTML(page, "<p class=\"actions\">");
	PAGE_LINK(page, &words[EXPORT], "/admin/segments/{}/export", DIGITS(view->kept.id));
	PAGE_LINK(page, &words[EXPORT_OLD], "/admin/segments/{}/export?encoding=cp932",
		  DIGITS(view->kept.id));
	PAGE_HTML(page, "</p>");
}

/* ---- why ---- */

static void write_held(struct page *page, bool held)
{
	page_badge(page, held ? TONE_GOOD : TONE_BAD, &words[held ? HELD : NOT_HELD]);
	PAGE_HTML(page, " ");
}

static void write_reason(struct view *view, const struct segment_node *node,
			 const struct contact *contact, const bool *held)
{
	struct page *page = &view->page;
	struct buf text;

	PAGE_HTML(page, "<li>");
	write_held(page, held[node->number]);
	if (node->kind == SEGMENT_TEST) {
		buf_init(&text, 2 * SEGMENT_TEXT_MAX);
		segment_print(node, SEGMENT_BY_NAME, &text);
		PAGE_HTML(page, "<code>");
		page_text(page, buf_slice(&text));
		PAGE_HTML(page, "</code>");
		buf_reset(&text);
		segment_run_found(segment_walk_run(view->walk), node, contact, &text);
		PAGE_HTML(page, " &mdash; ");
		page_text(page, text.len > 0 ? buf_slice(&text) : SLICE("–"));
		buf_done(&text);
	} else {
		page_words(page, &words[node->kind == SEGMENT_ALL ? ALL_OF :
					node->kind == SEGMENT_ANY ? ANY_OF :
								    NONE_OF]);
		PAGE_HTML(page, "<ul>");
		for (const struct segment_node *child = node->first; child; child = child->next)
			write_reason(view, child, contact, held);
		PAGE_HTML(page, "</ul>");
	}
	PAGE_HTML(page, "</li>");
}

static void explain(struct view *view, struct slice who)
{
	struct page *page = &view->page;
	bool held[SEGMENT_NODES_MAX];
	struct contact contact;
	bool is_good;
	bool is_in;

	if (!contact_named(view->txn, who, &contact)) {
		page_message(page, TONE_BAD, &words[NO_CONTACT]);
		return;
	}
	is_in = segment_walk_holds(view->walk, view->txn, &contact, &is_good);
	segment_run_explain(segment_walk_run(view->walk), &contact, held);
	PAGE_HTML(page, "<p>");
	PAGE_SENTENCE(page, &words[is_in ? IS_IN : IS_OUT], contact.address);
	PAGE_HTML(page, "</p><ul>");
	write_reason(view, view->segment->root, &contact, held);
	PAGE_HTML(page, "</ul>");
}

static void show_why(struct view *view)
{
	struct page *page = &view->page;
	struct slice who = call_query(page->call, "who");

	page_card_begin(page, &words[WHY]);
	PAGE_SEARCH(page, "/admin/segments/{}", DIGITS(view->kept.id));
	page_field(page, &(struct page_field){ .name = "who",
					       .label = &words[WHO],
					       .hint = &words[WHY_HINT],
					       .value = who,
					       .autocomplete = "off" });
	page_submit(page, TONE_NEUTRAL, &words[ASK]);
	page_form_end(page);
	if (who.len > 0)
		explain(view, who);
	page_card_end(page);
}

/* ---- one ---- */

static void show_actions(struct view *view)
{
	struct page *page = &view->page;

	if (page->call->session.role == ACCOUNT_VIEWER)
		return;
	PAGE_HTML(page, "<div class=\"actions\">");
	PAGE_ACTION(page, &words[EDIT], "/admin/segments/{}/edit", DIGITS(view->kept.id));
	PAGE_BUTTON(page, TONE_BAD, &words[DELETE], "/admin/segments/{}/delete",
		    DIGITS(view->kept.id));
	PAGE_HTML(page, "</div>");
}

static void show_segment(struct view *view, const struct segment_counted *counted)
{
	struct page *page = &view->page;

	show_actions(view);
	page_card_begin(page, &words[CONDITION]);
	PAGE_HTML(page, "<p><code>");
	write_condition(page, view->segment, &view->kept);
	PAGE_HTML(page, "</code></p>");
	if (!view->segment) {
		PAGE_HTML(page, "<p>");
		page_words_trouble(page, &words[BROKEN], slice_of(view->problem.error.text));
		PAGE_HTML(page, "</p>");
	}
	page_card_end(page);
	if (!view->walk)
		return;
	page_card_begin(page, &words[MEMBERS]);
	PAGE_HTML(page, "<p><strong>");
	page_segment_counted(page, counted);
	PAGE_HTML(page, "</strong></p>");
	if (!counted->is_exact)
		page_paragraph(page, &words[GUESS_HINT]);
	show_members(view);
	show_exports(view);
	page_card_end(page);
	show_why(view);
}

/* After the count; the segment may be another one by now, or gone. */
static void show(struct call *call, u32 id, const struct segment_counted *counted)
{
	static const struct page_crumb above = { "/admin/segments", &words[TITLE] };
	struct view view = { .txn = call->web->reader };
	struct segment_clock clock = { clock_wall_ms(), &view.zone };
	struct segment_catalog catalog;
	enum store_result result = audience_begin_read(view.txn);

	if (result == STORE_OK)
		result = audience_segment_get(view.txn, id, &view.kept);
	if (result != STORE_OK) {
		audience_abort(view.txn);
		call_refuse(call, result == STORE_NOT_FOUND ? 404 : 503, NULL,
			    "the segment is not there");
		return;
	}
	segment_catalog_init(&catalog, view.txn);
	setting_zone(view.txn, &view.zone);
	view.segment = segment_of_text(view.kept.text, &catalog.names, &view.problem);
	if (view.segment)
		view.walk = segment_walk_open(view.segment, &clock);
	page_begin(&view.page, call,
		   &(struct page_head){ .place = PLACE_SEGMENTS,
					.title = &words[TITLE],
					.named = view.kept.name,
					.crumbs = { above } });
	show_segment(&view, counted);
	segment_walk_close(view.walk);
	segment_free(view.segment);
	audience_abort(view.txn);
	page_end(&view.page, 200);
}

static u32 id_of(const struct call *call)
{
	u32 id;

	return slice_to_u32(slice_of(call->argument), &id) ? id : 0;
}

static void on_counted(void *owner, const struct segment_counted *counted)
{
	struct call *call = owner;

	call->count = NULL;
	show(call, id_of(call), counted);
}

void page_segment(struct call *call)
{
	static const struct segment_counted unknown;
	struct segment_problem problem;
	struct segment *segment = NULL;
	struct time_zone zone;
	enum store_result result = audience_begin_read(call->web->reader);

	if (result == STORE_OK) {
		setting_zone(call->web->reader, &zone);
		segment = segment_load(call->web->reader, id_of(call), &result, &problem);
		audience_abort(call->web->reader);
	}
	if (segment)
		call->count = segment_count_begin(call->web, segment, &zone, COUNT_WAIT_MS,
						  on_counted, call);
	/* Of one that is broken, or without memory for counting, the rest is shown. */
	if (!call->count)
		show(call, id_of(call), &unknown);
}

/* ---- deleting ---- */

static void on_deleted(struct call *call, struct call_order *order)
{
	const struct segment_order *done = container_of(order, struct segment_order, order);

	if (!call_order_is_well(call, order))
		return;
	if (done->end == SEGMENT_ORDER_USED)
		CALL_REDIRECT(call, TONE_BAD, &words[USED], "/admin/segments/{}",
			      DIGITS(done->id));
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[DELETED], "/admin/segments");
}

void page_segment_delete(struct call *call)
{
	struct error error;
	struct segment_order *order =
		segment_order_make(call, SEGMENT_ORDER_DELETE, NULL, &error);

	if (!order) {
		call_refuse(call, 503, NULL, "%s", error.text);
		return;
	}
	order->id = id_of(call);
	order->order.answer = on_deleted;
	call_give_order(call, &order->order);
}

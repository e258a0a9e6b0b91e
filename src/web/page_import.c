/* /admin/imports/{}: one import: its plan, how far it is, what came of it. */
#include "web/page_import.h"

#include "base/text.h"
#include "web/import_order.h"

#define REFRESH_S 2

enum word {
	TITLE,
	FILE_SIZE,
	ENCODING,
	BY,
	BROUGHT,
	ENDED,
	COUNTS,
	TRIED_HINT,
	REPORT_JA,
	REPORT_EN,
	RUN,
	CANCEL,
	DISCARD,
	UNDO,
	UNDO_TITLE,
	UNDO_HINT,
	CANNOT,
	ROWS,
	ADDED,
	UPDATED,
	SAME,
	KNOWN,
	BAD,
	DUPLICATES,
	ERASED,
	STOPPED,
	ODD,
	VALUES_BAD,
	SUPPRESSED,
	UNDONE,
	KEPT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Imports", "インポート" } },
	[FILE_SIZE] = { { "Size", "サイズ" } },
	[ENCODING] = { { "Encoding", "文字コード" } },
	[BY] = { { "Brought by", "取り込んだ人" } },
	[BROUGHT] = { { "Brought", "アップロード日時" } },
	[ENDED] = { { "Ended", "終了日時" } },
	[COUNTS] = { { "Rows", "行の内訳" } },
	[TRIED_HINT] = { { "This was a dry run: nothing is changed yet.",
			   "テストの結果です。まだ何も変更していません。" } },
	[REPORT_JA] = { { "Findings as a table (Japanese)", "指摘事項の一覧(日本語)" } },
	[REPORT_EN] = { { "Findings as a table (English)", "指摘事項の一覧(英語)" } },
	[RUN] = { { "Carry it out", "取り込みを実行" } },
	[CANCEL] = { { "Cancel", "中止" } },
	[DISCARD] = { { "Discard the file", "ファイルを破棄" } },
	[UNDO] = { { "Undo this import", "この取り込みを取り消す" } },
	[UNDO_TITLE] = { { "Undo", "取り消し" } },
	[UNDO_HINT] = { { "Contacts become as they were before it, but for those that were changed "
			  "since.",
			  "取り込み前の状態に戻します。その後に変更された連絡先はそのまま残ります。" } },
	[CANNOT] = { { "That is not possible in this state.", "この状態では実行できません。" } },
	[ROWS] = { { "All", "全体" } },
	[ADDED] = { { "Added", "追加" } },
	[UPDATED] = { { "Changed", "更新" } },
	[SAME] = { { "Nothing new", "変更なし" } },
	[KNOWN] = { { "Left as they were", "既存のため対象外" } },
	[BAD] = { { "Refused", "エラー" } },
	[DUPLICATES] = { { "Twice in the file", "ファイル内の重複" } },
	[ERASED] = { { "Asked to be erased", "削除を求めた方" } },
	[STOPPED] = { { "Get no mail", "配信停止など" } },
	[SUPPRESSED] = { { "On the sender's list", "配信停止リストに該当" } },
	[ODD] = { { "Odd addresses, taken", "RFC外のアドレス" } },
	[VALUES_BAD] = { { "Values left out", "取り込めなかった値" } },
	[UNDONE] = { { "Undone", "取り消し" } },
	[KEPT] = { { "Changed since, kept", "変更ありのため維持" } },
};

static const struct page_crumb crumbs[] = { { "/admin/imports", &words[TITLE] } };

/* ---- showing ---- */

static void show_facts(struct page *page, const struct import *import)
{
	bool japanese = page->language == LANGUAGE_JAPANESE;

	page_facts_begin(page);
	page_fact(page, &words[BY]);
	page_text(page, import->by);
	page_fact(page, &words[BROUGHT]);
	page_time(page, import->created_ms);
	page_fact(page, &words[ENDED]);
	page_time(page, import->ended_ms);
	page_fact(page, &words[FILE_SIZE]);
	page_bytes(page, import->size);
	page_fact(page, &words[ENCODING]);
	if (import->encoding > 0 && import->encoding < IMPORT_ENCODINGS)
		page_cstr(page, import_encoding_names[import->encoding]);
	PAGE_HTML(page, " — ");
	page_cstr(page, import_reason_words((enum import_reason)import->reason, japanese));
	page_facts_end(page);
	if (import->problem.len > 0)
		page_message_trouble(page, TONE_BAD, import->problem);
}

static void show_counts(struct page *page, const struct import *import)
{
	const struct import_counts *counts = &import->counts;
	const struct {
		enum word word;
		u64 number;
		bool always;
	} tiles[] = {
		{ ROWS, counts->rows, true },	    { ADDED, counts->added, true },
		{ UPDATED, counts->updated, true }, { SAME, counts->same, false },
		{ KNOWN, counts->known, false },    { BAD, counts->bad, true },
		{ DUPLICATES, counts->duplicates, false }, { ERASED, counts->erased, false },
		{ STOPPED, counts->stopped, false },
		{ SUPPRESSED, counts->suppressed, false },
		{ ODD, counts->odd, false },
		{ VALUES_BAD, counts->values_bad, false }, { UNDONE, counts->undone, false },
		{ KEPT, counts->kept, false },
	};

	if (import->began_ms == 0)
		return;
	page_card_begin(page, &words[COUNTS]);
	if (import->state == IMPORT_TRIED)
		page_paragraph(page, &words[TRIED_HINT]);
	page_tiles_begin(page);
	for (size_t i = 0; i < array_count(tiles); i++) {
		if (tiles[i].always || tiles[i].number > 0)
			page_tile(page, &words[tiles[i].word], tiles[i].number);
	}
	page_tiles_end(page);
	if (counts->reports > 0) {
		PAGE_HTML(page, "<p>");
		PAGE_LINK(page, &words[REPORT_JA], "/admin/imports/{}/report?language=ja",
			  DIGITS(import->id));
		PAGE_HTML(page, " ");
		PAGE_LINK(page, &words[REPORT_EN], "/admin/imports/{}/report?language=en",
			  DIGITS(import->id));
		PAGE_HTML(page, "</p>");
	}
	page_card_end(page);
}

static bool is_under_way(const struct import *import)
{
	return import->state == IMPORT_TRYING || import->state == IMPORT_RUNNING ||
	       import->state == IMPORT_UNDOING;
}

static void show_actions(struct page *page, const struct import *import)
{
	bool has_file = import->file.len > 0;

	PAGE_HTML(page, "<div class=\"actions\">");
	if (import->state == IMPORT_TRIED && has_file)
		PAGE_BUTTON(page, TONE_GOOD, &words[RUN], "/admin/imports/{}/run",
			    DIGITS(import->id));
	if (import->state == IMPORT_TRYING || import->state == IMPORT_RUNNING)
		PAGE_BUTTON(page, TONE_BAD, &words[CANCEL], "/admin/imports/{}/cancel",
			    DIGITS(import->id));
	else if (has_file)
		PAGE_BUTTON(page, TONE_BAD, &words[DISCARD], "/admin/imports/{}/cancel",
			    DIGITS(import->id));
	PAGE_HTML(page, "</div>");
	if (has_file || import->is_cleared ||
	    import->counts.added + import->counts.updated == 0 ||
	    (import->state != IMPORT_DONE && import->state != IMPORT_CANCELLED &&
	     import->state != IMPORT_FAILED))
		return;
	page_card_begin(page, &words[UNDO_TITLE]);
	page_paragraph(page, &words[UNDO_HINT]);
	PAGE_BUTTON(page, TONE_BAD, &words[UNDO], "/admin/imports/{}/undo", DIGITS(import->id));
	page_card_end(page);
}

void page_import_show(struct call *call)
{
	struct import import;
	struct nouns *nouns;
	struct page page;
	u32 id = 0;

	if (!nouns_begin(call, &nouns))
		return;
	if (!slice_to_u32(slice_of(call->argument), &id) ||
	    import_get(call->web->reader, id, &import) != STORE_OK) {
		nouns_end(call, nouns);
		call_problem_page(call, 404, NULL);
		return;
	}
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_IMPORTS,
					.title = &words[TITLE],
					.named = import.name,
					.crumbs = { crumbs[0] },
					.refresh_s = is_under_way(&import) ? REFRESH_S : 0 });
	page_card_begin(&page, NULL);
	page_import_state(&page, import.state);
	show_facts(&page, &import);
	page_card_end(&page);
	show_counts(&page, &import);
	show_actions(&page, &import);
	if (import.file.len > 0 && !is_under_way(&import))
		page_import_plan_show(&page, call, &import, nouns);
	page_end(&page, 200);
	nouns_end(call, nouns);
}

/* ---- doing ---- */

static void answer(struct call *call, struct import_change *change)
{
	CALL_REDIRECT(call, TONE_BAD, change->refusal ? &words[CANNOT] : NULL,
		      "/admin/imports/{}", DIGITS(change->id));
}

static void change(struct call *call, enum import_wish wish)
{
	struct import_change *order;
	struct import import;
	struct nouns *nouns;
	bool is_there;
	u32 id = 0;

	if (!nouns_begin(call, &nouns))
		return;
	is_there = slice_to_u32(slice_of(call->argument), &id) &&
		   import_get(call->web->reader, id, &import) == STORE_OK;
	nouns_end(call, nouns);
	if (!is_there) {
		call_problem_page(call, 404, NULL);
		return;
	}
	order = import_change_new(call, answer);
	if (!order)
		return;
	order->id = id;
	order->wish = wish;
	call_give_order(call, &order->order);
}

void page_import_run(struct call *call)
{
	change(call, WISH_RUN);
}

void page_import_cancel(struct call *call)
{
	change(call, WISH_CANCEL);
}

void page_import_undo(struct call *call)
{
	change(call, WISH_UNDO);
}

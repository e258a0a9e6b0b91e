/* /admin/imports: files of contacts that were brought, and bringing one. */
#include "web/page_import.h"

#include "base/text.h"
#include "web/import_order.h"

#define SHOWN_MAX 50

enum word {
	TITLE,
	BRING,
	BRING_HINT,
	FILE_LABEL,
	UPLOAD,
	NO_FILE,
	NOTHING,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Imports", "インポート" } },
	[BRING] = { { "Bring a file", "ファイルを取り込む" } },
	[BRING_HINT] = { { "CSV or TSV whose first row names the columns; UTF-8, Shift_JIS, "
			   "EUC-JP, ISO-2022-JP or UTF-16. Nothing is changed before you have "
			   "seen it.",
			   "1行目に列名があるCSVまたはTSV。文字コードはUTF-8、Shift_JIS、"
			   "EUC-JP、ISO-2022-JP、UTF-16に対応します。"
			   "内容を確認するまで何も変更されません。" } },
	[FILE_LABEL] = { { "File", "ファイル" } },
	[UPLOAD] = { { "Upload", "アップロード" } },
	[NO_FILE] = { { "Choose a file.", "ファイルを選択してください。" } },
	[NOTHING] = { { "No file was brought yet.", "まだ取り込みはありません。" } },
};

const struct words page_import_states[IMPORT_STATES] = {
	[IMPORT_UPLOADED] = { { "To be prepared", "設定待ち" } },
	[IMPORT_TRYING] = { { "Being tried", "テスト中" } },
	[IMPORT_TRIED] = { { "Tried", "テスト済み" } },
	[IMPORT_RUNNING] = { { "Running", "取り込み中" } },
	[IMPORT_DONE] = { { "Done", "完了" } },
	[IMPORT_CANCELLED] = { { "Cancelled", "中止" } },
	[IMPORT_FAILED] = { { "Failed", "失敗" } },
	[IMPORT_UNDOING] = { { "Being undone", "取り消し中" } },
	[IMPORT_UNDONE] = { { "Undone", "取り消し済み" } },
};

void page_import_state(struct page *page, enum import_state state)
{
	enum page_tone tone = state == IMPORT_DONE     ? TONE_GOOD :
			      state == IMPORT_FAILED   ? TONE_BAD :
			      state == IMPORT_UPLOADED ? TONE_WARNING :
							 TONE_NEUTRAL;

	page_badge(page, tone, &page_import_states[state]);
}

static void show_imports(struct page *page, struct audience_txn *reader)
{
	static const struct page_column columns[] = {
		{ { { "File", "ファイル" } }, false }, { { { "State", "状態" } }, false },
		{ { { "Brought", "日時" } }, false },  { { { "Rows", "行" } }, true },
		{ { { "Added", "追加" } }, true },     { { { "Changed", "更新" } }, true },
		{ { { "Refused", "エラー" } }, true }, { { { NULL, NULL } }, false },
	};
	struct import import = { .id = UINT32_MAX };

	page_table_begin(page, &words[TITLE], columns);
	for (u32 i = 0; i < SHOWN_MAX; i++) {
		if (import_before(reader, import.id, &import) != STORE_OK)
			break;
		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, import.name.len > 0 ? import.name : SLICE("-"),
			       "/admin/imports/{}", DIGITS(import.id));
		page_cell(page);
		page_import_state(page, import.state);
		page_cell_time(page, import.created_ms);
		page_cell_number(page, import.counts.rows);
		page_cell_number(page, import.counts.added);
		page_cell_number(page, import.counts.updated);
		page_cell_number(page, import.counts.bad + import.counts.duplicates +
					       import.counts.erased);
		page_row_end(page);
	}
	page_table_end(page);
}

void page_imports(struct call *call)
{
	struct import import;
	struct nouns *nouns;
	struct page page;

	if (!nouns_begin(call, &nouns))
		return;
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_IMPORTS, .title = &words[TITLE] });
	page_card_begin(&page, &words[BRING]);
	page_paragraph(&page, &words[BRING_HINT]);
	PAGE_UPLOAD(&page, "/admin/imports");
	page_field(&page, &(struct page_field){ .name = "file",
						.label = &words[FILE_LABEL],
						.type = "file",
						.is_required = true });
	page_submit(&page, TONE_GOOD, &words[UPLOAD]);
	page_form_end(&page);
	page_card_end(&page);
	if (import_before(call->web->reader, UINT32_MAX, &import) == STORE_OK)
		show_imports(&page, call->web->reader);
	else
		page_nothing(&page, &words[NOTHING]);
	page_end(&page, 200);
	nouns_end(call, nouns);
}

static void answer_brought(struct call *call, const struct import *import, json_t *preview)
{
	(void)preview;
	CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/imports/{}", DIGITS(import->id));
}

void page_import_bring(struct call *call)
{
	char by[SESSION_WHO_SIZE];

	if (!upload_is_open(&call->upload)) {
		CALL_REDIRECT(call, TONE_BAD, &words[NO_FILE], "/admin/imports");
		return;
	}
	session_who(call, by);
	import_bring(call, by, slice_of(call->upload_name), answer_brought);
}

/* /admin/contacts/export: whom, what and how; and the table itself. */
#include "base/text.h"
#include "web/contact_export.h"
#include "web/page.h"
#include "web/page_contact.h"

#include <stdio.h>

enum word {
	CONTACTS,
	TITLE,
	LIST,
	EVERYBODY,
	SEGMENT,
	SEGMENT_HINT,
	ENCODING,
	UTF8,
	UTF16,
	CP932,
	ENCODING_HINT,
	COLUMNS,
	COLUMNS_HINT,
	DOWNLOAD,
	GUARD_HINT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[CONTACTS] = { { "Contacts", "連絡先" } },
	[TITLE] = { { "Export", "エクスポート" } },
	[LIST] = { { "List", "リスト" } },
	[EVERYBODY] = { { "Everybody", "全員" } },
	[SEGMENT] = { { "Condition", "条件" } },
	[SEGMENT_HINT] = { { "As segments are written: prefecture = \"Tokyo\" and opened within 30 "
			     "days. Empty: everybody.",
			     "セグメントと同じ書き方です(例: prefecture = \"東京都\" and opened within "
			     "30 days)。空欄なら全員です。" } },
	[ENCODING] = { { "Encoding", "文字コード" } },
	[UTF8] = { { "UTF-8 with a mark (Excel 2016 and later)", "UTF-8(BOM付き、Excel 2016以降)" } },
	[UTF16] = { { "UTF-16 with tabs (any Excel)", "UTF-16(タブ区切り、すべてのExcel)" } },
	[CP932] = { { "Shift_JIS", "Shift_JIS" } },
	[ENCODING_HINT] = { { "Shift_JIS lacks many characters: they become question marks.",
			      "Shift_JISにない文字(絵文字や一部の人名漢字)は「?」になります。" } },
	[COLUMNS] = { { "Columns", "列" } },
	[COLUMNS_HINT] = { { "None ticked: all of them.", "選択しなければ、すべての列を出力します。" } },
	[DOWNLOAD] = { { "Download", "ダウンロード" } },
	[GUARD_HINT] = { { "Cells that a spreadsheet would take for a formula begin with an "
			   "apostrophe; an import takes it away again.",
			   "数式とみなされるセルの先頭には「'」を付けます。インポート時に元に戻ります。" } },
};

static const struct words fixed_words[EXPORT_FIXED] = {
	[EXPORT_EMAIL] = { { "E-mail address", "メールアドレス" } },
	[EXPORT_STATE] = { { "State", "状態" } },
	[EXPORT_CREATED] = { { "Added", "登録日時" } },
	[EXPORT_CHANGED] = { { "Changed", "更新日時" } },
};

static void show_lists(struct page *page, struct call *call, const struct nouns *nouns)
{
	struct slice chosen = call_query(call, "list");

	page_select_begin(page, &(struct page_field){ .name = "list", .label = &words[LIST] });
	page_option(page, SLICE(""), &words[EVERYBODY], chosen.len == 0);
	for (u32 i = 0; i < nouns->list_count; i++) {
		const struct audience_list *list = &nouns->lists[i];

		page_option_text(page, list->name, list->title.len > 0 ? list->title : list->name,
				 slice_equal(list->name, chosen));
	}
	page_select_end(page);
}

static void show_encodings(struct page *page, struct call *call)
{
	static const struct {
		struct slice value;
		enum word word;
	} encodings[] = { { SLICE("utf-8"), UTF8 },
			  { SLICE("utf-16"), UTF16 },
			  { SLICE("cp932"), CP932 } };
	struct slice chosen = call_query(call, "encoding");

	page_select_begin(page, &(struct page_field){ .name = "encoding",
						      .label = &words[ENCODING],
						      .hint = &words[ENCODING_HINT] });
	for (size_t i = 0; i < array_count(encodings); i++)
		page_option(page, encodings[i].value, &words[encodings[i].word],
			    slice_equal(encodings[i].value, chosen));
	page_select_end(page);
}

static bool is_ticked(struct call *call, struct slice name)
{
	struct slice value;
	u32 at = 0;

	if (call_query(call, "columns").len == 0)
		return false;
	while ((value = form_next(call->query_form, "columns", &at)).ptr) {
		if (slice_equal(value, name))
			return true;
	}
	return false;
}

static void show_columns(struct page *page, struct call *call, const struct nouns *nouns)
{
	bool japanese = page->language == LANGUAGE_JAPANESE;

	page_group_begin(page, &words[COLUMNS]);
	page_paragraph(page, &words[COLUMNS_HINT]);
	for (u32 i = 0; i < EXPORT_FIXED; i++) {
		struct slice name = slice_of(export_column_names[i]);

		page_check_text(page, "columns", name,
				slice_of(fixed_words[i].text[page->language]),
				is_ticked(call, name));
	}
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		const struct attribute *attribute = &nouns->attributes[i];
		struct slice label = japanese ? attribute->label_ja : attribute->label_en;

		page_check_text(page, "columns", attribute->name,
				label.len > 0 ? label : attribute->name,
				is_ticked(call, attribute->name));
	}
	for (u32 i = 0; i < nouns->list_count; i++) {
		const struct audience_list *list = &nouns->lists[i];
		char name[LIST_NAME_MAX + 8];

		snprintf(name, sizeof(name), "list:%.*s", SLICE_FMT(list->name));
		page_check_text(page, "columns", slice_of(name),
				list->title.len > 0 ? list->title : list->name,
				is_ticked(call, slice_of(name)));
	}
	page_group_end(page);
}

static void show(struct call *call, const struct nouns *nouns, struct slice problem)
{
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_CONTACTS,
					.title = &words[TITLE],
					.crumbs = { { "/admin/contacts", &words[CONTACTS] } } });
	page_card_begin(&page, NULL);
	/* GET, as what is downloaded may be bookmarked; its fields stand one below another. */
	PAGE_HTML(&page, "<form");
	PAGE_URL(&page, "action", "/admin/contacts/export");
	PAGE_HTML(&page, ">");
	show_lists(&page, call, nouns);
	page_field(&page, &(struct page_field){ .name = "segment",
						.label = &words[SEGMENT],
						.hint = &words[SEGMENT_HINT],
						.value = call_query(call, "segment"),
						.error_text = problem,
						.rows = 2 });
	show_encodings(&page, call);
	show_columns(&page, call, nouns);
	page_submit_as(&page, TONE_GOOD, &words[DOWNLOAD], "do", SLICE("download"));
	page_form_end(&page);
	page_paragraph(&page, &words[GUARD_HINT]);
	page_card_end(&page);
	page_end(&page, problem.len > 0 ? 422 : 200);
}

void page_export(struct call *call)
{
	struct contact_export what = { 0 };
	struct error error = { "" };
	struct nouns *nouns;
	bool good = false;

	if (!nouns_begin(call, &nouns))
		return;
	if (call_query(call, "do").len == 0)
		show(call, nouns, SLICE_NONE);
	else if (contact_export_read(&what, call, nouns)) {
		good = contact_export_narrow(&what, call, &error);
		if (!good)
			show(call, nouns, slice_of(error.text));
	}
	nouns_end(call, nouns);
	if (good)
		contact_export_answer(call, &what);
}

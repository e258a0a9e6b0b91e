/* /admin/forms: subscription forms, and what people may change of themselves. */
#include "base/text.h"
#include "store/audience_attribute.h"
#include "web/page_forms.h"

#include <stdlib.h>

enum word {
	TITLE,
	NEW,
	NONE,
	IS_OPEN,
	IS_CLOSED,
	SAVED,
	DELETED,
	PREFERENCES,
	PREFERENCES_TEXT,
	SAVE,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Forms", "登録フォーム" } },
	[NEW] = { { "New form", "新しいフォーム" } },
	[NONE] = { { "There are no forms yet. By one, people subscribe themselves.",
		     "フォームはまだありません。フォームを作ると、読者が自分で登録できます。" } },
	[IS_OPEN] = { { "open", "受付中" } },
	[IS_CLOSED] = { { "closed", "停止中" } },
	[SAVED] = { { "It is saved.", "保存しました。" } },
	[DELETED] = { { "The form is deleted.", "フォームを削除しました。" } },
	[PREFERENCES] = { { "Page of preferences", "配信設定ページ" } },
	[PREFERENCES_TEXT] = { { "Each mail leads to a page on which people choose their lists. "
				 "These they may change there, too:",
				 "メールから開ける配信設定ページで、読者が自分で変更できる項目を選びます。" } },
	[SAVE] = { { "Save", "保存" } },
};

/* ---- all of them ---- */

static void add_table(struct page *page, struct audience_txn *txn)
{
	static const struct page_column columns[] = { { { { "Name", "名前" } }, false },
						      { { { "State", "状態" } }, false },
						      { { { "Changed", "更新日時" } }, false },
						      { { { 0 } }, false } };
	struct audience_form form = { 0 };

	page_table_begin(page, &words[TITLE], columns);
	while (audience_form_after(txn, form.id, &form) == STORE_OK) {
		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, form.of[FORM_NAME], "/admin/forms/{}", DIGITS(form.id));
		page_cell(page);
		page_badge(page, form.is_open ? TONE_GOOD : TONE_NEUTRAL,
			   &words[form.is_open ? IS_OPEN : IS_CLOSED]);
		page_cell_time(page, form.changed_ms);
		page_row_end(page);
	}
	page_table_end(page);
}

static void add_preferences(struct page *page, struct audience_txn *txn)
{
	struct attribute attribute = { 0 };
	struct slice ids;

	if (audience_setting_get(txn, slice_of(PREFERENCES_FIELDS), &ids) != STORE_OK)
		ids = SLICE_NONE;
	page_card_begin(page, &words[PREFERENCES]);
	page_paragraph(page, &words[PREFERENCES_TEXT]);
	PAGE_FORM(page, "/admin/forms/preferences");
	while (attribute_after(txn, attribute.id, &attribute) == STORE_OK) {
		struct slice rest = ids;
		bool is_required;
		bool is_chosen = false;
		u16 id;

		while (sign_up_next_id(&rest, &id, &is_required))
			is_chosen |= id == attribute.id;
		page_check_text(page, "field", DIGITS(attribute.id), attribute.name, is_chosen);
	}
	page_submit(page, TONE_GOOD, &words[SAVE]);
	page_form_end(page);
	page_card_end(page);
}

void page_forms(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_form first;
	struct page page;

	if (audience_begin_read(txn) != STORE_OK) {
		call_refuse(call, 503, NULL, "forms cannot be read");
		return;
	}
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_FORMS, .title = &words[TITLE] });
	PAGE_HTML(&page, "<p>");
	PAGE_ACTION(&page, &words[NEW], "/admin/forms/new");
	PAGE_HTML(&page, "</p>");
	if (audience_form_after(txn, 0, &first) == STORE_OK)
		add_table(&page, txn);
	else
		page_nothing(&page, &words[NONE]);
	add_preferences(&page, txn);
	audience_abort(txn);
	page_end(&page, 200);
}

/* ---- one ---- */

void page_form_new(struct call *call)
{
	static const struct audience_form fresh = { .is_open = true };

	page_forms_edit_show(call, &fresh, SIGN_UP_GOOD, FORM_NAME, false);
}

/* The form, its texts copied into a new edit. NULL: answered. */
static struct form_edit *load(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct form_edit *edit = form_edit_new(call);
	struct audience_form form = { 0 };
	enum store_result result = STORE_NOT_FOUND;
	u32 id;

	if (!edit)
		return NULL;
	if (slice_to_u32(slice_of(call->argument), &id)) {
		result = audience_begin_read(txn);
		if (result == STORE_OK)
			result = audience_form_get(txn, id, &form);
		edit->form = form;
		for (u32 i = 0; result == STORE_OK && i < FORM_TEXTS; i++)
			form_edit_text(edit, (enum form_text)i, form.of[i]);
		audience_abort(txn);
	}
	if (result == STORE_OK)
		return edit;
	form_edit_free(edit);
	call_refuse(call, result == STORE_NOT_FOUND ? 404 : 503, NULL, "there is no such form");
	return NULL;
}

void page_form_edit(struct call *call)
{
	struct form_edit *edit = load(call);

	if (!edit)
		return;
	page_forms_edit_show(call, &edit->form, SIGN_UP_GOOD, FORM_NAME, false);
	form_edit_free(edit);
}

static void on_saved(struct call *call, struct form_edit *edit)
{
	if (edit->is_gone)
		call_refuse(call, 404, NULL, "there is no such form");
	else if (edit->is_taken)
		page_forms_edit_show(call, &edit->form, SIGN_UP_GOOD, FORM_NAME, true);
	else if (edit->deletes)
		CALL_REDIRECT(call, TONE_GOOD, &words[DELETED], "/admin/forms");
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/forms/{}",
			      DIGITS(edit->form.id));
}

static void save(struct call *call, u32 id)
{
	struct form_edit *edit = form_edit_new(call);
	enum sign_up_problem problem;
	enum form_text wrong;

	if (!edit)
		return;
	edit->form.id = id;
	edit->answer = on_saved;
	page_forms_edit_read(call->form, edit);
	problem = form_edit_check(call, edit, &wrong);
	if (problem == SIGN_UP_GOOD) {
		form_edit_give(call, edit);
		return;
	}
	page_forms_edit_show(call, &edit->form, problem, wrong, false);
	form_edit_free(edit);
}

void page_form_create(struct call *call)
{
	save(call, 0);
}

/* False: answered. */
static bool read_id(struct call *call, u32 *id)
{
	if (slice_to_u32(slice_of(call->argument), id) && *id > 0)
		return true;
	call_refuse(call, 404, NULL, "there is no such form");
	return false;
}

void page_form_save(struct call *call)
{
	u32 id;

	if (read_id(call, &id))
		save(call, id);
}

void page_form_delete(struct call *call)
{
	struct form_edit *edit;
	u32 id;

	if (!read_id(call, &id))
		return;
	edit = form_edit_new(call);
	if (!edit)
		return;
	edit->form.id = id;
	edit->deletes = true;
	edit->answer = on_saved;
	form_edit_give(call, edit);
}

/* ---- preferences ---- */

#define IDS_MAX 400

struct choice {
	struct call_order order;
	struct call_author author;
	char ids[IDS_MAX + 1];
};

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct choice *choice = container_of(order, struct choice, order);
	enum store_result result = audience_setting_put(txn, slice_of(PREFERENCES_FIELDS),
							slice_of(choice->ids));

	return result == STORE_OK ? call_audit(txn, &choice->author, "preferences.change",
					       slice_of(choice->ids))
				  : result;
}

static void on_chosen(struct call *call, struct call_order *order)
{
	if (call_order_is_well(call, order))
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/forms");
}

void page_preferences_save(struct call *call)
{
	struct choice *choice = calloc(1, sizeof(*choice));
	struct slice one;
	struct buf ids;
	u32 at = 0;
	u32 id;

	if (!choice) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	buf_init(&ids, IDS_MAX);
	while ((one = form_next(call->form, "field", &at)).ptr) {
		if (slice_to_u32(one, &id) && id > 0 && id <= UINT16_MAX)
			buf_add_format(&ids, "%s%u", ids.len > 0 ? "," : "", id);
	}
	slice_copy(choice->ids, sizeof(choice->ids), buf_slice(&ids));
	buf_done(&ids);
	call_author(call, &choice->author);
	choice->order.order.apply = apply;
	choice->order.answer = on_chosen;
	call_give_order(call, &choice->order);
}

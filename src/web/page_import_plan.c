/* The form in which it is said what the columns of a file are, with the file's beginning beside. */
#include "base/clock.h"
#include "base/text.h"
#include "web/import_order.h"
#include "web/import_preview.h"
#include "web/page_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 3

enum word {
	PLAN,
	PREVIEW,
	READ_AS,
	READ_AGAIN,
	TARGET,
	NEW_NAME,
	NEW_TYPE,
	TO_EMAIL,
	TO_NEW,
	TO_STATE,
	TO_IGNORE,
	UPDATE,
	ONLY_NEW,
	FILLED,
	OVERWRITE,
	SUPPRESSED,
	TAKE_SUPPRESSED,
	SKIP_SUPPRESSED,
	LISTS,
	CONSENT,
	SOURCE,
	SOURCE_HINT,
	DATE,
	TEXT,
	RENEWS,
	SEQUENCES,
	RENEWS_HINT,
	TRY,
	RUN,
	BAD_EMAIL,
	BAD_NEW,
	BAD_TWICE,
	BAD_CONSENT,
	CANNOT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[PLAN] = { { "What the columns are", "列の割り当て" } },
	[PREVIEW] = { { "Beginning of the file", "ファイルの先頭" } },
	[READ_AS] = { { "Read as", "文字コード" } },
	[READ_AGAIN] = { { "Read again", "読み直す" } },
	[TARGET] = { { "becomes", "取り込み先" } },
	[NEW_NAME] = { { "name of the new attribute", "新しい属性の名前" } },
	[NEW_TYPE] = { { "its type", "種類" } },
	[TO_EMAIL] = { { "E-mail address", "メールアドレス" } },
	[TO_NEW] = { { "New attribute", "新しい属性" } },
	[TO_STATE] = { { "State (unsubscribed, ...)", "状態(配信停止など)" } },
	[TO_IGNORE] = { { "Nothing", "取り込まない" } },
	[UPDATE] = { { "Contacts that are there already", "登録済みの連絡先" } },
	[ONLY_NEW] = { { "Leave them as they are", "変更しない" } },
	[FILLED] = { { "Replace values by cells with something in them",
		       "空でない値だけ上書きする" } },
	[OVERWRITE] = { { "Replace values, empty cells take them away",
			  "空の値も含めて上書きする" } },
	[SUPPRESSED] = { { "Addresses that the sender may not write to",
			   "配信停止リストにあるアドレス" } },
	[TAKE_SUPPRESSED] = { { "Take them in as unsubscribed, failed or complained",
				"配信停止・不達などの状態で取り込む" } },
	[SKIP_SUPPRESSED] = { { "Leave them out, and report them",
				"取り込まず、指摘事項に記録する" } },
	[LISTS] = { { "Everybody joins", "登録するリスト" } },
	[CONSENT] = { { "Consent", "同意の記録" } },
	[SOURCE] = { { "Where it was given", "取得元" } },
	[SOURCE_HINT] = { { "Kept with each contact.", "連絡先ごとの履歴に残ります。" } },
	[DATE] = { { "When", "取得日" } },
	[TEXT] = { { "What was agreed to", "同意の文面" } },
	[RENEWS] = { { "People who had unsubscribed have agreed anew",
		       "配信停止された方も、改めて同意している" } },
	[RENEWS_HINT] = { { "Otherwise nobody who left gets mail again by this import.",
			    "チェックしない限り、配信停止された方の配信は再開されません。" } },
	[SEQUENCES] = { { "Step mail that these lists start begins for those who join",
			  "登録されたリストのステップメールを開始する" } },
	[TRY] = { { "Try it: nothing is changed", "テストする(変更なし)" } },
	[RUN] = { { "Carry it out", "取り込みを実行" } },
	[BAD_EMAIL] = { { "One column has to be the address, and one only.",
			  "メールアドレスの列を1つだけ選んでください。" } },
	[BAD_NEW] = { { "A new attribute has a name of its own: a letter, then letters, digits "
			"and _.",
			"新しい属性には、ほかと重ならない英数字の名前を付けてください。" } },
	[BAD_TWICE] = { { "Two columns are to become the same.",
			  "同じ項目が2つの列に割り当てられています。" } },
	[BAD_CONSENT] = { { "A consent has a source and a day that is over.",
			    "同意には、取得元と過去の取得日が必要です。" } },
	[CANNOT] = { { "That is not possible in this state.", "この状態では実行できません。" } },
};

static const struct words type_words[ATTRIBUTE_TYPES] = {
	[ATTRIBUTE_TEXT] = { { "Text", "文字" } },
	[ATTRIBUTE_NUMBER] = { { "Number", "数値" } },
	[ATTRIBUTE_DATE] = { { "Date", "日付" } },
	[ATTRIBUTE_YES_NO] = { { "Yes or no", "はい・いいえ" } },
};

static const char *field_name(char out[16], char kind, u32 number)
{
	snprintf(out, 16, "%c%u", kind, number);
	return out;
}

static struct slice json_slice(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return (struct slice){ json_string_value(value), json_string_length(value) };
}

/* ---- one column ---- */

/* What is chosen now: by the plan if there is one, else as it was guessed; as the form says it. */
static void chosen_target(char out[16], const struct import *import, u32 index,
			  const json_t *suggestion, const struct nouns *nouns)
{
	struct slice target = json_slice(suggestion, "target");
	const struct attribute *attribute = NULL;
	const struct audience_list *list = NULL;
	u16 id = 0;
	char kind = '-';

	if (import->has_plan && index < import->column_count) {
		const struct import_column *column = &import->columns[index];

		kind = "-ealns"[column->target];
		id = column->target == IMPORT_NEW ? 0 : column->id;
	} else if (slice_equal(target, SLICE("attribute"))) {
		attribute = nouns_attribute_named(nouns, json_slice(suggestion, "attribute"));
		kind = attribute ? 'a' : '-';
		id = attribute ? attribute->id : 0;
	} else if (slice_equal(target, SLICE("list"))) {
		list = nouns_list_named(nouns, json_slice(suggestion, "list"));
		kind = list ? 'l' : '-';
		id = list ? list->id : 0;
	} else if (target.len > 0) {
		kind = slice_equal(target, SLICE("email")) ? 'e' :
		       slice_equal(target, SLICE("new"))   ? 'n' :
		       slice_equal(target, SLICE("state")) ? 's' :
							     '-';
	}
	snprintf(out, 16, "%c%u", kind, id);
}

static void show_option(struct page *page, const char *value, struct slice text,
			const struct words *said, const char *chosen)
{
	bool is_chosen = strcmp(value, chosen) == 0;

	if (said)
		page_option(page, slice_of(value), said, is_chosen);
	else
		page_option_text(page, slice_of(value), text, is_chosen);
}

static void show_target(struct page *page, const struct import *import, u32 index,
			const json_t *suggestion, const struct nouns *nouns)
{
	char name[16];
	char value[16];
	char chosen[16];

	chosen_target(chosen, import, index, suggestion, nouns);
	page_select_begin(page, &(struct page_field){ .name = field_name(name, 'c', index),
						      .label = &words[TARGET] });
	show_option(page, "-0", SLICE_NONE, &words[TO_IGNORE], chosen);
	show_option(page, "e0", SLICE_NONE, &words[TO_EMAIL], chosen);
	show_option(page, "n0", SLICE_NONE, &words[TO_NEW], chosen);
	show_option(page, "s0", SLICE_NONE, &words[TO_STATE], chosen);
	for (u32 i = 0; i < nouns->attribute_count; i++)
		show_option(page, field_name(value, 'a', nouns->attributes[i].id),
			    nouns->attributes[i].name, NULL, chosen);
	for (u32 i = 0; i < nouns->list_count; i++)
		show_option(page, field_name(value, 'l', nouns->lists[i].id),
			    nouns->lists[i].title.len > 0 ? nouns->lists[i].title :
							    nouns->lists[i].name,
			    NULL, chosen);
	page_select_end(page);
}

static void show_new(struct page *page, const struct import *import, u32 index,
		     const json_t *suggestion)
{
	struct slice type = json_slice(suggestion, "type");
	struct slice called = json_slice(suggestion, "name");
	struct slice label;
	char name[16];

	if (import->has_plan && index < import->column_count &&
	    import_new_name(import, index, &called, &label) &&
	    import->columns[index].id < ATTRIBUTE_TYPES)
		type = slice_of(attribute_type_names[import->columns[index].id]);
	page_field(page, &(struct page_field){ .name = field_name(name, 'n', index),
					       .label = &words[NEW_NAME],
					       .value = called,
					       .length_max = ATTRIBUTE_NAME_MAX });
	page_select_begin(page, &(struct page_field){ .name = field_name(name, 't', index),
						      .label = &words[NEW_TYPE] });
	for (u32 i = ATTRIBUTE_TEXT; i < ATTRIBUTE_TYPES; i++) {
		if (i != ATTRIBUTE_CHOICE)
			page_option(page, DIGITS(i), &type_words[i],
				    slice_equal(type, slice_of(attribute_type_names[i])));
	}
	page_select_end(page);
}

static void show_column(struct page *page, const struct import *import, u32 index,
			const json_t *preview, const struct nouns *nouns)
{
	const json_t *column = json_array_get(json_object_get(preview, "columns"), index);
	const json_t *suggestion = json_object_get(column, "suggestion");
	const json_t *rows = json_object_get(preview, "rows");

	PAGE_HTML(page, "<h3>");
	page_text(page, json_slice(column, "name"));
	PAGE_HTML(page, "</h3><p>");
	for (size_t r = 0; r < json_array_size(rows) && r < SAMPLES; r++) {
		const json_t *cell = json_array_get(json_array_get(rows, r), index);

		if (r > 0)
			PAGE_HTML(page, " / ");
		page_text(page, (struct slice){ json_string_value(cell),
						json_string_length(cell) });
	}
	PAGE_HTML(page, "</p><div class=\"row\">");
	show_target(page, import, index, suggestion, nouns);
	show_new(page, import, index, suggestion);
	PAGE_HTML(page, "</div>");
}

/* ---- the form ---- */

static void show_rules(struct page *page, const struct import *import, const struct nouns *nouns)
{
	static const enum word updates[IMPORT_UPDATES] = { [IMPORT_ONLY_NEW] = ONLY_NEW,
							   [IMPORT_FILLED] = FILLED,
							   [IMPORT_OVERWRITE] = OVERWRITE };

	page_select_begin(page, &(struct page_field){ .name = "update", .label = &words[UPDATE] });
	for (u32 i = IMPORT_ONLY_NEW; i < IMPORT_UPDATES; i++)
		page_option(page, DIGITS(i), &words[updates[i]], i == import->update);
	page_select_end(page);
	page_select_begin(page, &(struct page_field){ .name = "suppressed",
						      .label = &words[SUPPRESSED] });
	page_option(page, SLICE("keep"), &words[TAKE_SUPPRESSED], !import->skips_suppressed);
	page_option(page, SLICE("skip"), &words[SKIP_SUPPRESSED], import->skips_suppressed);
	page_select_end(page);
	page_group_begin(page, &words[LISTS]);
	for (u32 i = 0; i < nouns->list_count; i++) {
		const struct audience_list *list = &nouns->lists[i];
		bool is_ticked = !import->has_plan && list->is_default;

		for (u32 l = 0; l < import->list_count; l++)
			is_ticked |= import->lists[l] == list->id;
		page_check_text(page, "lists", DIGITS(list->id),
				list->title.len > 0 ? list->title : list->name, is_ticked);
	}
	page_check(page, "sequences", &words[SEQUENCES], import->starts_sequences);
	page_group_end(page);
	page_group_begin(page, &words[CONSENT]);
	page_field(page, &(struct page_field){ .name = "source",
					       .label = &words[SOURCE],
					       .hint = &words[SOURCE_HINT],
					       .value = import->consent_source,
					       .length_max = IMPORT_SOURCE_MAX });
	page_field(page, &(struct page_field){ .name = "date", .label = &words[DATE],
					       .type = "date" });
	page_field(page, &(struct page_field){ .name = "text",
					       .label = &words[TEXT],
					       .value = import->consent_text,
					       .rows = 3 });
	page_check(page, "renews", &words[RENEWS], import->has_consent);
	page_paragraph(page, &words[RENEWS_HINT]);
	page_group_end(page);
}

static void show_encoding(struct page *page, const struct import *import, u32 encoding)
{
	page_card_begin(page, &words[PREVIEW]);
	PAGE_SEARCH(page, "/admin/imports/{}", DIGITS(import->id));
	page_select_begin(page,
			  &(struct page_field){ .name = "encoding", .label = &words[READ_AS] });
	for (u32 i = IMPORT_UTF8; i < IMPORT_ENCODINGS; i++) {
		struct slice name = slice_of(import_encoding_names[i]);

		page_option_text(page, name, name, i == encoding);
	}
	page_select_end(page);
	page_submit(page, TONE_NEUTRAL, &words[READ_AGAIN]);
	page_form_end(page);
	page_card_end(page);
}

void page_import_plan_show(struct page *page, struct call *call, const struct import *import,
			   const struct nouns *nouns)
{
	enum import_encoding encoding = import_encoding_of(call_query(call, "encoding"));
	struct import_preview preview = { 0 };
	char path[UPLOAD_PATH_MAX];
	struct error error = { "" };
	bool is_read;

	if (!encoding)
		encoding = (enum import_encoding)import->encoding;
	buf_init(&preview.header, 0);
	show_encoding(page, import, encoding);
	is_read = import_file_path(path, call->web->config->web.audience, import->file) &&
		  import_preview_read(&preview, path, encoding, nouns, &error);
	if (is_read) {
		page_card_begin(page, &words[PLAN]);
		PAGE_FORM(page, "/admin/imports/{}/plan", DIGITS(import->id));
		page_hidden(page, "encoding", slice_of(import_encoding_names[encoding]));
		page_hidden(page, "columns", DIGITS(preview.column_count));
		for (u32 i = 0; i < preview.column_count; i++)
			show_column(page, import, i, preview.json, nouns);
		show_rules(page, import, nouns);
		PAGE_HTML(page, "<div class=\"actions\">");
		page_submit_as(page, TONE_NEUTRAL, &words[TRY], "do", SLICE("try"));
		page_submit_as(page, TONE_GOOD, &words[RUN], "do", SLICE("run"));
		PAGE_HTML(page, "</div>");
		page_form_end(page);
		page_card_end(page);
	} else {
		page_message_trouble(page, TONE_BAD, slice_of(error.text));
	}
	json_decref(preview.json);
	buf_done(&preview.header);
}

/* ---- what was sent ---- */

static const struct words *read_new(struct import_plan *plan, const struct form *form, u32 index,
				    const struct nouns *nouns)
{
	struct import_new *fresh = &plan->news[plan->new_count];
	struct slice text;
	char name[16];
	u32 type = ATTRIBUTE_TEXT;

	text = form_text(form, field_name(name, 'n', index));
	if (!attribute_name_is_good(text) || nouns_attribute_named(nouns, text) ||
	    nouns->attribute_count + plan->new_count >= ATTRIBUTES_MAX)
		return &words[BAD_NEW];
	for (u32 i = 0; i < plan->new_count; i++) {
		if (slice_equal_nocase(slice_of(plan->news[i].name), text))
			return &words[BAD_NEW];
	}
	slice_copy(fresh->name, sizeof(fresh->name), text);
	if (!slice_to_u32(form_text(form, field_name(name, 't', index)), &type) ||
	    type < ATTRIBUTE_TEXT || type >= ATTRIBUTE_TYPES || type == ATTRIBUTE_CHOICE)
		type = ATTRIBUTE_TEXT;
	fresh->type = (enum attribute_type)type;
	fresh->column = index;
	plan->columns[index] = (struct import_column){ IMPORT_NEW, (u16)type };
	plan->new_count++;
	return NULL;
}

static const struct words *read_column(struct import_plan *plan, const struct form *form,
				       u32 index, const struct nouns *nouns)
{
	struct import_column *column = &plan->columns[index];
	struct slice text;
	char name[16];
	u32 id = 0;

	text = form_text(form, field_name(name, 'c', index));
	if (text.len < 2 || !slice_to_u32(slice_from(text, 1), &id) || id > UINT16_MAX)
		return NULL;
	if (text.ptr[0] == 'n')
		return read_new(plan, form, index, nouns);
	if (text.ptr[0] == 'e')
		column->target = IMPORT_EMAIL;
	else if (text.ptr[0] == 's')
		column->target = IMPORT_STATE;
	else if (text.ptr[0] == 'a' && nouns_attribute(nouns, (u16)id))
		*column = (struct import_column){ IMPORT_ATTRIBUTE, (u16)id };
	else if (text.ptr[0] == 'l' && nouns_list(nouns, (u16)id))
		*column = (struct import_column){ IMPORT_LIST, (u16)id };
	return NULL;
}

static const struct words *check_columns(const struct import_plan *plan)
{
	u32 emails = 0;
	u32 states = 0;

	for (u32 i = 0; i < plan->column_count; i++) {
		emails += plan->columns[i].target == IMPORT_EMAIL;
		states += plan->columns[i].target == IMPORT_STATE;
		for (u32 j = 0; j < i && plan->columns[i].target == IMPORT_ATTRIBUTE; j++) {
			if (plan->columns[j].target == IMPORT_ATTRIBUTE &&
			    plan->columns[j].id == plan->columns[i].id)
				return &words[BAD_TWICE];
		}
	}
	if (states > 1)
		return &words[BAD_TWICE];
	return emails == 1 ? NULL : &words[BAD_EMAIL];
}

static const struct words *read_consent(struct import_plan *plan, const struct form *form)
{
	struct slice source = form_text(form, "source");
	struct slice date = form_text(form, "date");
	char moment[40];

	plan->has_consent = form_has(form, "renews");
	if (source.len == 0)
		return plan->has_consent ? &words[BAD_CONSENT] : NULL;
	snprintf(moment, sizeof(moment), "%.*sT00:00:00Z", SLICE_FMT(slice_first(date, 20)));
	if (!clock_parse_rfc3339(slice_of(moment), &plan->consent_ms) ||
	    plan->consent_ms > clock_wall_ms() ||
	    !slice_copy(plan->consent_source, sizeof(plan->consent_source), source) ||
	    !slice_copy(plan->consent_text, sizeof(plan->consent_text), form_text(form, "text")))
		return &words[BAD_CONSENT];
	return NULL;
}

static const struct words *read_plan(struct import_plan *plan, const struct form *form,
				     const struct nouns *nouns)
{
	const struct words *problem = NULL;
	struct slice text;
	u32 number = 0;
	u32 at = 0;

	plan->encoding = import_encoding_of(form_text(form, "encoding"));
	plan->skips_suppressed = slice_equal(form_text(form, "suppressed"), SLICE("skip"));
	plan->update = IMPORT_FILLED;
	plan->starts_sequences = form_has(form, "sequences");
	if (slice_to_u32(form_text(form, "update"), &number) && number > 0 &&
	    number < IMPORT_UPDATES)
		plan->update = (enum import_update)number;
	if (slice_to_u32(form_text(form, "columns"), &number))
		plan->column_count = min_u32(number, IMPORT_COLUMNS_MAX);
	for (u32 i = 0; i < plan->column_count && !problem; i++)
		problem = read_column(plan, form, i, nouns);
	while ((text = form_next(form, "lists", &at)).ptr) {
		if (slice_to_u32(text, &number) && number <= UINT16_MAX &&
		    nouns_list(nouns, (u16)number) && plan->list_count < IMPORT_LISTS_MAX)
			plan->lists[plan->list_count++] = (u16)number;
	}
	if (!problem)
		problem = check_columns(plan);
	return problem ? problem : read_consent(plan, form);
}

/* ---- doing it ---- */

static void answer_begun(struct call *call, struct import_change *change)
{
	CALL_REDIRECT(call, TONE_BAD, change->refusal ? &words[CANNOT] : NULL,
		      "/admin/imports/{}", DIGITS(change->id));
}

/* The plan is kept: on with what was pressed. */
static void answer_planned(struct call *call, struct import_change *change)
{
	bool runs = slice_equal(form_text(call->form, "do"), SLICE("run"));
	struct import_change *next;

	if (change->refusal) {
		answer_begun(call, change);
		return;
	}
	next = import_change_new(call, answer_begun);
	if (!next)
		return;
	next->id = change->id;
	next->wish = runs ? WISH_RUN : WISH_TRY;
	call_give_order(call, &next->order);
}

void page_import_plan(struct call *call)
{
	struct import_change *change = import_change_new(call, answer_planned);
	const struct words *problem = NULL;
	struct import import;
	struct nouns *nouns;
	bool good = false;
	u32 id = 0;

	if (!change)
		return;
	if (!nouns_begin(call, &nouns)) {
		import_change_free(change);
		return;
	}
	if (!slice_to_u32(slice_of(call->argument), &id) ||
	    import_get(call->web->reader, id, &import) != STORE_OK)
		call_problem_page(call, 404, NULL);
	else if ((problem = read_plan(&change->plan, call->form, nouns)))
		CALL_REDIRECT(call, TONE_BAD, problem, "/admin/imports/{}", DIGITS(id));
	else
		good = import_change_check(change, call, &import, nouns);
	nouns_end(call, nouns);
	change->id = id;
	change->wish = WISH_PLAN;
	if (good)
		call_give_order(call, &change->order);
	else
		import_change_free(change);
}

/* /admin/lists and /admin/attributes: what contacts subscribe to, and what is kept of them. */
#include "base/text.h"
#include "store/audience_count.h"
#include "web/noun_change.h"
#include "web/page.h"

#include <stdlib.h>

enum word {
	LISTS,
	ATTRIBUTES,
	LISTS_HINT,
	ATTRIBUTES_HINT,
	NEW_LIST,
	NEW_ATTRIBUTE,
	NAME,
	NAME_HINT,
	TITLE,
	DESCRIPTION,
	PUBLIC,
	DOUBLE,
	DEFAULT,
	TYPE,
	LABEL_JA,
	LABEL_EN,
	CHOICES,
	CHOICES_HINT,
	REQUIRED,
	SAVE,
	SAVED,
	DELETE,
	DELETE_TITLE,
	DELETE_LIST_HINT,
	DELETE_ATTRIBUTE_HINT,
	DELETE_SURE,
	DELETED,
	NOT_SURE,
	TAKEN,
	USED,
	BAD_NAME,
	BAD_CHOICES,
	TOO_LONG,
	TOO_MANY,
	MEMBERS,
	NOTHING,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[LISTS] = { { "Lists", "リスト" } },
	[ATTRIBUTES] = { { "Attributes", "属性" } },
	[LISTS_HINT] = { { "Attributes of contacts", "連絡先の属性" } },
	[ATTRIBUTES_HINT] = { { "What is kept of each contact besides the address.",
				"メールアドレスのほかに、連絡先ごとに保存する項目です。" } },
	[NEW_LIST] = { { "New list", "リストを作成" } },
	[NEW_ATTRIBUTE] = { { "New attribute", "属性を作成" } },
	[NAME] = { { "Name for programs", "プログラム用の名前" } },
	[NAME_HINT] = { { "A letter, then letters, digits and _.", "英字で始め、英数字と _ を使います。" } },
	[TITLE] = { { "Title", "表示名" } },
	[DESCRIPTION] = { { "Description", "説明" } },
	[PUBLIC] = { { "Shown where people choose what they get", "購読者の設定ページに表示する" } },
	[DOUBLE] = { { "Joining is confirmed by a link in a mail",
		       "登録時に確認メールを送る(ダブルオプトイン)" } },
	[DEFAULT] = { { "New contacts join it", "新しい連絡先を登録する" } },
	[TYPE] = { { "Type", "種類" } },
	[LABEL_JA] = { { "Label in Japanese", "表示名(日本語)" } },
	[LABEL_EN] = { { "Label in English", "表示名(英語)" } },
	[CHOICES] = { { "Choices", "選択肢" } },
	[CHOICES_HINT] = { { "One on each line; of the type choice.", "1行に1つ。種類が「選択」のときに使います。" } },
	[REQUIRED] = { { "Asked for by forms", "フォームで必須にする" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[DELETE] = { { "Delete", "削除" } },
	[DELETE_TITLE] = { { "Delete", "削除" } },
	[DELETE_LIST_HINT] = { { "Its contacts stay, without the list.",
				 "連絡先は残り、リストの登録だけがなくなります。" } },
	[DELETE_ATTRIBUTE_HINT] = { { "Its values are seen no more. It cannot be undone.",
				      "保存された値は見られなくなります。元に戻せません。" } },
	[DELETE_SURE] = { { "I am sure", "削除してよい" } },
	[DELETED] = { { "Deleted.", "削除しました。" } },
	[NOT_SURE] = { { "Tick the box to delete.", "削除するには確認欄にチェックを入れてください。" } },
	[TAKEN] = { { "Another has this name.", "この名前は使われています。" } },
	[USED] = { { "A step mail sequence uses it.", "ステップメールで使われています。" } },
	[BAD_NAME] = { { "A name is a letter, then letters, digits and _.",
			 "名前は英字で始め、英数字と _ だけにしてください。" } },
	[BAD_CHOICES] = { { "Say which choices there are.", "選択肢を入力してください。" } },
	[TOO_LONG] = { { "That is too long.", "長すぎます。" } },
	[TOO_MANY] = { { "There are as many as there can be.", "数が上限に達しています。" } },
	[MEMBERS] = { { "Contacts", "連絡先" } },
	[NOTHING] = { { "There is nothing yet.", "まだありません。" } },
};

static const struct words type_words[ATTRIBUTE_TYPES] = {
	[ATTRIBUTE_TEXT] = { { "Text", "文字" } },
	[ATTRIBUTE_NUMBER] = { { "Number", "数値" } },
	[ATTRIBUTE_DATE] = { { "Date", "日付" } },
	[ATTRIBUTE_CHOICE] = { { "Choice", "選択" } },
	[ATTRIBUTE_YES_NO] = { { "Yes or no", "はい・いいえ" } },
};

/* ---- forms ---- */

static void show_text(struct page *page, const char *name, enum word label, struct slice value,
		      u32 rows)
{
	page_field(page, &(struct page_field){ .name = name,
					       .label = &words[label],
					       .value = value,
					       .rows = rows });
}

static void show_name(struct page *page, struct slice name)
{
	page_field(page, &(struct page_field){ .name = "name",
					       .label = &words[NAME],
					       .hint = &words[NAME_HINT],
					       .value = name,
					       .length_max = LIST_NAME_MAX,
					       .is_required = true,
					       .autocomplete = "off" });
}

static void show_list_form(struct page *page, const struct audience_list *list)
{
	page_card_begin(page, list->id ? NULL : &words[NEW_LIST]);
	if (list->id)
		PAGE_FORM(page, "/admin/lists/{}", DIGITS(list->id));
	else
		PAGE_FORM(page, "/admin/lists");
	show_text(page, "title", TITLE, list->title, 0);
	show_name(page, list->name);
	show_text(page, "description", DESCRIPTION, list->description, 3);
	page_check(page, "public", &words[PUBLIC], list->is_public);
	page_check(page, "double", &words[DOUBLE], list->is_double);
	page_check(page, "default", &words[DEFAULT], list->is_default);
	page_submit(page, TONE_GOOD, &words[SAVE]);
	page_form_end(page);
	page_card_end(page);
}

static void show_attribute_form(struct page *page, const struct attribute *attribute)
{
	page_card_begin(page, attribute->id ? NULL : &words[NEW_ATTRIBUTE]);
	if (attribute->id)
		PAGE_FORM(page, "/admin/attributes/{}", DIGITS(attribute->id));
	else
		PAGE_FORM(page, "/admin/attributes");
	show_text(page, "label_ja", LABEL_JA, attribute->label_ja, 0);
	show_text(page, "label_en", LABEL_EN, attribute->label_en, 0);
	show_name(page, attribute->name);
	page_select_begin(page, &(struct page_field){ .name = "type",
						      .label = &words[TYPE],
						      .is_disabled = attribute->id != 0 });
	for (u32 i = ATTRIBUTE_TEXT; i < ATTRIBUTE_TYPES; i++)
		page_option(page, DIGITS(i), &type_words[i], i == attribute->type);
	page_select_end(page);
	page_field(page, &(struct page_field){ .name = "choices",
					       .label = &words[CHOICES],
					       .hint = &words[CHOICES_HINT],
					       .value = attribute->choices,
					       .rows = 4 });
	page_check(page, "required", &words[REQUIRED], attribute->is_required);
	page_submit(page, TONE_GOOD, &words[SAVE]);
	page_form_end(page);
	page_card_end(page);
}

static void show_delete(struct page *page, const char *format, u16 id, enum word hint)
{
	const struct slice values[] = { DIGITS(id) };

	page_card_begin(page, &words[DELETE_TITLE]);
	page_paragraph(page, &words[hint]);
	PAGE_HTML(page, "<form method=\"post\"");
	page_url(page, "action", format, values);
	page_form_opened(page);
	page_check(page, "sure", &words[DELETE_SURE], false);
	page_submit(page, TONE_BAD, &words[DELETE]);
	page_form_end(page);
	page_card_end(page);
}

/* ---- lists ---- */

static void show_lists(struct page *page, struct call *call, const struct nouns *nouns)
{
	static const struct page_column columns[] = {
		{ { { "Title", "表示名" } }, false },
		{ { { "Name", "名前" } }, false },
		{ { { "Contacts", "連絡先" } }, true },
		{ { { "Wait for confirmation", "確認待ち" } }, true },
		{ { { "Left", "退会" } }, true },
		{ { { NULL, NULL } }, false },
	};
	static const u32 states[] = { MEMBER_ACTIVE, MEMBER_PENDING, MEMBER_LEFT };

	if (nouns->list_count == 0) {
		page_nothing(page, &words[NOTHING]);
		return;
	}
	page_table_begin(page, &words[LISTS], columns);
	for (u32 i = 0; i < nouns->list_count; i++) {
		const struct audience_list *list = &nouns->lists[i];

		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, list->title.len > 0 ? list->title : list->name,
			       "/admin/lists/{}", DIGITS(list->id));
		page_cell_text(page, list->name);
		for (u32 s = 0; s < array_count(states); s++) {
			u64 count = 0;

			if (audience_count_get(call->web->reader, COUNTED_MEMBERS,
					       (u32)list->id * 8 + states[s], &count) != STORE_OK)
				count = 0;
			page_cell_number(page, count);
		}
		page_row_end(page);
	}
	page_table_end(page);
}

static void lists_page(struct call *call, const struct noun_change *sent,
		       const struct words *problem)
{
	struct audience_list list = { 0 };
	struct nouns *nouns;
	struct page page;

	if (!nouns_begin(call, &nouns))
		return;
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_LISTS, .title = &words[LISTS] });
	if (problem)
		page_message(&page, TONE_BAD, problem);
	PAGE_HTML(&page, "<p>");
	PAGE_LINK(&page, &words[LISTS_HINT], "/admin/attributes");
	PAGE_HTML(&page, "</p>");
	show_lists(&page, call, nouns);
	if (sent) {
		list = sent->list;
		list.id = 0;
		list.name = slice_of(sent->name);
		list.title = slice_of(sent->title);
		list.description = slice_of(sent->text);
	}
	if (web_route_is_open(call, "/admin/contacts/new"))
		show_list_form(&page, &list);
	page_end(&page, problem ? 422 : 200);
	nouns_end(call, nouns);
}

void page_lists(struct call *call)
{
	lists_page(call, NULL, NULL);
}

void page_list_show(struct call *call)
{
	const struct audience_list *list;
	struct nouns *nouns;
	struct page page;

	if (!nouns_begin(call, &nouns))
		return;
	list = nouns_list_named(nouns, slice_of(call->argument));
	if (list) {
		page_begin(&page, call,
			   &(struct page_head){ .place = PLACE_LISTS,
						.title = &words[LISTS],
						.named = list->title.len > 0 ? list->title :
									       list->name,
						.crumbs = { { "/admin/lists", &words[LISTS] } } });
		PAGE_HTML(&page, "<p>");
		PAGE_LINK(&page, &words[MEMBERS], "/admin/contacts?list={}", list->name);
		PAGE_HTML(&page, "</p>");
		show_list_form(&page, list);
		show_delete(&page, "/admin/lists/{}/delete", list->id, DELETE_LIST_HINT);
		page_end(&page, 200);
	} else {
		call_problem_page(call, 404, NULL);
	}
	nouns_end(call, nouns);
}

/* ---- attributes ---- */

static void show_attributes(struct page *page, const struct nouns *nouns)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false },
		{ { { "Type", "種類" } }, false },
		{ { { "Japanese", "日本語" } }, false },
		{ { { "English", "英語" } }, false },
		{ { { NULL, NULL } }, false },
	};

	if (nouns->attribute_count == 0) {
		page_nothing(page, &words[NOTHING]);
		return;
	}
	page_table_begin(page, &words[ATTRIBUTES], columns);
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		const struct attribute *attribute = &nouns->attributes[i];

		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, attribute->name, "/admin/attributes/{}",
			       DIGITS(attribute->id));
		page_cell(page);
		page_words(page, &type_words[attribute->type]);
		page_cell_text(page, attribute->label_ja);
		page_cell_text(page, attribute->label_en);
		page_row_end(page);
	}
	page_table_end(page);
}

static void attributes_page(struct call *call, const struct noun_change *sent,
			    const struct words *problem)
{
	struct attribute attribute = { .type = ATTRIBUTE_TEXT };
	struct nouns *nouns;
	struct page page;

	if (!nouns_begin(call, &nouns))
		return;
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_LISTS,
					.title = &words[ATTRIBUTES],
					.crumbs = { { "/admin/lists", &words[LISTS] } } });
	if (problem)
		page_message(&page, TONE_BAD, problem);
	page_paragraph(&page, &words[ATTRIBUTES_HINT]);
	show_attributes(&page, nouns);
	if (sent) {
		attribute = sent->attribute;
		attribute.id = 0;
		attribute.name = slice_of(sent->name);
		attribute.label_ja = slice_of(sent->title);
		attribute.label_en = slice_of(sent->title_en);
		attribute.choices = slice_of(sent->text);
	}
	if (web_route_is_open(call, "/admin/contacts/new"))
		show_attribute_form(&page, &attribute);
	page_end(&page, problem ? 422 : 200);
	nouns_end(call, nouns);
}

void page_attributes(struct call *call)
{
	attributes_page(call, NULL, NULL);
}

void page_attribute_show(struct call *call)
{
	const struct attribute *attribute = NULL;
	struct nouns *nouns;
	struct page page;
	u32 id;

	if (!nouns_begin(call, &nouns))
		return;
	if (slice_to_u32(slice_of(call->argument), &id) && id <= UINT16_MAX)
		attribute = nouns_attribute(nouns, (u16)id);
	if (attribute) {
		page_begin(&page, call,
			   &(struct page_head){
				   .place = PLACE_LISTS,
				   .title = &words[ATTRIBUTES],
				   .named = attribute->name,
				   .crumbs = { { "/admin/attributes", &words[ATTRIBUTES] } } });
		show_attribute_form(&page, attribute);
		show_delete(&page, "/admin/attributes/{}/delete", attribute->id,
			    DELETE_ATTRIBUTE_HINT);
		page_end(&page, 200);
	} else {
		call_problem_page(call, 404, NULL);
	}
	nouns_end(call, nouns);
}

/* ---- changing ---- */

static void say(struct call *call, const struct noun_change *change, const struct words *problem)
{
	if (change->is_list)
		lists_page(call, change, problem);
	else
		attributes_page(call, change, problem);
}

static void answer(struct call *call, struct noun_change *change)
{
	const struct words *said = &words[change->deletes ? DELETED : SAVED];

	switch (change->outcome) {
	case NOUN_IS_TAKEN: say(call, change, &words[TAKEN]); return;
	case NOUN_IS_TOO_MANY: say(call, change, &words[TOO_MANY]); return;
	case NOUN_IS_USED: say(call, change, &words[USED]); return;
	case NOUN_IS_NOT_THERE: call_problem_page(call, 404, NULL); return;
	case NOUN_HAS_MORE:
	case NOUN_DONE: break;
	}
	if (change->is_list)
		CALL_REDIRECT(call, TONE_GOOD, said, "/admin/lists");
	else
		CALL_REDIRECT(call, TONE_GOOD, said, "/admin/attributes");
}

/* Lines as browsers send them, without empty ones, to LF between them. */
static bool read_choices(struct noun_change *change, struct slice text)
{
	struct buf choices = { .ptr = change->text,
			       .size = ATTRIBUTE_CHOICES_MAX,
			       .max = ATTRIBUTE_CHOICES_MAX };

	while (text.ptr) {
		struct slice line = slice_split(&text, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = slice_trim(line);
		if (line.len == 0)
			continue;
		if (choices.len > 0)
			buf_add_char(&choices, '\n');
		buf_add_slice(&choices, line);
	}
	change->text[choices.len] = '\0';
	return !choices.failed;
}

static const struct words *read_list(struct noun_change *change, const struct form *form)
{
	change->list.is_public = form_has(form, "public");
	change->list.is_double = form_has(form, "double");
	change->list.is_default = form_has(form, "default");
	if (!slice_copy(change->title, LIST_TITLE_MAX + 1, form_text(form, "title")) ||
	    !slice_copy(change->text, LIST_DESCRIPTION_MAX + 1, form_text(form, "description")))
		return &words[TOO_LONG];
	return audience_list_name_is_good(slice_of(change->name)) ? NULL : &words[BAD_NAME];
}

static const struct words *read_attribute(struct noun_change *change, const struct form *form)
{
	u32 type;

	change->attribute.is_required = form_has(form, "required");
	if (slice_to_u32(form_text(form, "type"), &type) && type >= ATTRIBUTE_TEXT &&
	    type < ATTRIBUTE_TYPES)
		change->attribute.type = (enum attribute_type)type;
	if (!slice_copy(change->title, ATTRIBUTE_LABEL_MAX + 1, form_text(form, "label_ja")) ||
	    !slice_copy(change->title_en, ATTRIBUTE_LABEL_MAX + 1, form_text(form, "label_en")) ||
	    !read_choices(change, form_text(form, "choices")))
		return &words[TOO_LONG];
	if (change->attribute.type == ATTRIBUTE_CHOICE && change->id == 0 && !change->text[0])
		return &words[BAD_CHOICES];
	return attribute_name_is_good(slice_of(change->name)) ? NULL : &words[BAD_NAME];
}

static void change_noun(struct call *call, bool is_list, bool is_new, bool deletes)
{
	struct noun_change *change = calloc(1, sizeof(*change));
	const struct words *problem = NULL;
	u32 id = 0;

	if (!change) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (!is_new && (!slice_to_u32(slice_of(call->argument), &id) || id == 0 ||
			id > UINT16_MAX)) {
		free(change);
		call_problem_page(call, 404, NULL);
		return;
	}
	change->is_list = is_list;
	change->deletes = deletes;
	change->answer = answer;
	change->id = (u16)id;
	change->attribute.type = ATTRIBUTE_TEXT;
	if (deletes)
		problem = form_has(call->form, "sure") ? NULL : &words[NOT_SURE];
	else if (!slice_copy(change->name, sizeof(change->name), form_text(call->form, "name")))
		problem = &words[TOO_LONG];
	else
		problem = is_list ? read_list(change, call->form) :
				    read_attribute(change, call->form);
	if (!problem) {
		noun_change_give(change, call);
		return;
	}
	say(call, change, problem);
	free(change);
}

void page_list_add(struct call *call)
{
	change_noun(call, true, true, false);
}

void page_list_save(struct call *call)
{
	change_noun(call, true, false, false);
}

void page_list_delete(struct call *call)
{
	change_noun(call, true, false, true);
}

void page_attribute_add(struct call *call)
{
	change_noun(call, false, true, false);
}

void page_attribute_save(struct call *call)
{
	change_noun(call, false, false, false);
}

void page_attribute_delete(struct call *call)
{
	change_noun(call, false, false, true);
}

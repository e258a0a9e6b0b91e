/* /admin/contacts/{}: one contact, with what is kept of it; changing, adding and erasing one. */
#include "web/page_contact.h"

#include "base/text.h"
#include "web/contact_change.h"
#include "web/noun.h"
#include "web/page_sequence.h"

#include <stdio.h>
#include <string.h>

#define HISTORY_SHOWN 100

enum word {
	CONTACTS,
	NEW_TITLE,
	EMAIL,
	STATE,
	VALUES,
	LISTS,
	NOT_IN_LIST,
	CONSENT,
	CONSENT_HINT,
	SAVE,
	ADD,
	SAVED,
	ADDED,
	ERASED,
	HISTORY,
	ADDED_AT,
	CHANGED_AT,
	EXPORT,
	ERASE,
	ERASE_TITLE,
	ERASE_HINT,
	ERASE_SURE,
	NOT_SURE,
	IS_THERE,
	WANTS_CONSENT,
	TOO_LARGE,
	NONE,
	YES,
	NO,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[CONTACTS] = { { "Contacts", "連絡先" } },
	[NEW_TITLE] = { { "Add a contact", "連絡先を追加" } },
	[EMAIL] = { { "E-mail address", "メールアドレス" } },
	[STATE] = { { "State", "状態" } },
	[VALUES] = { { "Attributes", "属性" } },
	[LISTS] = { { "Lists", "リスト" } },
	[NOT_IN_LIST] = { { "Not in it", "未登録" } },
	[CONSENT] = { { "Consent: where it was given", "同意の取得元" } },
	[CONSENT_HINT] = { { "Needed when somebody who left is to get mail again.",
			     "配信停止された方への配信を再開するときに必要です。" } },
	[SAVE] = { { "Save", "保存" } },
	[ADD] = { { "Add", "追加" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[ADDED] = { { "The contact is added.", "連絡先を追加しました。" } },
	[ERASED] = { { "All that was kept of this person is erased.",
		       "この方の情報をすべて削除しました。" } },
	[HISTORY] = { { "History", "履歴" } },
	[ADDED_AT] = { { "Added", "登録日時" } },
	[CHANGED_AT] = { { "Changed", "更新日時" } },
	[EXPORT] = { { "All that is kept of this person (JSON)", "この方の全データ(JSON)" } },
	[ERASE] = { { "Erase for good", "完全に削除" } },
	[ERASE_TITLE] = { { "Erase", "削除" } },
	[ERASE_HINT] = { { "Nothing is left but a mark that keeps an import from bringing this "
			   "address back. It cannot be undone.",
			   "インポートで再登録されないための印のほかは、何も残りません。元に戻せません。" } },
	[ERASE_SURE] = { { "I am sure", "削除してよい" } },
	[NOT_SURE] = { { "Tick the box to erase.", "削除するには確認欄にチェックを入れてください。" } },
	[IS_THERE] = { { "A contact has this address.", "このメールアドレスは登録済みです。" } },
	[WANTS_CONSENT] = { { "This person left, complained or was erased: say where a new consent "
			      "was given.",
			      "配信停止・迷惑メール報告・削除された方です。新しい同意の取得元を入力してください。" } },
	[TOO_LARGE] = { { "The values are too large together.", "属性の合計が大きすぎます。" } },
	[NONE] = { { "Not said", "未設定" } },
	[YES] = { { "Yes", "はい" } },
	[NO] = { { "No", "いいえ" } },
};

static const struct words member_words[MEMBER_LEFT + 1] = {
	[MEMBER_PENDING] = { { "Waits for confirmation", "確認待ち" } },
	[MEMBER_ACTIVE] = { { "In it", "登録中" } },
	[MEMBER_LEFT] = { { "Left", "退会" } },
};

static const struct words event_words[] = {
	[HISTORY_CREATED] = { { "Added", "登録" } },
	[HISTORY_CHANGED] = { { "Changed", "変更" } },
	[HISTORY_CONSENT] = { { "Consent", "同意" } },
	[HISTORY_CONFIRMED] = { { "Confirmed", "確認" } },
	[HISTORY_UNSUBSCRIBED] = { { "Unsubscribed", "配信停止" } },
	[HISTORY_BOUNCED] = { { "Mailbox failed", "不達" } },
	[HISTORY_COMPLAINED] = { { "Complained", "迷惑メール報告" } },
	[HISTORY_ADDRESS] = { { "Another address", "アドレス変更" } },
};

/* What is shown of a form: a contact as it is, or what was sent and is wrong. */
struct shown {
	const struct contact *contact; /* NULL: a new one */
	const struct form *sent;       /* NULL: nothing was sent */
	const struct words *problem;   /* of the whole; NULL: none */
	const char *email_problem;     /* a sentence; NULL: none */
	u16 bad;		       /* attribute with a bad value; 0: none */
	enum value_problem why;
};

/* ---- the form ---- */

static struct slice value_name(char out[16], char kind, u16 id)
{
	return (struct slice){ out, (size_t)snprintf(out, 16, "%c%u", kind, id) };
}

static void show_choice(struct page *page, const struct attribute *attribute,
			const struct page_field *field)
{
	struct slice rest = attribute->choices;

	page_select_begin(page, field);
	page_option(page, SLICE(""), &words[NONE], field->value.len == 0);
	if (attribute->type == ATTRIBUTE_YES_NO) {
		page_option(page, SLICE("1"), &words[YES], slice_equal(field->value, SLICE("1")));
		page_option(page, SLICE("0"), &words[NO], slice_equal(field->value, SLICE("0")));
	}
	while (attribute->type == ATTRIBUTE_CHOICE && rest.len > 0) {
		struct slice choice = slice_split(&rest, '\n');

		page_option_text(page, choice, choice, slice_equal(choice, field->value));
	}
	page_select_end(page);
}

static void show_value(struct page *page, const struct attribute *attribute,
		       const struct shown *shown)
{
	struct slice label = page->language == LANGUAGE_JAPANESE ? attribute->label_ja :
								   attribute->label_en;
	char text[ATTRIBUTE_LABEL_MAX + 1];
	char name[16];
	struct words said = { { text, text } };
	struct page_field field = { .label = &said, .is_required = attribute->is_required };

	value_name(name, 'a', attribute->id);
	field.name = name;
	slice_copy(text, sizeof(text), label.len > 0 ? label : attribute->name);
	if (shown->sent)
		field.value = form_text(shown->sent, name);
	else if (shown->contact)
		field.value = contact_find_value(shown->contact->values, attribute->id);
	if (shown->bad == attribute->id)
		field.error_text = slice_of(
			value_problem_words(shown->why, page->language == LANGUAGE_JAPANESE));
	if (attribute->type == ATTRIBUTE_CHOICE || attribute->type == ATTRIBUTE_YES_NO) {
		show_choice(page, attribute, &field);
		return;
	}
	if (attribute->type == ATTRIBUTE_TEXT && slice_find_char(field.value, '\n') >= 0)
		field.rows = 4;
	page_field(page, &field);
}

static void show_list(struct page *page, const struct audience_list *list,
		      const struct shown *shown)
{
	struct contact_member member = { 0 };
	char text[LIST_TITLE_MAX + 1];
	char name[16];
	struct words said = { { text, text } };
	u32 state = 0;

	value_name(name, 'l', list->id);
	slice_copy(text, sizeof(text), list->title.len > 0 ? list->title : list->name);
	if (shown->sent && !slice_to_u32(form_text(shown->sent, name), &state))
		state = 0;
	if (!shown->sent && shown->contact &&
	    contact_find_member(shown->contact->lists, list->id, &member))
		state = member.state;
	if (!shown->sent && !shown->contact && list->is_default)
		state = MEMBER_ACTIVE;
	page_select_begin(page, &(struct page_field){ .name = name, .label = &said });
	page_option(page, SLICE("0"), &words[NOT_IN_LIST], state == 0);
	for (u32 i = MEMBER_PENDING; i <= MEMBER_LEFT; i++)
		page_option(page, DIGITS(i), &member_words[i], state == i);
	page_select_end(page);
}

static void show_fields(struct page *page, const struct nouns *nouns, const struct shown *shown)
{
	const struct contact *contact = shown->contact;
	struct page_field email = { .name = "email",
				    .label = &words[EMAIL],
				    .is_required = true,
				    .autocomplete = "off" };
	u32 state = contact ? contact->state : CONTACT_ACTIVE;

	if (shown->email_problem)
		email.error_text = slice_of(shown->email_problem);
	if (shown->sent) {
		email.value = form_text(shown->sent, "email");
		if (!slice_to_u32(form_text(shown->sent, "state"), &state))
			state = CONTACT_ACTIVE;
	} else if (contact) {
		email.value = contact->address;
	}
	page_field(page, &email);
	page_select_begin(page, &(struct page_field){ .name = "state", .label = &words[STATE] });
	for (u32 i = CONTACT_PENDING; i <= CONTACT_COMPLAINED; i++)
		page_option(page, DIGITS(i), &page_contact_states[i], state == i);
	page_select_end(page);
	page_group_begin(page, &words[VALUES]);
	for (u32 i = 0; i < nouns->attribute_count; i++)
		show_value(page, &nouns->attributes[i], shown);
	page_group_end(page);
	page_group_begin(page, &words[LISTS]);
	for (u32 i = 0; i < nouns->list_count; i++)
		show_list(page, &nouns->lists[i], shown);
	page_group_end(page);
	page_field(page, &(struct page_field){ .name = "consent",
					       .label = &words[CONSENT],
					       .hint = &words[CONSENT_HINT],
					       .length_max = IMPORT_SOURCE_MAX });
}

/* ---- the page ---- */

static void show_history(struct page *page, struct audience_txn *reader, u32 contact)
{
	static const struct page_column columns[] = {
		{ { { "When", "日時" } }, false },
		{ { { "What", "内容" } }, false },
		{ { { "Details", "詳細" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct history_event event = { .at_ms = UINT64_MAX, .number = UINT16_MAX };

	page_table_begin(page, &words[HISTORY], columns);
	for (u32 i = 0; i < HISTORY_SHOWN; i++) {
		if (contact_history_before(reader, contact, event.at_ms, event.number, &event) !=
		    STORE_OK)
			break;
		page_row_begin(page);
		page_cell_time(page, event.at_ms);
		page_cell(page);
		if ((u32)event.kind < array_count(event_words) &&
		    event_words[event.kind].text[0])
			page_words(page, &event_words[event.kind]);
		page_cell(page);
		for (size_t f = 0; f < event.field_count; f++) {
			page_text(page, event.fields[f]);
			PAGE_HTML(page, " ");
		}
		page_row_end(page);
	}
	page_table_end(page);
}

static void show_erase(struct page *page, u32 id)
{
	page_card_begin(page, &words[ERASE_TITLE]);
	page_paragraph(page, &words[ERASE_HINT]);
	PAGE_FORM(page, "/admin/contacts/{}/erase", DIGITS(id));
	page_check(page, "sure", &words[ERASE_SURE], false);
	page_submit(page, TONE_BAD, &words[ERASE]);
	page_form_end(page);
	page_card_end(page);
}

static void show_one(struct call *call, const struct nouns *nouns, const struct shown *shown)
{
	const struct contact *contact = shown->contact;
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_CONTACTS,
					.title = &words[contact ? CONTACTS : NEW_TITLE],
					.named = contact ? contact->address : SLICE_NONE,
					.crumbs = { { "/admin/contacts", &words[CONTACTS] } } });
	if (shown->problem)
		page_message(&page, TONE_BAD, shown->problem);
	page_card_begin(&page, NULL);
	if (contact) {
		page_contact_state(&page, contact->state);
		page_facts_begin(&page);
		page_fact(&page, &words[ADDED_AT]);
		page_time(&page, contact->created_ms);
		page_fact(&page, &words[CHANGED_AT]);
		page_time(&page, contact->changed_ms);
		page_facts_end(&page);
		PAGE_FORM(&page, "/admin/contacts/{}", DIGITS(contact->id));
	} else {
		PAGE_FORM(&page, "/admin/contacts/new");
	}
	show_fields(&page, nouns, shown);
	page_submit(&page, TONE_GOOD, &words[contact ? SAVE : ADD]);
	page_form_end(&page);
	page_card_end(&page);
	if (contact) {
		page_contact_sequences(&page, contact->id);
		page_card_begin(&page, &words[HISTORY]);
		show_history(&page, call->web->reader, contact->id);
		if (web_route_is_open(call, "/admin/contacts/{}/export"))
			PAGE_LINK(&page, &words[EXPORT], "/admin/contacts/{}/export",
				  DIGITS(contact->id));
		page_card_end(&page);
		show_erase(&page, contact->id);
	}
	page_end(&page, shown->sent ? 422 : 200);
}

/* False: there is none, and that is answered. */
static bool find(struct call *call, struct contact *contact)
{
	u32 id;
	bool is_there = slice_to_u32(slice_of(call->argument), &id) &&
			contact_get(call->web->reader, id, contact) == STORE_OK;

	if (!is_there)
		call_problem_page(call, 404, NULL);
	return is_there;
}

void page_contact_show(struct call *call)
{
	struct contact contact;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (find(call, &contact))
		show_one(call, nouns, &(struct shown){ .contact = &contact });
	nouns_end(call, nouns);
}

void page_contact_new(struct call *call)
{
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	show_one(call, nouns, &(struct shown){ .contact = NULL });
	nouns_end(call, nouns);
}

/* ---- saving ---- */

/* The form again, with what is wrong. */
static void show_again(struct call *call, const struct shown *shown, u32 id)
{
	struct shown again = *shown;
	struct contact contact;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (id != 0 && contact_get(call->web->reader, id, &contact) == STORE_OK)
		again.contact = &contact;
	again.sent = call->form;
	show_one(call, nouns, &again);
	nouns_end(call, nouns);
}

static void answer(struct call *call, struct call_order *order)
{
	struct contact_change *change = container_of(order, struct contact_change, order);
	u32 id = change->makes ? 0 : change->id;
	struct shown shown = { .contact = NULL };

	if (!call_order_is_well(call, order))
		return;
	switch (change->outcome) {
	case CONTACT_CHANGED:
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/contacts/{}",
			      DIGITS(change->id));
		break;
	case CONTACT_MADE:
		CALL_REDIRECT(call, TONE_GOOD, &words[ADDED], "/admin/contacts/{}",
			      DIGITS(change->id));
		break;
	case CONTACT_ERASED:
		CALL_REDIRECT(call, TONE_GOOD, &words[ERASED], "/admin/contacts");
		break;
	case CONTACT_IS_THERE:
	case CONTACT_IS_TAKEN:
		shown.problem = &words[IS_THERE];
		show_again(call, &shown, id);
		break;
	case CONTACT_IS_NOT_THERE:
		call_problem_page(call, 404, NULL);
		break;
	case CONTACT_IS_TOO_LARGE:
		shown.problem = &words[TOO_LARGE];
		show_again(call, &shown, id);
		break;
	case CONTACT_WANTS_CONSENT:
		shown.problem = &words[WANTS_CONSENT];
		show_again(call, &shown, id);
		break;
	}
}

static bool read_value(struct contact_change *change, const struct form *form,
		       const struct attribute *attribute, struct shown *shown)
{
	enum value_problem problem = VALUE_GOOD;
	char name[16];

	value_name(name, 'a', attribute->id);
	if (form_has(form, name))
		problem = contact_change_value(change, attribute, form_text(form, name));
	if (problem != VALUE_GOOD) {
		shown->bad = attribute->id;
		shown->why = problem;
	}
	return problem == VALUE_GOOD;
}

static bool read_form(struct contact_change *change, const struct form *form,
		      const struct nouns *nouns, struct shown *shown, struct error *error)
{
	char name[16];
	u32 state = 0;

	slice_copy(change->consent_source, sizeof(change->consent_source),
		   form_text(form, "consent"));
	if (slice_to_u32(form_text(form, "state"), &state) && state <= CONTACT_COMPLAINED)
		change->state = (enum contact_state)state;
	if (!contact_change_address(change, form_text(form, "email"), error)) {
		shown->email_problem = error->text;
		return false;
	}
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		if (!read_value(change, form, &nouns->attributes[i], shown))
			return false;
	}
	for (u32 i = 0; i < nouns->list_count; i++) {
		value_name(name, 'l', nouns->lists[i].id);
		if (slice_to_u32(form_text(form, name), &state) && state <= MEMBER_LEFT &&
		    !contact_change_list(change, nouns->lists[i].id, (enum member_state)state))
			return false;
	}
	return true;
}

static void save(struct call *call, u32 id)
{
	struct contact_change *change = contact_change_open(call, answer);
	struct shown shown = { .contact = NULL };
	struct error error;
	struct nouns *nouns;
	bool good;

	if (!change)
		return;
	if (!nouns_begin(call, &nouns)) {
		contact_change_free(change);
		return;
	}
	change->id = id;
	change->makes = id == 0;
	good = read_form(change, call->form, nouns, &shown, &error);
	nouns_end(call, nouns);
	if (good) {
		contact_change_give(change, call);
		return;
	}
	show_again(call, &shown, id);
	contact_change_free(change);
}

void page_contact_add(struct call *call)
{
	save(call, 0);
}

void page_contact_save(struct call *call)
{
	u32 id;

	if (slice_to_u32(slice_of(call->argument), &id) && id > 0)
		save(call, id);
	else
		call_problem_page(call, 404, NULL);
}

void page_contact_erase(struct call *call)
{
	struct contact_change *change;
	u32 id;

	if (!slice_to_u32(slice_of(call->argument), &id) || id == 0) {
		call_problem_page(call, 404, NULL);
		return;
	}
	if (!form_has(call->form, "sure")) {
		CALL_REDIRECT(call, TONE_BAD, &words[NOT_SURE], "/admin/contacts/{}", DIGITS(id));
		return;
	}
	change = contact_change_open(call, answer);
	if (!change)
		return;
	change->id = id;
	change->erases = true;
	contact_change_give(change, call);
}

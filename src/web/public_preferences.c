/*
 * /p/TOKEN: what somebody gets, chosen by himself: the lists that are public, on or off, and the
 * attributes that the setting PREFERENCES_FIELDS names. The token stands in each mail, so whoever a
 * mail is forwarded to can do this, too; the page shows what can be changed and no more, and the
 * address in part.
 */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/subscription.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "web/public_form.h"
#include "web/setting.h"
#include "web/teller.h"

#include <stdlib.h>

#define LISTS_MAX_SHOWN 100
#define FIELDS_MAX_TEXT 400

enum word {
	TITLE,
	FOR_ADDRESS,
	LISTS,
	PROFILE,
	SAVE,
	SAVED,
	IS_OUT,
	LEAVE_ALL,
	NO_LISTS,
	WRONG,
	DATA,
	DATA_TEXT,
	DATA_SEND,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "What you get from us", "配信の設定" } },
	[FOR_ADDRESS] = { { "For {1}", "{1} の設定" } },
	[LISTS] = { { "Newsletters", "受け取るメール" } },
	[PROFILE] = { { "About you", "登録情報" } },
	[SAVE] = { { "Save", "保存する" } },
	[SAVED] = { { "It is saved.", "保存しました。" } },
	[IS_OUT] = { { "You are unsubscribed from everything. Tick what you want to get again.",
		       "現在すべての配信を停止しています。再び受け取るものを選んでください。" } },
	[LEAVE_ALL] = { { "Unsubscribe from everything", "すべての配信を停止する" } },
	[NO_LISTS] = { { "There is nothing to choose from at the moment.",
			 "現在、選択できる項目はありません。" } },
	[DATA] = { { "Your data and your address", "登録情報とアドレス" } },
	[DATA_TEXT] = { { "To see all that we keep of you, to have it erased, or to get our mail "
			  "at another address, ask for a mail with a link.",
			  "登録情報の確認・削除、配信先アドレスの変更は、"
			  "メールでお送りするリンクから行えます。" } },
	[DATA_SEND] = { { "Send me the link", "リンクをメールで受け取る" } },
	[WRONG] = { { "Please look at what is marked below.",
		      "下の印がついた項目をご確認ください。" } },
};

/* ---- the page ---- */

struct preferences {
	struct audience_txn *txn;
	struct link_token token;
	struct contact contact;
	char fields[FIELDS_MAX_TEXT + 1];
};

/* Begins to read. NOT_FOUND: there is no such contact. */
static enum store_result open_preferences(struct call *call, struct preferences *p)
{
	struct slice fields;
	enum store_result result;

	p->txn = call->web->reader;
	p->fields[0] = '\0';
	result = audience_begin_read(p->txn);
	if (result != STORE_OK)
		return result;
	result = contact_get(p->txn, p->token.contact, &p->contact);
	if (result != STORE_OK)
		return result;
	result = audience_setting_get(p->txn, slice_of(PREFERENCES_FIELDS), &fields);
	if (result == STORE_OK)
		slice_copy(p->fields, sizeof(p->fields), fields);
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static bool is_editable(const struct preferences *p, u16 attribute)
{
	struct slice ids = slice_of(p->fields);
	bool is_required;
	u16 id;

	while (sign_up_next_id(&ids, &id, &is_required)) {
		if (id == attribute)
			return true;
	}
	return false;
}

static u32 add_lists(struct page *page, const struct preferences *p)
{
	bool is_out = p->contact.state == CONTACT_UNSUBSCRIBED;
	struct audience_list list = { 0 };
	struct contact_member member;
	u32 count = 0;

	while (count < LISTS_MAX_SHOWN && audience_list_after(p->txn, list.id, &list) == STORE_OK) {
		if (!list.is_public)
			continue;
		page_check_text(page, "list", DIGITS(list.id), list.title,
				!is_out &&
					contact_find_member(p->contact.lists, list.id, &member) &&
					member.state == MEMBER_ACTIVE);
		page_hidden(page, "shown", DIGITS(list.id));
		if (list.description.len > 0) {
			PAGE_HTML(page, "<p class=\"hint\">");
			page_text(page, list.description);
			PAGE_HTML(page, "</p>");
		}
		count++;
	}
	return count;
}

/* What was sent, when that is to be mended; else what is known. */
static struct slice value_of(const struct preferences *p, const struct form *sent, u16 attribute)
{
	char name[FORM_FIELD_NAME_SIZE];

	return sent ? form_text(sent, public_field_name(name, attribute))
		    : contact_find_value(p->contact.values, attribute);
}

static void add_profile(struct page *page, const struct preferences *p, const struct form *sent)
{
	struct attribute attribute = { 0 };
	struct buf values;

	if (!p->fields[0])
		return;
	buf_init(&values, CONTACT_VALUES_MAX);
	page_group_begin(page, &words[PROFILE]);
	while (attribute_after(p->txn, attribute.id, &attribute) == STORE_OK) {
		const char *mistake = NULL;

		if (!is_editable(p, attribute.id))
			continue;
		if (sent)
			mistake = public_read_value(&values, &attribute, attribute.is_required,
						    true, sent, page->language);
		public_add_field(page, &attribute, attribute.is_required,
				 value_of(p, sent, attribute.id), mistake);
	}
	page_group_end(page);
	buf_done(&values);
}

static void add_leaving(struct page *page, const struct preferences *p)
{
	struct public_token made;
	struct slice token = public_token_make(
		page->call,
		&(struct link_token){ LINK_UNSUBSCRIBE, p->token.campaign, p->token.contact, 0, 0 },
		&made);

	PAGE_FORM(page, "/u/{}", token);
	page_submit_as(page, TONE_NEUTRAL, &words[LEAVE_ALL], "what", SLICE("everything"));
	page_form_end(page);
}

/* What a stranger must not do goes by a mail to the address. */
static void add_data(struct page *page)
{
	page_card_begin(page, &words[DATA]);
	page_paragraph(page, &words[DATA_TEXT]);
	PAGE_BUTTON(page, TONE_NEUTRAL, &words[DATA_SEND], "/p/{}/data",
		    slice_of(page->call->argument));
	page_card_end(page);
}

/* Ends the transaction. */
static void show(struct call *call, struct preferences *p, const struct form *sent,
		 const struct words *message)
{
	enum page_tone tone = sent ? TONE_BAD : TONE_GOOD;
	char mask[PUBLIC_MASK_MAX];
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE], .is_public = true });
	page_card_begin(&page, NULL);
	PAGE_HTML(&page, "<p>");
	PAGE_SENTENCE(&page, &words[FOR_ADDRESS], public_mask(mask, p->contact.address));
	PAGE_HTML(&page, "</p>");
	if (message)
		page_message(&page, tone, message);
	if (p->contact.state == CONTACT_UNSUBSCRIBED)
		page_message(&page, TONE_WARNING, &words[IS_OUT]);
	PAGE_FORM(&page, "/p/{}", slice_of(call->argument));
	page_group_begin(&page, &words[LISTS]);
	if (add_lists(&page, p) == 0)
		page_paragraph(&page, &words[NO_LISTS]);
	page_group_end(&page);
	add_profile(&page, p, sent);
	page_submit(&page, TONE_GOOD, &words[SAVE]);
	page_form_end(&page);
	if (p->contact.state != CONTACT_UNSUBSCRIBED)
		add_leaving(&page, p);
	page_card_end(&page);
	if (call->web->config->web.url && setting_get(p->txn, SETTING_FROM_ADDRESS).len > 0)
		add_data(&page);
	audience_abort(p->txn);
	page_end(&page, sent ? 422 : 200);
}

static void open_and_show(struct call *call, const struct words *message)
{
	struct preferences p;
	enum store_result result;

	if (!public_token_read(call, LINK_PREFERENCES, &p.token)) {
		public_refuse_token(call);
		return;
	}
	result = open_preferences(call, &p);
	if (result == STORE_OK) {
		show(call, &p, NULL, message);
		return;
	}
	audience_abort(p.txn);
	if (result == STORE_NOT_FOUND)
		public_refuse_token(call);
	else
		call_problem_page(call, 503, NULL);
}

void public_preferences_page(struct call *call)
{
	open_and_show(call, NULL);
}

/* ---- saving ---- */

struct choice {
	u16 list;
	bool is_wanted;
};

struct saving {
	struct call_order order;
	struct subscription_act act;
	struct choice choices[LISTS_MAX_SHOWN];
	u32 choice_count;
	struct buf values; /* packed; empty ones take away */
	bool is_told; /* the sender is to be */
};

static enum store_result save_lists(struct saving *saving, struct audience_txn *txn)
{
	enum store_result result = STORE_OK;
	bool wants_any = false;
	bool changed;

	for (u32 i = 0; i < saving->choice_count; i++)
		wants_any |= saving->choices[i].is_wanted;
	saving->act.list = 0;
	if (wants_any)
		result = subscription_return(txn, &saving->act, &saving->is_told);
	for (u32 i = 0; i < saving->choice_count && result == STORE_OK; i++) {
		struct contact contact;
		struct contact_member member;
		bool is_in;

		saving->act.list = saving->choices[i].list;
		result = contact_get(txn, saving->act.contact, &contact);
		if (result != STORE_OK)
			break;
		is_in = contact_find_member(contact.lists, saving->act.list, &member) &&
			member.state == MEMBER_ACTIVE;
		changed = false;
		/* Who left everything keeps his lists, and none of them is ticked. */
		if (saving->choices[i].is_wanted && !is_in)
			result = subscription_return(txn, &saving->act, &changed);
		else if (!saving->choices[i].is_wanted && is_in &&
			 contact.state != CONTACT_UNSUBSCRIBED)
			result = subscription_leave(txn, &saving->act, &changed);
		saving->is_told |= changed;
	}
	return result;
}

static enum store_result save_values(struct saving *saving, struct audience_txn *txn)
{
	struct history_event event = { .at_ms = saving->act.now_ms,
				       .kind = HISTORY_CHANGED,
				       .fields = { SLICE("preferences") },
				       .field_count = 1 };
	struct contact before;
	struct contact contact;
	struct buf values;
	enum store_result result = contact_get(txn, saving->act.contact, &before);

	if (result != STORE_OK)
		return result;
	buf_init(&values, CONTACT_VALUES_MAX);
	contact_merge_values(&values, before.values, buf_slice(&saving->values));
	contact = before;
	contact.values = buf_slice(&values);
	contact.changed_ms = saving->act.now_ms;
	if (values.failed) {
		result = STORE_FULL;
	} else if (!slice_equal(contact.values, before.values)) {
		result = contact_put(txn, &before, &contact);
		if (result == STORE_OK)
			result = contact_history_add(txn, contact.id, &event);
	}
	buf_done(&values);
	return result;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct saving *saving = container_of(order, struct saving, order);
	enum store_result result;

	saving->is_told = false;
	result = save_lists(saving, txn);
	if (result == STORE_OK)
		result = save_values(saving, txn);
	return result == STORE_NOT_FOUND ? STORE_OK : result; /* erased meanwhile */
}

static void on_kept(struct call *call, struct call_order *order)
{
	if (call_order_is_well(call, order))
		open_and_show(call, &words[SAVED]);
}

static void on_done(struct call_order *order)
{
	struct saving *saving = container_of(order, struct saving, order);

	if (order->order.result == STORE_OK && saving->is_told)
		teller_wake();
	buf_done(&saving->values);
}

/* Those that the page showed, and of them those that were ticked; public ones alone. */
static void read_lists(const struct form *sent, const struct preferences *p, struct saving *saving)
{
	struct slice value;
	u32 at = 0;

	while (saving->choice_count < LISTS_MAX_SHOWN &&
	       (value = form_next(sent, "shown", &at)).ptr) {
		struct choice *choice = &saving->choices[saving->choice_count];
		struct audience_list list;
		struct slice ticked;
		u32 ticked_at = 0;
		u32 id;

		if (!slice_to_u32(value, &id) || id == 0 || id > UINT16_MAX ||
		    audience_list_get(p->txn, (u16)id, &list) != STORE_OK || !list.is_public)
			continue;
		choice->list = (u16)id;
		while ((ticked = form_next(sent, "list", &ticked_at)).ptr)
			choice->is_wanted |= slice_equal(ticked, value);
		saving->choice_count++;
	}
}

/* False: something is wrong with a value. */
static bool read_values(struct call *call, const struct preferences *p, struct saving *saving)
{
	struct attribute attribute = { 0 };
	bool is_good = true;

	while (attribute_after(p->txn, attribute.id, &attribute) == STORE_OK) {
		if (is_editable(p, attribute.id))
			is_good &= !public_read_value(&saving->values, &attribute,
						      attribute.is_required, true, call->form,
						      call_language(call));
	}
	return is_good;
}

/* Ends the transaction. */
static void save(struct call *call, struct preferences *p)
{
	struct saving *saving = calloc(1, sizeof(*saving));

	if (!saving) {
		audience_abort(p->txn);
		call_problem_page(call, 503, NULL);
		return;
	}
	buf_init(&saving->values, CONTACT_VALUES_MAX);
	saving->act = (struct subscription_act){ .contact = p->token.contact,
						 .campaign = p->token.campaign,
						 .now_ms = clock_wall_ms(),
						 .how = SLICE("preferences") };
	read_lists(call->form, p, saving);
	if (!read_values(call, p, saving)) {
		buf_done(&saving->values);
		free(saving);
		show(call, p, call->form, &words[WRONG]);
		return;
	}
	audience_abort(p->txn);
	saving->order.order.apply = apply;
	saving->order.answer = on_kept;
	saving->order.done = on_done;
	call_give_order(call, &saving->order);
}

void public_preferences(struct call *call)
{
	struct preferences p;
	enum store_result result;

	if (!public_token_read(call, LINK_PREFERENCES, &p.token)) {
		public_refuse_token(call);
		return;
	}
	result = open_preferences(call, &p);
	if (result == STORE_OK) {
		save(call, &p);
		return;
	}
	audience_abort(p.txn);
	if (result == STORE_NOT_FOUND)
		public_refuse_token(call);
	else
		call_problem_page(call, 503, NULL);
}

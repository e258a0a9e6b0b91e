/*
 * /p/data/TOKEN: all that is kept of somebody, to be saved or erased, and another address. The link
 * comes by a mail to the address (confirm_mail.h), for the one in each newsletter may have been
 * handed on; it counts for a day. Another address confirms itself: /p/address/TOKEN.
 */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/form_guard.h"
#include "campaign/subscription.h"
#include "store/audience_sender_order.h"
#include "web/confirm_mail.h"
#include "web/contact_change.h"
#include "web/public_page.h"
#include "web/teller.h"

#include <stdlib.h>

#define MAILS_PER_HOUR 3

enum word {
	TITLE,
	SAVE_TEXT,
	SAVE,
	ADDRESS,
	ADDRESS_NEW,
	ADDRESS_SEND,
	ADDRESS_WRONG,
	ERASE_TEXT,
	ERASE,
	ERASED,
	SENT,
	MANY,
	CONFIRM,
	CONFIRM_TEXT,
	CONFIRM_YES,
	MOVED,
	TAKEN,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Your data", "登録情報" } },
	[SAVE_TEXT] = { { "A file (JSON) with all that we keep of you.",
			  "登録されているすべての情報をファイル（JSON）で保存します。" } },
	[SAVE] = { { "Save", "保存する" } },
	[ADDRESS] = { { "Another address", "アドレスの変更" } },
	[ADDRESS_NEW] = { { "New address", "新しいアドレス" } },
	[ADDRESS_SEND] = { { "Send a mail there", "確認メールを送る" } },
	[ADDRESS_WRONG] = { { "This is no mail address.",
			      "メールアドレスとして正しくありません。" } },
	[ERASE_TEXT] = { { "Everything that we keep of you is deleted for good; you get nothing "
			   "more from us.",
			   "登録情報をすべて完全に削除します。今後メールは届きません。" } },
	[ERASE] = { { "Erase everything", "すべて削除する" } },
	[ERASED] = { { "Everything is erased.", "すべて削除しました。" } },
	[SENT] = { { "A mail is on its way. Please open the link in it.",
		     "メールをお送りしました。メール内のリンクを開いてください。" } },
	[MANY] = { { "Some mails were sent already. Please look for them, or try again in an hour.",
		     "すでにメールをお送りしています。ご確認いただくか、"
		     "1 時間ほど後にもう一度お試しください。" } },
	[CONFIRM] = { { "Your new address", "新しいアドレスの確認" } },
	[CONFIRM_TEXT] = { { "Our mail is to come to {1} from now on.",
			     "今後のメールを {1} にお届けします。" } },
	[CONFIRM_YES] = { { "Confirm", "確定する" } },
	[MOVED] = { { "Our mail comes to this address from now on.",
		      "今後のメールはこのアドレスに届きます。" } },
	[TAKEN] = { { "This address gets our mail already.",
		      "このアドレスはすでに登録されています。" } },
};

/* A page that says one thing. */
static void say(struct call *call, u32 status, enum page_tone tone, const struct words *sentence)
{
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE], .is_public = true });
	page_card_begin(&page, NULL);
	page_message(&page, tone, sentence);
	page_card_end(&page);
	page_end(&page, status);
}

/* ---- asking for a mail ---- */

struct asked {
	struct call_order order;
	struct sender_order mail;
	char address[ADDRESS_WIRE_MAX]; /* empty: the contact's own */
};

static enum store_result keep_mail(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct asked *asked = container_of(order, struct asked, order);
	struct sender_order mail = asked->mail;
	char own[CONTACT_ADDRESS_MAX];
	struct contact contact;
	enum store_result result = contact_get(txn, mail.contact, &contact);

	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	if (mail.address.len == 0) {
		memcpy(own, contact.address.ptr, contact.address.len);
		mail.address = (struct slice){ own, contact.address.len };
	}
	return sender_order_add(txn, &mail);
}

static void on_asked(struct call *call, struct call_order *order)
{
	if (call_order_is_well(call, order))
		say(call, 200, TONE_GOOD, &words[SENT]);
}

static void wake(struct call_order *order)
{
	if (order->order.result == STORE_OK)
		teller_wake();
}

/* `to` NULL: to the contact itself. */
static void ask_mail(struct call *call, const struct link_token *token, enum sender_order_kind kind,
		     const struct address *to)
{
	u64 now_ms = clock_wall_ms();
	struct asked *asked = NULL;

	if (!form_guard_takes_mail(call->web->form_guard, token->contact, now_ms / 1000,
				   MAILS_PER_HOUR)) {
		say(call, 429, TONE_WARNING, &words[MANY]);
		return;
	}
	asked = calloc(1, sizeof(*asked));
	if (!asked) {
		call_problem_page(call, 503, NULL);
		return;
	}
	asked->mail = (struct sender_order){ .kind = kind,
					     .contact = token->contact,
					     .at_ms = now_ms,
					     .list = slice_of(language_code(call_language(call))) };
	if (to) {
		struct buf wire = { .ptr = asked->address,
				    .size = ADDRESS_WIRE_MAX,
				    .max = ADDRESS_WIRE_MAX };

		address_add_wire(to, &wire);
		asked->mail.address = buf_slice(&wire);
	}
	asked->order.order.apply = keep_mail;
	asked->order.answer = on_asked;
	asked->order.done = wake;
	call_give_order(call, &asked->order);
}

void public_data_ask(struct call *call)
{
	struct link_token token;

	if (public_token_read(call, LINK_PREFERENCES, &token))
		ask_mail(call, &token, SENDER_DATA, NULL);
	else
		public_refuse_token(call);
}

/* ---- the page of data ---- */

static void show(struct call *call, bool is_wrong, struct slice address)
{
	struct slice self = slice_of(call->argument);
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE], .is_public = true });
	page_card_begin(&page, &words[SAVE]);
	page_paragraph(&page, &words[SAVE_TEXT]);
	PAGE_BUTTON(&page, TONE_GOOD, &words[SAVE], "/p/data/{}/file", self);
	page_card_end(&page);
	page_card_begin(&page, &words[ADDRESS]);
	PAGE_FORM(&page, "/p/data/{}/address", self);
	page_field(&page, &(struct page_field){ .name = "email",
						.label = &words[ADDRESS_NEW],
						.error = is_wrong ? &words[ADDRESS_WRONG] : NULL,
						.value = address,
						.type = "email",
						.autocomplete = "email",
						.length_max = 320,
						.is_required = true });
	page_submit(&page, TONE_NEUTRAL, &words[ADDRESS_SEND]);
	page_form_end(&page);
	page_card_end(&page);
	page_card_begin(&page, &words[ERASE]);
	page_paragraph(&page, &words[ERASE_TEXT]);
	PAGE_BUTTON(&page, TONE_BAD, &words[ERASE], "/p/data/{}/erase", self);
	page_card_end(&page);
	page_end(&page, is_wrong ? 422 : 200);
}

void public_data_page(struct call *call)
{
	struct link_token token;

	if (public_token_read(call, LINK_DATA, &token))
		show(call, false, SLICE(""));
	else
		public_refuse_token(call);
}

void public_data_file(struct call *call)
{
	struct contact contact;
	struct link_token token;
	struct nouns *nouns;
	json_t *json = NULL;

	if (!public_token_read(call, LINK_DATA, &token)) {
		public_refuse_token(call);
		return;
	}
	if (!nouns_begin(call, &nouns))
		return;
	if (contact_get(call->web->reader, token.contact, &contact) == STORE_OK)
		json = noun_contact_all_json(&contact, nouns, call->web->reader);
	nouns_end(call, nouns);
	if (json) {
		buf_add_text(&call->answer_head,
			     "Content-Disposition: attachment; filename=\"data.json\"\r\n");
		call_answer(call, 200, json);
	} else {
		public_refuse_token(call);
	}
}

/* ---- erasing ---- */

struct erasing {
	struct call_order order;
	struct subscription_act act;
};

/* What waits at the sender goes no more, and nothing is left but a hash of the address. */
static enum store_result erase(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct erasing *erasing = container_of(order, struct erasing, order);
	const struct subscription_act *act = &erasing->act;
	char key[ADDRESS_WIRE_MAX];
	struct slice known = { key, 0 };
	struct contact contact;
	enum store_result result;
	bool changed;

	result = subscription_leave(txn, act, &changed);
	if (result == STORE_OK)
		result = contact_get(txn, act->contact, &contact);
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	known.len = address_key_of_wire(key, contact.address);
	result = erased_add(txn, known, act->now_ms);
	return result == STORE_OK ? contact_erase(txn, act->contact, known) : result;
}

static void on_erased(struct call *call, struct call_order *order)
{
	if (call_order_is_well(call, order))
		say(call, 200, TONE_GOOD, &words[ERASED]);
}

void public_data_erase(struct call *call)
{
	struct erasing *erasing;
	struct link_token token;

	if (!public_token_read(call, LINK_DATA, &token)) {
		public_refuse_token(call);
		return;
	}
	erasing = calloc(1, sizeof(*erasing));
	if (!erasing) {
		call_problem_page(call, 503, NULL);
		return;
	}
	erasing->act = (struct subscription_act){ .contact = token.contact,
						  .now_ms = clock_wall_ms(),
						  .how = SLICE("erased") };
	erasing->order.order.apply = erase;
	erasing->order.answer = on_erased;
	erasing->order.done = wake;
	call_give_order(call, &erasing->order);
}

/* ---- another address ---- */

void public_data_readdress(struct call *call)
{
	struct slice typed = form_text(call->form, "email");
	struct address address;
	struct link_token token;
	struct error error;

	if (!public_token_read(call, LINK_DATA, &token))
		public_refuse_token(call);
	else if (!address_parse(&address, typed, &error))
		show(call, true, typed);
	else
		ask_mail(call, &token, SENDER_READDRESS, &address);
}

/* Whether the token is for this address. */
static bool reads_address(struct call *call, struct slice to, struct link_token *token)
{
	return public_token_read(call, LINK_ADDRESS, token) &&
	       token->extra == confirm_mail_hash(to);
}

void public_address_page(struct call *call)
{
	struct slice to = call_query(call, "to");
	struct link_token token;
	struct page page;

	if (!reads_address(call, to, &token)) {
		public_refuse_token(call);
		return;
	}
	page_begin(&page, call, &(struct page_head){ .title = &words[CONFIRM], .is_public = true });
	page_card_begin(&page, NULL);
	PAGE_HTML(&page, "<p>");
	PAGE_SENTENCE(&page, &words[CONFIRM_TEXT], to);
	PAGE_HTML(&page, "</p>");
	PAGE_FORM(&page, "/p/address/{}", slice_of(call->argument));
	page_hidden(&page, "to", to);
	page_submit(&page, TONE_GOOD, &words[CONFIRM_YES]);
	page_form_end(&page);
	page_card_end(&page);
	page_end(&page, 200);
}

static void on_moved(struct call *call, struct call_order *order)
{
	struct contact_change *change = container_of(order, struct contact_change, order);

	if (!call_order_is_well(call, order))
		return;
	if (change->outcome == CONTACT_CHANGED)
		say(call, 200, TONE_GOOD, &words[MOVED]);
	else if (change->outcome == CONTACT_IS_TAKEN)
		say(call, 409, TONE_WARNING, &words[TAKEN]);
	else
		public_refuse_token(call);
}

void public_address(struct call *call)
{
	struct slice to = form_text(call->form, "to");
	struct contact_change *change;
	struct link_token token;
	struct error error;

	if (!reads_address(call, to, &token)) {
		public_refuse_token(call);
		return;
	}
	change = calloc(1, sizeof(*change));
	if (!change) {
		call_problem_page(call, 503, NULL);
		return;
	}
	contact_change_init(change, call, "preferences", on_moved);
	change->id = token.contact;
	if (contact_change_address(change, to, &error)) {
		contact_change_give(change, call);
		return;
	}
	contact_change_free(change);
	public_refuse_token(call);
}

/*
 * /u/TOKEN: leaving. GET shows a page and changes nothing, for scanners follow every link; POST
 * leaves, by the button of that page or by the mail program's own (RFC 8058): then no cookie, no
 * login and no field is asked for, whatever the body is, since the token is signed and is the
 * right. Answered when it is durable; the sender is told right after (teller.h).
 */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/subscription.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "web/public_page.h"
#include "web/teller.h"

#include <stdlib.h>

#define UNDO_S 86400

enum word {
	TITLE,
	QUESTION_LIST,
	QUESTION_ALL,
	LEAVE_LIST,
	LEAVE_ALL,
	PREFERENCES,
	DONE,
	DONE_LIST,
	DONE_ALL,
	MISTAKE,
	UNDO,
	BACK,
	BACK_TEXT,
	IS_OUT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Unsubscribe", "配信停止" } },
	[QUESTION_LIST] = { { "Shall {1} get no more mail from \"{2}\"?",
			      "{1} への「{2}」の配信を停止しますか？" } },
	[QUESTION_ALL] = { { "Shall {1} get no more newsletters at all?",
			     "{1} へのすべてのメール配信を停止しますか？" } },
	[LEAVE_LIST] = { { "Unsubscribe", "配信を停止する" } },
	[LEAVE_ALL] = { { "Unsubscribe from everything", "すべての配信を停止する" } },
	[PREFERENCES] = { { "Choose what you get instead", "受け取る内容を選び直す" } },
	[DONE] = { { "You are unsubscribed", "配信を停止しました" } },
	[DONE_LIST] = { { "You will get no more mail of this list.",
			  "今後、このリストからのメールは届きません。" } },
	[DONE_ALL] = { { "You will get no more newsletters from us.",
			 "今後、メールマガジンは一切届きません。" } },
	[MISTAKE] = { { "Was that a mistake?", "間違えて操作しましたか？" } },
	[UNDO] = { { "Subscribe again", "元に戻す" } },
	[BACK] = { { "You are subscribed again", "元に戻しました" } },
	[BACK_TEXT] = { { "You will get our mail as before.", "今までどおりメールをお届けします。" } },
	[IS_OUT] = { { "This address is unsubscribed already.", "このアドレスは配信停止済みです。" } },
};

/* ---- the page that asks ---- */

/* What the page shows, copied out of the store. */
struct view {
	char address[PUBLIC_MASK_MAX];
	char title[LIST_TITLE_MAX + 1]; /* of the list; "": everything */
	bool is_out;
};

static enum store_result read_view(struct call *call, const struct link_token *token,
				   struct view *view)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_list list;
	struct contact contact;
	struct contact_member member;
	enum store_result result = audience_begin_read(txn);

	view->title[0] = '\0';
	if (result != STORE_OK)
		return result;
	result = contact_get(txn, token->contact, &contact);
	if (result == STORE_OK) {
		struct slice mask = public_mask(view->address, contact.address);

		view->address[min_size(mask.len, PUBLIC_MASK_MAX - 1)] = '\0';
		view->is_out = contact.state == CONTACT_UNSUBSCRIBED ||
			       contact.state == CONTACT_COMPLAINED ||
			       (contact_find_member(contact.lists, (u16)token->extra, &member) &&
				member.state == MEMBER_LEFT);
	}
	if (result == STORE_OK && token->extra > 0) {
		result = audience_list_get(txn, (u16)token->extra, &list);
		if (result == STORE_OK)
			slice_copy(view->title, sizeof(view->title), list.title);
		else if (result == STORE_NOT_FOUND)
			result = STORE_OK; /* deleted: then it is about everything */
	}
	audience_abort(txn);
	return result;
}

static void add_preferences(struct page *page, const struct link_token *token)
{
	struct public_token made;
	struct slice text = public_token_make(
		page->call,
		&(struct link_token){ LINK_PREFERENCES, token->campaign, token->contact, 0, 0 },
		&made);

	PAGE_HTML(page, "<p>");
	PAGE_LINK(page, &words[PREFERENCES], "/p/{}", text);
	PAGE_HTML(page, "</p>");
}

static void show_question(struct call *call, const struct link_token *token,
			  const struct view *view)
{
	struct slice self = slice_of(call->argument);
	struct slice address = slice_of(view->address);
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE], .is_public = true });
	page_card_begin(&page, NULL);
	if (view->is_out)
		page_message(&page, TONE_GOOD, &words[IS_OUT]);
	PAGE_HTML(&page, "<p>");
	if (view->title[0])
		PAGE_SENTENCE(&page, &words[QUESTION_LIST], address, slice_of(view->title));
	else
		PAGE_SENTENCE(&page, &words[QUESTION_ALL], address);
	PAGE_HTML(&page, "</p>");
	PAGE_FORM(&page, "/u/{}", self);
	if (view->title[0])
		page_submit(&page, TONE_NEUTRAL, &words[LEAVE_LIST]);
	PAGE_HTML(&page, " ");
	page_submit_as(&page, TONE_NEUTRAL, &words[LEAVE_ALL], "what", SLICE("everything"));
	page_form_end(&page);
	add_preferences(&page, token);
	page_card_end(&page);
	page_end(&page, 200);
}

void public_unsubscribe_page(struct call *call)
{
	struct link_token token;
	struct view view;
	enum store_result result;

	if (!public_token_read(call, LINK_UNSUBSCRIBE, &token) || token.extra > UINT16_MAX) {
		public_refuse_token(call);
		return;
	}
	result = read_view(call, &token, &view);
	if (result == STORE_OK)
		show_question(call, &token, &view);
	else if (result == STORE_NOT_FOUND)
		public_refuse_token(call);
	else
		call_problem_page(call, 503, NULL);
}

/* ---- leaving, and coming back ---- */

struct leave {
	struct call_order order;
	struct link_token token;
	struct subscription_act act;
	bool undoes;
	bool changed;
};

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct leave *leave = container_of(order, struct leave, order);
	enum store_result result;

	result = leave->undoes ? subscription_return(txn, &leave->act, &leave->changed)
			       : subscription_leave(txn, &leave->act, &leave->changed);
	/* An erased contact gets nothing anyway; and who asks does not learn that. */
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static void show_left(struct call *call, const struct leave *leave)
{
	struct public_token made;
	struct slice undo = public_token_make(
		call,
		&(struct link_token){ LINK_UNDO, leave->token.campaign, leave->token.contact,
				      leave->act.list, clock_wall_ms() / 1000 + UNDO_S },
		&made);
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[DONE], .is_public = true });
	page_card_begin(&page, NULL);
	page_message(&page, TONE_GOOD, &words[leave->act.list ? DONE_LIST : DONE_ALL]);
	page_paragraph(&page, &words[MISTAKE]);
	PAGE_FORM(&page, "/u/{}", slice_of(call->argument));
	page_hidden(&page, "undo", undo);
	page_submit(&page, TONE_NEUTRAL, &words[UNDO]);
	page_form_end(&page);
	add_preferences(&page, &leave->token);
	page_card_end(&page);
	page_end(&page, 200);
}

static void show_back(struct call *call, const struct leave *leave)
{
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[BACK], .is_public = true });
	page_card_begin(&page, NULL);
	page_message(&page, TONE_GOOD, &words[BACK_TEXT]);
	add_preferences(&page, &leave->token);
	page_card_end(&page);
	page_end(&page, 200);
}

static void on_kept(struct call *call, struct call_order *order)
{
	struct leave *leave = container_of(order, struct leave, order);

	if (!call_order_is_well(call, order))
		return;
	if (leave->undoes)
		show_back(call, leave);
	else
		show_left(call, leave);
}

/* Also when the call has gone meanwhile. */
static void on_done(struct call_order *order)
{
	if (order->order.result == STORE_OK)
		teller_wake();
}

/* What the body asks for besides. False: it tries to undo what it may not. */
static bool read_wish(struct call *call, const struct form *form, struct leave *leave)
{
	struct slice undo = form_text(form, "undo");
	struct link_token token;

	leave->act.how = SLICE("page");
	if (undo.len > 0) {
		leave->undoes = true;
		if (!link_token_read(call->web->links, LINK_UNDO, undo, clock_wall_ms() / 1000,
				     &token) ||
		    token.contact != leave->token.contact)
			return false;
		leave->act.list = (u16)token.extra;
	} else if (slice_equal(form_text(form, "what"), SLICE("everything"))) {
		leave->act.list = 0;
	} else if (slice_equal(form_text(form, "List-Unsubscribe"), SLICE("One-Click")) ||
		   form->count == 0) {
		leave->act.how = SLICE("one-click");
	}
	return true;
}

void public_unsubscribe(struct call *call)
{
	struct link_token token;
	struct leave *leave;
	struct form form;

	if (!public_token_read(call, LINK_UNSUBSCRIBE, &token) || token.extra > UINT16_MAX) {
		public_refuse_token(call);
		return;
	}
	leave = calloc(1, sizeof(*leave));
	if (!leave) {
		call_problem_page(call, 503, NULL);
		return;
	}
	leave->token = token;
	leave->act = (struct subscription_act){ .contact = token.contact,
						.list = (u16)token.extra,
						.campaign = token.campaign,
						.now_ms = clock_wall_ms() };
	/* A body that is no form is a mail program's, too. */
	if (!public_read_form(call, &form))
		form.count = 0;
	if (read_wish(call, &form, leave)) {
		leave->order.order.apply = apply;
		leave->order.answer = on_kept;
		leave->order.done = on_done;
		call_give_order(call, &leave->order);
	} else {
		free(leave);
		public_refuse_token(call);
	}
	form_done(&form);
}

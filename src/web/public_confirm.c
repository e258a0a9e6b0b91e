/*
 * /f/confirm/TOKEN: the link of the mail that asks for a confirmation. GET shows a button, for
 * scanners follow links; POST confirms, once.
 */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/sign_up.h"
#include "web/public_page.h"
#include "web/teller.h"

#include <stdlib.h>

#define AGENT_MAX 300
#define PEER_MAX 64

enum word { TITLE, QUESTION, YES, DONE, DONE_TEXT, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Confirm your subscription", "登録の確認" } },
	[QUESTION] = { { "One press of the button, and our mail comes to this address.",
			 "ボタンを押すと登録が完了し、メールの配信が始まります。" } },
	[YES] = { { "Confirm", "登録を完了する" } },
	[DONE] = { { "You are subscribed", "登録が完了しました" } },
	[DONE_TEXT] = { { "Thank you. Each mail has a link to unsubscribe.",
			  "ありがとうございます。配信停止のリンクは各メールに記載されています。" } },
};

void public_confirm_page(struct call *call)
{
	struct link_token token;
	struct page page;

	if (!public_token_read(call, LINK_CONFIRM, &token)) {
		public_refuse_token(call);
		return;
	}
	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE], .is_public = true });
	page_card_begin(&page, NULL);
	page_paragraph(&page, &words[QUESTION]);
	PAGE_FORM(&page, "/f/confirm/{}", slice_of(call->argument));
	page_submit(&page, TONE_GOOD, &words[YES]);
	page_form_end(&page);
	page_card_end(&page);
	page_end(&page, 200);
}

struct confirm {
	struct call_order order;
	struct sign_up_confirmation confirmation;
	bool changed;
	bool is_gone;
	char peer[PEER_MAX];
	char agent[AGENT_MAX + 1];
};

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct confirm *confirm = container_of(order, struct confirm, order);
	enum store_result result =
		sign_up_confirm(txn, &confirm->confirmation, &confirm->changed);

	confirm->is_gone = result == STORE_NOT_FOUND;
	return confirm->is_gone ? STORE_OK : result;
}

static void on_kept(struct call *call, struct call_order *order)
{
	struct confirm *confirm = container_of(order, struct confirm, order);
	struct page page;

	if (!call_order_is_well(call, order))
		return;
	if (confirm->is_gone) {
		public_refuse_token(call);
		return;
	}
	page_begin(&page, call, &(struct page_head){ .title = &words[DONE], .is_public = true });
	page_card_begin(&page, NULL);
	page_message(&page, TONE_GOOD, &words[DONE_TEXT]);
	page_card_end(&page);
	page_end(&page, 200);
}

static void on_done(struct call_order *order)
{
	if (order->order.result == STORE_OK)
		teller_wake();
}

void public_confirm(struct call *call)
{
	struct link_token token;
	struct confirm *confirm;

	if (!public_token_read(call, LINK_CONFIRM, &token)) {
		public_refuse_token(call);
		return;
	}
	confirm = calloc(1, sizeof(*confirm));
	if (!confirm) {
		call_problem_page(call, 503, NULL);
		return;
	}
	slice_copy(confirm->peer, sizeof(confirm->peer), public_says(call, "REMOTE_ADDR"));
	slice_copy(confirm->agent, sizeof(confirm->agent), public_says(call, "HTTP_USER_AGENT"));
	confirm->confirmation =
		(struct sign_up_confirmation){ .form = token.campaign,
					       .contact = token.contact,
					       .now_ms = clock_wall_ms(),
					       .peer = slice_of(confirm->peer),
					       .agent = slice_of(confirm->agent) };
	confirm->order.order.apply = apply;
	confirm->order.answer = on_kept;
	confirm->order.done = on_done;
	call_give_order(call, &confirm->order);
}

/*
 * How mail arrives: what receivers do with it now, addresses that are being warmed up, and those
 * that get nothing more.
 */
#include "base/text.h"
#include "message/address.h"
#include "store/audience_audit.h"
#include "web/page_sender.h"

#include <stdlib.h>

#define SITES_SHOWN 50
#define WARM_UPS_SHOWN 200

enum word {
	TITLE,
	WARM_UP,
	NO_WARM_UP,
	SUPPRESSION,
	SUPPRESSION_HINT,
	ADDRESS,
	FIND,
	ADD,
	REMOVE,
	ADDED,
	REMOVED,
	BAD_ADDRESS,
	NOT_KNOWN,
	IS_SUPPRESSED,
	IS_FREE,
	AWAY,
	DAY_OF,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Deliverability", "到達状況" } },
	[WARM_UP] = { { "Addresses in their warm-up", "ウォームアップ中の送信元" } },
	[NO_WARM_UP] = { { "No source address is being warmed up.",
			   "ウォームアップ中の送信元アドレスはありません。" } },
	[SUPPRESSION] = { { "Suppressed addresses", "配信停止アドレス" } },
	[SUPPRESSION_HINT] = { { "They get no mail, whatever list they are on: no such mailbox, a"
				 " complaint, or added by hand.",
				 "宛先不明、迷惑メール報告、手動登録などにより、"
				 "どのリストからも送信されないアドレスです。" } },
	[ADDRESS] = { { "E-mail address", "メールアドレス" } },
	[FIND] = { { "Look up", "検索" } },
	[ADD] = { { "Suppress", "配信停止にする" } },
	[REMOVE] = { { "Let mail through again", "配信停止を解除" } },
	[ADDED] = { { "The address gets no more mail.", "配信停止に登録しました。" } },
	[REMOVED] = { { "The address gets mail again.", "配信停止を解除しました。" } },
	[BAD_ADDRESS] = { { "This is no e-mail address.", "メールアドレスの形式が正しくありません。" } },
	[NOT_KNOWN] = { { "{1} is not suppressed.", "{1} は配信停止になっていません。" } },
	[IS_SUPPRESSED] = { { "suppressed", "配信停止" } },
	[IS_FREE] = { { "gets mail", "配信可" } },
	[AWAY] = { { "The sender does not answer at the moment.", "送信プログラムが応答していません。" } },
	[DAY_OF] = { { "{1} ({2} left)", "{1}日目（残り{2}日）" } },
};

/* ---- receivers and warm-up ---- */

static const struct page_sites sites_told = {
	.title = { { "Receivers now", "受信側の状況" } },
	.nothing = { { "Nothing is being sent.", "送信中のメールはありません。" } },
	.reason = { { "What it says", "応答" } },
	.most = SITES_SHOWN,
};

static void show_warm_up(struct page *page, const json_t *items)
{
	static const struct page_column columns[] = {
		{ { { "Source address", "送信元" } }, false },
		{ { { "Receiver", "受信側" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Day", "日数" } }, false },
		{ { { "Sent today", "本日の送信数" } }, true },
		{ { { "Plan of today", "本日の計画" } }, true },
		{ { { "Refused", "拒否" } }, true },
		{ { { NULL, NULL } }, false },
	};
	size_t count = json_array_size(items);

	page_card_begin(page, &words[WARM_UP]);
	if (count == 0)
		page_nothing(page, &words[NO_WARM_UP]);
	else
		page_table_begin(page, &words[WARM_UP], columns);
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(items, i);

		page_row_begin(page);
		page_cell_text(page, page_sender_text(item, "source"));
		page_cell_text(page, page_sender_text(item, "receiver"));
		page_cell_text(page, page_sender_text(item, "state"));
		page_cell(page);
		if (json_object_get(item, "day"))
			PAGE_SENTENCE(page, &words[DAY_OF], DIGITS(page_sender_number(item, "day")),
				      DIGITS(page_sender_number(item, "days_left")));
		page_cell_number(page, page_sender_number(item, "sent"));
		page_cell_number(page, page_sender_number(item, "quota"));
		page_cell_number(page, page_sender_number(item, "refused"));
		page_row_end(page);
	}
	if (count > 0)
		page_table_end(page);
	page_card_end(page);
}

/* ---- suppression ---- */

static void show_found(struct page *page, const json_t *found, struct slice address)
{
	static const struct page_column columns[] = {
		{ { { "State", "状態" } }, false },    { { { "For", "対象" } }, false },
		{ { { "Since", "日時" } }, false },    { { { "Reason", "理由" } }, false },
		{ { { "Text", "メモ" } }, false },     { { { NULL, NULL } }, false },
	};
	size_t count = json_array_size(found);

	if (count == 0) {
		PAGE_HTML(page, "<p class=\"nothing\">");
		PAGE_SENTENCE(page, &words[NOT_KNOWN], address);
		PAGE_HTML(page, "</p>");
		return;
	}
	page_table_begin(page, &words[SUPPRESSION], columns);
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(found, i);
		const json_t *history = json_object_get(one, "history");
		size_t events = json_array_size(history);
		const json_t *last = events > 0 ? json_array_get(history, events - 1) : NULL;
		bool is_active = json_is_true(json_object_get(one, "active"));

		page_row_begin(page);
		page_cell(page);
		page_badge(page, is_active ? TONE_BAD : TONE_GOOD,
			   is_active ? &words[IS_SUPPRESSED] : &words[IS_FREE]);
		page_cell_text(page, page_sender_text(one, "customer"));
		page_cell_time(page, page_sender_number(last, "time_ms"));
		page_cell_text(page, page_sender_text(last, "reason"));
		page_cell_text(page, page_sender_text(last, "text"));
		page_row_end(page);
	}
	page_table_end(page);
}

static void show_suppression(struct page *page, const json_t *found, struct slice address)
{
	bool may_change = page->call->session.role >= ACCOUNT_EDITOR;

	page_card_begin(page, &words[SUPPRESSION]);
	page_paragraph(page, &words[SUPPRESSION_HINT]);
	PAGE_SEARCH(page, "/admin/deliverability");
	page_field(page, &(struct page_field){ .name = "address",
					       .label = &words[ADDRESS],
					       .value = address,
					       .type = "email",
					       .autocomplete = "off" });
	page_submit(page, TONE_GOOD, &words[FIND]);
	page_form_end(page);
	if (found) {
		show_found(page, found, address);
		if (may_change) {
			PAGE_FORM(page, "/admin/deliverability");
			page_hidden(page, "address", address);
			PAGE_HTML(page, "<div class=\"actions\">");
			page_submit_as(page, TONE_BAD, &words[ADD], "do", SLICE("add"));
			page_submit_as(page, TONE_NEUTRAL, &words[REMOVE], "do", SLICE("remove"));
			PAGE_HTML(page, "</div>");
			page_form_end(page);
		}
	}
	page_card_end(page);
}

/* ---- the page: three questions to the sender, one after the other ---- */

/*
 * call->items has their answers: the status, a list of warm-ups, a list of what is known of the
 * address that is asked for. What could not be had is null.
 */
static void show(struct call *call)
{
	struct slice address = call_query(call, "address");
	const json_t *status = json_array_get(call->items, 0);
	const json_t *found = json_array_get(call->items, 2);
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DELIVERABILITY, .title = &words[TITLE] });
	if (!json_is_object(status))
		page_message(&page, TONE_WARNING, &words[AWAY]);
	show_suppression(&page, json_is_array(found) && address.len > 0 ? found : NULL, address);
	page_sites(&page, json_object_get(status, "sites"), &sites_told);
	show_warm_up(&page, json_array_get(call->items, 1));
	page_end(&page, 200);
}

/* Of the list that is being answered: the last one. */
static void keep(void *owner, const json_t *json)
{
	struct call *call = owner;
	json_t *list = json_array_get(call->items, json_array_size(call->items) - 1);

	/* The cast: a reference is counted, the value stays as it is. */
	if (json_array_size(list) < WARM_UPS_SHOWN)
		json_array_append(list, (json_t *)(uintptr_t)json);
}

static void on_found(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	(void)json;
	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED)
		json_array_set_new(call->items, 2, json_null());
	show(call);
}

static void on_warm_ups(void *owner, enum exchange_end end, const json_t *json)
{
	static const struct exchange_events events = { keep, on_found };
	struct call *call = owner;
	char address[ADDRESS_WIRE_MAX + 1];

	(void)json;
	(void)end;
	call->exchange = NULL;
	if (call_query(call, "address").len == 0 ||
	    !slice_copy(address, sizeof(address), call_query(call, "address"))) {
		show(call);
		return;
	}
	json_array_append_new(call->items, json_array());
	if (call_ask(call, &events,
		     json_pack("{s:s, s:s}", "command", "suppression.show", "address", address)))
		call_ask_end(call);
}

static void on_status(void *owner, enum exchange_end end, const json_t *json)
{
	static const struct exchange_events events = { keep, on_warm_ups };
	struct call *call = owner;

	call->exchange = NULL;
	json_array_append_new(call->items, end == EXCHANGE_REPLIED ?
						   json_incref((json_t *)(uintptr_t)json) :
						   json_null());
	json_array_append_new(call->items, json_array());
	if (call_ask(call, &events, json_pack("{s:s}", "command", "warmup.list")))
		call_ask_end(call);
}

void page_deliverability(struct call *call)
{
	static const struct exchange_events events = { NULL, on_status };

	call->items = json_array();
	if (!call->items) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (call_ask(call, &events, json_pack("{s:s}", "command", "status")))
		call_ask_end(call);
}

/* ---- changing ---- */

struct note {
	struct call_order base;
	struct call_author author;
	bool adds;
};

/* No address in the audit log: that it was done, by whom, and when. */
static enum store_result apply_note(struct scribe_order *order, struct audience_txn *txn)
{
	const struct note *note = container_of(order, struct note, base.order);

	return call_audit(txn, &note->author, note->adds ? "suppression.add" : "suppression.remove",
			  SLICE(""));
}

static bool adds(const struct call *call)
{
	return slice_equal(form_get(call->form, "do"), SLICE("add"));
}

static void on_noted(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_GOOD, adds(call) ? &words[ADDED] : &words[REMOVED],
			      "/admin/deliverability?address={}", form_text(call->form, "address"));
}

static void on_changed(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;
	struct note *note;

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED) {
		call_refuse_end(call, end, json);
		return;
	}
	note = calloc(1, sizeof(*note));
	if (!note) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	note->base.order.apply = apply_note;
	note->base.answer = on_noted;
	note->adds = adds(call);
	call_author(call, &note->author);
	call_give_order(call, &note->base);
}

void page_suppression_change(struct call *call)
{
	static const struct exchange_events events = { NULL, on_changed };
	struct slice text = form_text(call->form, "address");
	struct address address;
	struct error ignored;
	char copy[ADDRESS_WIRE_MAX + 1];

	if (!address_parse(&address, text, &ignored) || !slice_copy(copy, sizeof(copy), text)) {
		CALL_REDIRECT(call, TONE_BAD, &words[BAD_ADDRESS],
			      "/admin/deliverability?address={}", slice_first(text, 500));
		return;
	}
	if (call_ask(call, &events,
		     json_pack("{s:s, s:[s]}", "command",
			       adds(call) ? "suppression.add" : "suppression.remove", "addresses",
			       copy)))
		call_ask_end(call);
}

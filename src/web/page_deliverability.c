/*
 * How mail arrives: what became of it by day and receiver, what receivers do with it now, and
 * addresses that are being warmed up.
 */
#include "base/text.h"
#include "web/page_sender.h"

#define SITES_SHOWN 50
#define WARM_UPS_SHOWN 200

enum word {
	TITLE,
	WARM_UP,
	NO_WARM_UP,
	SUPPRESSION,
	SUPPRESSION_HINT,
	SUPPRESSION_SHOW,
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
	[SUPPRESSION_SHOW] = { { "Show and search them", "一覧・検索" } },
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

/* ---- the page: two questions to the sender, one after the other ---- */

/*
 * call->items has the answers: the status, and a list of warm-ups. What could not be had is null.
 */
static void show(struct call *call)
{
	const json_t *status = json_array_get(call->items, 0);
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DELIVERABILITY,
					.title = &words[TITLE],
					.has_chart = true });
	if (!json_is_object(status))
		page_message(&page, TONE_WARNING, &words[AWAY]);
	page_arrivals(&page);
	page_card_begin(&page, &words[SUPPRESSION]);
	page_paragraph(&page, &words[SUPPRESSION_HINT]);
	PAGE_HTML(&page, "<p>");
	PAGE_ACTION(&page, &words[SUPPRESSION_SHOW], "/admin/suppressions");
	PAGE_HTML(&page, "</p>");
	page_card_end(&page);
	page_sites(&page, json_object_get(status, "sites"), &sites_told);
	show_warm_up(&page, json_array_get(call->items, 1));
	page_end(&page, 200);
}

static void keep(void *owner, const json_t *json)
{
	struct call *call = owner;
	json_t *list = json_array_get(call->items, 1);

	/* The cast: a reference is counted, the value stays as it is. */
	if (json_array_size(list) < WARM_UPS_SHOWN)
		json_array_append(list, (json_t *)(uintptr_t)json);
}

static void on_warm_ups(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	(void)json;
	(void)end;
	call->exchange = NULL;
	show(call);
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

	if (!call_begin_items(call))
		return;
	if (call_ask(call, &events, json_pack("{s:s}", "command", "status")))
		call_ask_end(call);
}

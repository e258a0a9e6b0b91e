/* Addresses that get nothing more: a list to page and search, and what is known of each. */
#include "base/text.h"
#include "message/address.h"
#include "web/page_sender.h"
#include "web/suppression_note.h"

#define SHOWN 50
#define FIND_MAX 254

enum word {
	TITLE,
	ABOVE,
	HINT,
	FIND,
	FIND_HINT,
	REASON,
	ANY_REASON,
	SHOW,
	NOTHING,
	GO_ON,
	ADDRESS,
	NOTE,
	ADD,
	ADD_TITLE,
	REMOVE,
	REMOVE_HINT,
	ADDED,
	REMOVED,
	BAD_ADDRESS,
	NOT_KNOWN,
	EVERYBODY,
	IS_SUPPRESSED,
	IS_FREE,
	HISTORY,
	AWAY,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Suppressed addresses", "配信停止アドレス" } },
	[ABOVE] = { { "Deliverability", "到達状況" } },
	[HINT] = { { "They get no mail, whatever list they are on: no such mailbox, a complaint, or"
		     " added by hand.",
		     "宛先不明、迷惑メール報告、手動登録などにより、"
		     "どのリストからも送信されないアドレスです。" } },
	[FIND] = { { "Part of the address", "アドレスの一部" } },
	[FIND_HINT] = { { "A whole address shows all that is known of it.",
			  "アドレス全体を入力すると、その履歴を表示します。" } },
	[REASON] = { { "Reason", "理由" } },
	[ANY_REASON] = { { "Any", "すべて" } },
	[SHOW] = { { "Search", "検索" } },
	[NOTHING] = { { "No such address is suppressed.", "該当する配信停止アドレスはありません。" } },
	[GO_ON] = { { "Nothing was found so far; the next page searches on.",
		      "ここまでに該当はありません。次のページで検索を続けます。" } },
	[ADDRESS] = { { "E-mail address", "メールアドレス" } },
	[NOTE] = { { "Note", "メモ" } },
	[ADD] = { { "Suppress", "配信停止にする" } },
	[ADD_TITLE] = { { "Suppress an address", "アドレスを配信停止に登録" } },
	[REMOVE] = { { "Let mail through again", "配信停止を解除" } },
	[REMOVE_HINT] = { { "Mail goes to this address again, as far as its contact and lists want"
			    " it. Who complained or asked to be left alone should stay.",
			    "このアドレスへの配信が再開されます。迷惑メール報告や配信停止の依頼があった"
			    "アドレスは解除しないでください。" } },
	[ADDED] = { { "The address gets no more mail.", "配信停止に登録しました。" } },
	[REMOVED] = { { "The address gets mail again.", "配信停止を解除しました。" } },
	[BAD_ADDRESS] = { { "This is no e-mail address.", "メールアドレスの形式が正しくありません。" } },
	[NOT_KNOWN] = { { "Nothing is known of {1}: it gets mail.",
			  "{1} は配信停止になっていません。" } },
	[EVERYBODY] = { { "all mail", "すべてのメール" } },
	[IS_SUPPRESSED] = { { "suppressed", "配信停止" } },
	[IS_FREE] = { { "gets mail", "配信可" } },
	[HISTORY] = { { "What happened", "履歴" } },
	[AWAY] = { { "The sender does not answer at the moment.", "送信プログラムが応答していません。" } },
};

/* As the sender says them; the first ones can be searched for. */
static const struct {
	const char *reason;
	bool is_searched;
	struct words words;
} reasons[] = {
	{ "bad-mailbox", true, { { "no such mailbox", "宛先が存在しない" } } },
	{ "soft-bounces", true, { { "given up again and again", "繰り返し不達" } } },
	{ "complaint", true, { { "complaint", "迷惑メール報告" } } },
	{ "unsubscribe", true, { { "unsubscribed", "配信停止の依頼" } } },
	{ "manual", true, { { "by hand", "手動登録" } } },
	{ "import", true, { { "import", "一括登録" } } },
	{ "removed", false, { { "let through again", "解除" } } },
	{ "bad-mailbox-once", false, { { "no such mailbox, not believed yet",
					 "宛先が存在しない（確認中）" } } },
};

static void write_reason(struct page *page, struct slice reason)
{
	for (size_t i = 0; i < array_count(reasons); i++) {
		if (slice_equal(reason, slice_of(reasons[i].reason))) {
			page_words(page, &reasons[i].words);
			return;
		}
	}
	page_text(page, reason);
}

/* Whose mail: all, a customer's, a list of it. */
static void write_scope(struct page *page, const json_t *item)
{
	struct slice customer = page_sender_text(item, "customer");
	struct slice list = page_sender_text(item, "list");

	if (customer.len == 0)
		page_words(page, &words[EVERYBODY]);
	else
		page_text(page, customer);
	if (list.len > 0) {
		PAGE_HTML(page, " / ");
		page_text(page, list);
	}
}

static const json_t *last_event(const json_t *item)
{
	const json_t *history = json_object_get(item, "history");
	size_t events = json_array_size(history);

	return events > 0 ? json_array_get(history, events - 1) : NULL;
}

/* ---- the list ---- */

static void show_search(struct page *page, struct slice find, struct slice reason)
{
	PAGE_SEARCH(page, "/admin/suppressions");
	page_field(page, &(struct page_field){ .name = "find",
					       .label = &words[FIND],
					       .hint = &words[FIND_HINT],
					       .value = find,
					       .autocomplete = "off",
					       .length_max = FIND_MAX });
	page_select_begin(page, &(struct page_field){ .name = "reason", .label = &words[REASON] });
	page_option(page, SLICE(""), &words[ANY_REASON], reason.len == 0);
	for (size_t i = 0; i < array_count(reasons) && reasons[i].is_searched; i++)
		page_option(page, slice_of(reasons[i].reason), &reasons[i].words,
			    slice_equal(reason, slice_of(reasons[i].reason)));
	page_select_end(page);
	page_submit(page, TONE_GOOD, &words[SHOW]);
	page_form_end(page);
}

static void show_table(struct page *page, const json_t *items)
{
	static const struct page_column columns[] = {
		{ { { "Address", "アドレス" } }, false }, { { { "For", "対象" } }, false },
		{ { { "Since", "日時" } }, false },	  { { { "Reason", "理由" } }, false },
		{ { { "Text", "メモ" } }, false },	  { { { NULL, NULL } }, false },
	};

	page_table_begin(page, &words[TITLE], columns);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const json_t *last = last_event(item);
		struct slice address = page_sender_text(item, "address");

		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, address, "/admin/suppressions/{}", address);
		page_cell(page);
		write_scope(page, item);
		page_cell_time(page, page_sender_number(last, "time_ms"));
		page_cell(page);
		write_reason(page, page_sender_text(last, "reason"));
		page_cell_text(page, page_sender_text(last, "text"));
		page_row_end(page);
	}
	page_table_end(page);
}

static void show_add(struct page *page, struct slice address, const struct words *problem)
{
	if (page->call->session.role < ACCOUNT_EDITOR)
		return;
	page_card_begin(page, &words[ADD_TITLE]);
	PAGE_FORM(page, "/admin/suppressions");
	page_field(page, &(struct page_field){ .name = "address",
					       .label = &words[ADDRESS],
					       .error = problem,
					       .value = address,
					       .type = "email",
					       .autocomplete = "off",
					       .is_required = true });
	page_field(page, &(struct page_field){ .name = "text",
					       .label = &words[NOTE],
					       .autocomplete = "off",
					       .length_max = 60 });
	page_submit(page, TONE_BAD, &words[ADD]);
	page_form_end(page);
	page_card_end(page);
}

static void show_list(struct call *call, const json_t *reply, bool is_away)
{
	struct slice find = call_query(call, "find");
	struct slice reason = call_query(call, "reason");
	struct slice next = page_sender_text(reply, "next");
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DELIVERABILITY,
					.title = &words[TITLE],
					.crumbs = { { "/admin/deliverability", &words[ABOVE] } } });
	if (is_away)
		page_message(&page, TONE_WARNING, &words[AWAY]);
	page_paragraph(&page, &words[HINT]);
	show_search(&page, find, reason);
	if (json_array_size(call->items) > 0)
		show_table(&page, call->items);
	else if (!is_away)
		page_nothing(&page, &words[next.len > 0 ? GO_ON : NOTHING]);
	if (next.len > 0)
		PAGE_NEXT(&page, "/admin/suppressions?find={}&reason={}&after={}", find, reason,
			  next);
	show_add(&page, SLICE(""), NULL);
	page_end(&page, 200);
}

static void keep(void *owner, const json_t *json)
{
	struct call *call = owner;

	/* The cast: a reference is counted, the value stays as it is. */
	json_array_append(call->items, (json_t *)(uintptr_t)json);
}

static void on_listed(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REFUSED)
		call_refuse_end(call, end, json);
	else
		show_list(call, end == EXCHANGE_REPLIED ? json : NULL, end != EXCHANGE_REPLIED);
}

static const char *if_any(struct slice text, char *out, size_t size)
{
	return text.len > 0 && slice_copy(out, size, text) ? out : NULL;
}

void page_suppressions(struct call *call)
{
	static const struct exchange_events events = { keep, on_listed };
	struct slice whole = call_query(call, "find");
	struct address address;
	struct error ignored;
	char find[FIND_MAX + 1];
	char reason[32];
	char after[64];

	if (address_parse(&address, whole, &ignored)) {
		CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/suppressions/{}", whole);
		return;
	}
	if (!call_begin_items(call))
		return;
	if (call_ask(call, &events,
		     json_pack("{s:s, s:i, s:s*, s:s*, s:s*}", "command", "suppression.list",
			       "limit", SHOWN, "contains", if_any(whole, find, sizeof(find)),
			       "reason",
			       if_any(call_query(call, "reason"), reason, sizeof(reason)), "after",
			       if_any(call_query(call, "after"), after, sizeof(after)))))
		call_ask_end(call);
}

/* ---- one address ---- */

static void show_history(struct page *page, const json_t *history)
{
	static const struct page_column columns[] = {
		{ { { "Time", "日時" } }, false },
		{ { { "Reason", "理由" } }, false },
		{ { { "Text", "メモ" } }, false },
		{ { { NULL, NULL } }, false },
	};

	page_table_begin(page, &words[HISTORY], columns);
	for (size_t i = json_array_size(history); i > 0; i--) {
		const json_t *event = json_array_get(history, i - 1);

		page_row_begin(page);
		page_cell_time(page, page_sender_number(event, "time_ms"));
		page_cell(page);
		write_reason(page, page_sender_text(event, "reason"));
		page_cell_text(page, page_sender_text(event, "text"));
		page_row_end(page);
	}
	page_table_end(page);
}

static void show_scope(struct page *page, const json_t *item, struct slice address)
{
	bool is_active = json_is_true(json_object_get(item, "active"));

	page_card_begin(page, NULL);
	PAGE_HTML(page, "<h2>");
	write_scope(page, item);
	PAGE_HTML(page, "</h2><p>");
	page_badge(page, is_active ? TONE_BAD : TONE_GOOD,
		   &words[is_active ? IS_SUPPRESSED : IS_FREE]);
	PAGE_HTML(page, "</p>");
	show_history(page, json_object_get(item, "history"));
	if (is_active && page->call->session.role >= ACCOUNT_EDITOR) {
		page_paragraph(page, &words[REMOVE_HINT]);
		PAGE_FORM(page, "/admin/suppressions/{}", address);
		page_hidden(page, "customer", page_sender_text(item, "customer"));
		page_hidden(page, "list", page_sender_text(item, "list"));
		page_submit(page, TONE_BAD, &words[REMOVE]);
		page_form_end(page);
	}
	page_card_end(page);
}

static void on_shown(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;
	struct slice address = slice_of(call->argument);
	bool is_for_all = false;
	struct page page;

	call->exchange = NULL;
	if (end == EXCHANGE_REFUSED) {
		call_refuse_end(call, end, json);
		return;
	}
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DELIVERABILITY,
					.title = &words[TITLE],
					.named = address,
					.crumbs = { { "/admin/deliverability", &words[ABOVE] },
						    { "/admin/suppressions", &words[TITLE] } } });
	if (end != EXCHANGE_REPLIED)
		page_message(&page, TONE_WARNING, &words[AWAY]);
	for (size_t i = 0; i < json_array_size(call->items); i++) {
		const json_t *item = json_array_get(call->items, i);

		is_for_all = is_for_all || (json_is_true(json_object_get(item, "active")) &&
					    page_sender_text(item, "customer").len == 0);
		show_scope(&page, item, address);
	}
	if (end == EXCHANGE_REPLIED && json_array_size(call->items) == 0) {
		PAGE_HTML(&page, "<p class=\"nothing\">");
		PAGE_SENTENCE(&page, &words[NOT_KNOWN], address);
		PAGE_HTML(&page, "</p>");
	}
	if (end == EXCHANGE_REPLIED && !is_for_all)
		show_add(&page, address, NULL);
	page_end(&page, 200);
}

void page_suppression(struct call *call)
{
	static const struct exchange_events events = { keep, on_shown };
	struct address address;
	struct error ignored;

	if (!address_parse(&address, slice_of(call->argument), &ignored)) {
		call_problem_page(call, 404, &words[BAD_ADDRESS]);
		return;
	}
	if (!call_begin_items(call))
		return;
	if (call_ask(call, &events,
		     json_pack("{s:s, s:s}", "command", "suppression.show", "address",
			       call->argument)))
		call_ask_end(call);
}

/* ---- changing ---- */

/* Of a call that names an address in its path, it is taken off. */
static bool adds(const struct call *call)
{
	return !call->argument[0];
}

static struct slice meant(const struct call *call)
{
	return adds(call) ? form_text(call->form, "address") : slice_of(call->argument);
}

static void on_noted(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_GOOD, &words[adds(call) ? ADDED : REMOVED],
			      "/admin/suppressions/{}", meant(call));
}

static void on_changed(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REPLIED)
		suppression_note_give(call, adds(call), on_noted);
	else
		call_refuse_end(call, end, json);
}

static void refuse_address(struct call *call, struct slice text)
{
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DELIVERABILITY,
					.title = &words[TITLE],
					.crumbs = { { "/admin/suppressions", &words[TITLE] } } });
	show_add(&page, slice_first(text, 500), &words[BAD_ADDRESS]);
	page_end(&page, 422);
}

void page_suppression_change(struct call *call)
{
	static const struct exchange_events events = { NULL, on_changed };
	struct slice text = meant(call);
	struct address address;
	struct error ignored;
	char copy[ADDRESS_WIRE_MAX + 1];
	char customer[254];
	char list[64];
	char note[241];

	if (!address_parse(&address, text, &ignored) || !slice_copy(copy, sizeof(copy), text)) {
		refuse_address(call, text);
		return;
	}
	if (call_ask(call, &events,
		     json_pack("{s:s, s:[s], s:s*, s:s*, s:s*}", "command",
			       adds(call) ? "suppression.add" : "suppression.remove", "addresses",
			       copy, "customer",
			       if_any(form_text(call->form, "customer"), customer,
				      sizeof(customer)),
			       "list", if_any(form_text(call->form, "list"), list, sizeof(list)),
			       "text", if_any(form_text(call->form, "text"), note, sizeof(note)))))
		call_ask_end(call);
}

/* /admin/contacts: finding contacts. */
#include "base/text.h"
#include "web/contact_search.h"
#include "web/noun.h"
#include "web/page.h"
#include "web/page_contact.h"

#include <stdlib.h>

#define ROWS 50

enum word {
	TITLE,
	FIND,
	FIND_HINT,
	ANYWHERE,
	LIST,
	STATE,
	ALL,
	SEARCH,
	NEW,
	EXPORT,
	NOTHING,
	GOES_ON,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Contacts", "連絡先" } },
	[FIND] = { { "Address begins with", "メールアドレス(先頭から)" } },
	[FIND_HINT] = { { "Found at once, in millions, too.", "件数が多くてもすぐに見つかります。" } },
	[ANYWHERE] = { { "Text anywhere in address or values",
			 "メールアドレスと属性に含まれる文字" } },
	[LIST] = { { "List", "リスト" } },
	[STATE] = { { "State", "状態" } },
	[ALL] = { { "All", "すべて" } },
	[SEARCH] = { { "Search", "検索" } },
	[NEW] = { { "Add a contact", "連絡先を追加" } },
	[EXPORT] = { { "Export", "エクスポート" } },
	[NOTHING] = { { "Nobody was found.", "該当する連絡先はありません。" } },
	[GOES_ON] = { { "So far nobody was found; the search goes on on the next page.",
			"ここまでには該当がありません。次のページで検索を続けます。" } },
};

static const struct page_head head = { .place = PLACE_CONTACTS, .title = &words[TITLE] };

const struct words page_contact_states[CONTACT_COMPLAINED + 1] = {
	[CONTACT_PENDING] = { { "Waits for confirmation", "確認待ち" } },
	[CONTACT_ACTIVE] = { { "Active", "有効" } },
	[CONTACT_BOUNCED] = { { "Mailbox fails", "不達" } },
	[CONTACT_UNSUBSCRIBED] = { { "Unsubscribed", "配信停止" } },
	[CONTACT_COMPLAINED] = { { "Complained", "迷惑メール報告" } },
};

void page_contact_state(struct page *page, enum contact_state state)
{
	enum page_tone tone = state == CONTACT_ACTIVE  ? TONE_GOOD :
			      state == CONTACT_PENDING ? TONE_WARNING :
							 TONE_BAD;

	page_badge(page, tone, &page_contact_states[state]);
}

/* ---- what is searched for ---- */

static void read_search(struct contact_search *search, struct call *call,
			const struct nouns *nouns)
{
	const struct audience_list *list = NULL;
	struct slice name = call_query(call, "list");
	u32 state;

	slice_copy(search->prefix, sizeof(search->prefix), call_query(call, "email"));
	slice_copy(search->text, sizeof(search->text), call_query(call, "text"));
	slice_copy(search->cursor, sizeof(search->cursor), call_query(call, "after"));
	if (name.len > 0)
		list = nouns_list_named(nouns, name);
	search->list = list ? list->id : 0;
	if (slice_to_u32(call_query(call, "state"), &state) && state <= CONTACT_COMPLAINED)
		search->state = (u8)state;
	search->limit = ROWS;
}

static void show_search(struct page *page, const struct contact_search *search,
			const struct nouns *nouns)
{
	page_card_begin(page, NULL);
	PAGE_SEARCH(page, "/admin/contacts");
	page_field(page, &(struct page_field){ .name = "email",
					       .label = &words[FIND],
					       .hint = &words[FIND_HINT],
					       .value = slice_of(search->prefix),
					       .type = "search",
					       .autocomplete = "off" });
	page_field(page, &(struct page_field){ .name = "text",
					       .label = &words[ANYWHERE],
					       .value = slice_of(search->text),
					       .type = "search",
					       .autocomplete = "off" });
	page_select_begin(page, &(struct page_field){ .name = "list", .label = &words[LIST] });
	page_option(page, SLICE(""), &words[ALL], search->list == 0);
	for (u32 i = 0; i < nouns->list_count; i++) {
		const struct audience_list *list = &nouns->lists[i];

		page_option_text(page, list->name, list->title.len > 0 ? list->title : list->name,
				 search->list == list->id);
	}
	page_select_end(page);
	page_select_begin(page, &(struct page_field){ .name = "state", .label = &words[STATE] });
	page_option(page, SLICE(""), &words[ALL], search->state == 0);
	for (u32 i = CONTACT_PENDING; i <= CONTACT_COMPLAINED; i++)
		page_option(page, DIGITS(i), &page_contact_states[i], search->state == i);
	page_select_end(page);
	page_submit(page, TONE_NEUTRAL, &words[SEARCH]);
	page_form_end(page);
	page_card_end(page);
}

static void show_actions(struct page *page, struct call *call, const struct contact_search *search,
			 const struct nouns *nouns)
{
	const struct audience_list *list = nouns_list(nouns, search->list);
	struct slice name = list ? list->name : SLICE("");

	PAGE_HTML(page, "<p>");
	if (web_route_is_open(call, "/admin/contacts/new"))
		PAGE_ACTION(page, &words[NEW], "/admin/contacts/new");
	if (web_route_is_open(call, "/admin/contacts/export")) {
		PAGE_HTML(page, " ");
		PAGE_LINK(page, &words[EXPORT], "/admin/contacts/export?list={}", name);
	}
	PAGE_HTML(page, "</p>");
}

/* ---- what was found ---- */

static void show_row(struct page *page, const struct contact *contact)
{
	page_row_begin(page);
	page_cell(page);
	PAGE_LINK_TEXT(page, contact->address, "/admin/contacts/{}", DIGITS(contact->id));
	page_cell(page);
	page_contact_state(page, contact->state);
	page_cell_time(page, contact->created_ms);
	page_cell_time(page, contact->changed_ms);
	page_row_end(page);
}

static void show_found(struct page *page, struct call *call, const struct contact_search *search)
{
	static const struct page_column columns[] = {
		{ { { "E-mail address", "メールアドレス" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Added", "登録日時" } }, false },
		{ { { "Changed", "更新日時" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct contact contact;

	if (search->count == 0)
		page_nothing(page, search->cursor[0] ? &words[GOES_ON] : &words[NOTHING]);
	else
		page_table_begin(page, &words[TITLE], columns);
	for (u32 i = 0; i < search->count; i++) {
		if (contact_get(call->web->reader, search->ids[i], &contact) == STORE_OK)
			show_row(page, &contact);
	}
	if (search->count > 0)
		page_table_end(page);
}

/* The same search from where this page ended. */
static void show_next(struct page *page, struct call *call, const struct contact_search *search)
{
	const struct slice values[] = { call_query(call, "email"), call_query(call, "text"),
					call_query(call, "list"), call_query(call, "state"),
					slice_of(search->cursor) };
	static const struct words next = { { "Next page", "次のページ" } };

	if (!search->cursor[0])
		return;
	PAGE_HTML(page, "<p><a");
	page_url(page, "href", "/admin/contacts?email={}&text={}&list={}&state={}&after={}",
		 values);
	PAGE_HTML(page, ">");
	page_words(page, &next);
	PAGE_HTML(page, "</a></p>");
}

void page_contacts(struct call *call)
{
	struct contact_search *search = calloc(1, sizeof(*search));
	enum store_result result;
	struct nouns *nouns;
	struct page page;

	if (!search) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (!nouns_begin(call, &nouns)) {
		free(search);
		return;
	}
	read_search(search, call, nouns);
	page_begin(&page, call, &head);
	show_actions(&page, call, search, nouns);
	show_search(&page, search, nouns);
	result = contact_search_run(search, call->web->reader);
	if (result == STORE_OK) {
		show_found(&page, call, search);
		show_next(&page, call, search);
		page_end(&page, 200);
	} else {
		call_problem_page(call, result == STORE_NOT_FOUND ? 404 : 503, NULL);
	}
	nouns_end(call, nouns);
	free(search);
}

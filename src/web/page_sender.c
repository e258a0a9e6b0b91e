#include "web/page_sender.h"

#include "base/text.h"

#include <jansson.h>

u64 page_sender_number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (u64)value : 0;
}

struct slice page_sender_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return slice_of(text ? text : "");
}

static void show_site(struct page *page, const json_t *site)
{
	page_row_begin(page);
	page_cell_text(page, page_sender_text(site, "site"));
	page_cell_number(page, page_sender_number(site, "queued"));
	page_cell_number(page, page_sender_number(site, "deferred"));
	page_cell_number(page, page_sender_number(site, "sessions"));
	page_cell_text(page, page_sender_text(site, "state"));
	page_cell_text(page, page_sender_text(site, "reason"));
	page_row_end(page);
}

void page_sites(struct page *page, const json_t *sites, const struct page_sites *told)
{
	const struct page_column columns[] = {
		{ { { "Receiver", "受信側" } }, false },
		{ { { "Waiting", "待機中" } }, true },
		{ { { "To be tried again", "再送待ち" } }, true },
		{ { { "Connections", "接続数" } }, true },
		{ { { "State", "状態" } }, false },
		{ told->reason, false },
		{ { { NULL, NULL } }, false },
	};
	size_t count = json_array_size(sites);

	page_card_begin(page, &told->title);
	if (count == 0)
		page_nothing(page, &told->nothing);
	else
		page_table_begin(page, &told->title, columns);
	for (size_t i = 0; i < count && i < told->most; i++)
		show_site(page, json_array_get(sites, i));
	if (count > 0)
		page_table_end(page);
	page_card_end(page);
}

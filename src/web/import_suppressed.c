#include "web/import_suppressed.h"

#include "base/text.h"
#include "store/audience_sender_order.h"

#include <string.h>

#define ASKED_MAX 1000 /* as the sender takes them */

/* By the sender's word for the reason; an operator who says "nothing more" means that. */
static enum contact_state state_of(const char *reason)
{
	if (strcmp(reason, "complaint") == 0)
		return CONTACT_COMPLAINED;
	if (strcmp(reason, "bad-mailbox") == 0 || strcmp(reason, "soft-bounces") == 0)
		return CONTACT_BOUNCED;
	return CONTACT_UNSUBSCRIBED;
}

/* The addresses of the next rows that have one; `rows` which they are. NULL: no memory. */
static json_t *gather(struct import_batch *batch, size_t *at, u32 rows[ASKED_MAX])
{
	json_t *addresses = json_array();
	u32 count = 0;

	for (; *at < batch->count && count < ASKED_MAX; ++*at) {
		struct import_row *row = &batch->rows[*at];

		row->suppressed = 0;
		if (row->address.len == 0)
			continue;
		if (json_array_append_new(addresses,
					  json_stringn(row->address.ptr, row->address.len)) != 0) {
			json_decref(addresses);
			return NULL;
		}
		rows[count++] = (u32)*at;
	}
	return addresses;
}

static void take(struct import_batch *batch, const json_t *items, const u32 rows[ASKED_MAX],
		 size_t asked)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		u64 number = asker_number(item, "number");

		if (number < asked)
			batch->rows[rows[number]].suppressed =
				state_of(asker_text(item, "reason"));
	}
}

/* Takes the addresses. */
static bool ask(struct asker *asker, struct import_batch *batch, json_t *addresses,
		const u32 rows[ASKED_MAX], struct error *error)
{
	size_t asked = json_array_size(addresses);
	struct asker_answer answer;
	enum asker_end end =
		asker_ask(asker,
			  json_pack("{s:s, s:o}", "command", "suppression.find", "addresses",
				    addresses),
			  &answer);

	if (end == ASKER_REPLIED)
		take(batch, answer.items, rows, asked);
	else
		*error = answer.error;
	asker_answer_done(&answer);
	return end == ASKER_REPLIED;
}

bool import_untold_is_told(struct import_untold *untold, struct audience_txn *reader)
{
	enum store_result result = audience_begin_read(reader);
	struct sender_order order;
	u64 first = 0;

	if (result == STORE_OK && untold->last == 0)
		result = sender_order_last(reader, &untold->last);
	if (result == STORE_OK)
		result = sender_order_after(reader, 0, &first, &order);
	audience_abort(reader);
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND;
	/* Numbers begin anew when all are told. */
	if (first > untold->last || first < untold->first)
		return true;
	untold->first = first;
	return false;
}

bool import_suppressed_ask(struct asker *asker, struct import_batch *batch, struct error *error)
{
	size_t at = 0;

	while (at < batch->count) {
		u32 rows[ASKED_MAX];
		json_t *addresses = gather(batch, &at, rows);

		if (!addresses)
			return error_set(error, "no memory for asking the sender");
		if (json_array_size(addresses) == 0)
			json_decref(addresses);
		else if (!ask(asker, batch, addresses, rows, error))
			return false;
	}
	return true;
}

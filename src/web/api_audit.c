/* /api/v1/audit: who did what, the last first. */
#include "base/text.h"
#include "store/audience_audit.h"
#include "web/query.h"
#include "web/route.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

static json_t *entry_json(const struct audit_entry *entry)
{
	return json_pack("{s:I, s:s%, s:s%, s:s%, s:s%}", "at_ms", (json_int_t)entry->at_ms,
			 "who", entry->who.ptr, entry->who.len, "from", entry->from.ptr,
			 entry->from.len, "action", entry->action.ptr, entry->action.len,
			 "object", entry->object.ptr, entry->object.len);
}

/* "before" is the place to go on from; it is not there at the end. */
static json_t *page_json(json_t *entries, const struct audit_entry *last, bool is_more)
{
	char place[AUDIT_PLACE_SIZE];

	if (!is_more)
		return json_pack("{s:o}", "entries", entries);
	audit_place_write(last, place);
	return json_pack("{s:o, s:s}", "entries", entries, "before", place);
}

void api_audit_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audit_entry entry = { .number = 0 };
	struct audit_entry last = { .number = 0 };
	u64 limit = LIMIT_DEFAULT;
	char place[AUDIT_PLACE_SIZE];
	enum store_result result;
	json_t *entries;

	if (!call_is_general(call) || !web_query_number(call, SLICE("limit"), &limit) ||
	    !web_query_text(call, "before", place, sizeof(place)))
		return;
	if (!audit_place_read(slice_of(place), &last.at_ms, &last.number)) {
		call_refuse(call, 400, NULL, "before is what an answer gave for it");
		return;
	}
	entries = json_array();
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = audit_before(txn, last.at_ms, last.number, &entry);
	while (result == STORE_OK && json_array_size(entries) < min_u64(limit, LIMIT_MAX)) {
		json_array_append_new(entries, entry_json(&entry));
		last = (struct audit_entry){ .at_ms = entry.at_ms, .number = entry.number };
		result = audit_before(txn, last.at_ms, last.number, &entry);
	}
	audience_abort(txn);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		json_decref(entries);
		call_refuse(call, 503, NULL, "the audit log cannot be read");
		return;
	}
	call_answer(call, 200, page_json(entries, &last, result == STORE_OK));
}

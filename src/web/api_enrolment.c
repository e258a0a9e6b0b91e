/*
 * /api/v1/sequences/{}/contacts: who is in a sequence and where, one who enters or leaves; and
 * /api/v1/events, which start sequences.
 */
#include "base/clock.h"
#include "base/text.h"
#include "message/address.h"
#include "web/bringer.h"
#include "web/field.h"
#include "web/noun.h"
#include "web/route.h"
#include "web/sequence_json.h"
#include "web/sequence_order.h"

#include <string.h>

#define LIST_LIMIT 100
#define LIST_MAX 1000
#define EVENT_AGE_MS (30 * 86400ull * MS_PER_S)

/* ---- showing ---- */

/* In the order of what comes next; behind `after_due` and `after`. */
void api_enrolments_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_sequence sequence;
	struct audience_enrolment enrolment;
	struct enrolment_place place = { 0, 0 };
	u64 due = 0;
	u64 contact = 0;
	u64 limit = LIST_LIMIT;
	json_t *list;
	enum store_result result = STORE_OK;

	if (!web_query_number(call, SLICE("after_due"), &due) ||
	    !web_query_number(call, SLICE("after"), &contact) ||
	    !web_query_number(call, SLICE("limit"), &limit))
		return;
	if (!sequence_find(call, &sequence)) {
		audience_abort(txn);
		return;
	}
	list = json_array();
	/* INT64_MAX is what a query may say: those who wait for nothing. */
	place.due_ms = due == INT64_MAX ? SEQUENCE_NEVER : due;
	place.contact = (u32)min_u64(contact, UINT32_MAX);
	while (result == STORE_OK && json_array_size(list) < min_u64(limit, LIST_MAX)) {
		result = enrolment_next(txn, sequence.id, &place, &place);
		if (result == STORE_OK)
			result = enrolment_get(txn, sequence.id, place.contact, &enrolment);
		if (result == STORE_OK)
			json_array_append_new(list, enrolment_json(&enrolment));
	}
	audience_abort(txn);
	if (result == STORE_OK || result == STORE_NOT_FOUND) {
		call_answer(call, 200,
			    json_pack("{s:o, s:I, s:I}", "contacts", list, "after_due",
				      (json_int_t)min_u64(place.due_ms, INT64_MAX), "after",
				      (json_int_t)place.contact));
		return;
	}
	json_decref(list);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}

void api_enrolment_show(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_sequence sequence;
	struct audience_enrolment enrolment;
	enum store_result result = STORE_NOT_FOUND;
	bool is_there = sequence_find(call, &sequence);
	u32 contact = 0;

	if (is_there && slice_to_u32(slice_of(call->second), &contact))
		result = enrolment_get(txn, sequence.id, contact, &enrolment);
	audience_abort(txn);
	if (!is_there)
		return;
	if (result == STORE_OK)
		call_answer(call, 200, enrolment_json(&enrolment));
	else
		call_refuse(call, 404, NULL, "this contact is not in the sequence");
}

/* ---- entering and leaving ---- */

static void answer(struct call *call, struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!call_order_is_well(call, base))
		return;
	switch (order->outcome) {
	case SEQUENCE_IS_DONE:
		bringer_wake(call->web->bringer);
		if (order->kind == SEQUENCE_LEAVE)
			call_answer_nothing(call, 204);
		else
			call_answer(call, 200,
				    json_pack("{s:I, s:I}", "contact",
					      (json_int_t)order->contact, "entered",
					      (json_int_t)order->entered));
		return;
	case SEQUENCE_HAS_NO_CONTACT:
		call_refuse(call, 404, NULL,
			    order->kind == SEQUENCE_LEAVE ? "this contact is not in the sequence"
							  : "there is no such contact");
		return;
	case SEQUENCE_IS_IN_ANOTHER_STATE:
		call_refuse(call, 409, NULL, "it is %s: nobody enters or leaves",
			    audience_sequence_state_names[order->state]);
		return;
	case SEQUENCE_IS_WRONG:
		call_refuse(call, 422, order->pointer, "%s", order->error.text);
		return;
	default:
		call_refuse(call, 404, NULL, "there is no such sequence");
		return;
	}
}

/* By `id` or by `email`. False: the call is answered. */
static bool take_contact(struct call *call, struct sequence_order *order)
{
	const char *email = NULL;
	struct address address;
	struct error error;
	struct buf key = { .ptr = order->key,
			   .size = sizeof(order->key) - 1,
			   .max = sizeof(order->key) - 1 };
	u64 id = 0;

	if (!field_number(call, call->json, "", "id", UINT32_MAX, &id) ||
	    !field_text(call, call->json, "", "email", 400, &email))
		return false;
	order->contact = (u32)id;
	if ((id == 0) == (email == NULL)) {
		call_refuse(call, 422, id == 0 ? "/email" : "/id",
			    "a contact is said by id or by email");
		return false;
	}
	if (!email)
		return true;
	if (!address_parse(&address, slice_of(email), &error)) {
		call_refuse(call, 422, "/email", "%s", error.text);
		return false;
	}
	address_add_key(&address, &key);
	order->key[key.len] = '\0';
	if (!key.failed)
		return true;
	call_refuse(call, 422, "/email", "this address is too long");
	return false;
}

/* As of now. NULL: the call is answered. */
static struct sequence_order *begin(struct call *call, enum sequence_act_kind kind)
{
	struct sequence_order *order = sequence_order_of_path(call, kind);

	if (order)
		order->at_ms = order->now_ms;
	return order;
}

void api_enrolments_add(struct call *call)
{
	static const char *const names[] = { "id", "email", NULL };
	struct sequence_order *order = begin(call, SEQUENCE_ENROL);

	if (!order)
		return;
	if (field_known(call, call->json, "", names) && take_contact(call, order))
		sequence_order_give(order, call, answer);
	else
		sequence_order_free(order);
}

void api_enrolment_end(struct call *call)
{
	struct sequence_order *order = begin(call, SEQUENCE_LEAVE);

	if (!order)
		return;
	if (slice_to_u32(slice_of(call->second), &order->contact)) {
		sequence_order_give(order, call, answer);
		return;
	}
	call_refuse(call, 404, NULL, "this contact is not in the sequence");
	sequence_order_free(order);
}

/* ---- events ---- */

static bool take_event(struct call *call, struct sequence_order *order)
{
	static const char *const names[] = { "id", "email", "event", "at", NULL };
	const char *event = NULL;
	const char *at = NULL;

	if (!field_known(call, call->json, "", names) || !take_contact(call, order) ||
	    !field_text(call, call->json, "", "event", SEQUENCE_EVENT_MAX, &event) ||
	    !field_text(call, call->json, "", "at", 64, &at))
		return false;
	if (!event || !*event) {
		call_refuse(call, 422, "/event", "which event?");
		return false;
	}
	order->at_ms = order->now_ms;
	if (at && (!clock_parse_rfc3339(slice_of(at), &order->at_ms) ||
		   order->at_ms > order->now_ms ||
		   order->now_ms - order->at_ms > EVENT_AGE_MS)) {
		call_refuse(call, 422, "/at",
			    "an event has happened in the last 30 days: "
			    "2026-11-25T12:12:00+09:00");
		return false;
	}
	order->texts.of[SEQUENCE_FIELD_EVENT] = arena_copy(&order->arena, slice_of(event));
	if (order->texts.of[SEQUENCE_FIELD_EVENT].ptr)
		return true;
	call_refuse(call, 503, NULL, "no memory");
	return false;
}

/* The same event again changes nothing: a contact enters a sequence once. */
void api_events_add(struct call *call)
{
	struct sequence_order *order = sequence_order_new(call, SEQUENCE_TELL);

	if (!order)
		return;
	if (take_event(call, order))
		sequence_order_give(order, call, answer);
	else
		sequence_order_free(order);
}

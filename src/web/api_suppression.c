/* /api/v1/suppressions: addresses that get no mail. */
#include "base/text.h"
#include "message/address.h"
#include "web/field.h"
#include "web/query.h"
#include "web/route.h"
#include "web/suppression_note.h"

#include <string.h>

#define ADDRESSES_MAX 1000 /* of one call, as the sender takes them */
#define LIST_MAX 20000	   /* in one answer */
#define TEXT_MAX 500

/* ---- showing ---- */

/* A key of one customer sees what counts for that one's mail. */
static bool is_visible(const struct call *call, const json_t *json)
{
	const char *customer = json_string_value(json_object_get(json, "customer"));

	return !call->key.customer[0] || !customer || !*customer ||
	       strcmp(customer, call->key.customer) == 0;
}

static void keep(void *owner, const json_t *json)
{
	struct call *call = owner;

	/* The cast: a reference is counted, the value stays as it is. */
	if (is_visible(call, json))
		json_array_append(call->items, (json_t *)(uintptr_t)json);
}

/* "next" is where to go on: there may be more behind it. */
static void on_listed(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;
	const char *next = json_string_value(json_object_get(json, "next"));

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED)
		call_refuse_end(call, end, json);
	else
		call_answer(call, 200,
			    json_pack("{s:O, s:b, s:s*}", "suppressions", call->items, "more",
				      next != NULL, "next", next));
}

static const struct exchange_events list_events = { keep, on_listed };

static bool prepare_items(struct call *call)
{
	call->items = json_array();
	if (!call->items)
		call_refuse(call, 503, NULL, "no memory");
	return call->items != NULL;
}

static const char *if_any(const char *text)
{
	return text[0] ? text : NULL;
}

void api_suppressions_list(struct call *call)
{
	u64 limit = LIST_MAX;
	char after[64];
	char find[255];
	char reason[32];

	if (!web_query_number(call, SLICE("limit"), &limit) ||
	    !web_query_text(call, "after", after, sizeof(after)) ||
	    !web_query_text(call, "find", find, sizeof(find)) ||
	    !web_query_text(call, "reason", reason, sizeof(reason)))
		return;
	limit = limit == 0 ? LIST_MAX : min_u64(limit, LIST_MAX);
	if (prepare_items(call) &&
	    call_ask(call, &list_events,
		     json_pack("{s:s, s:I, s:s*, s:s*, s:s*}", "command", "suppression.list",
			       "limit", (json_int_t)limit, "after", if_any(after), "contains",
			       if_any(find), "reason", if_any(reason))))
		call_ask_end(call);
}

static void on_shown(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED)
		call_refuse_end(call, end, json);
	else if (json_array_size(call->items) == 0)
		call_refuse(call, 404, NULL, "nothing is known of this address");
	else
		call_answer(call, 200, json_pack("{s:O}", "suppressions", call->items));
}

static const struct exchange_events show_events = { keep, on_shown };

void api_suppression_show(struct call *call)
{
	if (prepare_items(call) &&
	    call_ask(call, &show_events,
		     json_pack("{s:s, s:s}", "command", "suppression.show", "address",
			       call->argument)))
		call_ask_end(call);
}

/* ---- changing ---- */

/* The customer that is meant: the key's own, if it has one. False: the call is answered. */
static bool choose_customer(struct call *call, const char **customer)
{
	if (!call->key.customer[0])
		return true;
	if (*customer && strcmp(*customer, call->key.customer) != 0) {
		call_refuse(call, 403, "/customer", "the key %s is for %s alone", call->key.name,
			    call->key.customer);
		return false;
	}
	*customer = call->key.customer;
	return true;
}

static bool are_texts(struct call *call, const json_t *addresses)
{
	char pointer[FIELD_POINTER_MAX];
	struct address address;
	struct error error;

	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *one = json_array_get(addresses, i);
		const char *text = json_string_value(one);

		if (text && address_parse(&address, slice_of(text), &error))
			continue;
		call_refuse(call, 422, field_pointer_at(pointer, "/addresses", i), "%s",
			    text ? error.text : "an address is text");
		return false;
	}
	return true;
}

/* The REPLY waits in call->items. */
static void on_noted(struct call *call, struct call_order *order)
{
	if (!call_order_is_well(call, order))
		return;
	if (strcmp(call->route->method, "DELETE") == 0)
		call_answer_nothing(call, 204);
	else
		call_answer(call, 200, json_incref(call->items));
}

static void on_changed(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED) {
		call_refuse_end(call, end, json);
		return;
	}
	/* The cast: a reference is counted, the value stays as it is. */
	call->items = json_incref((json_t *)(uintptr_t)json);
	suppression_note_give(call, strcmp(call->route->method, "POST") == 0, on_noted);
}

static const struct exchange_events change_events = { NULL, on_changed };

void api_suppressions_add(struct call *call)
{
	static const char *const names[] = { "addresses", "customer", "reason", "text", NULL };
	const json_t *addresses;
	const char *customer;
	const char *reason;
	const char *text;

	if (!field_known(call, call->json, "", names) ||
	    !field_list(call, call->json, "", "addresses", ADDRESSES_MAX, &addresses) ||
	    !field_text(call, call->json, "", "customer", 253, &customer) ||
	    !field_text(call, call->json, "", "reason", 32, &reason) ||
	    !field_text(call, call->json, "", "text", TEXT_MAX, &text) ||
	    !choose_customer(call, &customer))
		return;
	if (json_array_size(addresses) == 0) {
		call_refuse(call, 422, "/addresses", "addresses must be a list of one or more");
		return;
	}
	if (!are_texts(call, addresses))
		return;
	if (call_ask(call, &change_events,
		     json_pack("{s:s, s:O, s:s*, s:s*, s:s*}", "command", "suppression.add",
			       "addresses", addresses, "customer", customer, "reason", reason,
			       "text", text)))
		call_ask_end(call);
}

void api_suppression_remove(struct call *call)
{
	const char *customer = NULL;
	struct address address;
	struct error error;

	if (!address_parse(&address, slice_of(call->argument), &error)) {
		call_refuse(call, 404, NULL, "%s", error.text);
		return;
	}
	if (choose_customer(call, &customer) &&
	    call_ask(call, &change_events,
		     json_pack("{s:s, s:[s], s:s*}", "command", "suppression.remove", "addresses",
			       call->argument, "customer", customer)))
		call_ask_end(call);
}

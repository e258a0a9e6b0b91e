/* /api/v1/segments: conditions over contacts, how many they find, whom, and why. */
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/segment_words.h"
#include "message/address.h"
#include "web/field.h"
#include "web/route.h"
#include "web/segment_count.h"
#include "web/segment_json.h"
#include "web/segment_order.h"
#include "web/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 100
#define LIST_MAX 500
#define MEMBERS_DEFAULT 20
#define MEMBERS_MAX 200
#define LOOKS_MAX 20000u /* contacts that one call for members looks at */
#define WAIT_DEFAULT_MS 5000
#define WAIT_MAX_MS 20000

/* ---- reading ---- */

/* False: the call is answered. */
static bool begin_read(struct call *call)
{
	if (audience_begin_read(call->web->reader) == STORE_OK)
		return true;
	call_refuse(call, 503, NULL, "%s", audience_error_text(call->web->reader));
	return false;
}

static bool read_id(struct call *call, u32 *id)
{
	if (slice_to_u32(slice_of(call->argument), id) && *id > 0)
		return true;
	call_refuse(call, 404, NULL, "there is no such segment");
	return false;
}

/* JSON has no room for half a character: an error is cut where it is full. */
static void refuse_at(struct call *call, const char *pointer, const struct error *error)
{
	struct slice text = slice_of(error->text);

	for (u32 i = 0; i < 3 && text.len > 0 && !utf8_is_valid(text); i++)
		text.len--;
	call_refuse(call, 422, pointer, "%.*s", SLICE_FMT(text));
}

/* The segment of the call's path. NULL: answered. Within a transaction. */
static struct segment *load(struct call *call, u32 id)
{
	struct segment_problem problem;
	enum store_result result;
	struct segment *segment = segment_load(call->web->reader, id, &result, &problem);

	if (segment)
		return segment;
	segment_refuse(call, result, &problem);
	return NULL;
}

/* Sets the text by names and the tree; of a segment that is broken what is kept, and why. */
static void set_condition(json_t *json, struct audience_txn *txn,
			  const struct audience_segment *kept)
{
	struct segment_problem problem;
	struct segment_catalog catalog;
	struct segment *segment;
	struct buf text;

	segment_catalog_init(&catalog, txn);
	segment = segment_of_text(kept->text, &catalog.names, &problem);
	buf_init(&text, 2 * SEGMENT_TEXT_MAX);
	if (segment) {
		segment_print(segment->root, SEGMENT_BY_NAME, &text);
		json_object_set_new(json, "text", json_stringn(text.ptr ? text.ptr : "", text.len));
		json_object_set_new(json, "condition", segment_json_of(segment->root));
	} else {
		json_object_set_new(json, "text", json_stringn(kept->text.ptr, kept->text.len));
		json_object_set_new(json, "condition", json_null());
		json_object_set_new(json, "problem", json_string(problem.error.text));
	}
	buf_done(&text);
	segment_free(segment);
}

static json_t *show(struct audience_txn *txn, const struct audience_segment *kept)
{
	char created[CLOCK_RFC3339_SIZE];
	char changed[CLOCK_RFC3339_SIZE];
	json_t *json;

	clock_format_rfc3339(created, kept->created_ms);
	clock_format_rfc3339(changed, kept->changed_ms);
	json = json_pack("{s:I, s:s%, s:I, s:s, s:s, s:s%}", "id", (json_int_t)kept->id, "name",
			 kept->name.ptr, kept->name.len, "version", (json_int_t)kept->version,
			 "created", created, "changed", changed, "by", kept->by.ptr, kept->by.len);
	if (json)
		set_condition(json, txn, kept);
	return json;
}

void api_segments_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_segment kept = { 0 };
	enum store_result result = STORE_OK;
	u64 after = 0;
	u64 limit = LIST_DEFAULT;
	json_t *items;

	if (!web_query_number(call, SLICE("after"), &after) ||
	    !web_query_number(call, SLICE("limit"), &limit) || !begin_read(call))
		return;
	items = json_array();
	kept.id = (u32)min_u64(after, UINT32_MAX);
	while (json_array_size(items) < min_u64(limit, LIST_MAX) &&
	       (result = audience_segment_after(txn, kept.id, &kept)) == STORE_OK)
		json_array_append_new(items, show(txn, &kept));
	audience_abort(txn);
	if (result == STORE_OK || result == STORE_NOT_FOUND) {
		call_answer(call, 200,
			    json_pack("{s:o, s:b}", "segments", items, "more",
				      (int)(result == STORE_OK && json_array_size(items) > 0)));
		return;
	}
	json_decref(items);
	call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
}

void api_segment_show(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_segment kept;
	enum store_result result;
	json_t *json = NULL;
	u32 id;

	if (!read_id(call, &id) || !begin_read(call))
		return;
	result = audience_segment_get(txn, id, &kept);
	if (result == STORE_OK)
		json = show(txn, &kept);
	audience_abort(txn);
	if (result == STORE_OK)
		call_answer(call, 200, json);
	else if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such segment");
	else
		call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
}

/* ---- what a body says ---- */

static struct segment *read_text(struct call *call, const struct segment_names *names,
				 const char *text)
{
	struct segment_problem problem;
	struct segment *segment = segment_of_text(slice_of(text), names, &problem);
	struct error error;

	if (segment)
		return segment;
	error_set(&error, "column %u: %s", problem.column, problem.error.text);
	refuse_at(call, "/text", &error);
	return NULL;
}

static struct segment *read_tree(struct call *call, const struct segment_names *names,
				 const json_t *condition)
{
	char pointer[sizeof("/condition") + SEGMENT_POINTER_MAX] = "/condition";
	char *below = pointer + strlen(pointer);
	struct segment_problem problem;
	struct segment *segment = segment_open();

	if (!segment) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	if (!segment_json_read(segment, condition, below, &problem.error)) {
		refuse_at(call, pointer, &problem.error);
	} else if (!segment_settle(segment, names, &problem)) {
		segment_json_pointer(segment, problem.node, below);
		refuse_at(call, pointer, &problem.error);
	} else {
		return segment;
	}
	segment_free(segment);
	return NULL;
}

/*
 * The condition of the body, as text or as a tree; *there is false when it has none. NULL with it
 * true: the call is answered. Within a transaction.
 */
static struct segment *read_condition(struct call *call, bool *there)
{
	struct segment_catalog catalog;
	const json_t *condition;
	const char *text = NULL;
	struct segment *segment;

	*there = true;
	if (!field_body(call, call->json, "", "text", &text) ||
	    !field_object(call, call->json, "", "condition", &condition))
		return NULL;
	if (text && condition) {
		call_refuse(call, 422, "/condition", "there is a text or a condition, not both");
		return NULL;
	}
	*there = text || condition;
	if (!*there)
		return NULL;
	segment_catalog_init(&catalog, call->web->reader);
	segment = text ? read_text(call, &catalog.names, text) :
			 read_tree(call, &catalog.names, condition);
	return segment;
}

/* ---- writing ---- */

static void on_written(struct call *call, struct call_order *call_order)
{
	struct segment_order *order = container_of(call_order, struct segment_order, order);

	if (!call_order_is_well(call, call_order))
		return;
	switch (order->end) {
	case SEGMENT_ORDER_NAME_TAKEN:
		call_refuse(call, 409, "/name", "another segment has this name");
		return;
	case SEGMENT_ORDER_TOO_MANY:
		call_refuse(call, 409, NULL, "there are %d segments, which is all there may be",
			    SEGMENTS_MAX);
		return;
	case SEGMENT_ORDER_OUTDATED:
		call_refuse(call, 409, "/version", "it was changed since");
		return;
	case SEGMENT_ORDER_GONE:
		call_refuse(call, 404, NULL, "there is no such segment");
		return;
	case SEGMENT_ORDER_USED:
		call_refuse(call, 409, NULL, "a sequence uses this segment");
		return;
	case SEGMENT_ORDER_DONE:
		break;
	}
	if (order->kind == SEGMENT_ORDER_DELETE)
		call_answer_nothing(call, 204);
	else
		call_answer(call, order->kind == SEGMENT_ORDER_ADD ? 201 : 200,
			    json_pack("{s:I, s:I}", "id", (json_int_t)order->id, "version",
				      (json_int_t)order->version));
}

static void write_body(struct call *call, enum segment_order_kind kind, u32 id)
{
	static const char *const names[] = { "name", "text", "condition", "version", NULL };
	struct segment_order *order;
	struct segment *segment;
	const char *name;
	struct error error;
	u64 wanted = 0;
	bool there;

	if (!field_known(call, call->json, "", names) ||
	    !field_text(call, call->json, "", "name", SEGMENT_NAME_MAX, &name) ||
	    !field_number(call, call->json, "", "version", UINT32_MAX, &wanted) ||
	    !begin_read(call))
		return;
	segment = read_condition(call, &there);
	audience_abort(call->web->reader);
	if (there && !segment)
		return;
	if (kind == SEGMENT_ORDER_ADD && (!name || !*name || !there)) {
		call_refuse(call, 422, name && *name ? "/text" : "/name",
			    "a segment has a name, and a text or a condition");
		segment_free(segment);
		return;
	}
	order = segment_order_make(call, kind, segment, &error);
	segment_free(segment);
	if (!order) {
		refuse_at(call, "/text", &error);
		return;
	}
	order->id = id;
	order->wanted = (u32)wanted;
	slice_copy(order->name, sizeof(order->name), slice_of(name ? name : ""));
	order->order.answer = on_written;
	call_give_order(call, &order->order);
}

void api_segments_add(struct call *call)
{
	write_body(call, SEGMENT_ORDER_ADD, 0);
}

void api_segment_change(struct call *call)
{
	u32 id;

	if (read_id(call, &id))
		write_body(call, SEGMENT_ORDER_CHANGE, id);
}

void api_segment_delete(struct call *call)
{
	struct segment_order *order;
	struct error error;
	u32 id;

	if (!read_id(call, &id))
		return;
	order = segment_order_make(call, SEGMENT_ORDER_DELETE, NULL, &error);
	if (!order) {
		call_refuse(call, 503, NULL, "%s", error.text);
		return;
	}
	order->id = id;
	order->order.answer = on_written;
	call_give_order(call, &order->order);
}

/* ---- counting ---- */

static void on_counted(void *owner, const struct segment_counted *counted)
{
	struct call *call = owner;

	call->count = NULL;
	if (counted->has_failed) {
		call_refuse(call, 503, NULL, "contacts cannot be read");
		return;
	}
	call_answer(call, 200,
		    json_pack("{s:I, s:b, s:I, s:I, s:I}", "count", (json_int_t)counted->count,
			      "exact", (int)counted->is_exact, "margin",
			      (json_int_t)counted->margin, "seen", (json_int_t)counted->seen,
			      "total", (json_int_t)counted->total));
}

/* Takes the segment. */
static void count(struct call *call, struct segment *segment, const struct time_zone *zone,
		  u64 wait_ms)
{
	call->count = segment_count_begin(call->web, segment, zone,
					  (u32)min_u64(wait_ms, WAIT_MAX_MS), on_counted, call);
	if (!call->count)
		call_refuse(call, 503, NULL, "no memory");
}

void api_segment_count(struct call *call)
{
	u64 wait_ms = WAIT_DEFAULT_MS;
	struct segment *segment;
	struct time_zone zone;
	u32 id;

	if (!read_id(call, &id) || !web_query_number(call, SLICE("wait"), &wait_ms) ||
	    !begin_read(call))
		return;
	segment = load(call, id);
	setting_zone(call->web->reader, &zone);
	audience_abort(call->web->reader);
	if (segment)
		count(call, segment, &zone, wait_ms);
}

/* Of a condition that is not kept: while it is being written. */
void api_segments_count(struct call *call)
{
	static const char *const names[] = { "text", "condition", NULL };
	u64 wait_ms = WAIT_DEFAULT_MS;
	struct segment *segment;
	struct time_zone zone;
	bool there;

	if (!web_query_number(call, SLICE("wait"), &wait_ms) ||
	    !field_known(call, call->json, "", names) || !begin_read(call))
		return;
	segment = read_condition(call, &there);
	setting_zone(call->web->reader, &zone);
	audience_abort(call->web->reader);
	if (segment)
		count(call, segment, &zone, wait_ms);
	else if (!there)
		call_refuse(call, 422, "/text", "a text or a condition is missing");
}

/* ---- members ---- */

static json_t *show_contact(const struct contact *contact)
{
	return json_pack("{s:I, s:s%, s:s}", "id", (json_int_t)contact->id, "email",
			 contact->address.ptr, contact->address.len, "state",
			 segment_state_word(contact->state));
}

static void answer_members(struct call *call, struct segment_walk *walk, u64 after, u64 limit)
{
	struct audience_txn *txn = call->web->reader;
	json_t *items = json_array();
	enum segment_walk_result result = SEGMENT_WALK_PAUSED;
	struct contact contact;

	segment_walk_begin(walk, txn, (u32)min_u64(after, UINT32_MAX), LOOKS_MAX);
	while (json_array_size(items) < limit &&
	       (result = segment_walk_next(walk, &contact)) == SEGMENT_WALK_FOUND)
		json_array_append_new(items, show_contact(&contact));
	if (result == SEGMENT_WALK_FAILED) {
		json_decref(items);
		call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
		return;
	}
	/* With few matches a page may be short, even empty, and not the last one. */
	call_answer(call, 200,
		    json_pack("{s:o, s:o}", "members", items, "after",
			      result == SEGMENT_WALK_ENDED ?
				      json_null() :
				      json_integer(segment_walk_after(walk))));
}

void api_segment_members(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct segment_clock clock = { .now_ms = clock_wall_ms() };
	u64 limit = MEMBERS_DEFAULT;
	struct segment_walk *walk;
	struct segment *segment;
	struct time_zone zone;
	u64 after = 0;
	u32 id;

	if (!read_id(call, &id) || !web_query_number(call, SLICE("after"), &after) ||
	    !web_query_number(call, SLICE("limit"), &limit) || !begin_read(call))
		return;
	segment = load(call, id);
	if (segment) {
		setting_zone(txn, &zone);
		clock.zone = &zone;
		walk = segment_walk_open(segment, &clock);
		if (walk)
			answer_members(call, walk, after, min_u64(max_u64(limit, 1), MEMBERS_MAX));
		else
			call_refuse(call, 503, NULL, "no memory");
		segment_walk_close(walk);
		segment_free(segment);
	}
	audience_abort(txn);
}

/* ---- why ---- */

/* By id, or by address. */
static bool find_contact(struct call *call, const char *who, struct contact *contact)
{
	struct audience_txn *txn = call->web->reader;
	char bytes[ADDRESS_WIRE_MAX];
	struct buf key = { .ptr = bytes, .size = sizeof(bytes), .max = sizeof(bytes) };
	struct address address;
	struct error error;
	enum store_result result = STORE_NOT_FOUND;
	u32 id = 0;

	if (slice_to_u32(slice_of(who), &id)) {
		result = contact_get(txn, id, contact);
	} else if (address_parse(&address, slice_of(who), &error)) {
		address_add_key(&address, &key);
		result = key.failed ? STORE_NOT_FOUND : contact_find(txn, buf_slice(&key), &id);
		if (result == STORE_OK)
			result = contact_get(txn, id, contact);
	}
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such contact");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
	return result == STORE_OK;
}

static void answer_why(struct call *call, struct segment_walk *walk, const struct segment *segment,
		       const struct contact *contact)
{
	struct segment_run *run = segment_walk_run(walk);
	bool held[SEGMENT_NODES_MAX];
	bool is_good;
	bool is_in = segment_walk_holds(walk, call->web->reader, contact, &is_good);

	if (!is_good) {
		call_refuse(call, 503, NULL, "%s", audience_error_text(call->web->reader));
		return;
	}
	segment_run_explain(run, contact, held);
	call_answer(call, 200,
		    json_pack("{s:o, s:b, s:o}", "contact", show_contact(contact), "held",
			      (int)is_in, "condition",
			      segment_json_explain(run, segment->root, contact, held)));
}

void api_segment_explain(struct call *call)
{
	struct segment_clock clock = { .now_ms = clock_wall_ms() };
	struct segment *segment;
	struct time_zone zone;
	struct contact contact;
	u32 id;

	if (!read_id(call, &id) || !begin_read(call))
		return;
	segment = load(call, id);
	if (segment && find_contact(call, call->second, &contact)) {
		struct segment_walk *walk;

		setting_zone(call->web->reader, &zone);
		clock.zone = &zone;
		walk = segment_walk_open(segment, &clock);
		if (walk)
			answer_why(call, walk, segment, &contact);
		else
			call_refuse(call, 503, NULL, "no memory");
		segment_walk_close(walk);
	}
	segment_free(segment);
	audience_abort(call->web->reader);
}

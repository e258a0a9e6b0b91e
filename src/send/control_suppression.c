/*
 * suppression.add, remove, show, list: addresses that get no mail.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 1000 /* addresses of one request, and of one commit */

static const char *const reasons[] = { "manual", "import", "complaint", "unsubscribe" };
static const enum suppression_reason reason_values[] = {
	SUPPRESSION_MANUAL, SUPPRESSION_IMPORT, SUPPRESSION_COMPLAINT, SUPPRESSION_UNSUBSCRIBE
};

static json_t *answer_suppression(const struct queue_suppression *s)
{
	json_t *events = json_array();

	for (u32 i = 0; events && i < s->event_count; i++) {
		const struct suppression_event *event = &s->events[i];

		json_array_append_new(events,
				      json_pack("{s:I, s:s, s:I, s:o}", "time_ms",
						(json_int_t)event->wall_ms, "reason",
						suppression_reason_name(event->reason),
						"campaign_id", (json_int_t)event->campaign, "text",
						answer_text_of(event->text)));
	}
	return json_pack("{s:o, s:o, s:b, s:I, s:o}", "address", answer_text_of(s->address),
			 "customer", answer_text_of(s->scope), "active", (int)s->is_active, "soft",
			 (json_int_t)s->soft, "history", events);
}

/* ---- add, remove ---- */

struct change {
	struct planner_suppress_order orders[BATCH_MAX];
	struct buf texts; /* of the addresses */
};

/* The key of an address as typed; refuses the request. */
static bool add_key(struct control_link *link, const char *typed, struct buf *out)
{
	struct address parsed;
	struct error error;

	if (!address_parse(&parsed, slice_of(typed), &error)) {
		error_prefix(&error, "%.100s", typed);
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return false;
	}
	address_add_key(&parsed, out);
	if (out->failed)
		link_refuse(link, CONTROL_FAILED, "out of memory");
	return !out->failed;
}

static bool read_addresses(struct control_link *link, const json_t *addresses,
			   struct change *change)
{
	const size_t count = json_array_size(addresses);
	size_t at = 0;

	if (count == 0 || count > BATCH_MAX) {
		link_refuse(link, CONTROL_BAD_REQUEST, "\"addresses\": a list of 1 to 1000 texts");
		return false;
	}
	/* Room for all at once: what was made does not move. */
	buf_init(&change->texts, count * ADDRESS_WIRE_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *typed = json_string_value(json_array_get(addresses, i));

		if (!typed) {
			link_refuse(link, CONTROL_BAD_REQUEST, "\"addresses\": a list of texts");
			return false;
		}
		if (!add_key(link, typed, &change->texts))
			return false;
		change->orders[i].address.len = change->texts.len - at;
		at = change->texts.len;
	}
	at = 0;
	for (size_t i = 0; i < count; i++) {
		change->orders[i].address.ptr = change->texts.ptr + at;
		at += change->orders[i].address.len;
	}
	return true;
}

static void run_change(struct control_link *link, const char *command, struct change *change,
		       u32 count, const struct planner_suppress_order *all)
{
	struct planner *planner = link->control->params.planner;
	struct error error;

	for (u32 i = 0; i < count; i++) {
		change->orders[i].scope = all->scope;
		change->orders[i].reason = all->reason;
		change->orders[i].text = all->text;
	}
	log_info("send", "command", "command=%s count=%u first=%.*s", command, count,
		 SLICE_FMT(change->orders[0].address));
	if (planner_suppress(planner, change->orders, count, &error))
		link_reply(link, json_pack("{s:I}", "count", (json_int_t)count));
	else
		link_refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_FULL,
			    error.text);
}

void control_suppression_change(struct control_link *link, const struct control_request *request)
{
	const bool adds = strcmp(request->command, "suppression.add") == 0;
	struct planner_suppress_order all = { .reason = SUPPRESSION_REMOVED };
	const char *customer = NULL;
	const char *reason = NULL;
	const char *text = NULL;
	json_t *addresses = NULL;
	const struct control_arg args[] = {
		{ "addresses", CONTROL_JSON, true, &addresses },
		{ "customer", CONTROL_TEXT, false, &customer },
		{ "text", CONTROL_TEXT, false, &text },
		{ "reason", CONTROL_TEXT, false, &reason },
	};
	struct change *change;
	struct error error;
	int at = 0;

	if (!control_read(request->json, request->command, args, adds ? 4 : 3, &error) ||
	    (reason && (at = control_word(reason, request->command, "reason", reasons,
					  array_count(reasons), &error)) < 0)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (customer && !config_customer_of(link->control->params.config, slice_of(customer))) {
		link_refuse(link, CONTROL_NOT_FOUND, "there is no such customer");
		return;
	}
	if (adds)
		all.reason = reason_values[at];
	all.scope = slice_of(customer ? customer : "");
	all.text = slice_of(text ? text : "");
	change = calloc(1, sizeof(*change));
	if (!change) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	if (read_addresses(link, addresses, change))
		run_change(link, request->command, change, (u32)json_array_size(addresses), &all);
	buf_done(&change->texts);
	free(change);
}

/* ---- show ---- */

void control_suppression_show(struct control_link *link, const struct control_request *request)
{
	const struct config *config = link->control->params.config;
	struct queue *queue = planner_queue(link->control->params.planner);
	const char *address = NULL;
	const struct control_arg args[] = { { "address", CONTROL_TEXT, true, &address } };
	struct queue_suppression s;
	struct error error;
	struct buf key;
	u32 count = 0;
	enum store_result result;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	buf_init(&key, ADDRESS_WIRE_MAX);
	if (add_key(link, address, &key) && slice_begin(link)) {
		result = queue_suppression_get(queue, SLICE_NONE, buf_slice(&key), &s);
		for (size_t i = 0;; i++) {
			if (result == STORE_OK) {
				link_item(link, answer_suppression(&s));
				count++;
			}
			if (i == config->customer_count ||
			    (result != STORE_OK && result != STORE_NOT_FOUND))
				break;
			result = queue_suppression_get(queue, slice_of(config->customers[i].domain),
						       buf_slice(&key), &s);
		}
		if (slice_end(link, result))
			link_reply(link, json_pack("{s:i}", "count", (int)count));
	}
	buf_done(&key);
}

/* ---- list ---- */

struct suppression_list {
	struct control_stream stream;
	u8 cursor[SUPPRESSION_CURSOR_SIZE];
	bool began;
	u64 count;
};

static void list_free(struct control_stream *stream)
{
	free(container_of(stream, struct suppression_list, stream));
}

static bool list_step(struct control_link *link, struct control_stream *stream)
{
	struct suppression_list *list = container_of(stream, struct suppression_list, stream);
	struct queue *queue = planner_queue(link->control->params.planner);
	enum store_result result = STORE_OK;
	struct queue_suppression s;

	if (!slice_begin(link))
		return false;
	for (u32 i = 0; i < SLICE_ROWS && link_unsent(link) < LINK_OUTPUT_SOFT; i++) {
		result = queue_suppression_next(queue, list->cursor, &list->began, &s);
		if (result != STORE_OK)
			break;
		if (!s.is_active)
			continue;
		list->count++;
		link_item(link, answer_suppression(&s));
	}
	if (!slice_end(link, result))
		return false;
	if (result == STORE_OK)
		return true;
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)list->count));
	return false;
}

void control_suppression_list(struct control_link *link, const struct control_request *request)
{
	struct suppression_list *list;
	struct error error;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	list = calloc(1, sizeof(*list));
	if (list)
		list->stream = (struct control_stream){ .step = list_step, .free = list_free };
	link_stream(link, list ? &list->stream : NULL);
}

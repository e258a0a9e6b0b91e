/*
 * suppression.add, remove, show, find, list: addresses that get no mail.
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
	struct slice list = s->scope;
	struct slice customer = slice_split(&list, '/');
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
	return json_pack("{s:o, s:o, s:o, s:b, s:I, s:i, s:o}", "address",
			 answer_text_of(s->address), "customer", answer_text_of(customer), "list",
			 answer_text_of(list.ptr ? list : SLICE_NONE), "active",
			 (int)s->is_active, "soft", (json_int_t)s->soft, "strikes",
			 (int)s->strikes, "history", events);
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

static bool is_list_name(const char *customer, const char *list)
{
	const size_t len = strlen(list);

	for (const char *at = list; *at; at++) {
		if ((u8)*at < ' ' || *at == 0x7f)
			return false;
	}
	return customer && len > 0 && len <= CONTROL_NAME_MAX &&
	       strlen(customer) + 1 + len <= SUPPRESSION_SCOPE_MAX;
}

void control_suppression_change(struct control_link *link, const struct control_request *request)
{
	const bool adds = strcmp(request->command, "suppression.add") == 0;
	struct planner_suppress_order all = { .reason = SUPPRESSION_REMOVED };
	char room[SUPPRESSION_SCOPE_MAX + 1];
	const char *customer = NULL;
	const char *list = NULL;
	const char *reason = NULL;
	const char *text = NULL;
	json_t *addresses = NULL;
	const struct control_arg args[] = {
		{ "addresses", CONTROL_JSON, true, &addresses },
		{ "customer", CONTROL_TEXT, false, &customer },
		{ "list", CONTROL_TEXT, false, &list },
		{ "text", CONTROL_TEXT, false, &text },
		{ "reason", CONTROL_TEXT, false, &reason },
	};
	struct change *change;
	struct error error;
	int at = 0;

	if (!control_read(request->json, request->command, args, adds ? 5 : 4, &error) ||
	    (reason && (at = control_word(reason, request->command, "reason", reasons,
					  array_count(reasons), &error)) < 0)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (customer && !config_customer_of(link->control->params.config, slice_of(customer))) {
		link_refuse(link, CONTROL_NOT_FOUND, "there is no such customer");
		return;
	}
	if (list && !is_list_name(customer, list)) {
		link_refuse(link, CONTROL_BAD_REQUEST,
			    "\"list\": the name of a list of \"customer\", 1 to 63 bytes");
		return;
	}
	if (adds)
		all.reason = reason_values[at];
	all.scope = planner_scope_of_list(room, slice_of(customer ? customer : ""),
					  slice_of(list ? list : ""));
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

/* One scope of several: tells what is known of the address there. */
static enum store_result show_in(struct control_link *link, struct slice scope,
				 struct slice address, u32 *count)
{
	struct queue *queue = planner_queue(link->control->params.planner);
	struct queue_suppression s;
	enum store_result result = queue_suppression_get(queue, scope, address, &s);

	if (result == STORE_OK) {
		link_item(link, answer_suppression(&s));
		*count += 1;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result show_all(struct control_link *link, struct slice address, u32 *count)
{
	const struct config *config = link->control->params.config;
	char list[SUPPRESSION_SCOPE_MAX + 1] = "";
	enum store_result result = show_in(link, SLICE_NONE, address, count);

	for (size_t i = 0; i < config->customer_count && result == STORE_OK; i++)
		result = show_in(link, slice_of(config->customers[i].domain), address, count);
	while (result == STORE_OK && planner_next_list(link->control->params.planner, list))
		result = show_in(link, slice_of(list), address, count);
	return result;
}

void control_suppression_show(struct control_link *link, const struct control_request *request)
{
	const char *address = NULL;
	const struct control_arg args[] = { { "address", CONTROL_TEXT, true, &address } };
	struct error error;
	struct buf key;
	u32 count = 0;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	buf_init(&key, ADDRESS_WIRE_MAX);
	if (add_key(link, address, &key) && slice_begin(link) &&
	    slice_end(link, show_all(link, buf_slice(&key), &count)))
		link_reply(link, json_pack("{s:i}", "count", (int)count));
	buf_done(&key);
}

/* ---- find ---- */

/* What weighs most of what happened since it had mail last. */
static u32 worst_reason(const struct queue_suppression *s)
{
	static const u8 weights[] = { [SUPPRESSION_HARD] = 1,	     [SUPPRESSION_SOFT] = 1,
				      [SUPPRESSION_MANUAL] = 2,	     [SUPPRESSION_IMPORT] = 2,
				      [SUPPRESSION_UNSUBSCRIBE] = 3, [SUPPRESSION_COMPLAINT] = 4,
				      [SUPPRESSION_REMOVED] = 0,     [SUPPRESSION_STRIKE] = 0 };
	u32 worst = SUPPRESSION_REMOVED;

	for (u32 i = s->event_count; i > 0; i--) {
		u32 reason = s->events[i - 1].reason;

		if (reason == SUPPRESSION_REMOVED)
			break;
		if (reason < array_count(weights) && weights[reason] > weights[worst])
			worst = reason;
	}
	return worst == SUPPRESSION_REMOVED ? SUPPRESSION_MANUAL : worst;
}

/*
 * Whether nobody's mail goes to the address: by the list for everybody, or by each customer's own.
 * *reason is 0 when it does.
 */
static enum store_result find_reason(struct control_link *link, struct slice address, u32 *reason)
{
	const struct config *config = link->control->params.config;
	struct planner *planner = link->control->params.planner;
	struct queue_suppression s;
	enum store_result result = planner_find_suppression(planner, SLICE_NONE, address, &s);

	*reason = 0;
	if (result == STORE_OK && s.is_active) {
		*reason = worst_reason(&s);
		return STORE_OK;
	}
	for (size_t i = 0; i < config->customer_count; i++) {
		if (result != STORE_OK && result != STORE_NOT_FOUND)
			return result;
		result = planner_find_suppression(planner, slice_of(config->customers[i].domain),
						  address, &s);
		if (result == STORE_NOT_FOUND || (result == STORE_OK && !s.is_active)) {
			*reason = 0;
			return STORE_OK;
		}
		if (result == STORE_OK && *reason == 0)
			*reason = worst_reason(&s);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static void find_all(struct control_link *link, const struct change *asked, u32 count)
{
	enum store_result result = STORE_OK;
	u32 found = 0;
	u32 reason;

	if (!slice_begin(link))
		return;
	for (u32 i = 0; i < count && result == STORE_OK; i++) {
		result = find_reason(link, asked->orders[i].address, &reason);
		if (result != STORE_OK || reason == 0)
			continue;
		found++;
		link_item(link, json_pack("{s:i, s:s}", "number", (int)i, "reason",
					  suppression_reason_name(reason)));
	}
	if (slice_end(link, result))
		link_reply(link, json_pack("{s:i}", "count", (int)found));
}

void control_suppression_find(struct control_link *link, const struct control_request *request)
{
	json_t *addresses = NULL;
	const struct control_arg args[] = { { "addresses", CONTROL_JSON, true, &addresses } };
	struct change *asked;
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	asked = calloc(1, sizeof(*asked));
	if (!asked) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	if (read_addresses(link, addresses, asked))
		find_all(link, asked, (u32)json_array_size(addresses));
	buf_done(&asked->texts);
	free(asked);
}

/* ---- list ---- */

#define LIST_WORK_MAX 500000 /* records looked at for a request with a limit */
#define LIST_TEXT_MAX 254

static const char *const listed_reasons[] = { "manual", "import", "bad-mailbox", "soft-bounces",
					      "complaint", "unsubscribe" };
static const enum suppression_reason listed_values[] = {
	SUPPRESSION_MANUAL, SUPPRESSION_IMPORT,	   SUPPRESSION_HARD,
	SUPPRESSION_SOFT,   SUPPRESSION_COMPLAINT, SUPPRESSION_UNSUBSCRIBE
};

struct suppression_list {
	struct control_stream stream;
	u8 cursor[SUPPRESSION_CURSOR_SIZE];
	bool began;
	enum suppression_reason reason; /* 0: any */
	char contains[LIST_TEXT_MAX + 1]; /* of the address, in lower case; "": any */
	u64 limit;
	u64 work; /* records that are still looked at */
	u64 count;
};

static void list_free(struct control_stream *stream)
{
	free(container_of(stream, struct suppression_list, stream));
}

static bool is_wanted(const struct suppression_list *list, const struct queue_suppression *s)
{
	return s->is_active && slice_find(s->address, slice_of(list->contains)) >= 0 &&
	       (list->reason == 0 ||
		(s->event_count > 0 && s->events[s->event_count - 1].reason == list->reason));
}

static bool is_over(const struct suppression_list *list)
{
	return list->count >= list->limit || list->work == 0;
}

/* "next": there may be more behind it. */
static void list_reply(struct control_link *link, const struct suppression_list *list, bool is_end)
{
	char next[2 * SUPPRESSION_CURSOR_SIZE + 1] = "";

	if (!is_end)
		hex_encode(next, list->cursor, SUPPRESSION_CURSOR_SIZE);
	link_reply(link, json_pack("{s:I, s:s*}", "count", (json_int_t)list->count, "next",
				   is_end ? NULL : next));
}

static bool list_step(struct control_link *link, struct control_stream *stream)
{
	struct suppression_list *list = container_of(stream, struct suppression_list, stream);
	struct queue *queue = planner_queue(link->control->params.planner);
	enum store_result result = STORE_OK;
	struct queue_suppression s;

	if (!slice_begin(link))
		return false;
	for (u32 i = 0; i < SLICE_ROWS && link_unsent(link) < LINK_OUTPUT_SOFT && !is_over(list);
	     i++) {
		result = queue_suppression_next(queue, list->cursor, &list->began, &s);
		if (result != STORE_OK)
			break;
		list->work--;
		if (!is_wanted(list, &s))
			continue;
		list->count++;
		link_item(link, answer_suppression(&s));
	}
	if (!slice_end(link, result))
		return false;
	if (result == STORE_OK && !is_over(list))
		return true;
	list_reply(link, list, result != STORE_OK);
	return false;
}

static bool read_list(struct suppression_list *list, const struct control_request *request,
		      struct error *error)
{
	const char *after = NULL;
	const char *contains = "";
	const char *reason = NULL;
	const struct control_arg args[] = {
		{ "after", CONTROL_TEXT, false, &after },
		{ "contains", CONTROL_TEXT, false, &contains },
		{ "reason", CONTROL_TEXT, false, &reason },
		{ "limit", CONTROL_NUMBER, false, &list->limit },
	};
	int at = 0;

	if (!control_read(request->json, request->command, args, array_count(args), error))
		return false;
	if (after && !hex_decode(list->cursor, sizeof(list->cursor), slice_of(after)))
		return error_set(error, "suppression.list: \"after\" is the \"next\" of a reply");
	if (!slice_copy(list->contains, sizeof(list->contains), slice_of(contains)))
		return error_set(error, "suppression.list: \"contains\" is too long");
	if (reason)
		at = control_word(reason, request->command, "reason", listed_reasons,
				  array_count(listed_reasons), error);
	if (at < 0)
		return false;
	list->began = after != NULL;
	list->reason = reason ? listed_values[at] : 0;
	ascii_lower_in_place(list->contains, strlen(list->contains));
	return true;
}

void control_suppression_list(struct control_link *link, const struct control_request *request)
{
	struct suppression_list *list = calloc(1, sizeof(*list));
	struct error error;

	if (!list) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	list->stream = (struct control_stream){ .step = list_step, .free = list_free };
	if (!read_list(list, request, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		list_free(&list->stream);
		return;
	}
	list->work = list->limit > 0 ? LIST_WORK_MAX : UINT64_MAX;
	list->limit = list->limit > 0 ? list->limit : UINT64_MAX;
	link_stream(link, &list->stream);
}

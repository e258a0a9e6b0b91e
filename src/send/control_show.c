/*
 * queue.show: where the mail to one address is, in every campaign, and what happened to it. There
 * is no index of rows by address: lanes of its domain, deferred and held rows are read through; the
 * log has one.
 */
#include "base/text.h"
#include "send/control_parts.h"

#include <stdlib.h>
#include <string.h>

#define FOUND_MAX 200  /* recipients with this address; the newest campaigns' are left out */
#define HISTORY_MAX 50 /* the last events of each */

enum phase { PHASE_LANES, PHASE_DEFERRED, PHASE_HELD, PHASE_LOG, PHASE_SAY };

struct found {
	struct row_id id;
	json_t *item;
	json_t *history;
	bool waits; /* is in a table: only a final event in the log says more */
};

struct show {
	struct control_stream stream;
	struct address address;
	struct buf wire;
	struct planner_filter filter;
	u32 phase;
	u32 campaign; /* whose lanes are being read; 0: the next one is to be found */
	u32 lane;     /* the last one looked at */
	bool in_lane; /* it is of the domain: its rows are being read */
	struct row_ref at;
	struct queue_log_walk log;
	struct campaign_names names;
	u32 count;
	u32 said; /* of them */
	u64 items;
	struct found found[FOUND_MAX];
};

/* ---- what was found ---- */

static struct found *found_of(struct show *show, const struct row_id *id)
{
	for (u32 i = 0; i < show->count; i++) {
		if (memcmp(&show->found[i].id, id, sizeof(*id)) == 0)
			return &show->found[i];
	}
	if (show->count == FOUND_MAX)
		return NULL;
	show->found[show->count] = (struct found){ .id = *id, .history = json_array() };
	return &show->found[show->count++];
}

static void found_set(struct show *show, struct found *found, struct queue *queue, json_t *facts,
		      struct slice address, const char *state)
{
	u32 id = found->id.campaign;
	json_t *item = json_pack("{s:o, s:o, s:I, s:s}", "address", answer_text_of(address),
				 "campaign",
				 answer_text_of(slice_of(campaign_name(&show->names, queue, id))),
				 "campaign_id", (json_int_t)id, "state", state);

	if (item && facts)
		json_object_update(item, facts);
	json_decref(facts);
	json_decref(found->item);
	found->item = item;
}

static const char *state_of(struct control_link *link, const struct queue_row *row)
{
	if (row->ref.place == ROW_DOUBT)
		return "held";
	if (planner_row_is_out(link->control->params.planner, &row->ref))
		return "in-flight";
	return row->ref.place == ROW_LANE ? "waiting" : "deferred";
}

static void add_row(struct control_link *link, struct show *show, struct queue *queue,
		    const struct queue_row *row)
{
	struct found *found = found_of(show, &row->ref.id);
	json_t *facts;
	u64 due_ms;

	if (!found)
		return;
	due_ms = planner_wall_of_due(link->control->params.planner, row->ref.due_ms);
	facts = json_pack("{s:I, s:I, s:i, s:o, s:o}", "due_ms", (json_int_t)due_ms, "attempts",
			  (json_int_t)row->attempts, "code", (int)row->last_code,
			  "host", answer_text_of(row->host), "reply", answer_text_of(row->reply));
	found->waits = true;
	found_set(show, found, queue, facts, row->address, state_of(link, row));
}

static bool is_final(u32 outcome)
{
	return outcome == LOG_DELIVERED || outcome == LOG_FAILED || outcome == LOG_EXPIRED ||
	       outcome == LOG_CANCELLED;
}

static void add_event(struct show *show, struct queue *queue, const struct queue_log_entry *entry)
{
	struct found *found = found_of(show, &entry->id);
	json_t *facts;

	if (!found)
		return;
	if (json_array_size(found->history) == HISTORY_MAX)
		json_array_remove(found->history, 0);
	json_array_append_new(found->history, answer_log_entry(entry));
	if (found->waits && !is_final(entry->outcome))
		return;
	facts = json_pack("{s:i, s:i, s:i, s:o, s:o}", "due_ms", 0, "attempts",
			  (int)entry->attempts, "code", (int)entry->code, "host",
			  answer_text_of(entry->host), "reply", answer_text_of(entry->reply));
	found_set(show, found, queue, facts, entry->address, log_outcome_name(entry->outcome));
}

/* ---- reading through ---- */

static enum store_result rows_some(struct control_link *link, struct show *show,
				   struct queue *queue, u32 place, u32 *budget)
{
	enum store_result result = STORE_OK;
	struct queue_row row;

	show->at.place = place;
	for (; *budget > 0; (*budget)--) {
		result = queue_row_next(queue, &show->at, UINT64_MAX, &row);
		if (result != STORE_OK)
			break;
		show->at = row.ref;
		if (planner_filter_matches(&show->filter, &row))
			add_row(link, show, queue, &row);
	}
	return result;
}

/* The next lane of the campaign; sets in_lane when it is of the address's domain. */
static enum store_result next_lane(struct show *show, struct queue *queue)
{
	struct queue_lane lane;
	enum store_result result = queue_lane_next(queue, show->campaign, show->lane, &lane);

	if (result != STORE_OK)
		return result;
	show->lane = lane.number;
	show->in_lane = strcmp(lane.domain, show->address.domain) == 0;
	show->at = (struct row_ref){ .id = { show->campaign, lane.number, 0 } };
	return STORE_OK;
}

/* One lane has the domain, so behind it the next campaign follows. */
static enum store_result lanes_some(struct control_link *link, struct show *show,
				    struct queue *queue)
{
	enum store_result result = STORE_OK;
	struct queue_campaign campaign;
	u32 budget = SLICE_ROWS;
	bool over = show->campaign == 0;

	while (budget > 0) {
		if (over) {
			result = queue_campaign_next(queue, show->campaign, &campaign);
			if (result != STORE_OK)
				return result;
			show->campaign = campaign.id;
			show->lane = 0;
			show->in_lane = false;
		}
		budget--;
		result = show->in_lane ? rows_some(link, show, queue, ROW_LANE, &budget)
				       : next_lane(show, queue);
		over = result == STORE_NOT_FOUND;
		if (result != STORE_OK && !over)
			return result;
	}
	/* What is over now is found to be so again by the next slice. */
	return STORE_OK;
}

static enum store_result log_some(struct show *show, struct queue *queue)
{
	const struct queue_log_filter filter = { .address = show->filter.address };
	struct queue_log_entry entry;
	u32 budget = SLICE_ROWS;

	while (budget > 0) {
		enum store_result result =
			queue_log_find(queue, &filter, &show->log, &budget, &entry);

		if (result != STORE_OK)
			return result;
		if (entry.number > 0)
			add_event(show, queue, &entry);
	}
	return STORE_OK;
}

static enum store_result phase_some(struct control_link *link, struct show *show,
				    struct queue *queue)
{
	u32 budget = SLICE_ROWS;

	switch (show->phase) {
	case PHASE_LANES:
		return lanes_some(link, show, queue);
	case PHASE_DEFERRED:
		return rows_some(link, show, queue, ROW_DEFERRED, &budget);
	case PHASE_HELD:
		return rows_some(link, show, queue, ROW_DOUBT, &budget);
	default:
		return log_some(show, queue);
	}
}

/* ---- the stream ---- */

/* As many as the output takes now; false: all of them are said. */
static bool say_some(struct control_link *link, struct show *show)
{
	for (; show->said < show->count; show->said++) {
		struct found *found = &show->found[show->said];

		if (link_unsent(link) >= LINK_OUTPUT_SOFT)
			return true;
		if (!found->item)
			continue;
		json_object_set(found->item, "history", found->history);
		link_item(link, found->item);
		found->item = NULL;
		show->items++;
	}
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)show->items));
	return false;
}

static bool show_step(struct control_link *link, struct control_stream *stream)
{
	struct show *show = container_of(stream, struct show, stream);
	enum store_result result;

	if (show->phase == PHASE_SAY)
		return say_some(link, show);
	if (!slice_begin(link))
		return false;
	result = phase_some(link, show, planner_queue(link->control->params.planner));
	if (!slice_end(link, result))
		return false;
	if (result == STORE_NOT_FOUND) {
		show->at = (struct row_ref){ 0 };
		show->phase++;
	}
	return true;
}

static void show_free(struct control_stream *stream)
{
	struct show *show = container_of(stream, struct show, stream);

	for (u32 i = 0; i < show->count; i++) {
		json_decref(show->found[i].item);
		json_decref(show->found[i].history);
	}
	buf_done(&show->wire);
	free(show);
}

void control_queue_show(struct control_link *link, const struct control_request *request)
{
	struct control_selection selection;
	struct show *show;
	struct error error;

	if (!control_read_selection(request, SELECT_ADDRESS, SELECT_ADDRESS, &selection, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	show = calloc(1, sizeof(*show));
	if (!show) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	show->stream = (struct control_stream){ .step = show_step, .free = show_free };
	buf_init(&show->wire, ADDRESS_WIRE_MAX + 1);
	if (!control_address(link, selection.address, &show->address, &show->wire)) {
		show_free(&show->stream);
		return;
	}
	show->filter.address = buf_slice(&show->wire);
	link_stream(link, &show->stream);
}

/*
 * campaign.report: what became of each recipient. Final ones come from the delivery log, then those
 * held in doubt, then those that wait in lanes and among the deferred; at last whatever the log got
 * meanwhile. A row moves from one place to the next in this order but for a resend, and every move
 * is followed by an entry of the log once it is final: so none is missed, see control.h.
 *
 * The cursor names the phase, where the log stood when the first one ended, and a key: it means the
 * same however much was added or removed since.
 */
#include "base/text.h"
#include "send/control_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 10000
#define LIMIT_MAX 1000000

enum phase { PHASE_LOG, PHASE_HELD, PHASE_LANES, PHASE_DEFERRED, PHASE_LATE, PHASE_END };

struct report {
	struct control_stream stream;
	u32 campaign;
	u32 outcomes;
	u64 limit;
	u64 count;
	u32 phase;
	u64 mark; /* the log's last entry that the first phase saw */
	u64 log;  /* entries up to here were seen */
	struct row_ref at;
};

/* ---- cursor ---- */

static void cursor_write(const struct report *r, char out[128])
{
	snprintf(out, 128, "%u.%" PRIu64 ".%" PRIu64 ".%" PRIu64 ".%u.%u.%u", r->phase, r->mark,
		 r->log, r->at.due_ms, r->at.id.campaign, r->at.id.domain, r->at.id.seq);
}

static bool cursor_read(struct report *r, const char *text)
{
	struct slice rest = slice_of(text);

	return slice_to_u32(slice_split(&rest, '.'), &r->phase) && r->phase < PHASE_END &&
	       slice_to_u64(slice_split(&rest, '.'), &r->mark) &&
	       slice_to_u64(slice_split(&rest, '.'), &r->log) &&
	       slice_to_u64(slice_split(&rest, '.'), &r->at.due_ms) &&
	       slice_to_u32(slice_split(&rest, '.'), &r->at.id.campaign) &&
	       slice_to_u32(slice_split(&rest, '.'), &r->at.id.domain) && rest.ptr &&
	       slice_to_u32(rest, &r->at.id.seq);
}

/* ---- phases ---- */

static u32 outcome_bits(u32 log_outcome)
{
	switch (log_outcome) {
	case LOG_DELIVERED:
		return OUTCOME_DELIVERED;
	case LOG_FAILED:
		return OUTCOME_FAILED;
	case LOG_EXPIRED:
		return OUTCOME_FAILED | OUTCOME_EXPIRED;
	case LOG_CANCELLED:
		return OUTCOME_CANCELLED;
	case LOG_DEFERRED:
		return OUTCOME_DEFERRED;
	case LOG_IN_DOUBT:
	case LOG_HELD:
		return OUTCOME_IN_DOUBT;
	case LOG_BOUNCED:
		return OUTCOME_BOUNCED;
	case LOG_COMPLAINED:
		return OUTCOME_COMPLAINED;
	case LOG_UNSUBSCRIBED:
		return OUTCOME_UNSUBSCRIBED;
	case LOG_AUTO_REPLY:
		return OUTCOME_AUTO_REPLY;
	default:
		return 0;
	}
}

static bool wants_log_entry(const struct report *r, const struct queue_log_entry *entry)
{
	u32 bits = outcome_bits(entry->outcome);

	/* A row that was held behind the phase of held rows would else be missed. */
	if (r->phase == PHASE_LATE && entry->outcome == LOG_HELD)
		bits |= OUTCOME_HELD;
	return entry->id.campaign == r->campaign && (bits & r->outcomes);
}

static bool is_full(const struct control_link *link, const struct report *r)
{
	return r->count == r->limit || link_unsent(link) >= LINK_OUTPUT_SOFT;
}

static enum store_result log_some(struct control_link *link, struct report *r, struct queue *queue)
{
	/* Blocks of the log that have nothing of it are passed over. */
	const struct queue_log_filter filter = { .campaign = r->campaign };
	struct queue_log_walk walk = { .at = r->log };
	enum store_result result = STORE_OK;
	struct queue_log_entry entry;
	u32 budget = SLICE_ROWS;

	while (budget > 0 && !is_full(link, r)) {
		result = queue_log_find(queue, &filter, &walk, &budget, &entry);
		r->log = walk.at;
		if (result != STORE_OK)
			break;
		if (entry.number == 0 || !wants_log_entry(r, &entry))
			continue;
		r->count++;
		link_item(link, answer_log_entry(&entry));
	}
	return result;
}

/* Rows of one place, or of one lane: their keys go on from r->at. */
static enum store_result rows_some(struct control_link *link, struct report *r, struct queue *queue,
				   u32 place, const char *outcome, u32 *budget)
{
	enum store_result result = STORE_OK;
	struct queue_row row;

	r->at.place = place;
	for (; *budget > 0 && !is_full(link, r); (*budget)--) {
		result = queue_row_next(queue, &r->at, UINT64_MAX, &row);
		if (result != STORE_OK)
			break;
		/* Held rows are in the order of campaigns: behind this one there are no more. */
		if (place == ROW_DOUBT && row.ref.id.campaign != r->campaign)
			return STORE_NOT_FOUND;
		r->at = row.ref;
		if (row.ref.id.campaign != r->campaign)
			continue;
		r->count++;
		link_item(link, answer_waiting(link->control->params.planner, &row, outcome));
	}
	return result;
}

/* Lane after lane; a campaign may have a great many that are empty by now. */
static enum store_result lanes_some(struct control_link *link, struct report *r,
				    struct queue *queue, u32 *budget)
{
	enum store_result result = STORE_OK;
	struct queue_lane lane;

	while (*budget > 0 && !is_full(link, r)) {
		if (r->at.id.domain > 0) {
			result = rows_some(link, r, queue, ROW_LANE, "queued", budget);
			if (result != STORE_NOT_FOUND)
				return result;
		}
		if (*budget > 0)
			(*budget)--;
		result = queue_lane_next(queue, r->campaign, r->at.id.domain, &lane);
		if (result != STORE_OK)
			return result;
		r->at.id = (struct row_id){ r->campaign, lane.number, 0 };
	}
	return result;
}

static void next_phase(struct report *r)
{
	if (r->phase == PHASE_LOG)
		r->mark = r->log;
	r->phase++;
	r->at = (struct row_ref){ 0 };
	if (r->phase == PHASE_HELD || r->phase == PHASE_LANES)
		r->at.id.campaign = r->campaign;
	if (r->phase == PHASE_LATE)
		r->log = r->mark;
}

/* A phase that nothing asks for is passed over. */
static bool phase_is_wanted(const struct report *r)
{
	switch (r->phase) {
	case PHASE_HELD:
		return r->outcomes & OUTCOME_HELD;
	case PHASE_LANES:
	case PHASE_DEFERRED:
		return r->outcomes & OUTCOME_QUEUED;
	default:
		return r->outcomes & ~(u32)(OUTCOME_QUEUED | OUTCOME_HELD);
	}
}

static enum store_result phase_some(struct control_link *link, struct report *r,
				    struct queue *queue)
{
	u32 budget = SLICE_ROWS;

	if (!phase_is_wanted(r))
		return STORE_NOT_FOUND;
	switch (r->phase) {
	case PHASE_HELD:
		return rows_some(link, r, queue, ROW_DOUBT, "held", &budget);
	case PHASE_LANES:
		return lanes_some(link, r, queue, &budget);
	case PHASE_DEFERRED:
		return rows_some(link, r, queue, ROW_DEFERRED, "queued", &budget);
	default:
		return log_some(link, r, queue);
	}
}

/* ---- the stream ---- */

static bool report_step(struct control_link *link, struct control_stream *stream)
{
	struct report *r = container_of(stream, struct report, stream);
	enum store_result result;
	char next[128] = "";

	if (!slice_begin(link))
		return false;
	result = phase_some(link, r, planner_queue(link->control->params.planner));
	if (!slice_end(link, result))
		return false;
	if (result == STORE_NOT_FOUND)
		next_phase(r);
	if (r->phase != PHASE_END && r->count < r->limit)
		return true;
	if (r->phase != PHASE_END)
		cursor_write(r, next);
	link_reply(link, json_pack("{s:I, s:b, s:s}", "count", (json_int_t)r->count, "more",
				   (int)(r->phase != PHASE_END), "next", next));
	return false;
}

static void report_free(struct control_stream *stream)
{
	free(container_of(stream, struct report, stream));
}

void control_campaign_report(struct control_link *link, const struct control_request *request)
{
	struct control_report wanted;
	struct queue_campaign campaign;
	struct report *r;
	struct error error;

	if (!control_read_report(request, &wanted, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!control_find(link, &wanted.campaign, &campaign))
		return;
	r = calloc(1, sizeof(*r));
	if (!r) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	r->stream = (struct control_stream){ .step = report_step, .free = report_free };
	r->campaign = campaign.id;
	r->outcomes = wanted.outcomes;
	r->limit = min_u64(wanted.limit ? wanted.limit : LIMIT_DEFAULT, LIMIT_MAX);
	if (wanted.after && !cursor_read(r, wanted.after)) {
		report_free(&r->stream);
		link_refuse(link, CONTROL_BAD_REQUEST,
			    "campaign.report: \"after\" is not what an answer gave");
		return;
	}
	link_stream(link, &r->stream);
}

/*
 * Addresses that get no mail. They are asked for when recipients come in and again when a row is
 * lent, so that one suppressed in the middle of a campaign gets nothing more; they are added by the
 * transaction that commits the result which tells of a bad mailbox. A set of hashes in memory says
 * for nearly all rows that the store need not be asked.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"
#include "delivery/signal.h"
#include "message/address.h"

#include <stdio.h>
#include <string.h>

#define REASON_TEXT_MAX 320

static struct slice key_of(char room[ADDRESS_WIRE_MAX], struct slice wire)
{
	return (struct slice){ room, address_key_of_wire(room, wire) };
}

bool planner_suppressions_open(struct planner *planner, struct error *error)
{
	u8 cursor[SUPPRESSION_CURSOR_SIZE];
	struct queue_suppression s;
	enum store_result result;
	bool has_memory = true;
	bool began = false;

	if (!planner_begin(planner, error))
		return false;
	while (has_memory && (result = queue_suppression_next(planner->queue, cursor, &began,
							      &s)) == STORE_OK)
		has_memory = id_set_add(&planner->suppressed,
					queue_suppression_id(s.scope, s.address));
	queue_abort(planner->queue);
	if (!has_memory)
		return error_set(error, "out of memory for suppressed addresses");
	return result == STORE_NOT_FOUND ||
	       error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

/* ---- asking ---- */

/* What is known of the address in one scope. False: nothing. */
static bool known(struct planner *planner, struct slice scope, struct slice address,
		  struct queue_suppression *s)
{
	enum store_result result;

	if (!id_set_has(&planner->suppressed, queue_suppression_id(scope, address)))
		return false;
	result = queue_suppression_get(planner->queue, scope, address, s);
	return result != STORE_NOT_FOUND && planner_store_ok(planner, result);
}

static void describe(const struct queue_suppression *s, struct buf *text)
{
	const struct suppression_event *last = &s->events[s->event_count - 1];
	char date[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(date, last->wall_ms);
	buf_add_format(text, "suppressed since %.10s: %s", date,
		       suppression_reason_name(last->reason));
	if (last->text.len > 0)
		buf_add_format(text, " (%.*s)", SLICE_FMT(last->text));
}

bool planner_is_suppressed(struct planner *planner, struct slice customer, struct slice wire,
			   struct buf *why)
{
	char room[ADDRESS_WIRE_MAX];
	struct queue_suppression s;
	struct slice address;

	if (planner->suppressed.count == 0)
		return false;
	address = key_of(room, wire);
	if (!(known(planner, SLICE_NONE, address, &s) && s.is_active) &&
	    !(known(planner, customer, address, &s) && s.is_active))
		return false;
	if (why && s.event_count > 0)
		describe(&s, why);
	return true;
}

bool planner_asks_suppressed(struct planner *planner, struct slice customer, struct slice wire,
			     struct buf *why)
{
	char room[ADDRESS_WIRE_MAX];
	struct slice address;
	struct error ignored;
	bool is_so;

	if (planner->suppressed.count == 0)
		return false;
	address = key_of(room, wire);
	if (!id_set_has(&planner->suppressed, queue_suppression_id(SLICE_NONE, address)) &&
	    !id_set_has(&planner->suppressed, queue_suppression_id(customer, address)))
		return false;
	/* Without an answer it goes in: it is asked for again before it is sent. */
	if (!planner_begin(planner, &ignored))
		return false;
	is_so = planner_is_suppressed(planner, customer, wire, why);
	queue_abort(planner->queue);
	return is_so;
}

enum suppressed planner_row_is_suppressed(struct planner *planner,
					  struct planner_campaign *campaign, struct queue_row *row)
{
	char address[ADDRESS_WIRE_MAX + 1];
	enum suppressed answer = SUPPRESSED_NOT;
	struct buf why;

	if (planner->suppressed.count == 0)
		return SUPPRESSED_NOT;
	slice_copy(address, sizeof(address), row->address);
	buf_init(&why, REASON_TEXT_MAX);
	if (planner_is_suppressed(planner, slice_of(campaign->record.customer), slice_of(address),
				  &why))
		answer = SUPPRESSED;
	/* The row's slices ended with the question. */
	if (planner->failed_by != STORE_OK ||
	    !planner_store_ok(planner, queue_row_get(planner->queue, &row->ref, row)))
		answer = SUPPRESSED_UNKNOWN;
	if (answer == SUPPRESSED) {
		metric_add(&planner->m->suppressed_rows, 1);
		planner_settle_row(planner, campaign, row, OUTCOME_CANCELLED, 0,
				   (const u16[3]){ 0 }, buf_slice(&why));
	}
	buf_done(&why);
	return answer;
}

/* ---- adding ---- */

struct note {
	struct slice scope;
	struct slice address;
	struct suppression_event event;
	bool is_active;
	u16 soft;
};

/* The newest events stay. */
static void add_event(struct queue_suppression *s, const struct suppression_event *event)
{
	if (s->event_count == SUPPRESSION_EVENTS_MAX) {
		memmove(&s->events[0], &s->events[1],
			(SUPPRESSION_EVENTS_MAX - 1) * sizeof(s->events[0]));
		s->event_count--;
	}
	s->events[s->event_count++] = *event;
}

/* Records die with the next operation, and the new one is made of the old one's texts. */
static bool write_note(struct planner *planner, const struct note *note)
{
	char texts[SUPPRESSION_EVENTS_MAX * SUPPRESSION_TEXT_MAX];
	struct queue_suppression s = { 0 };
	size_t used = 0;
	enum store_result result =
		queue_suppression_get(planner->queue, note->scope, note->address, &s);

	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return planner_store_ok(planner, result);
	for (u32 i = 0; i < s.event_count; i++) {
		struct slice *text = &s.events[i].text;

		memcpy(texts + used, text->ptr, text->len);
		*text = (struct slice){ texts + used, text->len };
		used += text->len;
	}
	s.scope = note->scope;
	s.address = note->address;
	s.is_active = note->is_active;
	s.soft = note->soft;
	if (note->event.reason)
		add_event(&s, &note->event);
	if (!id_set_add(&planner->suppressed, queue_suppression_id(note->scope, note->address))) {
		planner->failed_by = STORE_FULL;
		return false;
	}
	return planner_store_ok(planner, queue_suppression_put(planner->queue, &s));
}

static bool suppress(struct planner *planner, const struct lease *lease,
		     enum suppression_reason reason, struct slice address)
{
	const struct note note = {
		.address = address,
		.is_active = true,
		.event = { .wall_ms = planner->time.wall_ms,
			   .campaign = lease->ref.id.campaign,
			   .reason = (u8)reason,
			   .text = slice_first((struct slice){ lease->reply, lease->reply_len },
					       SUPPRESSION_TEXT_MAX) },
	};

	return write_note(planner, &note);
}

/* One more that was not final by itself; the last of so many is. */
static bool count_soft(struct planner *planner, const struct lease *lease, struct slice address)
{
	const u32 limit = planner->config->suppression.soft;
	struct queue_suppression s = { 0 };
	struct note note = { .address = address };

	if (limit == 0)
		return true;
	if (known(planner, SLICE_NONE, address, &s) && s.is_active)
		return true;
	if (planner->failed_by != STORE_OK)
		return false;
	if (s.soft + 1u >= limit)
		return suppress(planner, lease, SUPPRESSION_SOFT, address);
	note.soft = (u16)(s.soft + 1);
	return write_note(planner, &note);
}

static bool forget_soft(struct planner *planner, struct slice address)
{
	const struct note note = { .address = address };
	struct queue_suppression s;

	if (!known(planner, SLICE_NONE, address, &s))
		return planner->failed_by == STORE_OK;
	return s.is_active || s.soft == 0 || write_note(planner, &note);
}

bool planner_suppress_result(struct planner *planner, const struct lease *lease,
			     enum outcome_action action)
{
	char room[ADDRESS_WIRE_MAX];
	struct slice address;

	if (action == OUTCOME_DELIVERED && planner->suppressed.count == 0)
		return true;
	if (action != OUTCOME_DELIVERED && action != OUTCOME_FAILED && action != OUTCOME_EXPIRED)
		return true;
	address = key_of(room, lease->address);
	if (action == OUTCOME_DELIVERED)
		return forget_soft(planner, address);
	if (action == OUTCOME_FAILED && planner->config->suppression.hard &&
	    signal_is_bad_mailbox(lease))
		return suppress(planner, lease, SUPPRESSION_HARD, address);
	return signal_is_soft(lease) ? count_soft(planner, lease, address) : true;
}

/* ---- orders ---- */

bool planner_suppress(struct planner *planner, const struct planner_suppress_order *order,
		      u32 count, struct error *error)
{
	bool done = true;

	if (!planner_begin(planner, error))
		return false;
	for (u32 i = 0; done && i < count; i++) {
		const struct note note = {
			.scope = order[i].scope,
			.address = order[i].address,
			.is_active = order[i].reason != SUPPRESSION_REMOVED,
			.event = { .wall_ms = planner->time.wall_ms,
				   .reason = (u8)order[i].reason,
				   .text = slice_first(order[i].text, SUPPRESSION_TEXT_MAX) },
		};

		done = write_note(planner, &note);
	}
	if (done && planner_commit(planner, error))
		return true;
	queue_abort(planner->queue);
	if (planner->failed_by == STORE_FULL)
		queue_grow(planner->queue);
	return error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

/*
 * Campaigns that are open: rows are appended while they run, by whoever walks a list of contacts. A
 * batch, the cursor that says how far the walk has come, and the campaign's counters are one
 * transaction, so that after any crash on either side the walk goes on behind the cursor and brings
 * nobody twice.
 *
 * A lane in memory ends when it has no more rows, and is not looked at again; rows that come later
 * for its domain make a new one. While a lane still has rows they are added to it.
 */
#include "delivery/planner_parts.h"

#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_TRIES 40      /* doublings of the map that one batch may need */
#define LANES_KNOWN_MAX 16384 /* beyond, they are forgotten: new ones are made */
/* Rows that wait for their first attempt: what is sent in 5 minutes, between these two. */
#define AHEAD_S 300
#define AHEAD_MIN 20000
#define AHEAD_MAX 500000
/* And with those that wait for another one: no more come. */
#define KEPT_MAX 2000000

struct open_lane {
	u32 number;
	u32 seq;
	u32 seen; /* the batch in which it was last found to have rows */
	char name[];
};

/* Of an open campaign; made by the first batch, and whenever one was not committed. */
struct planner_open {
	struct map lanes; /* by domain: the last one made */
	u32 batch;
	struct planner_placed *rows;
	struct slice *addresses;
	u32 size; /* of both */
};

static void forget_lanes(struct planner_open *open)
{
	struct open_lane *lane;
	u32 at = 0;

	while ((lane = map_next(&open->lanes, &at)))
		free(lane);
	map_done(&open->lanes);
	map_init(&open->lanes);
}

void planner_open_free(struct planner_campaign *c)
{
	if (!c->open)
		return;
	forget_lanes(c->open);
	map_done(&c->open->lanes);
	free(c->open->rows);
	free(c->open->addresses);
	free(c->open);
	c->open = NULL;
}

static bool make_room(struct planner_campaign *c, u32 count)
{
	struct planner_open *open = c->open;
	struct planner_placed *rows;
	struct slice *addresses;

	if (!open) {
		open = c->open = calloc(1, sizeof(*open));
		if (!open)
			return false;
		map_init(&open->lanes);
	}
	if (count <= open->size)
		return true;
	rows = realloc(open->rows, count * sizeof(*rows));
	if (rows)
		open->rows = rows;
	addresses = rows ? realloc(open->addresses, count * sizeof(*addresses)) : NULL;
	if (!addresses)
		return false;
	open->addresses = addresses;
	open->size = count;
	return true;
}

/* Which of the lanes that were activated still have rows. */
static void note_live(struct planner_campaign *c)
{
	struct planner_open *open = c->open;

	if (open->lanes.count > LANES_KNOWN_MAX)
		forget_lanes(open);
	open->batch++;
	list_for_each(node, &c->lanes) {
		const struct lane *lane = list_entry(node, struct lane, of_campaign);
		struct open_lane *known = map_find(&open->lanes, slice_of(lane->name));

		if (known && known->number == lane->number)
			known->seen = open->batch;
	}
}

static struct open_lane *lane_of(struct planner *planner, struct planner_campaign *c,
				 struct slice name)
{
	struct planner_open *open = c->open;
	struct open_lane *lane = map_find(&open->lanes, name);

	if (lane && (lane->number > c->lane_cursor || lane->seen == open->batch))
		return lane;
	if (!lane) {
		lane = calloc(1, sizeof(*lane) + name.len + 1);
		if (!lane)
			return NULL;
		memcpy(lane->name, name.ptr, name.len);
		if (!map_add(&open->lanes, (struct slice){ lane->name, name.len }, lane)) {
			free(lane);
			return NULL;
		}
	}
	if (queue_lane_create(planner->queue, &c->record, name, &lane->number) != STORE_OK)
		return NULL;
	lane->seq = 0;
	return lane;
}

static bool put_row(struct planner *planner, struct planner_campaign *c,
		    const struct planner_recipient *r, struct planner_placed *placed)
{
	struct queue_row row = { .ref = { .place = ROW_LANE },
				 .address = r->address,
				 .values = r->values };
	struct open_lane *lane = lane_of(planner, c, address_wire_domain(r->address));

	if (!lane)
		return false;
	row.ref.id = (struct row_id){ c->record.id, lane->number, ++lane->seq };
	*placed = (struct planner_placed){ lane->number, lane->seq, r->address };
	return queue_row_put(planner->queue, &row) == STORE_OK;
}

/* Within a transaction. */
static bool put_batch(struct planner *planner, struct planner_campaign *c,
		      const struct planner_batch *batch)
{
	bool ok = make_room(c, batch->count);

	if (ok)
		note_live(c);
	for (u32 i = 0; ok && i < batch->count; i++)
		ok = put_row(planner, c, &batch->recipients[i], &c->open->rows[i]);
	ok = ok && planner_note_placed(planner, c->record.id, c->open->rows, c->open->addresses,
				       batch->count);
	c->record.total += batch->count;
	c->record.cursor = batch->cursor;
	return ok && queue_campaign_put(planner->queue, &c->record) == STORE_OK;
}

static bool may_append(struct planner_campaign *c, struct error *error)
{
	if (!c->record.is_open)
		return error_set(error, "campaign %s is closed", c->record.name);
	if (c->is_late)
		return error_set(error, "campaign %s: its deadline is over", c->record.name);
	return true;
}

/* A transaction; *tries_again: what is missing is room, perhaps. */
static bool append_once(struct planner *planner, u32 id, const struct planner_batch *batch,
			bool *taken, bool *tries_again, struct error *error)
{
	struct planner_campaign *c;
	bool ok;

	if (!planner_begin(planner, error))
		return false;
	c = planner_campaign_load(planner, id, error);
	if (!c || !may_append(c, error) || c->record.cursor != batch->after) {
		queue_abort(planner->queue);
		return c && may_append(c, error);
	}
	ok = put_batch(planner, c, batch);
	if (!ok) {
		queue_abort(planner->queue);
		error_set(error, "recipients could not be stored: %s",
			  queue_error_text(planner->queue));
	}
	if (!ok || !planner_commit(planner, error)) {
		/* Its lanes are not there, or not as long as they are known to be. */
		planner_open_free(c);
		c->record = c->saved;
		*tries_again = true;
		return false;
	}
	c->saved = c->record;
	c->lanes_end = false;
	planner->must_work = true;
	*taken = true;
	return true;
}

bool planner_campaign_append(struct planner *planner, u32 id, const struct planner_batch *batch,
			     bool *taken, struct error *error)
{
	*taken = false;
	for (u32 tries = 0; tries < BATCH_TRIES; tries++) {
		bool tries_again = false;

		if (!planner_takes_recipients(planner, error))
			return false;
		if (append_once(planner, id, batch, taken, &tries_again, error))
			return true;
		if (!tries_again || !queue_grow(planner->queue))
			break;
	}
	return false;
}

bool planner_campaign_close(struct planner *planner, u32 id, struct error *error)
{
	struct planner_campaign *c;

	if (!planner_takes_orders(planner, error) || !planner_begin(planner, error))
		return false;
	c = planner_campaign_load(planner, id, error);
	if (!c || !c->record.is_open) {
		queue_abort(planner->queue);
		return c != NULL; /* closed already, or cancelled */
	}
	c->record.is_open = false;
	planner_campaign_judge(planner, c);
	if (queue_campaign_put(planner->queue, &c->record) != STORE_OK ||
	    !planner_commit(planner, error)) {
		queue_abort(planner->queue);
		c->record = c->saved;
		return error_set(error, "the queue: %s", queue_error_text(planner->queue));
	}
	c->saved = c->record;
	planner_open_free(c);
	planner->must_work = true;
	log_info("delivery", "a campaign is closed", "campaign=%s total=%llu", c->record.name,
		 (unsigned long long)c->record.total);
	return true;
}

u64 planner_campaign_wanted(struct planner *planner, const struct queue_campaign *c)
{
	u64 over = c->delivered + c->failed + c->cancelled + c->held;
	u64 kept = c->total > over ? c->total - over : 0;
	u64 waiting = kept > c->deferred ? kept - c->deferred : 0;
	u64 ahead = AHEAD_MIN;
	struct error error;

	if (!c->is_open || planner->stopping || !planner_takes_recipients(planner, &error) ||
	    (c->state != CAMPAIGN_READY && c->state != CAMPAIGN_RUNNING))
		return 0;
	if (c->state == CAMPAIGN_RUNNING)
		ahead = max_u64(ahead, min_u64((u64)planner_campaign_rate(planner, c->id) *
						       AHEAD_S,
					       AHEAD_MAX));
	/* Asked for again when a quarter of them is gone, so that batches stay large. */
	if (waiting > ahead / 4 * 3 || kept >= KEPT_MAX)
		return 0;
	return min_u64(ahead - waiting, KEPT_MAX - kept);
}

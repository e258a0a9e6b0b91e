#include "web/track.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

struct batch {
	u32 count;
	struct reaction reactions[TRACK_BATCH];
};

struct track {
	struct scribe_desk *desk;
	struct timer_wheel *wheel;
	struct meter_worker *meter;
	struct timer timer; /* runs when something is gathered */
	struct scribe_order order;
	struct batch *filling;
	struct batch *flying; /* the order's while is_flying */
	bool is_flying;
	struct batch batches[2];
};

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	struct track *track = container_of(order, struct track, order);
	enum store_result result = STORE_OK;

	for (u32 i = 0; i < track->flying->count && result == STORE_OK; i++)
		result = reaction_keep(txn, &track->flying->reactions[i]);
	return result;
}

static void on_done(struct scribe_order *order)
{
	struct track *track = container_of(order, struct track, order);

	track->is_flying = false;
	if (order->result == STORE_OK) {
		metric_add(&track->meter->reactions_kept, track->flying->count);
	} else {
		metric_add(&track->meter->reactions_dropped, track->flying->count);
		log_error("web", "opens and clicks are lost", "count=%u reason=%s",
			  track->flying->count, order->error.text);
	}
	track->flying->count = 0;
	if (track->filling->count == TRACK_BATCH)
		track_flush(track);
}

void track_flush(struct track *track)
{
	struct batch *batch = track->filling;

	if (track->is_flying || batch->count == 0)
		return;
	timer_stop(track->wheel, &track->timer);
	track->filling = track->flying;
	track->flying = batch;
	track->is_flying = true;
	track->order.apply = apply;
	track->order.done = on_done;
	scribe_give(track->desk, &track->order);
}

static void on_patience_ends(struct timer *timer)
{
	struct track *track = container_of(timer, struct track, timer);

	if (track->is_flying)
		timer_start(track->wheel, timer, clock_mono_ns() + TRACK_PATIENCE_NS);
	else
		track_flush(track);
}

struct track *track_open(struct scribe_desk *desk, struct timer_wheel *wheel,
			 struct meter_worker *meter)
{
	struct track *track = calloc(1, sizeof(*track));

	if (!track)
		return NULL;
	track->desk = desk;
	track->wheel = wheel;
	track->meter = meter;
	track->filling = &track->batches[0];
	track->flying = &track->batches[1];
	timer_init(&track->timer, on_patience_ends);
	return track;
}

void track_close(struct track *track)
{
	if (!track)
		return;
	ASSERT(!track->is_flying);
	timer_stop(track->wheel, &track->timer);
	free(track);
}

void track_add(struct track *track, const struct reaction *reaction)
{
	struct batch *batch = track->filling;

	if (reaction->visitor == VISITOR_NOBODY)
		return;
	if (batch->count == TRACK_BATCH) {
		metric_add(&track->meter->reactions_dropped, 1);
		return;
	}
	if (batch->count == 0)
		timer_start(track->wheel, &track->timer, clock_mono_ns() + TRACK_PATIENCE_NS);
	batch->reactions[batch->count++] = *reaction;
	if (batch->count == TRACK_BATCH)
		track_flush(track);
}

bool track_is_busy(const struct track *track)
{
	return track->is_flying || track->filling->count > 0;
}

/*
 * Step mail: once a turn, sequences whose time has come are moved on (campaign/sequence_run.h), by
 * orders to the scribe of a batch each; then what is to go of their steps is handed over.
 */
#include "base/log.h"
#include "base/text.h"
#include "campaign/send_window.h"
#include "campaign/sequence_run.h"
#include "store/audience_step_mail.h"
#include "web/bringer_parts.h"

#include <string.h>

#define BATCH 500   /* enrolments of one order */
#define LOOK_NS (10 * NS_PER_S) /* what is to pause at the sender does */
#define BATCHES 20 /* of one sequence, before the next one has its turn */

/* ---- orders ---- */

struct run_order {
	struct scribe_order base;
	u32 sequence;
	u64 now_ms;
	struct sequence_ran ran;
};

static enum store_result apply_run(struct scribe_order *base, struct audience_txn *txn)
{
	struct run_order *order = container_of(base, struct run_order, base);

	return sequence_run(txn, order->sequence, order->now_ms, BATCH, &order->ran);
}

static void run(struct bringer *bringer, u32 sequence)
{
	struct run_order order = { .base.apply = apply_run,
				   .sequence = sequence,
				   .now_ms = bringer->now_ms };

	order.ran.has_more = true;
	for (u32 i = 0; i < BATCHES && order.ran.has_more; i++) {
		if (scribe_do(bringer->params.scribe, &order.base) != STORE_OK) {
			log_error("web", "a sequence cannot go on now", "sequence=%u reason=%s",
				  sequence, order.base.error.text);
			return;
		}
		if (order.ran.is_paused)
			log_warn("web", "a sequence is paused", "sequence=%u reason=%s", sequence,
				 order.ran.error.text);
	}
	bringer->is_busy |= order.ran.has_more;
}

struct pause_order {
	struct scribe_order base;
	u32 sequence;
	const char *reason;
	u64 now_ms;
};

static enum store_result apply_pause(struct scribe_order *base, struct audience_txn *txn)
{
	struct pause_order *order = container_of(base, struct pause_order, base);
	struct audience_sequence sequence;
	enum store_result result = audience_sequence_get(txn, order->sequence, &sequence);

	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result != STORE_OK || sequence.state != AUDIENCE_SEQUENCE_RUNNING)
		return result;
	sequence.state = AUDIENCE_SEQUENCE_PAUSED;
	sequence.changed_ms = order->now_ms;
	sequence.of[SEQUENCE_REASON] = slice_of(order->reason);
	return audience_sequence_put(txn, &sequence);
}

void bringer_pause_sequence(struct bringer *bringer, u32 sequence, const char *reason)
{
	struct pause_order order = { .base.apply = apply_pause,
				     .sequence = sequence,
				     .reason = reason,
				     .now_ms = bringer->now_ms };

	log_warn("web", "a sequence is paused", "sequence=%u reason=%s", sequence, reason);
	if (scribe_do(bringer->params.scribe, &order.base) != STORE_OK)
		log_error("web", "a sequence's state could not be kept", "sequence=%u reason=%s",
			  sequence, order.base.error.text);
}

/* ---- what there is to do ---- */

/* A sequence's steps, copied out of a transaction. */
struct steps {
	u32 sequence;
	bool is_due;
	bool runs; /* now: also by its hours of sending */
	u32 ids[SEQUENCE_STEPS_MAX];
	u32 count;
};

static bool is_open(const struct audience_sequence *kept, u64 now_ms)
{
	struct slice zone_name = kept->of[SEQUENCE_ZONE];
	struct send_window window;
	struct time_zone zone;

	return time_zone_find(zone_name.len > 0 ? zone_name : SLICE("UTC"), &zone) &&
	       send_window_read(kept->of[SEQUENCE_DAYS], kept->of[SEQUENCE_HOURS], &window) &&
	       send_window_is_open(&window, &zone, now_ms);
}

/* Something is to be handed over, or the sender is to pause or to go on. */
static bool has_work(const struct bringer *bringer, u32 step, bool runs)
{
	bool looks = !runs && bringer->now_ns >= bringer->next_steps_ns;
	struct audience_txn *txn = bringer->reader;
	struct audience_campaign campaign;
	struct step_mail mail;
	bool is_held;

	if (audience_campaign_get(txn, step, &campaign) != STORE_OK)
		return false;
	is_held = campaign.flags & AUDIENCE_CAMPAIGN_HELD;
	if (campaign.sender > 0 && (looks || is_held == runs))
		return true;
	return runs && step_mail_after(txn, step, campaign.cursor, &mail) == STORE_OK;
}

/* The next sequence that has begun and is not over; false: there are no more, or not now. */
static bool next_steps(struct bringer *bringer, u32 after, struct steps *steps)
{
	struct audience_sequence kept = { .id = after };
	enum store_result result = audience_begin_read(bringer->reader);

	while (result == STORE_OK) {
		result = audience_sequence_after(bringer->reader, kept.id, &kept);
		if (result == STORE_OK && (kept.state == AUDIENCE_SEQUENCE_RUNNING ||
					   kept.state == AUDIENCE_SEQUENCE_PAUSED))
			break;
	}
	*steps = (struct steps){ .sequence = kept.id };
	if (result == STORE_OK) {
		steps->runs = kept.state == AUDIENCE_SEQUENCE_RUNNING &&
			      is_open(&kept, bringer->now_ms);
		steps->is_due = sequence_is_due(bringer->reader, &kept, bringer->now_ms);
		for (u32 i = 0; i < kept.step_count; i++) {
			if (steps->is_due ||
			    has_work(bringer, kept.steps[i].id, steps->runs))
				steps->ids[steps->count++] = kept.steps[i].id;
		}
	}
	audience_abort(bringer->reader);
	return result == STORE_OK;
}

void bringer_steps(struct bringer *bringer)
{
	struct steps steps;
	u32 after = 0;

	if (bringer->is_held || !bringer_clock_is_good(bringer))
		return;
	while (next_steps(bringer, after, &steps)) {
		after = steps.sequence;
		if (steps.is_due)
			run(bringer, steps.sequence);
		for (u32 i = 0; i < steps.count; i++)
			bringer_step(bringer, steps.sequence, steps.ids[i], steps.runs);
	}
	if (bringer->now_ns >= bringer->next_steps_ns)
		bringer->next_steps_ns = bringer->now_ns + LOOK_NS;
}

/*
 * What operators do to rows at rest: try again now, give up, settle doubts. Worked off in
 * transactions of a few thousand rows; rows in memory or with a worker are not touched.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"

#define SWEEP_ROWS 4000

bool planner_filter_matches(const struct planner_filter *filter, const struct queue_row *row)
{
	if (filter->campaign && row->ref.id.campaign != filter->campaign)
		return false;
	if (filter->address.ptr && !slice_equal(filter->address, row->address))
		return false;
	return !filter->domain.ptr ||
	       slice_equal(address_wire_domain(row->address), filter->domain);
}

/* Moves a row to the deferred table, due now. */
static bool make_due(struct planner *planner, struct planner_campaign *campaign,
		     const struct queue_row *row)
{
	struct queue_row moved = *row;
	struct row_ref from = row->ref;

	moved.ref.place = ROW_DEFERRED;
	moved.ref.due_ms = planner_due_time(planner, planner->time.due_ms);
	/* Due already: it stays where it is. */
	if (row->ref.place == ROW_DEFERRED && moved.ref.due_ms >= row->ref.due_ms)
		return true;
	if (!planner_store_ok(planner, queue_row_move(planner->queue, &from, &moved)))
		return false;
	if (from.place == ROW_DOUBT) {
		planner_campaign_touch(campaign);
		campaign->record.held--;
		campaign->record.deferred++;
	}
	return true;
}

static bool act(struct planner *planner, struct planner_campaign *campaign,
		const struct queue_row *row, enum sweep_action action)
{
	static const u16 none[3] = { 0 };

	switch (action) {
	case SWEEP_RETRY:
		return make_due(planner, campaign, row);
	case SWEEP_CANCEL:
		return planner_settle_row(planner, campaign, row, OUTCOME_CANCELLED, 0, none,
					  SLICE("campaign cancelled"));
	default:
		return planner_settle_row(planner, campaign, row, OUTCOME_FAILED, 0, none,
					  SLICE("given up by the operator"));
	}
}

/* One transaction's worth; false at the end of the table or on failure (then *error is set). */
static bool sweep_some(struct planner *planner, const struct planner_filter *filter,
		       enum sweep_action action, struct row_ref *at, u64 *count,
		       struct error *error)
{
	enum store_result result = STORE_OK;
	bool ok = true;

	for (u32 i = 0; i < SWEEP_ROWS && ok; i++) {
		struct planner_campaign *campaign;
		struct queue_row row;

		result = queue_row_next(planner->queue, at, UINT64_MAX, &row);
		if (result != STORE_OK)
			break;
		*at = row.ref;
		if (!planner_filter_matches(filter, &row))
			continue;
		campaign = planner_campaign_load(planner, row.ref.id.campaign, error);
		/* Loading only reads: the row's slices still stand. */
		ok = campaign && act(planner, campaign, &row, action);
		*count += ok;
	}
	if (ok && result != STORE_FULL && result != STORE_FAILED)
		return result == STORE_OK;
	error_set(error, "the queue could not be changed: %s", queue_error_text(planner->queue));
	planner->sweep_failed = true;
	return false;
}

static bool sweep_from(struct planner *planner, struct row_ref at,
		       const struct planner_filter *filter, enum sweep_action action, u64 *count,
		       struct error *error)
{
	bool more = true;

	*count = 0;
	if (!planner_takes_orders(planner, error))
		return false;
	planner->sweep_failed = false;
	while (more) {
		if (!planner_begin(planner, error))
			return false;
		more = sweep_some(planner, filter, action, &at, count, error);
		if (planner->sweep_failed || !planner_write_campaigns(planner) ||
		    !planner_commit(planner, error)) {
			queue_abort(planner->queue);
			/* The rows are at rest, not in memory: nothing is to be placed anew. */
			ref_queue_done(&planner->touched);
			planner_rolled_back(planner);
			return false;
		}
		ref_queue_done(&planner->touched);
		planner_campaigns_committed(planner, true);
	}
	planner->must_work = true;
	return true;
}

bool planner_sweep(struct planner *planner, const struct planner_filter *filter,
		   enum sweep_action action, u64 *count, struct error *error)
{
	struct row_ref at = planner->due_cursor;

	at.place = ROW_DEFERRED;
	return sweep_from(planner, at, filter, action, count, error);
}

bool planner_retry(struct planner *planner, const struct planner_filter *filter, u64 *moved,
		   struct error *error)
{
	return planner_sweep(planner, filter, SWEEP_RETRY, moved, error);
}

bool planner_bounce(struct planner *planner, const struct planner_filter *filter, u64 *bounced,
		    struct error *error)
{
	return planner_sweep(planner, filter, SWEEP_GIVE_UP, bounced, error);
}

bool planner_doubt_settle(struct planner *planner, const struct planner_filter *filter, bool resend,
			  u64 *settled, struct error *error)
{
	struct row_ref at = { .place = ROW_DOUBT };

	return sweep_from(planner, at, filter, resend ? SWEEP_RETRY : SWEEP_GIVE_UP, settled,
			  error);
}

/*
 * What operators do to rows at rest: try again now, give up, settle doubts, cancel a campaign. An
 * order is a sweep: it walks through its table from front to end, a bounded slice in each turn's
 * transaction, so that sending goes on in between. Several take turns.
 *
 * Where a sweep stands is committed with the slice, so after a crash it goes on where it stood:
 * every row is met once, and an order that was accepted is done. (It counts as accepted when its
 * first slice is committed. A cancelled campaign says by its state what is left to do.)
 *
 * Rows in memory or with a worker are not at rest, and are not met. A row that comes to rest while
 * a sweep is on its way may be met when it comes to lie before it.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEPS_MAX 64
#define STORED_PREFIX SLICE("sweep/")
#define STORED_MAX 2048

/* Where it stands. */
struct progress {
	struct row_ref at;
	u64 until_ms; /* of deferred rows: the last one that was there when it began; 0: begins */
	u64 looked;
	u64 count;
	bool is_stored;
	bool is_over;
};

struct planner_sweep {
	struct list node; /* planner->sweeps; linked to itself when it is over */
	u32 number;
	enum sweep_action action;
	struct planner_filter filter;
	struct progress now;  /* as committed */
	struct progress next; /* as of the transaction that is being filled */
	bool runs;            /* in that transaction */
	bool is_watched;
	bool complained;
	char domain[256];
	char address[ROW_ADDRESS_MAX + 1];
};

static const char *const action_names[] = {
	[SWEEP_RETRY] = "retry", [SWEEP_GIVE_UP] = "give-up", [SWEEP_CANCEL] = "cancel",
	[SWEEP_EXPIRE] = "expire"
};

bool planner_filter_matches(const struct planner_filter *filter, const struct queue_row *row)
{
	if (filter->campaign && row->ref.id.campaign != filter->campaign)
		return false;
	if (filter->address.ptr && !slice_equal(filter->address, row->address))
		return false;
	return !filter->domain.ptr ||
	       slice_equal(address_wire_domain(row->address), filter->domain);
}

/* ---- one row ---- */

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
	case SWEEP_EXPIRE:
		return planner_meet_fate(planner, campaign, row);
	default:
		return planner_settle_row(planner, campaign, row, OUTCOME_FAILED, 0, none,
					  SLICE("given up by the operator"));
	}
}

/* False: the transaction failed. */
static bool meet(struct planner *planner, struct planner_sweep *sweep, const struct queue_row *row)
{
	struct planner_campaign *campaign;
	struct error error;

	/* Loading only reads: the row's slices still stand. */
	campaign = planner_campaign_load(planner, row->ref.id.campaign, &error);
	if (campaign) {
		sweep->next.count++;
		planner->swept++;
		return act(planner, campaign, row, sweep->action);
	}
	if (!sweep->complained)
		log_error("delivery", "rows cannot be changed", "reason=%s", error.text);
	sweep->complained = true;
	return planner->failed_by == STORE_OK;
}

/* ---- where it stands, on the disk: one line for each thing ---- */

static void describe(const struct planner_sweep *sweep, struct buf *out)
{
	const struct progress *p = &sweep->next;

	buf_add_format(out, "%d\n%u\n%" PRIu64 "\n%u\n%u\n%u\n%" PRIu64 "\n%" PRIu64 "\n%" PRIu64,
		       (int)sweep->action, p->at.place, p->at.due_ms, p->at.id.campaign,
		       p->at.id.domain, p->at.id.seq, p->until_ms, p->looked, p->count);
	buf_add_format(out, "\n%u\n%s\n%s", sweep->filter.campaign, sweep->domain, sweep->address);
}

static bool take_u32(struct slice *rest, u32 *out)
{
	return slice_to_u32(slice_split(rest, '\n'), out);
}

static bool take_u64(struct slice *rest, u64 *out)
{
	return slice_to_u64(slice_split(rest, '\n'), out);
}

static bool understand(struct planner_sweep *sweep, struct slice text)
{
	struct progress *p = &sweep->now;
	u32 action;

	if (!take_u32(&text, &action) || !take_u32(&text, &p->at.place) ||
	    !take_u64(&text, &p->at.due_ms) || !take_u32(&text, &p->at.id.campaign) ||
	    !take_u32(&text, &p->at.id.domain) || !take_u32(&text, &p->at.id.seq) ||
	    !take_u64(&text, &p->until_ms) || !take_u64(&text, &p->looked) ||
	    !take_u64(&text, &p->count) || !take_u32(&text, &sweep->filter.campaign) ||
	    !slice_copy(sweep->domain, sizeof(sweep->domain), slice_split(&text, '\n')) ||
	    !text.ptr || !slice_copy(sweep->address, sizeof(sweep->address), text))
		return false;
	p->is_stored = true;
	sweep->action = (enum sweep_action)action;
	return action <= SWEEP_GIVE_UP && (p->at.place == ROW_DEFERRED || p->at.place == ROW_DOUBT);
}

static struct slice stored_name(const struct planner_sweep *sweep, char name[32])
{
	snprintf(name, 32, "%.*s%010u", SLICE_FMT(STORED_PREFIX), sweep->number);
	return slice_of(name);
}

/* With the slice: what is over needs no record, and what is over at once never had one. */
static bool store_progress(struct planner *planner, struct planner_sweep *sweep)
{
	char name[32];
	struct buf text;
	bool ok;

	if (sweep->action >= SWEEP_CANCEL || (sweep->next.is_over && !sweep->next.is_stored))
		return true;
	if (sweep->next.is_over)
		return planner_store_ok(planner, queue_setting_delete(planner->queue,
								      stored_name(sweep, name)));
	buf_init(&text, STORED_MAX);
	describe(sweep, &text);
	sweep->next.is_stored = true;
	ok = planner_store_ok(planner, queue_setting_put(planner->queue, stored_name(sweep, name),
							 buf_slice(&text)));
	buf_done(&text);
	return ok;
}

/* ---- sweeps in memory ---- */

static struct planner_sweep *make(struct planner *planner)
{
	struct planner_sweep *sweep = calloc(1, sizeof(*sweep));

	if (!sweep)
		CRASH("out of memory for an order");
	sweep->number = planner->next_sweep++;
	list_push_back(&planner->sweeps, &sweep->node);
	planner->must_work = true;
	return sweep;
}

static void point_filter(struct planner_sweep *sweep)
{
	sweep->filter.domain = sweep->domain[0] ? slice_of(sweep->domain) : SLICE_NONE;
	sweep->filter.address = sweep->address[0] ? slice_of(sweep->address) : SLICE_NONE;
}

static void drop(struct planner_sweep *sweep)
{
	list_unlink(&sweep->node);
	free(sweep);
}

struct planner_sweep *planner_sweep_begin(struct planner *planner, enum sweep_action action,
					  enum row_place place, const struct planner_filter *filter,
					  struct error *error)
{
	struct planner_sweep *sweep;
	u32 count = 0;

	if (!planner_takes_orders(planner, error))
		return NULL;
	list_for_each(node, &planner->sweeps)
		count++;
	/* Campaigns are cancelled by then, or late. */
	if (count >= SWEEPS_MAX && action < SWEEP_CANCEL) {
		error_set(error, "%u such commands are under way already", count);
		return NULL;
	}
	sweep = make(planner);
	sweep->action = action;
	sweep->now.at.place = place;
	sweep->filter.campaign = filter->campaign;
	slice_copy(sweep->domain, sizeof(sweep->domain), filter->domain);
	slice_copy(sweep->address, sizeof(sweep->address), filter->address);
	point_filter(sweep);
	sweep->is_watched = true;
	return sweep;
}

void planner_sweep_look(const struct planner_sweep *sweep, struct planner_sweep_status *status)
{
	*status = (struct planner_sweep_status){ .looked = sweep->now.looked,
						 .count = sweep->now.count,
						 .is_over = sweep->now.is_over };
}

void planner_sweep_leave(struct planner_sweep *sweep)
{
	if (!sweep)
		return;
	sweep->is_watched = false;
	if (sweep->now.is_over)
		drop(sweep);
}

void planner_sweeps_free(struct planner *planner)
{
	struct list *node;

	while ((node = list_pop_front(&planner->sweeps)))
		free(list_entry(node, struct planner_sweep, node));
}

/* ---- a slice ---- */

static bool is_behind(const struct row_ref *a, const struct row_ref *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms > b->due_ms;
	if (a->id.campaign != b->id.campaign)
		return a->id.campaign > b->id.campaign;
	if (a->id.domain != b->id.domain)
		return a->id.domain > b->id.domain;
	return a->id.seq > b->id.seq;
}

/* From the second slice on rows that come in behind the last one are not its business. */
static bool find_end(struct planner *planner, struct progress *p)
{
	enum store_result result;
	struct row_ref last;

	if (p->until_ms > 0)
		return true;
	p->until_ms = UINT64_MAX;
	if (p->at.place != ROW_DEFERRED)
		return true;
	result = queue_row_last(planner->queue, ROW_DEFERRED, &last);
	if (result == STORE_OK)
		p->until_ms = last.due_ms;
	return result == STORE_NOT_FOUND || planner_store_ok(planner, result);
}

static bool run_slice(struct planner *planner, struct planner_sweep *sweep)
{
	struct progress *p = &sweep->next;
	const u32 rows = planner_limit(planner, SWEEP_ROWS);

	*p = sweep->now;
	if (!find_end(planner, p))
		return false;
	/* What the planner has taken into memory meanwhile is not at rest any more. */
	if (p->at.place == ROW_DEFERRED && is_behind(&planner->due_cursor, &p->at))
		p->at = planner->due_cursor;
	for (u32 looked = 0; looked < SWEEP_LOOKS && planner->swept < rows; looked++) {
		struct queue_row row;
		enum store_result result =
			queue_row_next(planner->queue, &p->at, p->until_ms, &row);

		p->is_over = result == STORE_NOT_FOUND;
		if (p->is_over)
			break;
		if (!planner_store_ok(planner, result))
			return false;
		p->at = row.ref;
		p->looked++;
		if (planner_filter_matches(&sweep->filter, &row) && !meet(planner, sweep, &row))
			return false;
	}
	return store_progress(planner, sweep);
}

bool planner_may_sweep(const struct planner *planner)
{
	return !list_is_empty(&planner->sweeps) && !planner->stopping &&
	       planner_may_settle(planner);
}

void planner_sweep_some(struct planner *planner)
{
	struct planner_sweep *sweep;

	planner->swept = 0;
	if (!planner_may_sweep(planner))
		return;
	sweep = list_entry(planner->sweeps.next, struct planner_sweep, node);
	/* Rows at rest are not in memory: when the transaction fails nothing is to be placed. */
	planner->at_rest = true;
	run_slice(planner, sweep);
	planner->at_rest = false;
	sweep->runs = true;
}

static void end(struct planner_sweep *sweep)
{
	log_info("delivery", "an order is carried out", "action=%s place=%s rows=%llu looked=%llu",
		 action_names[sweep->action],
		 sweep->now.at.place == ROW_DOUBT ? "doubt" : "deferred",
		 (unsigned long long)sweep->now.count, (unsigned long long)sweep->now.looked);
	list_unlink(&sweep->node);
	if (!sweep->is_watched)
		drop(sweep);
}

void planner_sweeps_committed(struct planner *planner, bool ok)
{
	struct planner_sweep *sweep;

	if (list_is_empty(&planner->sweeps))
		return;
	sweep = list_entry(planner->sweeps.next, struct planner_sweep, node);
	if (!sweep->runs)
		return;
	sweep->runs = false;
	if (!ok)
		return;
	sweep->now = sweep->next;
	if (sweep->now.is_over)
		end(sweep);
	else
		list_push_back(&planner->sweeps, list_pop_front(&planner->sweeps));
}

/* ---- after a restart ---- */

static void load_one(struct planner *planner, struct slice name, struct slice text)
{
	struct planner_sweep *sweep = make(planner);
	u32 number = 0;
	bool ok = slice_to_u32(slice_from(name, STORED_PREFIX.len), &number);

	sweep->number = number;
	planner->next_sweep = number + 1;
	if (!ok || !understand(sweep, text)) {
		log_error("delivery", "an order that was not carried out cannot be read",
			  "name=%.*s", SLICE_FMT(name));
		drop(sweep);
		return;
	}
	point_filter(sweep);
	log_info("delivery", "an order is gone on with", "action=%s rows=%llu looked=%llu",
		 action_names[sweep->action], (unsigned long long)sweep->now.count,
		 (unsigned long long)sweep->now.looked);
}

static bool load_stored(struct planner *planner, struct error *error)
{
	char after[SETTING_NAME_MAX + 1] = "";
	struct slice name;
	struct slice text;
	enum store_result result;

	if (!planner_begin(planner, error))
		return false;
	while ((result = queue_setting_next(planner->queue, STORED_PREFIX, slice_of(after), &name,
					    &text)) == STORE_OK) {
		load_one(planner, name, text);
		slice_copy(after, sizeof(after), name);
	}
	queue_abort(planner->queue);
	return result == STORE_NOT_FOUND ||
	       error_set(error, "orders: %s", queue_error_text(planner->queue));
}

bool planner_sweeps_load(struct planner *planner, struct error *error)
{
	if (!load_stored(planner, error))
		return false;
	list_for_each(node, &planner->campaigns) {
		struct planner_campaign *c = list_entry(node, struct planner_campaign, node);
		struct planner_sweep *sweep;

		if (c->record.state != CAMPAIGN_CANCELLED)
			continue;
		sweep = make(planner);
		sweep->action = SWEEP_CANCEL;
		sweep->now.at.place = ROW_DEFERRED;
		sweep->filter.campaign = c->record.id;
	}
	return true;
}

/* ---- orders ---- */

struct planner_sweep *planner_retry(struct planner *planner, const struct planner_filter *filter,
				    struct error *error)
{
	return planner_sweep_begin(planner, SWEEP_RETRY, ROW_DEFERRED, filter, error);
}

struct planner_sweep *planner_bounce(struct planner *planner, const struct planner_filter *filter,
				     struct error *error)
{
	return planner_sweep_begin(planner, SWEEP_GIVE_UP, ROW_DEFERRED, filter, error);
}

struct planner_sweep *planner_doubt_settle(struct planner *planner,
					   const struct planner_filter *filter, bool resend,
					   struct error *error)
{
	return planner_sweep_begin(planner, resend ? SWEEP_RETRY : SWEEP_GIVE_UP, ROW_DOUBT, filter,
				   error);
}

/*
 * Leases: rows read from the store into blocks, recorded, handed to workers after the commit.
 */
#include "delivery/planner_letter.h"
#include "delivery/planner_parts.h"
#include "delivery/planner_tls.h"
#include "delivery/planner_suppression.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define LINE_TURNS 8 /* one of them is for bulk mail, where there is mail that somebody waits for */

bool planner_leases_open(struct planner *planner, struct error *error)
{
	u32 count = planner->config->queue.in_flight;

	/* Not cleared: memory that no lease ever used is not even there. */
	planner->leases = malloc(count * sizeof(*planner->leases));
	planner->free_leases = malloc(count * sizeof(u32));
	planner->batch_left = calloc(BATCHES_MAX, sizeof(u32));
	planner->dead_batches = malloc(BATCHES_MAX * sizeof(u64));
	planner->batch_refs = malloc(TURN_LEASES_MAX * sizeof(struct row_ref));
	if (!planner->leases || !planner->free_leases || !planner->batch_left ||
	    !planner->dead_batches || !planner->batch_refs)
		return error_set(error, "out of memory for %u leases", count);
	planner->lease_count = count;
	return true;
}

void planner_leases_close(struct planner *planner)
{
	while (planner->free_blocks) {
		struct lease_block *block = planner->free_blocks;

		planner->free_blocks = block->next;
		free(block);
	}
	free(planner->block);
	free(planner->leases);
	free(planner->free_leases);
	free(planner->batch_left);
	free(planner->dead_batches);
	free(planner->batch_refs);
}

/* ---- blocks ---- */

static void give_block(struct planner *planner, struct lease_block *block)
{
	block->next = planner->free_blocks;
	planner->free_blocks = block;
}

/* A block with room for `bytes` more; the one before stays alive through its leases. */
static struct lease_block *block_for(struct planner *planner, size_t bytes)
{
	struct lease_block *block = planner->block;

	if (block && BLOCK_SIZE - block->used >= bytes)
		return block;
	if (block && block->leases == 0)
		give_block(planner, block);
	planner->block = NULL;
	block = planner->free_blocks;
	if (block)
		planner->free_blocks = block->next;
	else
		block = malloc(sizeof(*block));
	if (!block)
		return NULL;
	block->used = 0;
	block->leases = 0;
	block->next = NULL;
	planner->block = block;
	return block;
}

static struct slice copy_into(struct lease_block *block, struct slice s)
{
	char *to = block->bytes + block->used;

	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	block->used += (u32)s.len;
	return (struct slice){ to, s.len };
}

/* ---- one lease ---- */

static struct lease *take_lease(struct planner *planner, const struct queue_row *row)
{
	struct lease_block *block = block_for(planner, row->address.len + row->values.len);
	struct lease *lease;
	u32 index;

	if (!block || planner_leases_out(planner) == planner->lease_count)
		return NULL;
	index = planner->free_lease_count > 0 ? planner->free_leases[--planner->free_lease_count] :
						planner->leases_used++;
	lease = &planner->leases[index];
	memset(lease, 0, offsetof(struct lease, reply));
	lease->index = index;
	lease->slot = journal_slot(planner->journal, index);
	lease->block = block;
	block->leases++;
	lease->address = copy_into(block, row->address);
	lease->values = copy_into(block, row->values);
	lease->ref = row->ref;
	lease->attempts = row->attempts;
	lease->flags = row->flags;
	lease->date_ms = planner_date_of(row, planner->time.wall_ms);
	lease->since_ms = planner_since_of(planner, row);
	if (row->flags & ROW_IN_DOUBT_NOW && !net_address_parse(&lease->same_host, row->host, true))
		lease->same_host.family = 0;
	list_init(&lease->node);
	return lease;
}

void planner_lease_free(struct planner *planner, struct lease *lease)
{
	struct lease_block *block = lease->block;

	atomic_store_explicit(&lease->slot->state, JOURNAL_FREE, memory_order_release);
	path_give(lease->path);
	lease->path = NULL;
	if (lease->letter)
		planner_letter_give(planner, lease->letter);
	if (--block->leases == 0 && block != planner->block)
		give_block(planner, block);
	if (--lease->route->leases == 0)
		planner_route_check(planner, lease->route);
	planner->free_leases[planner->free_lease_count++] = lease->index;
}

/* The worker with the most room among those that have a share of the route's sessions. */
static u32 choose_worker(struct planner *planner, const struct planner_route *route)
{
	u32 best = 0;
	double best_load = 1e300;

	for (u32 i = 0; i < planner->params.worker_count; i++) {
		double load;

		if (route->path->sessions[i] == 0)
			continue;
		load = (double)route->worker_in_flight[i] / route->path->sessions[i];
		if (load < best_load) {
			best_load = load;
			best = i;
		}
	}
	return best;
}

/* The content of a letter's row. False: the row is not lent; *is_over: it is settled instead. */
static bool take_letter(struct planner *planner, struct planner_campaign *campaign,
			const struct queue_row *row, struct planner_letter **letter,
			size_t *values_head, bool *is_over)
{
	struct error error = { "its record is damaged" };
	struct letter_row facts;
	enum planner_letter_found found = PLANNER_LETTER_GONE;

	if (letter_row_read(row->values, &facts)) {
		*values_head = facts.size;
		found = planner_letter_take(planner, campaign, row->ref.id.domain, letter, &error);
	}
	*is_over = found == PLANNER_LETTER_GONE &&
		   planner_settle_row(planner, campaign, row, OUTCOME_FAILED, 0,
				      (const u16[3]){ 0 }, slice_of(error.text));
	return found == PLANNER_LETTER_FOUND;
}

/* True: the row needs no other place; it is lent, or it is settled. */
static bool lease_row(struct planner *planner, struct planner_route *route,
		      struct planner_campaign *campaign, const struct domain *domain,
		      const struct queue_row *row)
{
	struct planner_letter *letter = NULL;
	size_t values_head = 0;
	bool is_over = false;
	struct lease *lease;

	if (campaign->record.kind == CAMPAIGN_LETTERS &&
	    !take_letter(planner, campaign, row, &letter, &values_head, &is_over))
		return is_over;
	lease = take_lease(planner, row);
	if (!lease) {
		if (letter)
			planner_letter_give(planner, letter);
		return false;
	}
	lease->letter = letter;
	lease->values_head = values_head;
	lease->mailing = letter ? letter->mailing : campaign->mailing;
	/* What a report meets is in no report (RFC 8460 section 5.3). */
	if (domain->tls && !(letter && letter->kind == LETTER_REPORT))
		lease->tls_bit = domain->tls->bit;
	lease->is_urgent = planner_line_of(campaign) == LINE_URGENT;
	lease->path = path_take(route->path);
	lease->recalls = path_recalls(route->path);
	lease->route = route;
	lease->worker = choose_worker(planner, route);
	route->leases++;
	route->in_flight++;
	route->worker_in_flight[lease->worker]++;
	campaign->leases++;
	list_push_back(&planner->fresh, &lease->node);
	planner->fresh_count++;
	return true;
}

/* ---- rows of a route ---- */

enum took { TOOK_ROW, TOOK_NOTHING, TOOK_STOP };

/* A due or returned row; those of paused campaigns are set aside, of cancelled ones settled. */
static enum took take_ref(struct planner *planner, struct planner_route *route,
			  enum line_kind line, struct route_share *share)
{
	struct planner_campaign *campaign;
	struct queue_row row;
	struct row_ref ref;
	struct domain *domain;
	enum store_result result;
	enum suppressed suppressed;

	planner_row_leave_share(planner, &route->lines[line], share, &ref, &domain);
	planner_line_judge(share);
	campaign = planner_campaign(planner, ref.id.campaign);
	result = queue_row_get(planner->queue, &ref, &row);
	if (result == STORE_NOT_FOUND || !campaign)
		return TOOK_ROW;
	if (!planner_store_ok(planner, result)) {
		planner_row_join(planner, route, line, &ref, domain);
		return TOOK_STOP;
	}
	if (planner_campaign_fate(campaign) != OUTCOME_RETURN) {
		planner_meet_fate(planner, campaign, &row);
		return TOOK_ROW;
	}
	if (campaign->record.state != CAMPAIGN_RUNNING) {
		planner_row_wait(planner, &campaign->parked, &ref);
		return TOOK_ROW;
	}
	suppressed = planner_row_is_suppressed(planner, campaign, &row);
	if (suppressed == SUPPRESSED || (suppressed == SUPPRESSED_NOT &&
					 lease_row(planner, route, campaign, domain, &row)))
		return TOOK_ROW;
	/* No lease or memory free. */
	planner_row_join(planner, route, line, &ref, domain);
	return TOOK_STOP;
}

/* The next row of a lane. */
static enum took take_lane_row(struct planner *planner, struct planner_route *route,
			       struct lane *lane)
{
	struct queue_row row;
	enum store_result result;
	enum suppressed suppressed;

	result = planner_lane_next(planner, lane, &row);
	if (result == STORE_NOT_FOUND)
		return TOOK_ROW;
	if (result != STORE_OK)
		return TOOK_STOP;
	suppressed = planner_row_is_suppressed(planner, lane->campaign, &row);
	if (suppressed == SUPPRESSED_UNKNOWN ||
	    (suppressed == SUPPRESSED_NOT &&
	     !lease_row(planner, route, lane->campaign, lane->domain, &row)))
		return TOOK_STOP;
	/* What is suppressed is settled: the lane is behind it as well. */
	lane->seq = row.ref.id.seq;
	planner_lane_took(lane);
	return TOOK_ROW;
}

static enum took take_row(struct planner *planner, struct planner_route *route,
			  enum line_kind line)
{
	struct route_share *share = planner_line_next(&route->lines[line]);

	if (!share)
		return TOOK_NOTHING;
	if (planner_share_wants_old(share))
		return take_ref(planner, route, line, share);
	return take_lane_row(planner, route, list_entry(share->lanes.next, struct lane, node));
}

/*
 * A row of the line that the route is ready for. While there are both, every eighth is bulk mail:
 * however much there is that somebody waits for, the rest goes on.
 */
static enum took take_turn(struct planner *planner, struct planner_route *route,
			   enum line_kind line, bool has_bulk_room)
{
	enum took took = TOOK_NOTHING;

	if (line == LINE_BULK)
		return has_bulk_room ? take_row(planner, route, line) : TOOK_NOTHING;
	if (has_bulk_room && route->turn % LINE_TURNS == LINE_TURNS - 1)
		took = take_row(planner, route, LINE_BULK);
	return took == TOOK_NOTHING ? take_row(planner, route, LINE_URGENT) : took;
}

/* Rows of one route, in a quantum. False: nothing more can be leased in this turn. */
static bool lease_quantum(struct planner *planner, struct planner_route *route,
			  enum line_kind line, struct route_room room)
{
	const u32 leases_max = planner_limit(planner, TURN_LEASES_MAX);
	const u32 before = planner->fresh_count;

	for (u32 n = 0; n < ROUTE_QUANTUM; n++, route->turn++) {
		const u32 lent = planner->fresh_count - before;
		enum took took;

		if (lent >= room.all)
			return true;
		if (planner_leases_out(planner) == planner->lease_count ||
		    planner->fresh_count >= leases_max)
			return false;
		took = take_turn(planner, route, line, lent < room.bulk);
		if (took == TOOK_NOTHING)
			return true;
		if (took == TOOK_STOP)
			return false;
	}
	return true;
}

static bool lease_route(struct planner *planner, struct planner_route *route, enum line_kind line)
{
	const u32 before = planner->fresh_count;
	bool more;

	if (!planner_route_load(planner, route))
		return false;
	more = lease_quantum(planner, route, line, planner_route_room(planner, route));
	if (planner->fresh_count > before)
		planner_route_lent(planner, route, planner->fresh_count - before);
	return more;
}

/* A quantum of its rows is deferred; the others wait in `later` for the next transaction. */
static void shed_route(struct planner *planner, struct planner_route *route, struct list *later)
{
	planner_shed_route(planner, route, route->lack);
	list_unlink(&route->ready);
	list_push_back(later, &route->ready);
}

/* As within a route: what somebody waits for goes first, but for every eighth turn. */
static struct list *next_ready(struct planner *planner)
{
	const bool is_bulks = planner->turn++ % LINE_TURNS == LINE_TURNS - 1;
	struct list *node = list_pop_front(&planner->ready[is_bulks ? LINE_BULK : LINE_URGENT]);

	return node ? node : list_pop_front(&planner->ready[is_bulks ? LINE_URGENT : LINE_BULK]);
}

void planner_lease_rows(struct planner *planner)
{
	struct list later;
	struct list *node;
	bool more = true;

	if (planner->stopping || planner->short_of_room)
		return;
	list_init(&later);
	while (more && (node = next_ready(planner))) {
		struct planner_route *route = list_entry(node, struct planner_route, ready);

		if (planner_route_path(planner, route)) {
			more = lease_route(planner, route, route->ready_line);
			planner_route_check(planner, route);
		} else {
			shed_route(planner, route, &later);
			more = planner->failed_by == STORE_OK;
		}
	}
	while ((node = list_pop_front(&later)))
		planner_route_check(planner, list_entry(node, struct planner_route, ready));
}

/* ---- record and hand out ---- */

bool planner_write_leases(struct planner *planner)
{
	u32 count = 0;

	for (u32 i = 0; i < planner->dead_batch_count; i++) {
		enum store_result result =
			queue_lease_delete(planner->queue, planner->dead_batches[i]);

		if (result != STORE_NOT_FOUND && !planner_store_ok(planner, result))
			return false;
	}
	if (planner->fresh_count == 0)
		return true;
	/* A session may hold a lease so long that the counters have come round to its record. */
	while (planner->batch_left[planner->batch % BATCHES_MAX] > 0)
		planner->batch++;
	list_for_each(node, &planner->fresh) {
		struct lease *lease = list_entry(node, struct lease, node);

		lease->batch = planner->batch;
		planner->batch_refs[count++] = lease->ref;
	}
	return planner_store_ok(planner,
				queue_lease_put(planner->queue, planner->batch,
						planner->time.wall_ms, planner->batch_refs, count));
}

static void fill_slot(struct lease *lease)
{
	struct journal_slot *slot = lease->slot;

	slot->ref = lease->ref;
	slot->date_ms = lease->date_ms;
	slot->code = 0;
	slot->verdict = 0;
	atomic_store_explicit(&slot->state, JOURNAL_LEASED, memory_order_release);
}

void planner_hand_out(struct planner *planner)
{
	u64 woken = 0;
	struct list *node;

	planner->dead_batch_count = 0;
	if (planner->fresh_count == 0)
		return;
	planner->batch_left[planner->batch % BATCHES_MAX] = planner->fresh_count;
	planner->batch++;
	while ((node = list_pop_front(&planner->fresh))) {
		struct lease *lease = list_entry(node, struct lease, node);
		bool given;

		fill_slot(lease);
		given = worker_give(planner->params.workers[lease->worker], lease);
		/* The queues are as long as there are leases. */
		ASSERT(given);
		woken |= 1ull << lease->worker;
	}
	planner->fresh_count = 0;
	for (u32 i = 0; i < planner->params.worker_count; i++) {
		if (woken >> i & 1)
			worker_wake(planner->params.workers[i]);
	}
}

void planner_take_back_fresh(struct planner *planner)
{
	struct list *node;

	while ((node = list_pop_front(&planner->fresh))) {
		struct lease *lease = list_entry(node, struct lease, node);
		struct planner_campaign *campaign =
			planner_campaign(planner, lease->ref.id.campaign);
		struct planner_route *route = lease->route;

		route->in_flight--;
		route->worker_in_flight[lease->worker]--;
		planner_route_unsent(planner, route);
		campaign->leases--;
		planner_row_wait(planner, &planner->again, &lease->ref);
		planner_lease_free(planner, lease);
		planner_route_check(planner, route);
	}
	planner->fresh_count = 0;
}

/*
 * Deferred rows: taken from the front of their table when their time has come. What lies at or
 * before due_cursor is in memory or with a worker; what lies behind it is at rest.
 */
#include "delivery/planner_parts.h"

#include "base/log.h"

u64 planner_due_time(struct planner *planner, u64 due_ms)
{
	/* Never where the cursor has passed already: nobody would look there again. */
	due_ms = max_u64(due_ms, planner->due_cursor.due_ms + 1);
	planner->next_due_ms = min_u64(planner->next_due_ms, due_ms);
	return due_ms;
}

bool planner_has_room_for_due(const struct planner *planner)
{
	return planner->refs_waiting < REFS_MAX &&
	       planner->route_count - planner->idle_route_count < ROUTES_MAX;
}

/*
 * A row of no campaign that is known: nobody can want it any more, and it must not block the
 * others.
 */
static void drop_orphan(struct planner *planner, const struct row_ref *ref)
{
	struct row_ref at = *ref;

	log_error("delivery", "a deferred row belongs to no campaign", "campaign=%u row=%u.%u",
		  at.id.campaign, at.id.domain, at.id.seq);
	planner_store_ok(planner, queue_row_delete(planner->queue, &at));
}

/*
 * The first of the rows at rest waits no longer than any row may. One that lies farther ahead is of
 * a longer schedule, or of a queue whose time is not known any more: all that is behind it moves
 * nearer, in its order, by letting the time of due rows go on.
 */
static u64 nearer(struct planner *planner, u64 due_ms)
{
	const u64 longest = planner_longest_wait_ms(planner);

	if (due_ms - planner->time.due_ms > longest) {
		log_warn("delivery", "rows that lay too far ahead are tried sooner", "by_s=%llu",
			 (unsigned long long)(due_ms - longest - planner->time.due_ms) / 1000);
		planner->time.due_ms = due_ms - longest;
		planner->noted_ns = 0;
	}
	return due_ms;
}

static void look_ahead(struct planner *planner)
{
	struct queue_row row;
	enum store_result result =
		queue_row_next(planner->queue, &planner->due_cursor, UINT64_MAX, &row);

	if (result == STORE_NOT_FOUND)
		planner->next_due_ms = UINT64_MAX;
	else if (planner_store_ok(planner, result))
		planner->next_due_ms = nearer(planner, row.ref.due_ms);
}

void planner_take_due(struct planner *planner)
{
	const u32 limit = planner_limit(planner, TURN_DUE_MAX);

	if (planner->time.due_ms < planner->next_due_ms || planner->stopping ||
	    planner->short_of_room)
		return;
	for (u32 i = 0; i < limit && planner_has_room_for_due(planner); i++) {
		struct planner_campaign *campaign;
		struct queue_row row;
		enum store_result result = queue_row_next(planner->queue, &planner->due_cursor,
							  planner->time.due_ms, &row);

		if (result == STORE_NOT_FOUND) {
			look_ahead(planner);
			return;
		}
		if (!planner_store_ok(planner, result))
			return;
		planner->due_cursor = row.ref;
		campaign = planner_campaign(planner, row.ref.id.campaign);
		if (campaign)
			planner_row_place(planner, campaign, &row);
		else
			drop_orphan(planner, &row.ref);
	}
}

/*
 * What keeps slow and dead receivers from standing in everybody's way. Memory holds a bounded
 * number of lanes and waiting rows; those of a route that fails, or that has far more than it can
 * take, go to the deferred table before the bound is reached, so that the others go on.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"

#define SHED_ROWS 20         /* of one lane, each time its route fails */
#define SHED_LANE_ROWS 1000  /* of a route's lanes, in one transaction, when nobody can send them */
#define SHED_REFS 4000       /* of one route, in one transaction */

static bool lanes_are_scarce(const struct planner *planner)
{
	return planner->lanes_active > LANES_ACTIVE_MAX / 2;
}

static bool refs_are_scarce(const struct planner *planner)
{
	return planner->refs_waiting > REFS_MAX / 2 ||
	       planner->route_count - planner->idle_route_count > ROUTES_MAX / 2;
}

u32 planner_shed_lane(struct planner *planner, struct lane *lane, u16 code, struct slice text)
{
	const u32 limit = planner_limit(planner, SHED_ROWS);
	u32 rows = 0;

	while (rows < limit) {
		struct queue_row row;

		if (planner_lane_next(planner, lane, &row) != STORE_OK)
			break;
		lane->seq = row.ref.id.seq;
		if (!planner_defer_row(planner, lane->campaign, &row, code, text))
			break;
		rows++;
	}
	return rows;
}

static void shed_refs(struct planner *planner, struct planner_route *route, const char *reason)
{
	const u32 limit = planner_limit(planner, SHED_REFS);
	struct row_ref ref;
	struct domain *domain;

	for (u32 i = 0; i < limit && planner_row_leave(planner, route, &ref, &domain); i++) {
		struct planner_campaign *campaign = planner_campaign(planner, ref.id.campaign);
		struct queue_row row;
		enum store_result result = queue_row_get(planner->queue, &ref, &row);

		if (result == STORE_NOT_FOUND || !campaign)
			continue;
		if (!planner_store_ok(planner, result)) {
			planner_row_join(planner, route, &ref, domain);
			return;
		}
		planner_defer_row(planner, campaign, &row, 0, slice_of(reason));
	}
}

void planner_shed_route(struct planner *planner, struct planner_route *route, const char *reason)
{
	u32 left = planner_limit(planner, SHED_LANE_ROWS);

	shed_refs(planner, route, reason);
	while (left > 0 && planner->failed_by == STORE_OK && !list_is_empty(&route->lanes)) {
		struct lane *lane = list_entry(route->lanes.next, struct lane, node);

		list_push_back(&route->lanes, list_pop_front(&route->lanes));
		left -= min_u32(left, planner_shed_lane(planner, lane, 0, slice_of(reason)));
	}
}

static void shed_failing(struct planner *planner, struct planner_route *route)
{
	if (refs_are_scarce(planner))
		shed_refs(planner, route, route->reason);
	if (!lanes_are_scarce(planner))
		return;
	list_for_each_safe(at, &route->lanes) {
		if (planner->failed_by != STORE_OK)
			return;
		planner_shed_lane(planner, list_entry(at, struct lane, node), 0,
				  slice_of(route->reason));
	}
}

void planner_shed(struct planner *planner)
{
	struct list *node;

	while (planner->failed_by == STORE_OK && (node = list_pop_front(&planner->failing))) {
		struct planner_route *route = list_entry(node, struct planner_route, failing);

		shed_failing(planner, route);
		planner_route_check(planner, route);
	}
}

bool planner_postpone_row(struct planner *planner, const struct queue_row *row)
{
	struct queue_row moved = *row;
	struct row_ref from = row->ref;
	u64 wait = random_jitter(&planner->random, POSTPONE_MS, 50);

	moved.ref.place = ROW_DEFERRED;
	moved.ref.due_ms = planner_due_time(planner, planner->time.due_ms + wait);
	planner_row_touch(planner, &from);
	return planner_store_ok(planner, queue_row_move(planner->queue, &from, &moved));
}

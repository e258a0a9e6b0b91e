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

u32 planner_shed_lane(struct planner *planner, struct lane *lane, enum smtp_class class, u16 code,
		      struct slice text)
{
	const u32 limit = planner_limit(planner, SHED_ROWS);
	u32 rows = 0;

	while (rows < limit) {
		struct queue_row row;

		if (planner_lane_next(planner, lane, &row) != STORE_OK)
			break;
		lane->seq = row.ref.id.seq;
		if (!planner_defer_row(planner, lane->campaign, &row, class, code, text))
			break;
		rows++;
	}
	return rows;
}

static void shed_refs(struct planner *planner, struct planner_route *route, enum line_kind line,
		      const char *reason)
{
	const u32 limit = planner_limit(planner, SHED_REFS);
	struct row_ref ref;
	struct domain *domain;

	for (u32 i = 0; i < limit && planner_row_leave(planner, route, line, &ref, &domain); i++) {
		struct planner_campaign *campaign = planner_campaign(planner, ref.id.campaign);
		struct queue_row row;
		enum store_result result = queue_row_get(planner->queue, &ref, &row);

		if (result == STORE_NOT_FOUND || !campaign)
			continue;
		if (!planner_store_ok(planner, result)) {
			planner_row_join(planner, route, line, &ref, domain);
			return;
		}
		planner_defer_row(planner, campaign, &row, SMTP_CLASS_TRANSIENT_HOST, 0,
				  slice_of(reason));
	}
}

static void shed_line(struct planner *planner, struct planner_route *route, enum line_kind line,
		      const char *reason)
{
	struct list *shares = &route->lines[line].shares;
	u32 left = planner_limit(planner, SHED_LANE_ROWS);

	shed_refs(planner, route, line, reason);
	while (left > 0 && planner->failed_by == STORE_OK) {
		struct lane *lane = planner_line_lane(&route->lines[line]);
		struct list *lanes;

		if (!lane)
			break;
		lanes = &lane->share->lanes;
		list_push_back(lanes, list_pop_front(lanes));
		list_push_back(shares, list_pop_front(shares));
		left -= min_u32(left, planner_shed_lane(planner, lane, SMTP_CLASS_TRANSIENT_HOST, 0,
							slice_of(reason)));
	}
}

void planner_shed_route(struct planner *planner, struct planner_route *route, const char *reason)
{
	for (u32 line = 0; line < LINES; line++)
		shed_line(planner, route, line, reason);
}

/* A few rows of each; lanes that have no more are gone, and so may be their share. */
static void shed_lanes(struct planner *planner, struct route_line *line, const char *reason)
{
	list_for_each_safe(at, &line->shares) {
		struct route_share *share = list_entry(at, struct route_share, node);
		u32 lanes = 0;

		list_for_each(node, &share->lanes)
			lanes++;
		for (; lanes > 0 && planner->failed_by == STORE_OK; lanes--) {
			struct lane *lane = list_entry(share->lanes.next, struct lane, node);

			list_push_back(&share->lanes, list_pop_front(&share->lanes));
			planner_shed_lane(planner, lane, SMTP_CLASS_TRANSIENT_HOST, 0,
					  slice_of(reason));
		}
	}
}

static void shed_failing(struct planner *planner, struct planner_route *route)
{
	for (u32 line = 0; line < LINES; line++) {
		if (refs_are_scarce(planner))
			shed_refs(planner, route, line, route->reason);
		if (lanes_are_scarce(planner))
			shed_lanes(planner, &route->lines[line], route->reason);
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

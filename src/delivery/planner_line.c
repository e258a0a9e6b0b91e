/*
 * What waits at a route: two lines, one for mail that somebody waits for and one for bulk mail. In
 * a line the campaigns take turns, whatever their number of rows and domains, so that of two that
 * go to one receiver each has half of what it takes; within a campaign its lanes take turns.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"

#include <stdlib.h>

#define SHARE_ROWS 16 /* of a campaign, before the next one at the same route has its turn */
#define LANE_ROWS 128 /* of a lane, likewise: reading one on is cheaper than jumping between them */

void planner_lines_init(struct planner_route *route)
{
	for (u32 i = 0; i < LINES; i++)
		list_init(&route->lines[i].shares);
}

void planner_lines_done(struct planner_route *route)
{
	for (u32 i = 0; i < LINES; i++) {
		struct list *node;

		while ((node = list_pop_front(&route->lines[i].shares))) {
			struct route_share *share = list_entry(node, struct route_share, node);

			planner_lanes_free(&share->lanes);
			free(share);
		}
		ref_queue_done(&route->lines[i].refs);
	}
}

bool planner_line_has_rows(const struct route_line *line)
{
	return line->refs.count > 0 || !list_is_empty(&line->shares);
}

static struct route_share *share_of(struct route_line *line,
				    const struct planner_campaign *campaign)
{
	struct route_share *share;

	list_for_each(node, &line->shares) {
		share = list_entry(node, struct route_share, node);
		if (share->campaign == campaign)
			return share;
	}
	share = calloc(1, sizeof(*share));
	if (!share)
		CRASH("out of memory for a campaign's share of a route");
	share->campaign = campaign;
	list_init(&share->lanes);
	list_push_back(&line->shares, &share->node);
	return share;
}

void planner_lane_join(struct planner_route *route, struct lane *lane)
{
	struct route_line *line = &route->lines[planner_line_of(lane->campaign)];

	lane->route = route;
	lane->share = share_of(line, lane->campaign);
	list_push_back(&lane->share->lanes, &lane->node);
	route->lane_count++;
}

void planner_lane_leave(struct lane *lane)
{
	struct route_share *share = lane->share;

	if (share->lanes.next == &lane->node)
		share->lane_turn = 0;
	list_unlink(&lane->node);
	lane->route->lane_count--;
	lane->route = NULL;
	lane->share = NULL;
	if (!list_is_empty(&share->lanes))
		return;
	list_unlink(&share->node);
	free(share);
}

struct lane *planner_line_lane(struct route_line *line)
{
	struct route_share *share;

	if (list_is_empty(&line->shares))
		return NULL;
	share = list_entry(line->shares.next, struct route_share, node);
	return list_entry(share->lanes.next, struct lane, node);
}

void planner_line_took(struct route_line *line, struct lane *lane)
{
	struct route_share *share = lane->share;

	if (++share->lane_turn >= LANE_ROWS) {
		share->lane_turn = 0;
		list_push_back(&share->lanes, list_pop_front(&share->lanes));
	}
	if (++share->turn >= SHARE_ROWS) {
		share->turn = 0;
		list_push_back(&line->shares, list_pop_front(&line->shares));
	}
}

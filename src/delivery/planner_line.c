/*
 * What waits at a route: two lines, one for mail that somebody waits for and one for bulk mail. In
 * a line the campaigns take turns, whatever their number of rows and domains, so that of two that
 * go to one receiver each has half of what it takes, and none waits behind the retries of another;
 * within a campaign rows that were tried and lanes take turns, and its lanes among themselves.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"

#include <stdlib.h>

#define SHARE_ROWS 16 /* of a campaign, before the next one at the same route has its turn */
#define OLD_ROWS 8    /* of them, such as were tried before, if there are */
#define LANE_ROWS 128 /* of a lane, likewise: reading one on is cheaper than jumping between them */
/* So many rows a campaign may have at a route that is full: another one's do not shut it out. */
#define SHARE_REFS_MIN (ROUTE_REFS_MAX / 8)

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
			ref_queue_done(&share->refs);
			free(share);
		}
	}
}

bool planner_line_has_rows(const struct route_line *line)
{
	return !list_is_empty(&line->shares);
}

/* ---- shares ---- */

static struct route_share *find_share(const struct route_line *line, u32 campaign)
{
	list_for_each(node, &line->shares) {
		struct route_share *share = list_entry(node, struct route_share, node);

		if (share->campaign == campaign)
			return share;
	}
	return NULL;
}

struct route_share *planner_line_share(struct route_line *line, u32 campaign)
{
	struct route_share *share = find_share(line, campaign);

	if (share)
		return share;
	share = calloc(1, sizeof(*share));
	if (!share)
		CRASH("out of memory for a campaign's share of a route");
	share->campaign = campaign;
	list_init(&share->lanes);
	list_push_back(&line->shares, &share->node);
	return share;
}

void planner_line_judge(struct route_share *share)
{
	if (!list_is_empty(&share->lanes) || share->refs.count > 0)
		return;
	list_unlink(&share->node);
	ref_queue_done(&share->refs);
	free(share);
}

bool planner_line_is_full(const struct route_line *line, u32 campaign)
{
	const struct route_share *share;

	if (line->ref_count < ROUTE_REFS_MAX)
		return false;
	share = find_share(line, campaign);
	return share && share->refs.count >= SHARE_REFS_MIN;
}

struct route_share *planner_line_next(struct route_line *line)
{
	struct route_share *share;

	if (list_is_empty(&line->shares))
		return NULL;
	share = list_entry(line->shares.next, struct route_share, node);
	if (share->turn >= SHARE_ROWS) {
		share->turn = 0;
		list_push_back(&line->shares, list_pop_front(&line->shares));
		share = list_entry(line->shares.next, struct route_share, node);
	}
	share->turn++;
	return share;
}

bool planner_share_wants_old(const struct route_share *share)
{
	return share->refs.count > 0 &&
	       (share->turn <= OLD_ROWS || list_is_empty(&share->lanes));
}

/* ---- lanes ---- */

void planner_lane_join(struct planner_route *route, struct lane *lane)
{
	lane->route = route;
	lane->share = planner_line_share(&route->lines[planner_line_of(lane->campaign)],
					 lane->campaign->record.id);
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
	planner_line_judge(share);
}

struct lane *planner_line_lane(struct route_line *line)
{
	list_for_each(node, &line->shares) {
		struct route_share *share = list_entry(node, struct route_share, node);

		if (!list_is_empty(&share->lanes))
			return list_entry(share->lanes.next, struct lane, node);
	}
	return NULL;
}

void planner_lane_took(struct lane *lane)
{
	struct route_share *share = lane->share;

	if (++share->lane_turn < LANE_ROWS)
		return;
	share->lane_turn = 0;
	list_push_back(&share->lanes, list_pop_front(&share->lanes));
}

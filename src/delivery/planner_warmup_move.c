/*
 * Which way mail goes while some source addresses are in their warm-up: they get what they may send
 * first of all, for only days with mail count, and what is over goes by other addresses of the same
 * pool. Without others it waits.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"

#define MOVE_NS (2 * NS_PER_S)
#define LANES_AHEAD 4       /* that one with room gets: what it may send is soon used up */
#define MOVED_REFS_MAX 2000 /* of one route, each time */

static bool goes_on(const struct warmup_unit *unit)
{
	return unit && unit->warmup.state != WARMUP_DONE;
}

static bool is_warming(const struct planner_route *route)
{
	return goes_on(route->warmups[0]) || goes_on(route->warmups[1]);
}

/* The warm-ups of a pair of addresses where the domain's mail goes; NULL: none that goes on. */
struct warming_pair {
	struct warmup_unit *units[2];
};

static struct warming_pair pair_of(struct planner *planner, const struct config_customer *customer,
				   const struct site *site, u32 source)
{
	struct warming_pair pair;

	for (u32 i = 0; i < 2; i++) {
		pair.units[i] = planner_warmup_of(
			planner, planner_source_at(customer, source, i == 0 ? 4 : 6), site);
		if (!goes_on(pair.units[i]))
			pair.units[i] = NULL;
	}
	return pair;
}

static bool pair_has_room(struct planner *planner, const struct warming_pair *pair,
			  const struct site *site, bool is_bulk)
{
	for (u32 i = 0; i < 2; i++) {
		if (pair->units[i] &&
		    planner_warmup_room(planner, pair->units[i], site, is_bulk, 1) == 0)
			return false;
	}
	return true;
}

/* The warm-up lets it send, and so does the receiver. */
static bool may_send(struct planner *planner, struct planner_route *route, bool is_bulk)
{
	return route->paused_until_ns <= planner->now_ns &&
	       route->shaper.paused_until_ns <= planner->now_ns &&
	       planner_bounds_room(planner, route, is_bulk, 1) > 0;
}

static u32 pair_count(const struct planner_campaign *campaign)
{
	const struct config_pool *pool = planner_pool_of(campaign);
	const u32 most = pool->v4_count > pool->v6_count ? pool->v4_count : pool->v6_count;

	return most > 0 ? most : 1;
}

/* An address in its warm-up that may send, with its route. */
static struct planner_route *open_route(struct planner *planner,
					const struct planner_campaign *campaign,
					const struct domain *domain, u32 source)
{
	const bool is_bulk = planner_line_of(campaign) == LINE_BULK;
	struct planner_route *route =
		planner_route(planner, domain, campaign->customer, source, false);

	if (!route)
		CRASH("out of memory for a route");
	/* One that is made here and gets nothing is idle, and forgotten one day. */
	planner_route_check(planner, route);
	return may_send(planner, route, is_bulk) ? route : NULL;
}

u32 planner_warmup_source(struct planner *planner, const struct planner_campaign *campaign,
			  const struct domain *domain, u32 lane, bool is_row)
{
	const bool is_bulk = planner_line_of(campaign) == LINE_BULK;
	const u32 usual = planner_source_of(campaign, lane);
	u32 pairs;
	u32 found = 0;

	if (planner->warming_count == 0)
		return usual;
	pairs = pair_count(campaign);
	for (u32 i = 0; i < pairs; i++) {
		const u32 source = planner_source_of(campaign, lane + i);
		const struct warming_pair pair =
			pair_of(planner, campaign->customer, domain->where, source);
		const struct planner_route *route;

		if (!pair.units[0] && !pair.units[1]) {
			found = found ? found : source;
			continue;
		}
		if (!pair_has_room(planner, &pair, domain->where, is_bulk))
			continue;
		route = open_route(planner, campaign, domain, source);
		if (!route)
			continue;
		if (!is_row && route->lane_count < LANES_AHEAD)
			return source;
		found = found ? found : source;
	}
	return found ? found : usual;
}

/* ---- moving ---- */

/* It waits for its warm-up, or for a receiver that wants nothing from this address for now. */
static bool is_stuck(struct planner *planner, struct planner_route *route)
{
	const bool is_bulk = !planner_line_has_rows(&route->lines[LINE_URGENT]);

	return is_warming(route) && !list_is_linked(&route->ready) &&
	       !may_send(planner, route, is_bulk);
}

static void move_lanes(struct planner *planner, struct route_share *share, u32 most)
{
	u32 lanes = 0;

	list_for_each(node, &share->lanes)
		lanes++;
	/* The share is gone with its last lane. */
	for (lanes = min_u32(lanes, most); lanes > 0; lanes--) {
		struct lane *lane = list_entry(share->lanes.next, struct lane, node);

		/* Of a campaign that is over until its end is seen; its domain may be dead. */
		if (!planner_lane_is_live(lane) ||
		    planner_warmup_source(planner, lane->campaign, lane->domain, lane->number,
					  false) == lane->route->source)
			list_push_back(&share->lanes, list_pop_front(&share->lanes));
		else
			planner_lane_place(planner, lane);
	}
}

static void move_refs(struct planner *planner, struct planner_route *route, enum line_kind line,
		      struct route_share *share)
{
	const struct planner_campaign *campaign = planner_campaign(planner, share->campaign);
	u32 left = min_u32(share->refs.count, MOVED_REFS_MAX);
	struct row_ref ref;
	struct domain *domain;

	while (left-- > 0) {
		planner_row_leave_share(planner, &route->lines[line], share, &ref, &domain);
		if (campaign && planner_warmup_source(planner, campaign, domain, ref.id.domain,
						      true) == route->source)
			planner_row_join(planner, route, line, &ref, domain);
		else
			planner_row_wait(planner, &planner->again, &ref);
	}
	planner_line_judge(share);
}

static void unstick(struct planner *planner, struct planner_route *route)
{
	for (u32 line = 0; line < LINES; line++) {
		list_for_each_safe(node, &route->lines[line].shares)
			move_lanes(planner, list_entry(node, struct route_share, node),
				   UINT32_MAX);
		list_for_each_safe(node, &route->lines[line].shares)
			move_refs(planner, route, line,
				  list_entry(node, struct route_share, node));
	}
}

/* One lane of each campaign, to an address of its pool that has room again. */
static void offer(struct planner *planner, struct planner_route *route)
{
	for (u32 line = 0; line < LINES; line++) {
		list_for_each_safe(node, &route->lines[line].shares)
			move_lanes(planner, list_entry(node, struct route_share, node), 1);
	}
}

bool planner_warmup_may_move(const struct planner *planner)
{
	return planner->warming_count > 0 && !planner->stopping &&
	       planner->now_ns >= planner->next_move_ns &&
	       planner->route_count > planner->idle_route_count;
}

void planner_warmup_move(struct planner *planner)
{
	if (!planner_warmup_may_move(planner))
		return;
	planner->next_move_ns = planner->now_ns + MOVE_NS;
	/* Routes are made on the way, and that must take none away that this comes to. */
	planner->keeps_routes = true;
	list_for_each_safe(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);

		if (!is_warming(route))
			offer(planner, route);
		else if (is_stuck(planner, route))
			unstick(planner, route);
		else
			continue;
		planner_route_check(planner, route);
	}
	planner->keeps_routes = false;
}

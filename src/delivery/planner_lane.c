/*
 * Lanes: one domain of one campaign. A campaign's lanes are activated a few thousand at a time, so
 * that memory does not grow with the campaign; an active lane stands at its route, waits at its
 * domain, or, when all its rows meet the same fate, is worked off among the doomed.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>

/*
 * A campaign may have three times as many lanes as are free, or seven times for mail that somebody
 * waits for: one alone gets three quarters of all, two get three sevenths each, and a newcomer
 * always finds some.
 */
static bool has_leave(const struct planner *planner, const struct planner_campaign *campaign)
{
	const u32 left = LANES_ACTIVE_MAX - planner->lanes_active;

	if (campaign->lanes_end || (campaign->record.state != CAMPAIGN_RUNNING &&
				    planner_campaign_fate(campaign) == OUTCOME_RETURN))
		return false;
	return campaign->lanes_active <
	       (planner_line_of(campaign) == LINE_URGENT ? 7 * left : 3 * left);
}

bool planner_may_activate(const struct planner *planner)
{
	if (planner->lanes_active >= LANES_ACTIVE_MAX || planner->stopping)
		return false;
	list_for_each(node, &planner->campaigns) {
		if (has_leave(planner, list_entry(node, struct planner_campaign, node)))
			return true;
	}
	return false;
}

static struct lane *make_lane(struct planner *planner, struct planner_campaign *campaign,
			      const struct queue_lane *stored)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		CRASH("out of memory for a lane");
	list_init(&lane->node);
	list_init(&lane->of_domain);
	lane->campaign = campaign;
	lane->number = stored->number;
	slice_copy(lane->name, sizeof(lane->name), slice_of(stored->domain));
	list_push_back(&campaign->lanes, &lane->of_campaign);
	campaign->lanes_active++;
	planner->lanes_active++;
	return lane;
}

static void detach(struct planner *planner, struct lane *lane)
{
	struct planner_route *route = lane->route;

	if (!route) {
		list_unlink(&lane->node);
		return;
	}
	planner_lane_leave(lane);
	planner_route_check(planner, route);
}

static void doom(struct planner *planner, struct lane *lane, enum outcome_action fate)
{
	detach(planner, lane);
	lane->doomed = true;
	lane->fate = (u8)fate;
	list_push_back(&planner->doomed, &lane->node);
	planner->must_work = true;
}

static void end_lane(struct planner *planner, struct lane *lane)
{
	detach(planner, lane);
	list_unlink(&lane->of_campaign);
	list_unlink(&lane->of_domain);
	if (lane->domain)
		planner_domain_left(planner, lane->domain);
	lane->campaign->lanes_active--;
	planner->lanes_active--;
	free(lane);
}

/* At its route, or where it waits for one. */
static void place_lane(struct planner *planner, struct lane *lane)
{
	struct planner_route *route;

	if (!lane->domain) {
		lane->domain = planner_domain(planner, slice_of(lane->name));
		if (!lane->domain)
			CRASH("out of memory for a domain");
		list_push_back(&lane->domain->lanes, &lane->of_domain);
	}
	planner_domain_wait(planner, lane->domain);
	if (lane->domain->state == DOMAIN_DEAD) {
		doom(planner, lane, OUTCOME_FAILED);
		return;
	}
	if (lane->domain->state != DOMAIN_READY) {
		list_push_back(&lane->domain->waiting, &lane->node);
		return;
	}
	route = planner_route(planner, lane->domain, lane->campaign->customer,
			      planner_warmup_source(planner, lane->campaign, lane->domain,
						    lane->number, false),
			      false);
	if (!route)
		CRASH("out of memory for a route");
	planner_lane_join(route, lane);
	planner_route_check(planner, route);
}

void planner_lane_place(struct planner *planner, struct lane *lane)
{
	detach(planner, lane);
	place_lane(planner, lane);
}

/* One lane of one campaign; false when there is none left. */
static bool activate_one(struct planner *planner, struct planner_campaign *campaign)
{
	struct queue_lane stored;
	struct lane *lane;
	enum store_result result = queue_lane_next(planner->queue, campaign->record.id,
						   campaign->lane_cursor, &stored);

	if (result == STORE_NOT_FOUND) {
		campaign->lanes_end = true;
		return false;
	}
	if (!planner_store_ok(planner, result))
		return false;
	campaign->lane_cursor = stored.number;
	lane = make_lane(planner, campaign, &stored);
	if (planner_campaign_fate(campaign) != OUTCOME_RETURN)
		doom(planner, lane, planner_campaign_fate(campaign));
	else
		place_lane(planner, lane);
	return true;
}

void planner_activate_lanes(struct planner *planner)
{
	if (planner->stopping)
		return;
	list_for_each(node, &planner->campaigns) {
		struct planner_campaign *campaign = list_entry(node, struct planner_campaign, node);

		while (has_leave(planner, campaign)) {
			if (!activate_one(planner, campaign))
				break;
		}
	}
}

/* Whether it matters to the lane where its domain's mail goes. */
bool planner_lane_is_live(const struct lane *lane)
{
	if (lane->doomed)
		return lane->fate == OUTCOME_FAILED;
	return lane->campaign->record.state == CAMPAIGN_RUNNING;
}

/*
 * Its domain has an answer. Rows that are lent finish where they are. What a dead domain has doomed
 * is saved when the domain is mended.
 */
void planner_lane_move(struct planner *planner, struct lane *lane)
{
	const struct domain *domain = lane->domain;

	if (!planner_lane_is_live(lane) ||
	    (domain->state == DOMAIN_DEAD && lane->doomed) ||
	    (domain->state == DOMAIN_READY && lane->route &&
	     planner_route_is_of(lane->route, domain)))
		return;
	detach(planner, lane);
	lane->doomed = false;
	if (lane->campaign->record.state != CAMPAIGN_RUNNING) {
		list_push_back(&planner->idle_lanes, &lane->node);
		return;
	}
	place_lane(planner, lane);
	if (domain->state == DOMAIN_WAIT)
		planner_shed_lane(planner, lane, SMTP_CLASS_DNS, domain->code,
				  slice_of(domain->text));
}

void planner_lanes_free(struct list *lanes)
{
	struct list *node;

	while ((node = list_pop_front(lanes)))
		free(list_entry(node, struct lane, node));
}

static bool settle_one(struct planner *planner, struct lane *lane, const struct queue_row *row)
{
	static const u16 none[3] = { 0 };

	if (lane->fate != OUTCOME_FAILED || !lane->domain)
		return planner_settle_row(planner, lane->campaign, row, lane->fate, 0, none,
					  planner_fate_text(lane->fate));
	return planner_settle_row(planner, lane->campaign, row, lane->fate, lane->domain->code,
				  lane->domain->enhanced, slice_of(lane->domain->text));
}

enum store_result planner_lane_next(struct planner *planner, struct lane *lane,
				    struct queue_row *row)
{
	struct row_ref after = { .place = ROW_LANE,
				 .id = { lane->campaign->record.id, lane->number, lane->seq } };
	enum store_result result = queue_row_next(planner->queue, &after, 0, row);

	if (result == STORE_NOT_FOUND)
		end_lane(planner, lane);
	else
		planner_store_ok(planner, result);
	return result;
}

void planner_settle_doomed(struct planner *planner)
{
	const u32 limit = planner_limit(planner, TURN_DOOMED_MAX);

	for (u32 i = 0; i < limit && !list_is_empty(&planner->doomed); i++) {
		struct lane *lane = list_entry(planner->doomed.next, struct lane, node);
		struct queue_row row;
		enum store_result result = planner_lane_next(planner, lane, &row);

		if (result == STORE_NOT_FOUND)
			continue;
		if (result != STORE_OK)
			return;
		lane->seq = row.ref.id.seq;
		if (!settle_one(planner, lane, &row))
			return;
	}
}

void planner_park_lanes(struct planner *planner, struct planner_campaign *campaign)
{
	const enum outcome_action fate = planner_campaign_fate(campaign);

	list_for_each_safe(node, &campaign->lanes) {
		struct lane *lane = list_entry(node, struct lane, of_campaign);

		if (fate != OUTCOME_RETURN) {
			doom(planner, lane, fate);
			continue;
		}
		if (lane->doomed)
			continue;
		detach(planner, lane);
		list_push_back(&planner->idle_lanes, &lane->node);
	}
}

void planner_unpark(struct planner *planner, struct planner_campaign *campaign)
{
	list_for_each_safe(node, &campaign->lanes) {
		struct lane *lane = list_entry(node, struct lane, of_campaign);

		if (lane->doomed)
			continue;
		detach(planner, lane);
		place_lane(planner, lane);
	}
	planner_rows_again(planner, &campaign->parked);
	planner->must_work = true;
}

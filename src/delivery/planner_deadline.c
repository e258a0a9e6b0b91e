/*
 * Campaigns that end for all rows at once: cancelled ones, and those whose deadline has come. Rows
 * that are with a worker by then finish there; of the others no one is sent any more, wherever they
 * wait. A cancelled campaign says so in its state, a deadline is compared with the clock of ages
 * (timekeeper.h), so that after a restart both go on where they stood.
 */
#include "delivery/planner_parts.h"

#include "base/log.h"

enum outcome_action planner_campaign_fate(const struct planner_campaign *campaign)
{
	if (campaign->record.state == CAMPAIGN_CANCELLED)
		return OUTCOME_CANCELLED;
	return campaign->is_late ? OUTCOME_EXPIRED : OUTCOME_RETURN;
}

struct slice planner_fate_text(enum outcome_action fate)
{
	return fate == OUTCOME_CANCELLED ? SLICE("campaign cancelled") :
					   SLICE("the campaign's deadline is over");
}

bool planner_meet_fate(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row)
{
	const enum outcome_action fate = planner_campaign_fate(campaign);

	return planner_settle_row(planner, campaign, row, fate, 0, (const u16[3]){ 0 },
				  planner_fate_text(fate));
}

static bool is_late(const struct planner *planner, const struct queue_campaign *c)
{
	return c->deadline_ms > 0 && planner->time.age_ms >= c->deadline_ms &&
	       (c->state == CAMPAIGN_RUNNING || c->state == CAMPAIGN_PAUSED);
}

/* Rows at rest: when no order is taken now, the next look tries again. */
static void sweep(struct planner *planner, struct planner_campaign *campaign)
{
	const struct planner_filter filter = { .campaign = campaign->record.id };
	struct error error;
	struct planner_sweep *order =
		planner_sweep_begin(planner, SWEEP_EXPIRE, ROW_DEFERRED, &filter, &error);

	campaign->is_late_swept = order != NULL;
	planner_sweep_leave(order);
}

void planner_deadlines(struct planner *planner)
{
	list_for_each(node, &planner->campaigns) {
		struct planner_campaign *c = list_entry(node, struct planner_campaign, node);

		if (!is_late(planner, &c->record))
			continue;
		if (!c->is_late) {
			log_warn("delivery", "a campaign's deadline is over",
				 "campaign=%s delivered=%llu of=%llu", c->record.name,
				 (unsigned long long)c->record.delivered,
				 (unsigned long long)c->record.total);
			c->is_late = true;
			planner_park_lanes(planner, c);
			planner_rows_again(planner, &c->parked);
			planner->must_work = true;
		}
		if (!c->is_late_swept)
			sweep(planner, c);
	}
}

/*
 * What operators see of the planner's memory.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"

#include <string.h>

bool planner_is_stopping(const struct planner *planner)
{
	return planner->stopping;
}

const char *planner_site_of_domain(struct planner *planner, struct slice domain)
{
	const struct config_route *relay = config_route_of(planner->config, domain);
	const struct domain *known = map_find(&planner->domains, domain);

	if (relay)
		return relay->relay;
	return known && known->where ? known->where->name : NULL;
}

bool planner_site_is_known(struct planner *planner, struct slice site)
{
	for (size_t i = 0; i < planner->config->route_count; i++) {
		if (slice_equal(slice_of(planner->config->routes[i].relay), site))
			return true;
	}
	return map_find(&planner->sites, site) != NULL;
}

struct row_ref planner_due_cursor(const struct planner *planner)
{
	return planner->due_cursor;
}

bool planner_row_is_out(const struct planner *planner, const struct row_ref *ref)
{
	for (u32 i = 0; i < planner->leases_used; i++) {
		const struct lease *lease = &planner->leases[i];

		/* A lease that nobody has points to no path. */
		if (lease->path && row_ref_equal(&lease->ref, ref))
			return true;
	}
	return false;
}

void planner_suspensions(const struct planner *planner,
			 bool (*visit)(void *context, const char *site), void *context)
{
	const char *site;

	for (u32 at = 0; (site = map_next(&planner->suspensions, &at));) {
		if (!visit(context, site))
			return;
	}
}

void planner_lanes(struct planner *planner,
		   bool (*visit)(void *context, const struct planner_lane_status *status),
		   void *context)
{
	list_for_each (node, &planner->campaigns) {
		struct planner_campaign *campaign = list_entry(node, struct planner_campaign, node);

		list_for_each (at, &campaign->lanes) {
			const struct lane *lane = list_entry(at, struct lane, of_campaign);
			const struct site *site = lane->domain ? lane->domain->where : NULL;
			struct planner_lane_status status = {
				.domain = lane->name,
				.site = site ? site->name : NULL,
				.last = { campaign->record.id, lane->number, lane->seq },
			};

			if (!visit(context, &status))
				return;
		}
	}
}

const struct dkim_key *planner_dkim_key(const struct planner *planner, size_t customer,
					size_t index)
{
	return &planner->keys[customer * CONFIG_DKIM_MAX + index];
}

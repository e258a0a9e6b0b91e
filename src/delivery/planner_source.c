/*
 * Source addresses: a route goes by one of IPv4, one of IPv6, or one of each, out of the pool that
 * its kind of mail has.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"

#include <string.h>

/* Places of the addresses in the customer's list, plus one. */
static u32 pair_of(u32 place4, u32 place6)
{
	return place4 | place6 << 8;
}

static u32 place_in(const u8 *places, u32 count, u32 any, u32 lane)
{
	return count > 0 ? places[lane % count] + 1u : any;
}

const struct config_pool *planner_pool_of(const struct planner_campaign *campaign)
{
	const enum config_pool_kind kind = campaign->record.kind == CAMPAIGN_BULK ?
						   CONFIG_POOL_BULK :
						   CONFIG_POOL_TRANSACTIONAL;

	return &campaign->customer->pools[kind];
}

u32 planner_source_of(const struct planner_campaign *campaign, u32 lane)
{
	const struct config_pool *pool = planner_pool_of(campaign);

	return pair_of(place_in(pool->v4, pool->v4_count, pool->any, lane),
		       place_in(pool->v6, pool->v6_count, pool->any, lane));
}

const struct config_address *planner_source_at(const struct config_customer *customer, u32 source,
					       u32 family)
{
	const u32 place = family == 4 ? source & 0xff : source >> 8;

	return place > 0 ? &customer->addresses[place - 1] : NULL;
}

const char *planner_source_text(const struct planner_route *route)
{
	const struct config_address *both[] = { route->source4, route->source6 };

	for (size_t i = 0; i < array_count(both); i++) {
		if (both[i] && both[i]->number != CONFIG_SOURCE_ANY)
			return both[i]->ip;
	}
	return CONFIG_ANY_ADDRESS;
}

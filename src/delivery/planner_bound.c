/*
 * Limits that several routes share: what a site takes from all source addresses together, and what
 * a source address sends to all sites. A route without any pays nothing for them.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool planner_bounds_open(struct planner *planner, struct error *error)
{
	planner->sources =
		calloc((size_t)planner->config->source_count + 1, sizeof(*planner->sources));
	return planner->sources || error_set(error, "out of memory for source addresses");
}

void planner_bounds_free(struct planner *planner)
{
	for (u32 i = 0; planner->sources && i < planner->config->source_count; i++)
		free(planner->sources[i]);
	free(planner->sources);
}

static struct shaper_limits limits_of(const struct planner_route *route, enum bound bound)
{
	const struct config_site *site = route->site->limits;
	const struct config_address *address =
		bound == BOUND_SOURCE4 ? route->source4 : route->source6;

	if (bound == BOUND_SITE)
		return (struct shaper_limits){ .per_second = site->total_rate_per_s,
					       .per_minute = site->total_per_minute,
					       .per_hour = site->total_per_hour,
					       .per_day = site->total_per_day };
	return (struct shaper_limits){ .per_second = address->rate_per_s,
				       .per_minute = address->per_minute,
				       .per_hour = address->per_hour,
				       .per_day = address->per_day };
}

static bool is_limit(const struct shaper_limits *limits)
{
	return limits->per_second > 0 || limits->per_minute > 0 || limits->per_hour > 0 ||
	       limits->per_day > 0;
}

static struct total *make_total(struct planner *planner, const char *of, const char *name)
{
	const struct shaper_limits none = { 0 };
	const size_t room = strlen(of) + 1 + strlen(name) + 1;
	struct total *total = calloc(1, sizeof(*total) + room);

	if (!total)
		CRASH("out of memory for a limit that routes share");
	/* A line feed is in no name: nothing else has this key. */
	snprintf(total->key, room, "%s\n%s", of, name);
	shaper_init(&total->shaper, &none, planner->now_ns);
	counted_init(&total->counted, &total->shaper, total->key);
	return total;
}

/* Whether its path leads to addresses of the family; not known yet: rather too much counts. */
static bool goes_by(const struct planner_route *route, u8 family)
{
	if (!route->path)
		return true;
	for (u32 i = 0; i < route->path->target_count; i++) {
		if (route->path->targets[i].address.family == family)
			return true;
	}
	return false;
}

static struct total *site_total(struct planner *planner, struct planner_route *route)
{
	const struct shaper_limits limits = limits_of(route, BOUND_SITE);
	struct site *site = route->site;

	if (!is_limit(&limits))
		return NULL;
	if (!site->total)
		site->total = make_total(planner, "site", site->name);
	return site->total;
}

static struct total *source_total(struct planner *planner, const struct planner_route *route,
				  enum bound bound)
{
	const struct config_address *address =
		bound == BOUND_SOURCE4 ? route->source4 : route->source6;
	struct shaper_limits limits;

	if (!address || address->number == CONFIG_SOURCE_ANY ||
	    !goes_by(route, bound == BOUND_SOURCE4 ? 4 : 6))
		return NULL;
	limits = limits_of(route, bound);
	if (!is_limit(&limits))
		return NULL;
	if (!planner->sources[address->number])
		planner->sources[address->number] = make_total(planner, "source", address->ip);
	return planner->sources[address->number];
}

static struct warmup_unit *warmup_of(struct planner *planner, const struct planner_route *route,
				     const struct config_address *address, u8 family)
{
	return goes_by(route, family) ? planner_warmup_of(planner, address, route->site) : NULL;
}

void planner_bounds_set(struct planner *planner, struct planner_route *route)
{
	route->bounds[BOUND_SITE] = site_total(planner, route);
	route->bounds[BOUND_SOURCE4] = source_total(planner, route, BOUND_SOURCE4);
	route->bounds[BOUND_SOURCE6] = source_total(planner, route, BOUND_SOURCE6);
	route->warmups[0] = warmup_of(planner, route, route->source4, 4);
	route->warmups[1] = warmup_of(planner, route, route->source6, 6);
	route->is_bounded = route->warmups[0] || route->warmups[1];
	for (u32 i = 0; i < BOUNDS; i++)
		route->is_bounded |= route->bounds[i] != NULL;
}

bool planner_bounds_load(struct planner *planner, struct planner_route *route)
{
	for (u32 i = 0; route->is_bounded && i < BOUNDS; i++) {
		if (route->bounds[i] && !planner_counts_load(planner, &route->bounds[i]->counted))
			return false;
	}
	return true;
}

static u32 less(u32 limit, u32 percent)
{
	return limit - (u32)((u64)limit * percent / 100);
}

struct shaper_limits planner_without_reserve(struct shaper_limits limits, u32 percent)
{
	limits.per_minute = less(limits.per_minute, percent);
	limits.per_hour = less(limits.per_hour, percent);
	limits.per_day = less(limits.per_day, percent);
	return limits;
}

static struct shaper_limits limits_for(const struct planner_route *route, enum bound bound,
				       bool is_bulk)
{
	const struct shaper_limits limits = limits_of(route, bound);

	return is_bulk ? planner_without_reserve(limits, route->site->limits->reserve_percent) :
			 limits;
}

u32 planner_bounds_room(struct planner *planner, struct planner_route *route, bool is_bulk,
			u32 room)
{
	for (u32 i = 0; i < BOUNDS && room > 0; i++) {
		const struct total *total = route->bounds[i];
		struct shaper_limits limits;

		if (!total)
			continue;
		limits = limits_for(route, i, is_bulk);
		room = min_u32(room, shaper_room(&route->bounds[i]->shaper, &limits, 0,
						 planner->now_ns, planner->time.due_ms));
	}
	for (u32 i = 0; i < array_count(route->warmups); i++) {
		if (route->warmups[i])
			room = planner_warmup_room(planner, route->warmups[i], route->site, is_bulk,
						   room);
	}
	return room;
}

u64 planner_bounds_next_ns(const struct planner *planner, const struct planner_route *route,
			   bool is_bulk)
{
	u64 next_ns = 0;

	for (u32 i = 0; i < BOUNDS; i++) {
		struct shaper_limits limits;
		u64 at_ns;

		if (!route->bounds[i])
			continue;
		limits = limits_for(route, i, is_bulk);
		at_ns = shaper_next_ns(&route->bounds[i]->shaper, &limits, planner->now_ns,
				       planner->time.due_ms);
		if (at_ns != SHAPER_NEVER)
			next_ns = max_u64(next_ns, at_ns);
	}
	for (u32 i = 0; i < array_count(route->warmups); i++) {
		u64 at_ns;

		if (!route->warmups[i])
			continue;
		at_ns = planner_warmup_next_ns(planner, route->warmups[i], route->site, is_bulk);
		if (at_ns != SHAPER_NEVER)
			next_ns = max_u64(next_ns, at_ns);
	}
	return next_ns > 0 ? next_ns : SHAPER_NEVER;
}

bool planner_bounds_tell(const struct planner *planner, const struct site *site,
			 struct planner_site_view *view)
{
	view->has_total = site->total != NULL;
	for (u32 i = 0; i < SHAPER_PERIODS && site->total; i++)
		view->total[i] = shaper_used(&site->total->shaper, i, planner->time.due_ms);
	return true;
}

void planner_bounds_lent(struct planner *planner, struct planner_route *route, u32 count)
{
	for (u32 i = 0; i < BOUNDS; i++) {
		struct total *total = route->bounds[i];
		struct shaper_limits limits;

		if (!total)
			continue;
		limits = limits_of(route, i);
		shaper_lent(&total->shaper, count, planner->time.due_ms);
		planner_counts_note(planner, &total->counted, &limits);
	}
	for (u32 i = 0; i < array_count(route->warmups); i++) {
		if (route->warmups[i])
			planner_warmup_lent(planner, route->warmups[i], count);
	}
}

void planner_bounds_returned(struct planner *planner, struct planner_route *route, u32 count)
{
	for (u32 i = 0; i < BOUNDS; i++) {
		if (route->bounds[i])
			shaper_returned(&route->bounds[i]->shaper, count, planner->time.due_ms);
	}
	for (u32 i = 0; i < array_count(route->warmups); i++) {
		if (route->warmups[i])
			planner_warmup_returned(planner, route->warmups[i], count);
	}
}

void planner_bounds_answered(struct planner *planner, struct planner_route *route,
			     const struct lease *lease)
{
	const u32 used = lease->host.family == 6;
	struct warmup_unit *unit = route->warmups[used];

	if (unit)
		planner_warmup_answered(planner, unit, lease);
	/* It went by the one or the other. */
	if (route->warmups[!used])
		planner_warmup_returned(planner, route->warmups[!used], 1);
}

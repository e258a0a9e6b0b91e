/*
 * What was lent lately, and the limits that several routes share: those of a whole site, over all
 * source addresses and customers, and those of a source address, over all sites. Also which
 * addresses a route goes by. Shared by planner*.c only.
 */
#ifndef DELIVERY_PLANNER_COUNT_H
#define DELIVERY_PLANNER_COUNT_H

#include "base/config.h"
#include "base/list.h"
#include "delivery/shaper.h"

struct lease;
struct path;
struct planner;
struct planner_campaign;
struct planner_route;
struct planner_site_view;
struct site;

/* Messages of limited periods: the transaction that lends rows writes them. */
struct counted {
	struct list node; /* in planner->counted, or linked to itself */
	struct shaper *shaper;
	const char *key; /* its owner's */
	bool is_known;   /* what earlier runs sent is in it */
};

/* What several routes send together. */
struct total {
	struct shaper shaper;
	struct counted counted;
	char key[];
};

enum bound { BOUND_SITE, BOUND_SOURCE4, BOUND_SOURCE6, BOUNDS };

/* ---- planner_count.c ---- */
void counted_init(struct counted *counted, struct shaper *shaper, const char *key);
/* Within a transaction: what earlier runs sent is known from now on. False: the store failed. */
bool planner_counts_load(struct planner *planner, struct counted *counted);
/* Rows were lent: the transaction writes that when somebody limits it. */
void planner_counts_note(struct planner *planner, struct counted *counted,
			 const struct shaper_limits *limits);
bool planner_counts_write(struct planner *planner);
void planner_counts_drop(struct planner *planner); /* the transaction does not come to be */
/* Once a day, in a transaction of its own: what counts for nobody any more is deleted. */
void planner_counts_clean(struct planner *planner);

/* ---- planner_bound.c ---- */
bool planner_bounds_open(struct planner *planner, struct error *error);
void planner_bounds_free(struct planner *planner);
/* Which of them count for the route: at its begin, and when limits or its path change. */
void planner_bounds_set(struct planner *planner, struct planner_route *route);
/* Within a transaction, before rows are lent. False: the store failed. */
bool planner_bounds_load(struct planner *planner, struct planner_route *route);
/* How many of `room` rows they allow. */
u32 planner_bounds_room(struct planner *planner, struct planner_route *route, bool is_bulk,
			u32 room);
/* When they allow more: monotonic; SHAPER_NEVER: they do not stand in the way. */
u64 planner_bounds_next_ns(const struct planner *planner, const struct planner_route *route,
			   bool is_bulk);
void planner_bounds_lent(struct planner *planner, struct planner_route *route, u32 count);
void planner_bounds_returned(struct planner *planner, struct planner_route *route, u32 count);
/* What all source addresses sent there lately, for people. True. */
bool planner_bounds_tell(const struct planner *planner, const struct site *site,
			 struct planner_site_view *view);
/* What bulk mail may have of these limits, so that the rest is there for other mail. */
struct shaper_limits planner_without_reserve(struct shaper_limits limits, u32 percent);

/* A row of the route came back with an answer. */
void planner_bounds_answered(struct planner *planner, struct planner_route *route,
			     const struct lease *lease);

/* ---- planner_source.c ---- */
/* The addresses that mail of its kind goes by. */
const struct config_pool *planner_pool_of(const struct planner_campaign *campaign);
/*
 * Which addresses the lane's rows go by, as a number; two are alike exactly when the addresses are.
 * Lanes are spread evenly over the pool of the campaign's kind.
 */
u32 planner_source_of(const struct planner_campaign *campaign, u32 lane);
/* The address of a family (4 or 6) in it; NULL: there is none. */
const struct config_address *planner_source_at(const struct config_customer *customer, u32 source,
					       u32 family);
/* Its name, for people and counters: the IPv4 address when there is one, "any", ... */
const char *planner_source_text(const struct planner_route *route);

#endif

/*
 * Source addresses in their warm-up: what each may send to each receiver (warmup.h), kept in the
 * store, and mail that an address may not send yet by way of others. Shared by planner*.c only.
 *
 * A receiver is a rule of the configuration ("gmail"), with all its sites, since it thinks of an
 * address as one; all sites of the rule "default" are one receiver together.
 */
#ifndef DELIVERY_PLANNER_WARMUP_H
#define DELIVERY_PLANNER_WARMUP_H

#include "base/config.h"
#include "base/error.h"
#include "base/list.h"
#include "delivery/lease.h"
#include "delivery/warmup.h"

struct domain;
struct planner;
struct planner_campaign;
struct planner_route;
struct planner_route_status;
struct site;

/* A source address at a receiver. */
struct warmup_unit {
	struct list node; /* in planner->warmups_changed, or linked to itself */
	struct warmup warmup;
	u32 source; /* its number */
	u32 rule;   /* its place in the configuration */
	u32 metrics_slot;
};

/* A source address. */
struct warming {
	const char *ip; /* the configuration's */
	bool is_on;
	bool is_paused; /* by the operator: no step is gone up */
	bool is_ordered; /* by the operator, not by the configuration */
	u32 step;       /* where it begins at a receiver that is new to it */
	struct warmup_unit **units; /* by rule; NULL: nothing was sent there yet */
};

bool planner_warmups_open(struct planner *planner, struct error *error);
void planner_warmups_free(struct planner *planner);
/* The address's at that site's receiver; NULL: the address is in no warm-up. */
struct warmup_unit *planner_warmup_of(struct planner *planner, const struct config_address *address,
				      const struct site *site);
/* How many of `room` rows it allows; days that are over are judged. */
u32 planner_warmup_room(struct planner *planner, struct warmup_unit *unit, const struct site *site,
			bool is_bulk, u32 room);
/* When it allows more: monotonic; SHAPER_NEVER: it does not stand in the way. */
u64 planner_warmup_next_ns(const struct planner *planner, const struct warmup_unit *unit,
			   const struct site *site, bool is_bulk);
void planner_warmup_lent(struct planner *planner, struct warmup_unit *unit, u32 count);
void planner_warmup_returned(struct planner *planner, struct warmup_unit *unit, u32 count);
/* What the lease's answer says of us. */
void planner_warmup_answered(struct planner *planner, struct warmup_unit *unit,
			     const struct lease *lease);
/*
 * Somebody at the domain complained about mail of the customer. Nobody can tell which of his
 * addresses that mail went by: it is laid to one of them, by their shares of the last day's mail to
 * that receiver.
 */
void planner_warmup_complained(struct planner *planner, struct slice customer,
			       struct slice domain);
/* Within a transaction, and when it does not come to be. */
bool planner_warmups_write(struct planner *planner);
void planner_warmups_drop(struct planner *planner);

/*
 * Which addresses a lane, or a row that comes again, goes by. A lane goes by one in its warm-up
 * that has room and not much to do, else neither goes by one without room, if there is another.
 */
u32 planner_warmup_source(struct planner *planner, const struct planner_campaign *campaign,
			  const struct domain *domain, u32 lane, bool is_row);
/* It is time for planner_warmup_move. */
bool planner_warmup_may_move(const struct planner *planner);
/*
 * What waits at addresses without room moves to others, and some lanes to those that have room
 * again.
 */
void planner_warmup_move(struct planner *planner);

/* How far the warm-up is that holds the route back most, for people. */
void planner_warmup_tell(const struct planner_route *route, struct planner_route_status *status);

#endif

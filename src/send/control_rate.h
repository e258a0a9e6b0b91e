/*
 * Rates of delivery: counters are looked at once a second and kept for a while.
 */
#ifndef SEND_CONTROL_RATE_H
#define SEND_CONTROL_RATE_H

#include "base/types.h"
#include "metrics/metrics.h"

#define RATE_TOTALS 901 /* one a second: a quarter of an hour */
#define RATE_SLOTS 61   /* likewise by route: a minute */

struct control_rate {
	u64 count; /* samples taken ever */
	u64 at_ns[RATE_TOTALS];
	u64 delivered[RATE_TOTALS];
	u64 by_slot[RATE_SLOTS][METRICS_ROUTES_MAX];
};

void rate_sample(struct control_rate *rate, const struct metrics *metrics, u64 now_ns);
/* Messages a second over the last `seconds` (1..900), or over what there is. */
double rate_total(const struct control_rate *rate, u32 seconds);
/* The same over the last minute for a site, all source addresses together. */
double rate_site(const struct control_rate *rate, const struct metrics *metrics, const char *site);

#endif

/*
 * When a deferred row is tried again. Pure.
 *
 * Each class of replies has a schedule of its own (config_retry). The row's age says which of its
 * waits comes next, so that five quick retries of a grey list do not make a host's trouble a matter
 * of hours; but never a later one than the row had failures, for a row may have grown old in a
 * queue or with a paused campaign. A reply that names the time to come back is believed, within
 * bounds.
 */
#ifndef DELIVERY_RETRY_H
#define DELIVERY_RETRY_H

#include "base/config.h"
#include "base/random.h"
#include "base/types.h"

/* What a reply names counts within these; shorter than the schedule only a few times. */
#define RETRY_NAMED_MIN_MS (30ull * 1000)
#define RETRY_NAMED_MAX_MS (4ull * 3600 * 1000)
#define RETRY_NAMED_QUICK_MAX 5

struct retry_row {
	u32 class;    /* enum smtp_class of the last failure */
	u32 attempts; /* failed ones (1: the first has just failed) */
	u64 age_ms;   /* since the first attempt */
	u64 named_ms; /* the wait that the reply names (smtp/reply_wait.h); 0: none */
};

/*
 * Wait before the next attempt, with jitter; the last entry of a schedule repeats. A wait that a
 * reply named varies to the longer side only. At least one second.
 */
u64 retry_wait_ms(const struct config_retry *retry, const struct retry_row *row,
		  struct random *random);

/* No wait of the schedules is longer, jitter included. */
u64 retry_longest_ms(const struct config_retry *retry);

/* Age at which a row gives up after a failure of the class; `own_ms`: that of row or campaign. */
u64 retry_expire_ms(const struct config_retry *retry, u32 class, u64 own_ms);

/*
 * Backoff of a whole route after `failures` fruitless probes in a row (1: the first): 15 s to 15
 * min.
 */
u64 retry_route_wait_ms(u32 failures, struct random *random);

#endif

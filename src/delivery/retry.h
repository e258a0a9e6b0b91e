/*
 * When a deferred row is tried again. Pure.
 */
#ifndef DELIVERY_RETRY_H
#define DELIVERY_RETRY_H

#include "base/config.h"
#include "base/random.h"
#include "base/types.h"

/*
 * Wait before the next attempt after `attempts` failed ones (1: the first has just failed), with
 * jitter; the last entry of the schedule repeats. At least one second.
 */
u64 retry_wait_ms(const struct config_retry *retry, u32 attempts, struct random *random);

/* No wait of the schedule is longer, jitter included. */
u64 retry_longest_ms(const struct config_retry *retry);

/*
 * Backoff of a whole route after `failures` fruitless probes in a row (1: the first): 15 s to 15
 * min.
 */
u64 retry_route_wait_ms(u32 failures, struct random *random);

#endif

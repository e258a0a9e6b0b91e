/*
 * A recent rate: events a second, the last moments counting most. What lies RATE_MEMORY_NS back
 * weighs about a third; before so much time has gone by it is the plain average, so that it is
 * right from the first moment. Pure; the caller's clock.
 */
#ifndef DELIVERY_RATE_H
#define DELIVERY_RATE_H

#include "base/clock.h"
#include "base/types.h"

#define RATE_MEMORY_NS (10 * NS_PER_S)

struct rate { /* zeroed: nothing is known */
	double events;
	double seconds;
};

/* `events` happened in the `ns` since the last note. */
void rate_note(struct rate *rate, u64 events, u64 ns);
double rate_per_s(const struct rate *rate); /* 0 when nothing is known */

#endif

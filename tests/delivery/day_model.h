/*
 * Fifty receivers over a day, in virtual time: how they take mail, and when they stop to.
 *
 * The model, and what it assumes of receivers (nobody publishes it; these are the shapes that their
 * documents and operators' reports have in common):
 *
 *   - a receiver takes so many messages a second from one address, and some seconds' worth at once;
 *     by day half as much as by night
 *   - what comes beyond is answered by 421 4.7.x, and remembered; half of that memory is gone after
 *     ten minutes
 *   - when too much is remembered the address is blocked for an hour: 554 for everything, and
 *     whoever goes on trying makes it last longer
 *   - a message takes 0.1 to 1 s; receivers have very different sizes (a few take most mail), but
 *     none takes less than a message in four seconds
 */
#ifndef TESTS_DELIVERY_DAY_MODEL_H
#define TESTS_DELIVERY_DAY_MODEL_H

#include "base/clock.h"
#include "base/random.h"
#include "delivery/shaper.h"

#include <math.h>

#define RECEIVERS 50
#define HOUR_MS 3600000ull
#define RATE_LEAST 0.25 /* a second */
#define MEMORY_S 600.0 /* after which half of what a receiver remembers is gone */
#define BLOCK_MS HOUR_MS
#define INSIST_MS 2000 /* what an attempt adds to a block */

struct receiver {
	double per_s; /* by night */
	double burst_s;
	double patience; /* remembered refusals that it bears, in seconds of its rate */
	double latency_s;
	u32 sessions; /* that a rule allows */
	double guess; /* of its rate, by whoever set fixed limits: as a share of the true one */
	u64 messages;
	u64 down_from_ms; /* nobody answers there; none: both 0 */
	u64 down_until_ms;
	double allowed_per_s; /* by a rule of our own; 0: no limit */
	/* what it knows of us */
	double tokens;
	double annoyance;
	u64 seen_ms;
	u64 blocked_until_ms;
	u32 blocks;
};

static inline bool receiver_is_down(const struct receiver *r, u64 now_ms)
{
	return now_ms >= r->down_from_ms && now_ms < r->down_until_ms;
}

/* Messages a second. */
static double receiver_capacity(const struct receiver *r, u64 now_ms)
{
	u64 hour = now_ms / HOUR_MS % 24;

	if (receiver_is_down(r, now_ms))
		return 0;
	return hour >= 8 && hour < 20 ? r->per_s / 2 : r->per_s;
}

/* A third at one, the rest by a power law; rates so that all of it fits into about half a day. */
static void receivers_make(struct receiver receivers[RECEIVERS], u64 messages, u64 seed)
{
	struct random random;
	double weights = 0;

	random_seed(&random, seed);
	for (u32 i = 0; i < RECEIVERS; i++)
		weights += 1.0 / (i + 1);
	for (u32 i = 0; i < RECEIVERS; i++) {
		struct receiver *r = &receivers[i];
		double its = (double)messages / (i + 1) / weights;
		double hours = 4 + (double)random_below(&random, 9);

		*r = (struct receiver){
			.per_s = fmax(its / (hours * 3600) * 1.5, RATE_LEAST),
			.burst_s = 5 + (double)random_below(&random, 55),
			.patience = 60 + (double)random_below(&random, 240),
			.latency_s = 0.1 + (double)random_below(&random, 90) / 100,
			.guess = 0.3 + (double)random_below(&random, 270) / 100,
			.messages = (u64)its + 1,
		};
		/* More than are needed: what holds a sender is what the receiver takes. */
		r->sessions = 5 + (u32)(r->per_s * r->latency_s * 3);
	}
}

static void receiver_time_passes(struct receiver *r, u64 now_ms)
{
	double rate = receiver_capacity(r, now_ms);
	double passed_s = (double)(now_ms - r->seen_ms) / 1000;

	if (now_ms == r->seen_ms)
		return;
	r->seen_ms = now_ms;
	r->tokens = fmin(r->tokens + rate * passed_s, 1 + rate * r->burst_s);
	r->annoyance *= exp2(-passed_s / MEMORY_S);
}

/* What it says to a message that comes now. */
static enum shaper_signal receiver_answers(struct receiver *r, u64 now_ms)
{
	receiver_time_passes(r, now_ms);
	if (now_ms < r->blocked_until_ms) {
		r->blocked_until_ms += INSIST_MS;
		return SHAPER_BLOCKED;
	}
	if (r->tokens >= 1) {
		r->tokens -= 1;
		return SHAPER_TAKEN;
	}
	r->annoyance += 1;
	if (r->annoyance > 10 + r->patience * r->per_s) {
		r->blocked_until_ms = now_ms + BLOCK_MS;
		r->annoyance = 0;
		r->blocks++;
	}
	return SHAPER_SLOW_DOWN;
}

/* Mail of a campaign that a receiver is to get, from an hour on. */
struct load {
	u64 from_ms;
	u64 messages;
};

/*
 * What no sender can beat: when a receiver has all of its mail that takes all that it can, from the
 * first second on.
 */
static inline u64 receiver_ideal_ms(const struct receiver *r, const struct load *loads, u32 count)
{
	double left = 0;
	u64 now_ms = 0;
	u32 come = 0;

	for (; come < count || left > 0; now_ms += 60000) {
		while (come < count && loads[come].from_ms <= now_ms)
			left += (double)loads[come++].messages;
		if (r->allowed_per_s > 0)
			left -= 60 * fmin(receiver_capacity(r, now_ms), r->allowed_per_s);
		else
			left -= 60 * receiver_capacity(r, now_ms);
		left = fmax(left, 0);
	}
	return now_ms;
}

#endif

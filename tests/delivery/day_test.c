/*
 * A day of mail to fifty receivers, in virtual time: what the shaper learns against a sender that
 * learns nothing, and against fixed limits that somebody guessed.
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
 *   - a message takes 0.1 to 1 s; receivers have very different sizes (a few take most mail)
 *
 * Policy only: rows are counts, there is no queue and no network. DAY_MESSAGES sets the size
 * (10000000 takes some seconds), DAY_SEED the receivers.
 */
#include "delivery/shaper.h"

#include "base/clock.h"
#include "base/random.h"
#include "delivery/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECEIVERS 50
#define TICK_MS 100
#define DAYS_MAX 4
#define TICKS (DAYS_MAX * 86400000u / TICK_MS)
#define RETRY_SLOTS 1024 /* of a minute each; a power of two */
#define ATTEMPTS 6

struct receiver {
	double per_s; /* by night */
	double burst_s;
	double patience; /* remembered refusals that it bears, in seconds of its rate */
	double latency_s;
	u32 sessions; /* that a rule allows */
	double guess; /* of its rate, by whoever set fixed limits: as a share of the true one */
	u64 messages;
	/* what it knows of us */
	double tokens;
	double annoyance;
	u64 blocked_until_ms;
};

enum sender_kind { NAIVE, FIXED, ADAPTIVE, SENDERS };
static const char *const sender_names[] = { "learns nothing", "fixed limits", "adaptive" };

/* One sender's way to one receiver. */
struct way {
	struct shaper shaper;
	struct shaper_limits limits;
	u64 fresh;
	u64 due[ATTEMPTS];
	u32 later[ATTEMPTS][RETRY_SLOTS];
	double tokens; /* of fixed limits */
	u64 open;      /* not decided yet */
};

struct outcome {
	u64 delivered;
	u64 lost; /* refused for good, by a block */
	u64 wasted; /* attempts that were not taken */
	u32 blocks;
	u64 done_ms; /* nothing is open any more; 0: not within the days */
};

static u64 total_messages = 1000000;

static double capacity(const struct receiver *r, u64 now_ms)
{
	u64 hour = now_ms / 3600000 % 24;

	return hour >= 8 && hour < 20 ? r->per_s / 2 : r->per_s;
}

/* A third at one, the rest by a power law; rates so that all of it fits into about half a day. */
static void make_receivers(struct receiver *receivers, u64 seed)
{
	struct random random;
	double weights = 0;

	random_seed(&random, seed);
	for (u32 i = 0; i < RECEIVERS; i++)
		weights += 1.0 / (i + 1);
	for (u32 i = 0; i < RECEIVERS; i++) {
		struct receiver *r = &receivers[i];
		double messages = (double)total_messages / (i + 1) / weights;
		double hours = 4 + (double)random_below(&random, 9);

		*r = (struct receiver){
			.per_s = messages / (hours * 3600) * 1.5,
			.burst_s = 5 + (double)random_below(&random, 55),
			.patience = 60 + (double)random_below(&random, 240),
			.latency_s = 0.1 + (double)random_below(&random, 90) / 100,
			.guess = 0.3 + (double)random_below(&random, 270) / 100,
			.messages = (u64)messages + 1,
		};
		/* More than are needed: what holds a sender is what the receiver takes. */
		r->sessions = 5 + (u32)(r->per_s * r->latency_s * 3);
	}
}

/* ---- the receiver's side ---- */

static enum shaper_signal receive(struct receiver *r, u64 now_ms, struct outcome *out)
{
	if (now_ms < r->blocked_until_ms) {
		r->blocked_until_ms += 2000;
		return SHAPER_BLOCKED;
	}
	if (r->tokens >= 1) {
		r->tokens -= 1;
		return SHAPER_TAKEN;
	}
	r->annoyance += 1;
	if (r->annoyance > 10 + r->patience * r->per_s) {
		r->blocked_until_ms = now_ms + 3600000;
		r->annoyance = 0;
		out->blocks++;
	}
	return SHAPER_SLOW_DOWN;
}

static void pass(struct receiver *r, u64 now_ms)
{
	double rate = capacity(r, now_ms);

	r->tokens += rate * TICK_MS / 1000;
	if (r->tokens > 1 + rate * r->burst_s)
		r->tokens = 1 + rate * r->burst_s;
	r->annoyance *= 0.999884; /* 0.5 ^ (0.1 s / 600 s) */
}

/* ---- the sender's side ---- */

static u32 room_of(struct way *way, const struct receiver *r, enum sender_kind kind, u64 now_ms)
{
	/* As many as its sessions carry in a tick. */
	u32 most = (u32)(r->sessions * (TICK_MS / 1000.0) / r->latency_s) + 1;
	u32 room;

	if (kind == NAIVE)
		return most;
	if (kind == FIXED) {
		double burst = r->per_s * r->guess * 2 + 1;

		way->tokens += r->per_s * r->guess * TICK_MS / 1000;
		way->tokens = way->tokens > burst ? burst : way->tokens;
		return way->tokens < most ? (u32)way->tokens : most;
	}
	room = shaper_room(&way->shaper, &way->limits, 0, now_ms * NS_PER_MS, now_ms);
	return room < most ? room : most;
}

/* The next one that may go: a retry that is due, or one that was never tried. -1: none. */
static int take(struct way *way)
{
	for (int i = 1; i < ATTEMPTS; i++) {
		if (way->due[i] > 0) {
			way->due[i]--;
			return i;
		}
	}
	if (way->fresh == 0)
		return -1;
	way->fresh--;
	return 0;
}

static void send_one(struct way *way, struct receiver *r, enum sender_kind kind, int attempt,
		     u64 now_ms, struct outcome *out)
{
	static const u32 waits_min[] = { 5, 15, 60, 120, 240 };
	enum shaper_signal signal = receive(r, now_ms, out);
	int next = attempt + 1 < ATTEMPTS ? attempt + 1 : ATTEMPTS - 1;

	if (kind == ADAPTIVE) {
		shaper_lent(&way->shaper, 1, now_ms);
		(void)shaper_answered(&way->shaper, &way->limits, signal, now_ms * NS_PER_MS);
	} else if (kind == FIXED) {
		way->tokens -= 1;
	}
	if (signal == SHAPER_TAKEN) {
		out->delivered++;
		way->open--;
		return;
	}
	out->wasted++;
	if (signal == SHAPER_BLOCKED) {
		out->lost++;
		way->open--;
		return;
	}
	way->later[next][(now_ms / 60000 + waits_min[next - 1]) % RETRY_SLOTS]++;
}

static void make_due(struct way *way, u64 now_ms)
{
	if (now_ms % 60000 >= TICK_MS)
		return;
	for (u32 i = 1; i < ATTEMPTS; i++) {
		u32 *slot = &way->later[i][now_ms / 60000 % RETRY_SLOTS];

		way->due[i] += *slot;
		*slot = 0;
	}
}

static struct outcome run(const struct receiver *receivers, enum sender_kind kind)
{
	static struct way ways[RECEIVERS];
	struct receiver r[RECEIVERS];
	struct outcome out = { 0 };
	u64 open = 0;

	memcpy(r, receivers, sizeof(r));
	for (u32 i = 0; i < RECEIVERS; i++) {
		ways[i] = (struct way){ .fresh = r[i].messages,
					.open = r[i].messages,
					.limits = { .sessions = r[i].sessions,
						    .is_adaptive = true } };
		shaper_init(&ways[i].shaper, &ways[i].limits, 0);
		open += r[i].messages;
	}
	for (u64 tick = 1; tick < TICKS && open > 0; tick++) {
		u64 now_ms = tick * TICK_MS;

		open = 0;
		for (u32 i = 0; i < RECEIVERS; i++) {
			struct way *way = &ways[i];
			u32 room;
			int attempt;

			pass(&r[i], now_ms);
			if (way->open == 0)
				continue;
			make_due(way, now_ms);
			room = room_of(way, &r[i], kind, now_ms);
			while (room-- > 0 && (attempt = take(way)) >= 0)
				send_one(way, &r[i], kind, attempt, now_ms, &out);
			open += way->open;
		}
		if (open == 0)
			out.done_ms = now_ms;
	}
	return out;
}

/* What no sender can beat: each receiver takes all that it can, from the first second on. */
static double ideal_hours(const struct receiver *receivers)
{
	double longest = 0;

	for (u32 i = 0; i < RECEIVERS; i++) {
		double left = (double)receivers[i].messages;
		u64 now_ms = 0;

		while (left > 0) {
			left -= capacity(&receivers[i], now_ms) * 60;
			now_ms += 60000;
		}
		if ((double)now_ms / 3600000 > longest)
			longest = (double)now_ms / 3600000;
	}
	return longest;
}

static void run_all(u64 seed, struct outcome out[SENDERS])
{
	struct receiver receivers[RECEIVERS];

	make_receivers(receivers, seed);
	printf("seed %llu: %llu messages, %u receivers; at best %.1f h\n", (unsigned long long)seed,
	       (unsigned long long)total_messages, RECEIVERS, ideal_hours(receivers));
	for (u32 k = 0; k < SENDERS; k++) {
		out[k] = run(receivers, k);
		printf("  %-14s  %5.1f h  delivered %5.2f%%  lost %5.2f%%  wasted attempts %6.2f%%  "
		       "blocks %u\n",
		       sender_names[k],
		       out[k].done_ms ? (double)out[k].done_ms / 3600000 : 24.0 * DAYS_MAX,
		       100.0 * (double)out[k].delivered / (double)total_messages,
		       100.0 * (double)out[k].lost / (double)total_messages,
		       100.0 * (double)out[k].wasted / (double)total_messages, out[k].blocks);
	}
}

static void who_learns_loses_less_and_wastes_less_than_whoever_does_not(void **state)
{
	const char *size = getenv("DAY_MESSAGES");
	const char *wanted = getenv("DAY_SEED");
	u64 first = wanted ? strtoull(wanted, NULL, 10) : 1;

	(void)state;
	if (size)
		total_messages = strtoull(size, NULL, 10);
	for (u64 seed = first; seed < first + (wanted ? 1 : 3); seed++) {
		struct outcome out[SENDERS];

		run_all(seed, out);
		for (u32 k = NAIVE; k < ADAPTIVE; k++) {
			assert_true(out[ADAPTIVE].lost < out[k].lost);
			assert_true(out[ADAPTIVE].wasted < out[k].wasted);
			assert_true(out[ADAPTIVE].blocks < out[k].blocks);
		}
		assert_true(out[ADAPTIVE].done_ms > 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_learns_loses_less_and_wastes_less_than_whoever_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

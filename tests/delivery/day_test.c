/*
 * A day of mail to fifty receivers, in virtual time: what the shaper learns against a sender that
 * learns nothing, and against fixed limits that somebody guessed. What the model of receivers assumes
 * is written down in day_model.h.
 *
 * Policy only: rows are counts, there is no queue and no network. DAY_MESSAGES sets the size
 * (10000000 takes some seconds), DAY_SEED the receivers.
 */
#include "day_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICK_MS 100
#define DAYS_MAX 4
#define TICKS (DAYS_MAX * 86400000u / TICK_MS)
#define RETRY_SLOTS 1024 /* of a minute each; a power of two */
#define ATTEMPTS 6

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
	enum shaper_signal signal = receiver_answers(r, now_ms);
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
	for (u32 i = 0; i < RECEIVERS; i++)
		out.blocks += r[i].blocks;
	return out;
}

static double ideal_hours(const struct receiver *receivers)
{
	u64 longest = 0;

	for (u32 i = 0; i < RECEIVERS; i++) {
		const struct load all = { 0, receivers[i].messages };

		longest = max_u64(longest, receiver_ideal_ms(&receivers[i], &all, 1));
	}
	return (double)longest / HOUR_MS;
}

static void run_all(u64 seed, struct outcome out[SENDERS])
{
	struct receiver receivers[RECEIVERS];

	receivers_make(receivers, total_messages, seed);
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

/* How much a route may send: limits that were set, and what receivers teach, over hours in no time. */
#include "delivery/shaper.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_NS (60 * NS_PER_S)

static struct shaper shaper;
static struct shaper_limits limits;
static u64 now_ns;
static u32 in_flight;

static u64 due_ms(void)
{
	return now_ns / NS_PER_MS;
}

static void begin(struct shaper_limits wanted)
{
	limits = wanted;
	now_ns = 1000 * NS_PER_S;
	in_flight = 0;
	shaper_init(&shaper, &limits, now_ns);
}

static u32 room(void)
{
	return shaper_room(&shaper, &limits, in_flight, now_ns, due_ms());
}

/* Lends what there is room for, at most `most`; how many. */
static u32 lend(u32 most)
{
	u32 count = room();

	count = count < most ? count : most;
	shaper_lent(&shaper, count, due_ms());
	in_flight += count;
	return count;
}

static void answer(enum shaper_signal signal, u32 count)
{
	while (count-- > 0) {
		in_flight--;
		(void)shaper_answered(&shaper, &limits, signal, now_ns);
	}
}

static int compare(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a;
	const u64 y = *(const u64 *)b;

	return (x > y) - (x < y);
}

/* ---- limits that are set ---- */

static void without_limits_nothing_holds_a_route_that_learns_nothing(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 20 });
	assert_int_equal(shaper.state, SHAPER_OPEN);
	assert_int_equal(room(), SHAPER_UNLIMITED);
	answer(SHAPER_SLOW_DOWN, 100);
	answer(SHAPER_BLOCKED, 100);
	assert_int_equal(room(), SHAPER_UNLIMITED);
}

static void a_rate_a_second_is_kept_with_a_tenth_of_it_at_once(void **state)
{
	u32 sent = 0;

	(void)state;
	begin((struct shaper_limits){ .sessions = 20, .per_second = 50 });
	for (u32 tick = 0; tick < 10000; tick++) {
		u32 count = lend(1000);

		assert_true(count <= 5);
		answer(SHAPER_TAKEN, count);
		sent += count;
		now_ns += NS_PER_MS;
	}
	assert_in_range(sent, 495, 506);
}

/* Whenever one looks back, the period had no more than its limit: checked against every send. */
static void no_period_ever_has_more_than_its_limit(void **state)
{
	static const struct {
		enum shaper_period period;
		u64 ns;
	} periods[] = { { SHAPER_MINUTE, MINUTE_NS },
			{ SHAPER_HOUR, 60 * MINUTE_NS },
			{ SHAPER_DAY, 24 * 60 * MINUTE_NS } };
	static u64 times[100000];

	(void)state;
	for (u32 p = 0; p < 3; p++) {
		struct random random;
		u32 count = 0;
		u64 end;

		random_seed(&random, 7 + p);
		begin((struct shaper_limits){ .sessions = 20 });
		if (p == 0)
			limits.per_minute = 100;
		else if (p == 1)
			limits.per_hour = 100;
		else
			limits.per_day = 100;
		end = now_ns + 10 * periods[p].ns;
		while (now_ns < end) {
			u32 more = lend((u32)random_below(&random, 40));

			for (u32 i = 0; i < more; i++)
				times[count++] = now_ns;
			answer(SHAPER_TAKEN, more);
			now_ns += 1 + random_below(&random, periods[p].ns / 10);
		}
		qsort(times, count, sizeof(times[0]), compare);
		for (u32 i = 100; i < count; i++)
			assert_true(times[i] - times[i - 100] >= periods[p].ns);
		/* And most of what is allowed is used: twelfths cost at most one in thirteen. */
		assert_true(count > 700);
	}
}

static void the_wait_for_a_period_ends_when_there_is_room_and_not_before(void **state)
{
	u64 next;

	(void)state;
	begin((struct shaper_limits){ .sessions = 20, .per_hour = 10 });
	assert_int_equal(lend(100), 10);
	assert_int_equal(room(), 0);
	next = shaper_next_ns(&shaper, &limits, now_ns, due_ms());
	assert_in_range(next - now_ns, 60 * MINUTE_NS, 66 * MINUTE_NS);
	now_ns = next - NS_PER_S;
	assert_int_equal(room(), 0);
	now_ns = next;
	assert_int_equal(room(), 10);
}

static void what_was_lent_and_never_tried_does_not_count(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 20, .per_day = 10 });
	assert_int_equal(lend(100), 10);
	shaper_returned(&shaper, 4, due_ms());
	in_flight -= 4;
	assert_int_equal(shaper_used(&shaper, SHAPER_DAY, due_ms()), 6);
	assert_int_equal(room(), 4);
}

static void a_clock_that_stood_still_for_weeks_empties_every_period(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 20, .per_minute = 5, .per_day = 10 });
	assert_int_equal(lend(100), 5);
	now_ns += 40ull * 24 * 60 * MINUTE_NS;
	assert_int_equal(shaper_used(&shaper, SHAPER_DAY, due_ms()), 0);
	assert_int_equal(room(), 5);
}

static void what_was_sent_is_known_to_the_next_run(void **state)
{
	struct shaper other;
	struct buf text;

	(void)state;
	begin((struct shaper_limits){ .sessions = 20, .per_minute = 7, .per_hour = 20, .per_day = 30 });
	for (u32 i = 0; i < 5; i++) {
		lend(1 + i);
		now_ns += 3 * MINUTE_NS;
	}
	buf_init(&text, SHAPER_PACKED_MAX);
	shaper_pack(&shaper, &text);
	assert_false(text.failed);
	shaper_init(&other, &limits, 5);
	assert_true(shaper_unpack(&other, buf_slice(&text)));
	for (u32 i = 0; i < 400; i++) {
		for (u32 p = 0; p < SHAPER_PERIODS; p++)
			assert_int_equal(shaper_used(&other, p, due_ms()),
					 shaper_used(&shaper, p, due_ms()));
		now_ns += 7 * MINUTE_NS;
	}
	/* Nothing that was cut, and nothing with something behind it. */
	for (size_t len = 0; len < text.len; len++) {
		if (!ascii_is_digit(text.ptr[len]) || !ascii_is_digit(text.ptr[len - 1]))
			assert_false(shaper_unpack(&other, (struct slice){ text.ptr, len }));
	}
	buf_add_text(&text, " 1");
	assert_false(shaper_unpack(&other, buf_slice(&text)));
	buf_done(&text);
}

/* ---- what is learned ---- */

static void a_new_route_starts_slowly_and_doubles_by_the_round(void **state)
{
	u32 expected = SHAPER_START;

	(void)state;
	begin((struct shaper_limits){ .sessions = 100, .is_adaptive = true });
	assert_int_equal(shaper.state, SHAPER_STARTING);
	while (expected < 100) {
		assert_int_equal(lend(1000), expected);
		assert_int_equal(room(), 0);
		now_ns += NS_PER_S;
		answer(SHAPER_TAKEN, expected);
		expected *= 2;
	}
	assert_int_equal(shaper.state, SHAPER_OPEN);
	assert_int_equal(room(), SHAPER_UNLIMITED);
}

static void one_who_says_too_fast_gets_half_after_a_pause(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 4, .is_adaptive = true });
	/* A hundred a second for a while. */
	for (u32 i = 0; i < 1000; i++) {
		assert_true(lend(1) == 1);
		now_ns += 10 * NS_PER_MS;
		answer(SHAPER_TAKEN, 1);
	}
	lend(50);
	answer(SHAPER_SLOW_DOWN, 50);
	assert_int_equal(shaper.state, SHAPER_SLOWED);
	assert_int_equal(room(), 0);
	assert_int_equal(shaper_next_ns(&shaper, &limits, now_ns, due_ms()), now_ns + 5 * NS_PER_S);
	now_ns += 5 * NS_PER_S;
	assert_in_range(room(), 1, 2);
	assert_true(shaper.rate > 50 && shaper.rate < 66);
	/* As fast as then after a minute, and free in the end. */
	now_ns += 54 * NS_PER_S;
	(void)room();
	assert_true(shaper.rate > 99 && shaper.rate < 101);
	now_ns += 10 * MINUTE_NS;
	for (u32 i = 0; i < 20; i++)
		answer(SHAPER_TAKEN, lend(1));
	assert_int_equal(shaper.state, SHAPER_OPEN);
}

static void what_is_put_off_for_its_own_sake_counts_for_the_pace(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 4, .is_adaptive = true });
	/* A hundred a second, nine in ten of them for the first time at one who greylists. */
	for (u32 i = 0; i < 1000; i++) {
		assert_true(lend(1) == 1);
		now_ns += 10 * NS_PER_MS;
		answer(i % 10 == 0 ? SHAPER_TAKEN : SHAPER_NEUTRAL, 1);
	}
	lend(1);
	answer(SHAPER_SLOW_DOWN, 1);
	now_ns += 5 * NS_PER_S;
	(void)room();
	assert_true(shaper.rate > 50 && shaper.rate < 66);
}

static void pauses_double_until_something_is_taken(void **state)
{
	static const u64 seconds[] = { 5, 10, 20, 40, 80, 160, 300, 300 };

	(void)state;
	begin((struct shaper_limits){ .sessions = 4, .is_adaptive = true });
	for (u32 i = 0; i < 8; i++) {
		assert_true(lend(1) == 1);
		answer(SHAPER_SLOW_DOWN, 1);
		assert_int_equal(shaper.paused_until_ns - now_ns, seconds[i] * NS_PER_S);
		now_ns = shaper.paused_until_ns + 60 * NS_PER_S;
	}
	assert_true(lend(1) == 1);
	answer(SHAPER_TAKEN, 1);
	now_ns += 100 * NS_PER_S;
	assert_true(lend(1) == 1);
	answer(SHAPER_SLOW_DOWN, 1);
	assert_int_equal(shaper.paused_until_ns - now_ns, 5 * NS_PER_S);
}

/* A receiver that takes 20 a second and says "too fast" beyond: an hour of it. */
static void a_rate_that_the_receiver_takes_is_found_and_held(void **state)
{
	double tokens = 20;
	u32 took = 0;
	u32 refused = 0;

	(void)state;
	begin((struct shaper_limits){ .sessions = 50, .is_adaptive = true });
	for (u32 tick = 0; tick < 36000; tick++) {
		u32 count = lend(1000);

		tokens = tokens + 2 < 40 ? tokens + 2 : 40;
		for (u32 i = 0; i < count; i++) {
			const bool takes = tokens >= 1;

			tokens -= takes;
			took += takes;
			refused += !takes;
			answer(takes ? SHAPER_TAKEN : SHAPER_SLOW_DOWN, 1);
		}
		now_ns += 100 * NS_PER_MS;
	}
	/* 72,000 are possible. */
	assert_true(took > 50000);
	assert_true(refused * 100 < took);
}

static void one_who_refuses_whoever_we_are_gets_a_quarter_of_an_hour_then_one_message(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 50, .is_adaptive = true });
	shaper.state = SHAPER_OPEN;
	in_flight = 100;
	answer(SHAPER_TAKEN, 10);
	answer(SHAPER_BLOCKED, 4);
	assert_int_equal(shaper.state, SHAPER_OPEN);
	answer(SHAPER_BLOCKED, 6);
	assert_int_equal(shaper.state, SHAPER_BROKEN);
	assert_int_equal(shaper.paused_until_ns, now_ns + 15 * MINUTE_NS);
	/* What was under way changes nothing. */
	answer(SHAPER_BLOCKED, 80);
	assert_int_equal(shaper.paused_until_ns, now_ns + 15 * MINUTE_NS);
	now_ns += 15 * MINUTE_NS;
	assert_int_equal(lend(100), 1);
	answer(SHAPER_BLOCKED, 1);
	assert_int_equal(room(), 0);
	assert_int_equal(shaper.paused_until_ns, now_ns + 30 * MINUTE_NS);
	now_ns += 30 * MINUTE_NS;
	assert_int_equal(lend(100), 1);
	answer(SHAPER_TAKEN, 1);
	assert_int_equal(shaper.state, SHAPER_SLOWED);
	assert_int_equal(lend(100), 2);
	for (u32 i = 0; i < 200; i++) {
		answer(SHAPER_TAKEN, in_flight);
		now_ns += NS_PER_S;
		lend(100);
	}
	assert_int_equal(shaper.state, SHAPER_OPEN);
}

static void a_few_who_are_blocked_among_many_are_no_reason_to_stop(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 50, .is_adaptive = true });
	in_flight = 1000;
	for (u32 i = 0; i < 100; i++) {
		answer(SHAPER_TAKEN, 3);
		answer(SHAPER_BLOCKED, 1);
	}
	assert_int_not_equal(shaper.state, SHAPER_BROKEN);
}

static void breaks_are_at_most_four_hours(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 50, .is_adaptive = true });
	in_flight = 5;
	answer(SHAPER_BLOCKED, 5);
	for (u32 i = 0; i < 40; i++) {
		now_ns = shaper.paused_until_ns;
		assert_int_equal(lend(100), 1);
		answer(SHAPER_BLOCKED, 1);
	}
	assert_int_equal(shaper.paused_until_ns - now_ns, 240 * MINUTE_NS);
}

static void an_operator_can_make_it_forget_what_it_learned_but_not_what_was_sent(void **state)
{
	(void)state;
	begin((struct shaper_limits){ .sessions = 50, .per_day = 100, .is_adaptive = true });
	assert_int_equal(lend(4), 4);
	in_flight = 100;
	answer(SHAPER_BLOCKED, 5);
	answer(SHAPER_SLOW_DOWN, 1);
	assert_int_equal(room(), 0);
	shaper_forgive(&shaper, &limits, now_ns);
	in_flight = 0;
	assert_int_equal(shaper.state, SHAPER_STARTING);
	assert_int_equal(room(), SHAPER_START);
	assert_int_equal(shaper_used(&shaper, SHAPER_DAY, due_ms()), 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_nothing_holds_a_route_that_learns_nothing),
		cmocka_unit_test(a_rate_a_second_is_kept_with_a_tenth_of_it_at_once),
		cmocka_unit_test(no_period_ever_has_more_than_its_limit),
		cmocka_unit_test(the_wait_for_a_period_ends_when_there_is_room_and_not_before),
		cmocka_unit_test(what_was_lent_and_never_tried_does_not_count),
		cmocka_unit_test(a_clock_that_stood_still_for_weeks_empties_every_period),
		cmocka_unit_test(what_was_sent_is_known_to_the_next_run),
		cmocka_unit_test(a_new_route_starts_slowly_and_doubles_by_the_round),
		cmocka_unit_test(one_who_says_too_fast_gets_half_after_a_pause),
		cmocka_unit_test(what_is_put_off_for_its_own_sake_counts_for_the_pace),
		cmocka_unit_test(pauses_double_until_something_is_taken),
		cmocka_unit_test(a_rate_that_the_receiver_takes_is_found_and_held),
		cmocka_unit_test(
			one_who_refuses_whoever_we_are_gets_a_quarter_of_an_hour_then_one_message),
		cmocka_unit_test(a_few_who_are_blocked_among_many_are_no_reason_to_stop),
		cmocka_unit_test(breaks_are_at_most_four_hours),
		cmocka_unit_test(an_operator_can_make_it_forget_what_it_learned_but_not_what_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

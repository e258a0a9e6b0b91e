#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/timer.h"

#include <string.h>

#define DAY_NS (86400 * NS_PER_S)
#define LAP_MS (1ull << 32)
#define START_NS 123456789ull

/* The wheel is about 16 KB: one for all tests. */
static struct timer_wheel wheel;

struct watched {
	struct timer timer;
	u64 due_ns;   /* 0: not running */
	u64 fired_ns; /* the wheel's time of the advance that fired it */
	u32 fired;
};

static u64 advancing_to_ns;

static void on_fire(struct timer *timer)
{
	struct watched *w = container_of(timer, struct watched, timer);

	assert_false(timer_is_running(timer));
	w->fired++;
	w->fired_ns = advancing_to_ns;
}

static void advance(u64 now_ns)
{
	advancing_to_ns = now_ns;
	timer_wheel_advance(&wheel, now_ns);
}

static void start(struct watched *w, u64 at_ns)
{
	w->due_ns = at_ns;
	timer_start(&wheel, &w->timer, at_ns);
}

static void a_timer_never_fires_early_and_at_most_a_tick_late(void **state)
{
	static const u64 waits_ns[] = { 1,
					NS_PER_MS - 1,
					NS_PER_MS,
					NS_PER_MS + 1,
					255 * NS_PER_MS,
					256 * NS_PER_MS,
					257 * NS_PER_MS,
					65535 * NS_PER_MS,
					65536 * NS_PER_MS,
					NS_PER_S,
					60 * NS_PER_S,
					3600 * NS_PER_S,
					DAY_NS,
					30 * DAY_NS,
					49 * DAY_NS,
					60 * DAY_NS,
					200 * DAY_NS };

	(void)state;
	for (size_t i = 0; i < array_count(waits_ns); i++) {
		struct watched w = { 0 };

		timer_wheel_init(&wheel, START_NS);
		timer_init(&w.timer, on_fire);
		start(&w, START_NS + waits_ns[i]);
		advance(w.due_ns - 1);
		assert_int_equal(w.fired, 0);
		advance(w.due_ns + NS_PER_MS);
		assert_int_equal(w.fired, 1);
		assert_int_equal(wheel.running, 0);
	}
}

static void a_time_in_the_past_fires_at_the_next_advance(void **state)
{
	struct watched w = { 0 };

	(void)state;
	timer_wheel_init(&wheel, START_NS);
	advance(START_NS + NS_PER_S);
	timer_init(&w.timer, on_fire);
	start(&w, 0);
	assert_int_equal(w.fired, 0);
	advance(START_NS + NS_PER_S + NS_PER_MS);
	assert_int_equal(w.fired, 1);
}

static void a_timer_that_moves_fires_once_where_it_went(void **state)
{
	struct watched w = { 0 };

	(void)state;
	timer_wheel_init(&wheel, START_NS);
	timer_init(&w.timer, on_fire);
	start(&w, START_NS + 10 * NS_PER_MS);
	start(&w, START_NS + 500 * NS_PER_MS);
	assert_int_equal(wheel.running, 1);
	advance(START_NS + 499 * NS_PER_MS);
	assert_int_equal(w.fired, 0);
	advance(START_NS + NS_PER_S);
	assert_int_equal(w.fired, 1);
}

static void a_stopped_timer_does_not_fire(void **state)
{
	struct watched w = { 0 };

	(void)state;
	timer_wheel_init(&wheel, START_NS);
	timer_init(&w.timer, on_fire);
	timer_stop(&wheel, &w.timer);
	start(&w, START_NS + NS_PER_S);
	assert_true(timer_is_running(&w.timer));
	timer_stop(&wheel, &w.timer);
	timer_stop(&wheel, &w.timer);
	assert_false(timer_is_running(&w.timer));
	assert_int_equal(wheel.running, 0);
	advance(START_NS + DAY_NS);
	assert_int_equal(w.fired, 0);
	assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
}

/* After 49 days of uptime the counter of the highest level starts again. */
static void timers_across_a_lap_of_the_wheel_are_punctual(void **state)
{
	static const u64 waits_ms[] = {
		60001,      300000, 1ull << 24,     (1ull << 24) + 60000, 3 * 86400000ull,
		LAP_MS - 1, LAP_MS, LAP_MS + 60000, LAP_MS + (1ull << 25)
	};
	const u64 before_ns = START_NS + (LAP_MS - 60000) * NS_PER_MS;

	(void)state;
	for (size_t i = 0; i < array_count(waits_ms); i++) {
		struct watched w = { 0 };

		timer_wheel_init(&wheel, START_NS);
		advance(before_ns);
		timer_init(&w.timer, on_fire);
		start(&w, before_ns + waits_ms[i] * NS_PER_MS);
		advance(w.due_ns - 1);
		assert_int_equal(w.fired, 0);
		advance(w.due_ns);
		assert_int_equal(w.fired, 1);
	}
}

struct chain {
	struct watched self;
	struct watched *stops;
	struct watched *starts;
	bool again;
};

static void on_chain(struct timer *timer)
{
	struct chain *c = container_of(timer, struct chain, self.timer);

	on_fire(timer);
	if (c->stops)
		timer_stop(&wheel, &c->stops->timer);
	if (c->starts)
		start(c->starts, advancing_to_ns + 100 * NS_PER_MS);
	if (c->again)
		start(&c->self, 0);
}

static void a_timer_that_fires_may_change_others_of_its_tick(void **state)
{
	struct watched stopped = { 0 };
	struct watched moved = { 0 };
	struct chain first = { .stops = &stopped, .starts = &moved };

	(void)state;
	timer_wheel_init(&wheel, START_NS);
	timer_init(&first.self.timer, on_chain);
	timer_init(&stopped.timer, on_fire);
	timer_init(&moved.timer, on_fire);
	start(&first.self, START_NS + 5 * NS_PER_MS);
	start(&stopped, START_NS + 5 * NS_PER_MS);
	start(&moved, START_NS + 5 * NS_PER_MS);
	advance(START_NS + 5 * NS_PER_MS);
	assert_int_equal(first.self.fired, 1);
	assert_int_equal(stopped.fired, 0);
	assert_int_equal(moved.fired, 0);
	assert_int_equal(wheel.running, 1);
	advance(START_NS + 105 * NS_PER_MS);
	assert_int_equal(moved.fired, 1);
}

static void a_timer_that_starts_itself_fires_once_a_tick(void **state)
{
	struct chain c = { .again = true };

	(void)state;
	timer_wheel_init(&wheel, START_NS);
	timer_init(&c.self.timer, on_chain);
	start(&c.self, 0);
	advance(START_NS + 1000 * NS_PER_MS);
	assert_int_equal(c.self.fired, 1000);
	timer_stop(&wheel, &c.self.timer);
}

#define MANY 400

static u64 random_state;

static u64 random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Waits of all magnitudes, from nothing to weeks. */
static u64 random_wait_ns(void)
{
	return random_u64() >> (12 + random_u64() % 50);
}

static void check_all(struct watched *all, u64 now_ns)
{
	u64 earliest = UINT64_MAX;
	u64 running = 0;

	for (u32 i = 0; i < MANY; i++) {
		struct watched *w = &all[i];

		if (w->fired) {
			assert_true(w->due_ns != 0 && w->fired_ns >= w->due_ns);
			w->fired = 0;
			w->due_ns = 0;
		}
		assert_int_equal(timer_is_running(&w->timer), w->due_ns != 0);
		if (w->due_ns == 0)
			continue;
		running++;
		/* One tick is what the resolution allows. */
		assert_true(w->due_ns + NS_PER_MS > now_ns);
		if (w->due_ns < earliest)
			earliest = w->due_ns;
	}
	assert_int_equal(wheel.running, running);
	if (running > 0)
		assert_true(timer_wheel_next(&wheel) <= max_u64(earliest, now_ns) + NS_PER_MS);
	else
		assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
}

static void random_timers_behave_as_a_list_would(void **state)
{
	static struct watched all[MANY];
	u64 now_ns = START_NS;

	(void)state;
	random_state = 20261125;
	timer_wheel_init(&wheel, START_NS);
	/* So that the lap of the highest level falls into the run. */
	now_ns += (LAP_MS - 86400000ull) * NS_PER_MS;
	advance(now_ns);
	memset(all, 0, sizeof(all));
	for (u32 i = 0; i < MANY; i++)
		timer_init(&all[i].timer, on_fire);
	for (u32 round = 0; round < 6000; round++) {
		for (u32 i = 0; i < 10; i++) {
			struct watched *w = &all[random_u64() % MANY];

			if (random_u64() % 4 > 0) {
				/* A start at the wheel's last instant counts as the next tick. */
				start(w, now_ns + NS_PER_MS + random_wait_ns());
			} else {
				timer_stop(&wheel, &w->timer);
				w->due_ns = 0;
			}
		}
		now_ns += random_u64() >> (25 + random_u64() % 30);
		advance(now_ns);
		check_all(all, now_ns);
	}
	assert_true(now_ns > START_NS + LAP_MS * NS_PER_MS);
}

static void a_million_timers_start_and_stop(void **state)
{
	static struct timer timers[1000000];

	(void)state;
	timer_wheel_init(&wheel, START_NS);
	random_state = 7;
	for (u32 i = 0; i < array_count(timers); i++) {
		timer_init(&timers[i], NULL);
		timer_start(&wheel, &timers[i], START_NS + random_u64() % (3600 * NS_PER_S));
	}
	assert_int_equal(wheel.running, array_count(timers));
	for (u32 i = 0; i < array_count(timers); i += 2)
		timer_stop(&wheel, &timers[i]);
	assert_int_equal(wheel.running, array_count(timers) / 2);
	for (u32 i = 1; i < array_count(timers); i += 2)
		timer_stop(&wheel, &timers[i]);
	assert_int_equal(wheel.running, 0);
	advance(START_NS + 3601 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_never_fires_early_and_at_most_a_tick_late),
		cmocka_unit_test(a_time_in_the_past_fires_at_the_next_advance),
		cmocka_unit_test(a_timer_that_moves_fires_once_where_it_went),
		cmocka_unit_test(a_stopped_timer_does_not_fire),
		cmocka_unit_test(timers_across_a_lap_of_the_wheel_are_punctual),
		cmocka_unit_test(a_timer_that_fires_may_change_others_of_its_tick),
		cmocka_unit_test(a_timer_that_starts_itself_fires_once_a_tick),
		cmocka_unit_test(random_timers_behave_as_a_list_would),
		cmocka_unit_test(a_million_timers_start_and_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

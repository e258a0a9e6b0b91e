#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/pulse.h"

static struct pulse pulse;
static struct pulse_step steps[PULSE_STEPS];

#define STEP(number) ((u64)(number) * PULSE_STEP_MS)

static void note(u64 now_ms, u64 delivered, u64 failed)
{
	const u64 totals[PULSE_KINDS] = { delivered, failed };

	pulse_note(&pulse, now_ms, totals);
}

static void what_was_done_between_two_looks_is_of_the_second_ones_step(void **state)
{
	(void)state;
	pulse_init(&pulse);
	assert_int_equal(pulse_read(&pulse, STEP(5900000), steps), 0);
	note(STEP(5900000) + 1, 1000, 50);
	note(STEP(5900000) + 60000, 1100, 50);
	note(STEP(5900001) - 1, 1110, 51);
	note(STEP(5900001), 1111, 51);
	note(STEP(5900003), 1200, 60);
	assert_int_equal(pulse_read(&pulse, STEP(5900003) + 1, steps), 3);
	assert_int_equal(steps[0].number, 5900000);
	assert_int_equal(steps[0].counts[PULSE_DELIVERED], 110);
	assert_int_equal(steps[0].counts[PULSE_FAILED], 1);
	assert_int_equal(steps[1].number, 5900001);
	assert_int_equal(steps[1].counts[PULSE_DELIVERED], 1);
	assert_int_equal(steps[2].number, 5900003);
	assert_int_equal(steps[2].counts[PULSE_DELIVERED], 89);
	assert_int_equal(steps[2].counts[PULSE_FAILED], 9);
}

static void a_sender_that_began_anew_counts_from_nothing(void **state)
{
	(void)state;
	pulse_init(&pulse);
	note(STEP(5900000), 1000, 0);
	note(STEP(5900000) + 1, 7, 0);
	assert_int_equal(pulse_read(&pulse, STEP(5900000), steps), 1);
	assert_int_equal(steps[0].counts[PULSE_DELIVERED], 7);
}

static void a_day_is_kept_and_no_more(void **state)
{
	(void)state;
	pulse_init(&pulse);
	for (u64 i = 0; i < 2 * PULSE_STEPS; i++)
		note(STEP(5900000 + i), i, 0);
	assert_int_equal(pulse_read(&pulse, STEP(5900000 + 2 * PULSE_STEPS - 1), steps),
			 PULSE_STEPS);
	assert_int_equal(steps[0].number, 5900000 + PULSE_STEPS);
	assert_int_equal(steps[0].counts[PULSE_DELIVERED], 1);
	assert_int_equal(pulse_read(&pulse, STEP(5900000 + 2 * PULSE_STEPS), steps),
			 PULSE_STEPS - 1);
	assert_int_equal(pulse_read(&pulse, STEP(5900000 + 4 * PULSE_STEPS), steps), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_between_two_looks_is_of_the_second_ones_step),
		cmocka_unit_test(a_sender_that_began_anew_counts_from_nothing),
		cmocka_unit_test(a_day_is_kept_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The sender's own time: whatever the wall clock says, rows get older and due as time really goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "delivery/timekeeper.h"

#include <string.h>

#define MINUTE_MS (60 * MS_PER_S)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)
#define NOW_MS 1800000000000ull /* 2027 */
#define LONGEST_MS (4 * HOUR_MS)

static const u8 boot_a[] = "0a000000-0000-4000-8000-000000000001";
static const u8 boot_b[] = "0b000000-0000-4000-8000-000000000002";

static char note_bytes[TIMEKEEPER_NOTE_MAX];

static struct slice note_of(const struct timekeeper *t)
{
	struct buf out;
	struct slice note;

	buf_init(&out, TIMEKEEPER_NOTE_MAX);
	timekeeper_note(t, &out);
	assert_false(out.failed);
	note = buf_slice(&out);
	memcpy(note_bytes, note.ptr, note.len);
	note.ptr = note_bytes;
	buf_done(&out);
	return note;
}

static struct timekeeper first_start(u64 now_ns, u64 clock_ms)
{
	struct timekeeper t;

	assert_int_equal(timekeeper_start(&t, SLICE_NONE, boot_a, now_ns, clock_ms, LONGEST_MS), 0);
	return t;
}

static void time_goes_as_the_monotonic_clock_does(void **state)
{
	struct timekeeper t = first_start(5 * NS_PER_S, NOW_MS);
	u64 ns = 5 * NS_PER_S;

	(void)state;
	assert_int_equal(t.due_ms, NOW_MS);
	assert_int_equal(t.age_ms, NOW_MS);
	assert_int_equal(t.wall_ms, NOW_MS);
	/* No part of a millisecond is lost, however often it is asked. */
	for (u32 i = 0; i < 30000; i++) {
		ns += 333334;
		assert_int_equal(timekeeper_turn(&t, ns, NOW_MS + (ns - 5 * NS_PER_S) / NS_PER_MS), 0);
	}
	assert_int_equal(t.due_ms, NOW_MS + 10000);
	assert_int_equal(t.age_ms, NOW_MS + 10000);
	assert_int_equal(t.wall_ms, NOW_MS + 10000);
}

static void a_wall_clock_that_is_set_changes_what_people_read_and_nothing_else(void **state)
{
	static const i64 steps[] = { -1000, 1000, -7200000, 7200000, -31536000000, 31536000000,
				     (i64)(60 * YEAR_MS), (i64)(900 * YEAR_MS), -1, 1, 999, -999 };

	(void)state;
	for (size_t i = 0; i < array_count(steps); i++) {
		const u64 after = NOW_MS + 250 + (u64)steps[i];
		struct timekeeper t = first_start(NS_PER_S, NOW_MS);
		i64 seen = timekeeper_turn(&t, NS_PER_S + 250 * NS_PER_MS, after);

		assert_int_equal(seen, steps[i] <= -1000 || steps[i] >= 1000 ? steps[i] : 0);
		assert_int_equal(t.due_ms, NOW_MS + 250);
		assert_int_equal(t.age_ms, NOW_MS + 250);
		assert_int_equal(t.wall_ms, after);
		assert_int_equal(timekeeper_turn(&t, NS_PER_S + 300 * NS_PER_MS, after + 50), 0);
	}
}

static void a_clock_that_was_never_set_is_not_believed(void **state)
{
	struct timekeeper t = first_start(NS_PER_S, 3000);

	(void)state;
	assert_int_equal(t.wall_ms, CLOCK_EARLIEST_MS);
	timekeeper_turn(&t, 3 * NS_PER_S, 5000);
	assert_int_equal(t.wall_ms, CLOCK_EARLIEST_MS + 2000);
	assert_int_equal(timekeeper_turn(&t, 4 * NS_PER_S, NOW_MS), (i64)(NOW_MS - 6000));
	assert_int_equal(t.wall_ms, NOW_MS);
	assert_int_equal(t.age_ms, CLOCK_EARLIEST_MS + 3000);
	/* Set to 1970 while it runs: people's time goes on. */
	timekeeper_turn(&t, 5 * NS_PER_S, 0);
	assert_int_equal(t.wall_ms, NOW_MS + 1000);
	timekeeper_turn(&t, 6 * NS_PER_S, CLOCK_EARLIEST_MS - 1);
	assert_int_equal(t.wall_ms, NOW_MS + 2000);
}

static void a_restart_in_the_same_boot_counts_the_time_between_whatever_the_wall_clock_says(void **state)
{
	static const u64 walls[] = { 0, NOW_MS - DAY_MS, NOW_MS + HOUR_MS, NOW_MS + 50 * YEAR_MS };
	struct timekeeper t = first_start(NS_PER_S, NOW_MS);
	struct slice note;

	(void)state;
	timekeeper_turn(&t, NS_PER_S + MINUTE_MS * NS_PER_MS, NOW_MS + MINUTE_MS);
	note = note_of(&t);
	for (size_t i = 0; i < array_count(walls); i++) {
		struct timekeeper again;
		const i64 step = timekeeper_start(&again, note, boot_a,
						  NS_PER_S + HOUR_MS * NS_PER_MS, walls[i],
						  LONGEST_MS);

		assert_int_equal(step, (i64)(walls[i] - NOW_MS - HOUR_MS));
		assert_int_equal(again.due_ms, NOW_MS + HOUR_MS);
		assert_int_equal(again.age_ms, NOW_MS + HOUR_MS);
		assert_int_equal(again.wall_ms, walls[i] ? walls[i] : NOW_MS + HOUR_MS);
	}
}

static void a_machine_that_was_off_makes_rows_due_but_not_older(void **state)
{
	static const struct {
		i64 away;
		u64 due;
		i64 step;
	} cases[] = {
		{ (i64)HOUR_MS, HOUR_MS, 0 },
		{ (i64)(3 * DAY_MS), LONGEST_MS, 0 },
		{ (i64)(50 * YEAR_MS), LONGEST_MS, 0 },
		{ -(i64)HOUR_MS, 0, -(i64)HOUR_MS },
		{ -(i64)NOW_MS, 0, -(i64)NOW_MS },
	};
	struct timekeeper t = first_start(900 * NS_PER_S, NOW_MS);
	struct slice note = note_of(&t);

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		const u64 clock_ms = NOW_MS + (u64)cases[i].away;
		struct timekeeper again;

		/* Longer up than at the note: only the boot's name tells the two apart. */
		assert_int_equal(timekeeper_start(&again, note, boot_b, 1000 * NS_PER_S, clock_ms,
						  LONGEST_MS),
				 cases[i].step);
		assert_int_equal(again.age_ms, NOW_MS);
		assert_int_equal(again.due_ms, NOW_MS + cases[i].due);
		assert_int_equal(again.wall_ms, clock_ms ? clock_ms : NOW_MS);
	}
}

static void a_monotonic_clock_that_ran_back_is_of_another_boot(void **state)
{
	struct timekeeper t = first_start(900 * NS_PER_S, NOW_MS);
	struct slice note = note_of(&t);
	struct timekeeper again;

	(void)state;
	timekeeper_start(&again, note, boot_a, 5 * NS_PER_S, NOW_MS + MINUTE_MS, LONGEST_MS);
	assert_int_equal(again.age_ms, NOW_MS);
	assert_int_equal(again.due_ms, NOW_MS + MINUTE_MS);
}

static void a_note_that_does_not_parse_is_a_first_start(void **state)
{
	struct timekeeper t = first_start(900 * NS_PER_S, NOW_MS);
	struct slice note = note_of(&t);
	struct timekeeper again;
	char longer[TIMEKEEPER_NOTE_MAX + 2];

	(void)state;
	for (size_t len = 0; len < note.len; len++) {
		timekeeper_start(&again, slice_first(note, len), boot_b, NS_PER_S, NOW_MS + DAY_MS,
				 LONGEST_MS);
		/* A last number that was cut is a number, too. */
		if (slice_find_char(slice_from(note, len), ' ') >= 0)
			assert_int_equal(again.age_ms, NOW_MS + DAY_MS);
	}
	memcpy(longer, note.ptr, note.len);
	memcpy(longer + note.len, " 1", 2);
	timekeeper_start(&again, (struct slice){ longer, note.len + 2 }, boot_b, NS_PER_S,
			 NOW_MS + DAY_MS, LONGEST_MS);
	assert_int_equal(again.age_ms, NOW_MS + DAY_MS);
}

static void due_times_are_shown_by_the_wall_clock_as_it_is(void **state)
{
	struct timekeeper t = first_start(NS_PER_S, NOW_MS);

	(void)state;
	assert_int_equal(timekeeper_wall_of_due(&t, NOW_MS + HOUR_MS), NOW_MS + HOUR_MS);
	timekeeper_turn(&t, 2 * NS_PER_S, NOW_MS + 1000 - DAY_MS);
	assert_int_equal(timekeeper_wall_of_due(&t, NOW_MS + HOUR_MS), NOW_MS + HOUR_MS - DAY_MS);
	timekeeper_turn(&t, 2 * NS_PER_S, 10);
	assert_int_equal(timekeeper_wall_of_due(&t, NOW_MS + 2000), 1010);
	assert_int_equal(timekeeper_wall_of_due(&t, NOW_MS - HOUR_MS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_goes_as_the_monotonic_clock_does),
		cmocka_unit_test(a_wall_clock_that_is_set_changes_what_people_read_and_nothing_else),
		cmocka_unit_test(a_clock_that_was_never_set_is_not_believed),
		cmocka_unit_test(
			a_restart_in_the_same_boot_counts_the_time_between_whatever_the_wall_clock_says),
		cmocka_unit_test(a_machine_that_was_off_makes_rows_due_but_not_older),
		cmocka_unit_test(a_monotonic_clock_that_ran_back_is_of_another_boot),
		cmocka_unit_test(a_note_that_does_not_parse_is_a_first_start),
		cmocka_unit_test(due_times_are_shown_by_the_wall_clock_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

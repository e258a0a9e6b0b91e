/* How much a new source address may send to a receiver, day by day. */
#include "delivery/warmup.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR 3600000ull
#define DAY (24 * HOUR)
#define BEGIN (20000 * DAY) /* some midnight */

static const struct warmup_plan plan = { .first = 100, .growth_percent = 150, .target = 50000 };

/* Sends up to `wanted` bulk messages through the day, of which so many in a thousand are refused. */
static u32 send_day(struct warmup *w, u64 day, u32 wanted, u32 refused_per_mille)
{
	u32 sent = 0;
	u32 due = 0;

	for (u64 minute = 0; minute < 24 * 60; minute += 10) {
		u32 room;

		warmup_turn(w, &plan, true, BEGIN + day * DAY + minute * 60000);
		room = min_u32(warmup_room(w, &plan, true, 0), wanted - sent);
		warmup_lent(w, room);
		for (u32 i = 0; i < room; i++) {
			due += refused_per_mille;
			warmup_answered(w, due >= 1000);
			due = due >= 1000 ? due - 1000 : due;
		}
		sent += room;
	}
	return sent;
}

static struct warmup begun(void)
{
	struct warmup w;

	warmup_begin(&w, 1, BEGIN);
	return w;
}

/* ---- the plan ---- */

static void steps_grow_up_to_the_target(void **state)
{
	(void)state;
	assert_int_equal(warmup_quota(&plan, 1), 100);
	assert_int_equal(warmup_quota(&plan, 2), 150);
	assert_int_equal(warmup_quota(&plan, 3), 225);
	assert_int_equal(warmup_quota(&plan, 16), 43789);
	assert_int_equal(warmup_quota(&plan, 17), 50000);
	assert_int_equal(warmup_quota(&plan, WARMUP_STEPS_MAX), 50000);
}

static void thirty_good_days_end_the_warm_up_on_the_eighteenth(void **state)
{
	struct warmup w = begun();
	u64 total = 0;
	u32 before = 0;

	(void)state;
	for (u32 day = 0; day < 30; day++) {
		u32 sent = send_day(&w, day, 1000000, 2);

		if (day < 17) {
			assert_int_equal(sent, warmup_quota(&plan, day + 1));
			assert_int_equal(w.step, day + 1);
			/* No receiver sees more than half as much again from one day to the next. */
			assert_true(before == 0 || sent * 2 <= before * 3 + 2);
			total += sent;
		} else {
			assert_int_equal(w.state, WARMUP_DONE);
			assert_int_equal(sent, 1000000);
		}
		before = sent;
	}
	assert_in_range(total, 150000, 200000);
}

static void an_hour_has_a_sixth_of_the_day_and_other_mail_need_not_wait(void **state)
{
	struct warmup w;

	(void)state;
	warmup_begin(&w, 10, BEGIN);
	assert_int_equal(warmup_quota(&plan, 10), 3844);
	assert_int_equal(warmup_room(&w, &plan, true, 0), 640);
	warmup_lent(&w, 640);
	assert_int_equal(warmup_room(&w, &plan, true, 0), 0);
	assert_true(warmup_next_ms(&w, &plan, true, 0) == BEGIN + HOUR);
	assert_int_equal(warmup_room(&w, &plan, false, 0), 3844 - 640);
	assert_true(warmup_next_ms(&w, &plan, false, 0) == WARMUP_NEVER);
	assert_false(warmup_turn(&w, &plan, true, BEGIN + HOUR));
	assert_int_equal(warmup_room(&w, &plan, true, 0), 640);
	/* A part of the day is not for bulk mail. */
	warmup_lent(&w, 3844 - 640 - 192);
	warmup_turn(&w, &plan, true, BEGIN + 2 * HOUR);
	assert_int_equal(warmup_room(&w, &plan, true, 5), 0);
	assert_true(warmup_next_ms(&w, &plan, true, 5) == BEGIN + DAY);
	assert_int_equal(warmup_room(&w, &plan, false, 5), 192);
}

static void only_days_with_mail_count(void **state)
{
	struct warmup w = begun();

	(void)state;
	send_day(&w, 0, 100, 0);
	send_day(&w, 1, 74, 0); /* of 150 */
	assert_int_equal(w.step, 2);
	send_day(&w, 2, 75, 0);
	assert_int_equal(w.step, 2);
	assert_int_equal(w.why, WARMUP_WHY_FEW);
	send_day(&w, 3, 225, 0);
	assert_int_equal(w.step, 3);
	assert_int_equal(w.why, WARMUP_WHY_NOT);
	/* Days without any: nothing is gained, and for a while nothing lost. */
	send_day(&w, 9, 300, 0);
	assert_int_equal(w.step, 4);
}

static void each_week_of_silence_is_a_step_back(void **state)
{
	struct warmup w;

	(void)state;
	warmup_begin(&w, 10, BEGIN);
	send_day(&w, 0, 1000000, 0);
	send_day(&w, 22, 1, 0); /* three weeks in between; the day before them counted */
	assert_int_equal(w.step, 8);
	assert_int_equal(w.why, WARMUP_WHY_SILENCE);
	send_day(&w, 2000, 1, 0);
	assert_int_equal(w.step, 1);
}

static void what_came_back_unsent_may_be_sent(void **state)
{
	struct warmup w = begun();

	(void)state;
	warmup_lent(&w, 20);
	assert_int_equal(warmup_room(&w, &plan, true, 0), 0);
	warmup_returned(&w, 5);
	assert_int_equal(warmup_room(&w, &plan, true, 0), 5);
	warmup_turn(&w, &plan, true, BEGIN + DAY);
	warmup_returned(&w, 15);
	assert_int_equal(w.sent, 0);
}

/* ---- bad signals ---- */

static void a_bad_day_is_repeated_and_says_why(void **state)
{
	struct warmup w;
	struct buf text;

	(void)state;
	warmup_begin(&w, 5, BEGIN);
	buf_init(&text, 256);
	assert_int_equal(send_day(&w, 0, 1000000, 40), 506);
	assert_int_equal(w.state, WARMUP_HELD);
	warmup_explain(&w, &text);
	assert_string_equal(buf_text(&text), "20 of 500 messages were refused for who we are");
	send_day(&w, 1, 1000000, 0);
	assert_int_equal(w.step, 5);
	assert_int_equal(w.state, WARMUP_RISING);
	assert_int_equal(w.why, WARMUP_WHY_REFUSED);
	send_day(&w, 2, 1, 0);
	assert_int_equal(w.step, 6);
	assert_int_equal(w.why, WARMUP_WHY_NOT);
	buf_done(&text);
}

static void a_very_bad_day_ends_at_once_and_goes_back(void **state)
{
	struct warmup w;
	u32 sent;

	(void)state;
	warmup_begin(&w, 5, BEGIN);
	sent = send_day(&w, 0, 1000000, 300);
	assert_in_range(sent, 1, 100);
	assert_int_equal(w.state, WARMUP_STOPPED);
	assert_int_equal(warmup_room(&w, &plan, false, 0), 0);
	assert_true(warmup_next_ms(&w, &plan, false, 0) == BEGIN + DAY);
	assert_int_equal(send_day(&w, 1, 1000000, 0), warmup_quota(&plan, 4));
	assert_int_equal(w.step, 4);
}

static void a_few_refusals_are_chance(void **state)
{
	struct warmup w = begun();

	(void)state;
	assert_false(warmup_answered(&w, true));
	assert_false(warmup_answered(&w, true));
	assert_int_equal(w.state, WARMUP_RISING);
	/* Three of three are not. */
	assert_true(warmup_answered(&w, true));
	assert_int_equal(w.state, WARMUP_STOPPED);
}

static void complaints_hold_and_stop(void **state)
{
	struct warmup w;

	(void)state;
	warmup_begin(&w, 10, BEGIN);
	for (u32 i = 0; i < 1500; i++)
		warmup_answered(&w, false);
	assert_false(warmup_complained(&w));
	assert_true(warmup_complained(&w));
	assert_int_equal(w.state, WARMUP_HELD);
	warmup_complained(&w);
	warmup_complained(&w);
	assert_int_equal(w.state, WARMUP_HELD);
	assert_true(warmup_complained(&w));
	assert_int_equal(w.state, WARMUP_STOPPED);
	assert_int_equal(w.why, WARMUP_WHY_COMPLAINTS);
}

static void thirty_days_with_a_receiver_that_minds_end_no_higher_than_it_likes(void **state)
{
	struct warmup w = begun();
	u32 highest = 0;
	u32 bad_days = 0;

	(void)state;
	/* It takes 2,000 a day from this address, and refuses a third of all beyond. */
	for (u32 day = 0; day < 30; day++) {
		warmup_turn(&w, &plan, true, BEGIN + day * DAY);
		for (u32 minute = 0, sent = 0; minute < 24 * 60; minute++) {
			u32 room;

			warmup_turn(&w, &plan, true, BEGIN + day * DAY + minute * 60000ull);
			room = min_u32(warmup_room(&w, &plan, true, 0), 20);
			warmup_lent(&w, room);
			for (u32 i = 0; i < room; i++, sent++)
				warmup_answered(&w, sent >= 2000 && sent % 3 == 0);
		}
		highest = w.sent > highest ? w.sent : highest;
		bad_days += w.state != WARMUP_RISING;
	}
	assert_int_not_equal(w.state, WARMUP_DONE);
	/* The day of the plan that first had more, cut off when it was refused. */
	assert_in_range(highest, 2000, 2700);
	assert_in_range(bad_days, 10, 22);
}

/* ---- the operator ---- */

static void a_pause_keeps_the_step_and_a_skip_goes_on(void **state)
{
	struct warmup w = begun();

	(void)state;
	for (u64 day = 0; day < 5; day++) {
		warmup_turn(&w, &plan, false, BEGIN + day * DAY);
		warmup_lent(&w, 100);
	}
	assert_int_equal(w.step, 1);
	for (u32 i = 0; i < 3; i++)
		warmup_answered(&w, true);
	assert_int_equal(w.state, WARMUP_STOPPED);
	warmup_skip(&w, &plan);
	assert_int_equal(w.step, 2);
	assert_int_equal(w.state, WARMUP_RISING);
	assert_int_equal(warmup_room(&w, &plan, false, 0), 50);
	for (u32 i = 0; i < 15; i++)
		warmup_skip(&w, &plan);
	assert_int_equal(w.step, 17);
	assert_int_equal(warmup_days_left(&w, &plan), 1);
	warmup_skip(&w, &plan);
	assert_int_equal(w.state, WARMUP_DONE);
	assert_int_equal(warmup_days_left(&w, &plan), 0);
}

static void the_days_left_are_those_of_the_plan(void **state)
{
	struct warmup w = begun();

	(void)state;
	assert_int_equal(warmup_days_left(&w, &plan), 17);
	w.step = 16;
	assert_int_equal(warmup_days_left(&w, &plan), 2);
}

/* ---- over restarts ---- */

static void what_was_kept_is_taken_up(void **state)
{
	struct warmup w;
	struct warmup again;
	struct buf text;

	(void)state;
	warmup_begin(&w, 7, BEGIN);
	send_day(&w, 0, 500, 40);
	warmup_complained(&w);
	buf_init(&text, WARMUP_PACKED_MAX);
	warmup_pack(&w, &text);
	assert_true(warmup_unpack(&again, buf_slice(&text)));
	assert_memory_equal(&w, &again, sizeof(w));
	/* No prefix of it is taken for the whole. */
	for (size_t len = 0; len + 1 < text.len; len++) {
		again.step = 77;
		if (warmup_unpack(&again, slice_first(buf_slice(&text), len)))
			fail_msg("%zu bytes were taken", len);
		assert_int_equal(again.step, 77);
	}
	buf_done(&text);
}

static void what_cannot_be_is_not_taken_up(void **state)
{
	static const char *const bad[] = {
		"", "1", "0 1 1 0 0 0 0 0 0 0 0 0", "1001 1 1 0 0 0 0 0 0 0 0 0",
		"1 1 1 0 0 0 0 0 0 0 4 0", "1 1 1 0 0 0 0 0 0 0 0 5", "1 1 1 0 0 2 3 0 0 0 0 0",
		"1 1 1 0 0 0 0 0 0 0 0 0 0", "1 1 1 0 0 0 0 0 0 0 0 x",
		"1 18446744073709551615 1 0 0 0 0 0 0 0 0 0",
	};
	struct warmup w;

	(void)state;
	assert_true(warmup_unpack(&w, SLICE("1 1 1 0 0 0 0 0 0 0 0 0")));
	for (size_t i = 0; i < array_count(bad); i++) {
		if (warmup_unpack(&w, slice_of(bad[i])))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

/* A clock that stands or goes back gives nothing away. */
static void time_that_goes_back_changes_nothing(void **state)
{
	struct warmup w = begun();

	(void)state;
	warmup_lent(&w, 20);
	assert_false(warmup_turn(&w, &plan, true, BEGIN - 5 * DAY));
	assert_int_equal(warmup_room(&w, &plan, true, 0), 0);
	assert_int_equal(w.sent, 20);
	assert_int_equal(w.step, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_grow_up_to_the_target),
		cmocka_unit_test(thirty_good_days_end_the_warm_up_on_the_eighteenth),
		cmocka_unit_test(an_hour_has_a_sixth_of_the_day_and_other_mail_need_not_wait),
		cmocka_unit_test(only_days_with_mail_count),
		cmocka_unit_test(each_week_of_silence_is_a_step_back),
		cmocka_unit_test(what_came_back_unsent_may_be_sent),
		cmocka_unit_test(a_bad_day_is_repeated_and_says_why),
		cmocka_unit_test(a_very_bad_day_ends_at_once_and_goes_back),
		cmocka_unit_test(a_few_refusals_are_chance),
		cmocka_unit_test(complaints_hold_and_stop),
		cmocka_unit_test(
			thirty_days_with_a_receiver_that_minds_end_no_higher_than_it_likes),
		cmocka_unit_test(a_pause_keeps_the_step_and_a_skip_goes_on),
		cmocka_unit_test(the_days_left_are_those_of_the_plan),
		cmocka_unit_test(what_was_kept_is_taken_up),
		cmocka_unit_test(what_cannot_be_is_not_taken_up),
		cmocka_unit_test(time_that_goes_back_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What sequence.h promises: when which step goes, once, over years, edits and clocks that are set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "base/text.h"
#include "campaign/sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR 3600000ull
#define DAY (24 * HOUR)
#define NINE (9 * 60)

static struct time_zone zone;
static struct sequence sequence;
static struct sequence_enrolment enrolment;
static struct sequence_contact contact;
static u32 in_segments; /* bits by id */

static bool is_in(void *owner, u32 segment)
{
	(void)owner;
	return in_segments >> segment & 1;
}

static void use_zone(const char *name)
{
	assert_true(time_zone_find(slice_of(name), &zone));
	setenv("TZ", name, 1);
	tzset();
}

/* "2026-12-01 09:00" by the zone's clocks, by libc. */
static u64 at(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return (u64)mktime(&tm) * 1000;
}

static i32 day(const char *text)
{
	i32 number;

	assert_true(calendar_parse(slice_of(text), &number));
	return number;
}

static void begin(enum sequence_start start, u64 now_ms)
{
	sequence = (struct sequence){ .start = start, .zone = &zone };
	contact = (struct sequence_contact){ .is_reachable = true, .is_in = is_in };
	in_segments = 0;
	sequence_enter(&enrolment, now_ms);
}

static void add(u32 id, i32 days, u32 hours, i32 at_minute)
{
	struct error error;

	sequence.steps[sequence.step_count++] =
		(struct sequence_step){ .id = id, .days = days, .hours = hours, .at_minute = at_minute };
	if (!sequence_check(&sequence, &error))
		fail_msg("%s", error.text);
}

static enum sequence_act advance(u64 now_ms, u32 *step)
{
	*step = 0;
	return sequence_advance(&sequence, &contact, now_ms, &enrolment, step);
}

static void sends(u64 now_ms, u32 wanted)
{
	u32 step;

	assert_int_equal(advance(now_ms, &step), SEQUENCE_SEND);
	assert_int_equal(step, wanted);
}

static void passes(u64 now_ms, u32 wanted)
{
	u32 step;

	assert_int_equal(advance(now_ms, &step), SEQUENCE_PASS);
	assert_int_equal(step, wanted);
}

static void waits(u64 now_ms, u64 due_ms)
{
	u32 step;

	assert_int_equal(advance(now_ms, &step), SEQUENCE_WAIT);
	assert_int_equal(enrolment.due_ms, due_ms);
}

static void is_over(u64 now_ms, enum sequence_state state)
{
	u32 step;

	assert_int_equal(advance(now_ms, &step), SEQUENCE_OVER);
	assert_int_equal(enrolment.state, state);
	assert_int_equal(enrolment.due_ms, SEQUENCE_NEVER);
}

/* ---- from a moment ---- */

static void steps_follow_one_another_from_a_subscription(void **state)
{
	u64 now;

	(void)state;
	use_zone("Asia/Tokyo");
	now = at("2026-11-30 14:05");
	begin(SEQUENCE_BY_MOMENT, now);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	add(2, 0, 2, SEQUENCE_ANY_TIME);
	add(3, 3, 0, NINE);
	add(4, 0, 0, NINE);
	sends(now, 1);
	waits(now, now + 2 * HOUR);
	waits(now + 2 * HOUR - 1, now + 2 * HOUR);
	sends(now + 2 * HOUR, 2);
	waits(now + 2 * HOUR, at("2026-12-03 09:00"));
	sends(at("2026-12-03 09:00"), 3);
	/* The same time of day: that has just been said, so it is now. */
	sends(at("2026-12-03 09:00"), 4);
	is_over(at("2026-12-03 09:01"), SEQUENCE_THROUGH);
	is_over(at("2030-01-01 00:00"), SEQUENCE_THROUGH);
}

static void a_time_of_day_that_is_over_is_tomorrow_s(void **state)
{
	(void)state;
	use_zone("Asia/Tokyo");
	begin(SEQUENCE_BY_MOMENT, at("2026-11-30 14:05"));
	add(1, 0, 0, NINE);
	waits(at("2026-11-30 14:05"), at("2026-12-01 09:00"));
	begin(SEQUENCE_BY_MOMENT, at("2026-11-30 08:59"));
	add(1, 0, 0, NINE);
	waits(at("2026-11-30 08:59"), at("2026-11-30 09:00"));
}

static void weekdays_are_waited_for(void **state)
{
	u64 friday;

	(void)state;
	use_zone("Asia/Tokyo");
	friday = at("2026-12-04 20:00");
	begin(SEQUENCE_BY_MOMENT, friday);
	add(1, 0, 0, NINE);
	sequence.steps[0].weekdays = 0x3e; /* Monday to Friday */
	waits(friday, at("2026-12-07 09:00"));
	sequence.steps[0].at_minute = SEQUENCE_ANY_TIME;
	sequence.steps[0].weekdays = 1; /* Sunday */
	waits(friday, at("2026-12-06 20:00"));
	sequence.steps[0].weekdays = 1 << 5;
	sends(friday, 1);
}

static void days_keep_their_time_over_summer_time(void **state)
{
	(void)state;
	use_zone("America/New_York");
	begin(SEQUENCE_BY_MOMENT, at("2026-03-07 09:00"));
	add(1, 1, 0, SEQUENCE_ANY_TIME);
	add(2, 0, 24, SEQUENCE_ANY_TIME);
	waits(at("2026-03-07 09:00"), at("2026-03-08 09:00")); /* 23 hours */
	assert_int_equal(at("2026-03-08 09:00") - at("2026-03-07 09:00"), 23 * HOUR);
	begin(SEQUENCE_BY_MOMENT, at("2026-03-07 09:00"));
	add(2, 0, 24, SEQUENCE_ANY_TIME);
	waits(at("2026-03-07 09:00"), at("2026-03-08 10:00"));
	/* 02:30 is not there: as much later. */
	begin(SEQUENCE_BY_MOMENT, at("2026-03-07 12:00"));
	add(1, 0, 0, 150);
	waits(at("2026-03-07 12:00"), at("2026-03-08 03:30"));
	/* 01:30 comes twice: the first one, and that day once. */
	begin(SEQUENCE_BY_MOMENT, at("2026-10-31 12:00"));
	add(1, 0, 0, 90);
	waits(at("2026-10-31 12:00"), 1793511000000);
	sends(1793511000000, 1);
}

static void conditions_pass_a_step_by_and_exits_end_it(void **state)
{
	u64 now;

	(void)state;
	use_zone("UTC");
	now = at("2026-11-30 12:00");
	begin(SEQUENCE_BY_MOMENT, now);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	add(2, 1, 0, SEQUENCE_ANY_TIME);
	add(3, 1, 0, SEQUENCE_ANY_TIME);
	sequence.steps[0].segment = 5;
	sequence.exit_segment = 6;
	passes(now, 1);
	in_segments = 1 << 5; /* too late for it */
	waits(now, now + DAY);
	sends(now + DAY, 2);
	in_segments |= 1 << 6;
	is_over(now + DAY, SEQUENCE_LEFT);
	in_segments = 0;
	is_over(now + 9 * DAY, SEQUENCE_LEFT);
	sequence_return(&enrolment, now + 10 * DAY);
	waits(now + 10 * DAY, now + 11 * DAY);
	contact.is_reachable = false;
	is_over(now + 11 * DAY, SEQUENCE_LEFT);
}

static void what_was_paused_goes_on_step_by_step(void **state)
{
	u64 now;

	(void)state;
	use_zone("UTC");
	now = at("2026-11-30 12:00");
	begin(SEQUENCE_BY_MOMENT, now);
	add(1, 1, 0, SEQUENCE_ANY_TIME);
	add(2, 1, 0, SEQUENCE_ANY_TIME);
	/* Nobody looked for ten days: not both at once. */
	sends(now + 10 * DAY, 1);
	waits(now + 10 * DAY, now + 11 * DAY);
	sequence.late_hours = 48;
	passes(now + 14 * DAY, 2);
}

/* ---- edits ---- */

static void an_edit_counts_by_the_identity_of_steps(void **state)
{
	u64 now;

	(void)state;
	use_zone("UTC");
	now = at("2026-11-30 12:00");
	begin(SEQUENCE_BY_MOMENT, now);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	add(2, 1, 0, SEQUENCE_ANY_TIME);
	add(3, 1, 0, SEQUENCE_ANY_TIME);
	sends(now, 1);
	sends(now + DAY, 2);
	waits(now + DAY, now + 2 * DAY);
	/* A new one before its place is not for it; one behind it is. */
	sequence.steps[3] = sequence.steps[2];
	sequence.steps[2] = sequence.steps[1];
	sequence.steps[1] = (struct sequence_step){ .id = 9, .at_minute = SEQUENCE_ANY_TIME };
	sequence.step_count = 4;
	waits(now + DAY, now + 2 * DAY);
	assert_int_equal(enrolment.step, 3);
	/* Its wait changes: from the same moment. */
	sequence.steps[3].days = 5;
	waits(now + DAY, now + 6 * DAY);
	/* What it had is moved behind: nothing again, nothing between. */
	sequence.steps[0] = (struct sequence_step){ .id = 3, .days = 1, .at_minute = SEQUENCE_ANY_TIME };
	sequence.steps[3] = (struct sequence_step){ .id = 1, .at_minute = SEQUENCE_ANY_TIME };
	is_over(now + DAY, SEQUENCE_THROUGH);
}

static void a_deleted_step_is_left_out(void **state)
{
	u64 now;

	(void)state;
	use_zone("UTC");
	now = at("2026-11-30 12:00");
	begin(SEQUENCE_BY_MOMENT, now);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	add(2, 1, 0, SEQUENCE_ANY_TIME);
	add(3, 3, 0, SEQUENCE_ANY_TIME);
	sends(now, 1);
	waits(now, now + DAY);
	sequence.steps[1] = sequence.steps[2];
	sequence.step_count = 2;
	waits(now + HOUR, now + 3 * DAY);
	/* What it had last is deleted, too: the next one is still the next one. */
	sequence.steps[0] = sequence.steps[1];
	sequence.step_count = 1;
	waits(now + HOUR, now + 3 * DAY);
	sends(now + 3 * DAY, 3);
	add(4, 0, 0, SEQUENCE_ANY_TIME);
	sends(now + 3 * DAY, 4);
	is_over(now + 3 * DAY, SEQUENCE_THROUGH);
	/* Who is through stays through. */
	add(5, 0, 0, SEQUENCE_ANY_TIME);
	is_over(now + 4 * DAY, SEQUENCE_THROUGH);
}

/* ---- clocks that are set ---- */

static void a_clock_that_is_set_sends_nothing_again(void **state)
{
	u64 now;

	(void)state;
	use_zone("UTC");
	now = at("2026-11-30 12:00");
	begin(SEQUENCE_BY_MOMENT, now);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	add(2, 2, 0, SEQUENCE_ANY_TIME);
	sends(now, 1);
	waits(now - 12 * HOUR, now + 2 * DAY);
	/* It ran ten years ahead for a while, and is right again: nobody waits for ten years. */
	begin(SEQUENCE_BY_MOMENT, now + 3650 * DAY);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	add(2, 2, 0, SEQUENCE_ANY_TIME);
	sends(now + 3650 * DAY, 1);
	waits(now, now + 2 * DAY);
	sends(now + 2 * DAY, 2);
	/* Never set: nothing is done by it. */
	begin(SEQUENCE_BY_MOMENT, 5000);
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	waits(6000, 5000);
	sends(now, 1);
}

/* ---- dates ---- */

static void birthdays_come_each_year_with_the_29th_of_february(void **state)
{
	static const char *const days[] = { "2027-02-28", "2028-02-29", "2029-02-28",
					    "2030-02-28", "2031-02-28", "2032-02-29" };
	u64 now;

	(void)state;
	use_zone("Asia/Tokyo");
	now = at("2026-11-30 12:00");
	begin(SEQUENCE_YEARLY, now);
	add(1, -7, 0, NINE);
	add(2, 0, 0, NINE);
	contact.has_date = true;
	contact.date = day("2000-02-29");
	for (size_t i = 0; i < array_count(days); i++) {
		char text[32];
		u64 birthday;

		snprintf(text, sizeof(text), "%s 09:00", days[i]);
		birthday = at(text);
		waits(now, birthday - 7 * DAY);
		sends(birthday - 7 * DAY, 1);
		waits(birthday - DAY, birthday);
		sends(birthday, 2);
		now = birthday + HOUR;
	}
}

static void a_corrected_birthday_is_no_second_one(void **state)
{
	u64 now;

	(void)state;
	use_zone("Asia/Tokyo");
	now = at("2026-11-30 09:00");
	begin(SEQUENCE_YEARLY, at("2026-11-01 00:00"));
	add(1, 0, 0, NINE);
	contact.has_date = true;
	contact.date = day("1980-11-30");
	sends(now, 1);
	contact.date = day("1980-12-24");
	waits(now, at("2027-12-24 09:00"));
	/* Nor is one within the next months. */
	contact.date = day("1980-02-10");
	waits(now, at("2028-02-10 09:00"));
	/* Without a date there is nothing to wait for. */
	contact.has_date = false;
	waits(now, SEQUENCE_NEVER);
}

static void what_would_come_too_late_is_passed_by(void **state)
{
	(void)state;
	use_zone("UTC");
	begin(SEQUENCE_YEARLY, at("2026-11-28 12:00"));
	add(1, -7, 0, NINE);
	add(2, 3, 0, NINE);
	contact.has_date = true;
	contact.date = day("1980-11-30");
	passes(at("2026-11-28 12:00"), 1);
	waits(at("2026-11-28 12:00"), at("2026-12-03 09:00"));
	/* A day late is in time, more is not. */
	sends(at("2026-12-04 09:00"), 2);
	begin(SEQUENCE_YEARLY, at("2026-12-04 12:00"));
	add(1, -7, 0, NINE);
	add(2, 3, 0, NINE);
	contact.has_date = true;
	contact.date = day("1980-11-30");
	waits(at("2026-12-04 12:00"), at("2027-11-23 09:00"));
}

static void the_end_of_a_contract_is_announced_once_for_each(void **state)
{
	u64 now;

	(void)state;
	use_zone("Asia/Tokyo");
	now = at("2026-11-01 00:00");
	begin(SEQUENCE_BY_DATE, now);
	add(1, -30, 0, NINE);
	add(2, -7, 0, NINE);
	contact.has_date = true;
	contact.date = day("2027-01-31");
	waits(now, at("2027-01-01 09:00"));
	sends(at("2027-01-01 09:00"), 1);
	/* Corrected by a day: the one that it had is not sent again. */
	contact.date = day("2027-02-01");
	waits(at("2027-01-01 09:00"), at("2027-01-25 09:00"));
	sends(at("2027-01-25 09:00"), 2);
	is_over(at("2027-01-25 09:00"), SEQUENCE_THROUGH);
	/* Renewed for two months, then for most of a year. */
	contact.date = day("2027-04-02");
	waits(at("2027-01-25 09:00"), at("2027-03-03 09:00"));
	contact.date = day("2028-01-31");
	waits(at("2027-02-01 09:00"), at("2028-01-01 09:00"));
	sends(at("2028-01-01 09:00"), 1);
}

/* ---- over years ---- */

struct sent {
	u32 id;
	u64 at_ms;
};

static u32 next_id; /* of steps that edits add */

/* A step goes, or a new one comes, somewhere. */
static void edit(struct random *r)
{
	u32 place = (u32)random_below(r, sequence.step_count);
	struct sequence_step *step = &sequence.steps[place];

	if (random_below(r, 2) && sequence.step_count > 1) {
		sequence.step_count--;
		memmove(step, step + 1, (sequence.step_count - place) * sizeof(*step));
	} else if (sequence.step_count < SEQUENCE_STEPS_MAX) {
		memmove(step + 1, step, (sequence.step_count - place) * sizeof(*step));
		sequence.step_count++;
		*step = (struct sequence_step){ .id = next_id++, .days = 1, .at_minute = NINE };
	}
}

/* Looks at random moments, sometimes late, with edits and clocks set back; returns what was sent. */
static u32 live(struct random *r, u64 now_ms, u64 until_ms, struct sent *sent, u32 max)
{
	u32 count = 0;

	while (now_ms < until_ms) {
		enum sequence_act act;
		u32 step;

		do {
			act = advance(now_ms, &step);
			if (act == SEQUENCE_SEND && count < max)
				sent[count++] = (struct sent){ step, now_ms };
		} while (act == SEQUENCE_SEND || act == SEQUENCE_PASS);
		assert_true(act == SEQUENCE_OVER || enrolment.due_ms > now_ms);
		if (random_below(r, 50) == 0 && sequence.start == SEQUENCE_BY_MOMENT)
			edit(r);
		if (random_below(r, 40) == 0)
			now_ms -= random_below(r, 3 * DAY);
		else if (enrolment.due_ms != SEQUENCE_NEVER && random_below(r, 3) > 0)
			now_ms = max_u64(enrolment.due_ms, now_ms + 1);
		else
			now_ms += random_below(r, 9 * DAY);
	}
	return count;
}

static void each_step_goes_once_whatever_happens(void **state)
{
	static struct sent sent[4000];
	struct random r;

	(void)state;
	use_zone("America/New_York");
	random_seed(&r, 42);
	for (u32 i = 0; i < 300; i++) {
		u64 now = at("2026-11-30 12:00") + random_below(&r, 400 * DAY);
		u32 steps = 1 + (u32)random_below(&r, 12);
		u32 count;

		begin(SEQUENCE_BY_MOMENT, now);
		next_id = 1000;
		for (u32 s = 1; s <= steps; s++) {
			add(s, (i32)random_below(&r, 30), (u32)random_below(&r, 30),
			    random_below(&r, 2) ? SEQUENCE_ANY_TIME : (i32)random_below(&r, 1440));
			sequence.steps[s - 1].weekdays = (u8)random_below(&r, 128);
		}
		count = live(&r, now, now + 3 * 365 * DAY, sent, array_count(sent));
		assert_int_equal(enrolment.state, SEQUENCE_THROUGH);
		for (u32 a = 0; a < count; a++) {
			for (u32 b = 0; b < a; b++)
				assert_int_not_equal(sent[a].id, sent[b].id);
		}
		assert_in_range(count, 1, steps + (next_id - 1000));
	}
}

static void each_year_has_its_birthday_once(void **state)
{
	static struct sent sent[4000];
	struct random r;

	(void)state;
	use_zone("America/New_York");
	random_seed(&r, 43);
	for (u32 i = 0; i < 60; i++) {
		u64 now = at("2026-11-30 12:00");
		u32 count;

		begin(SEQUENCE_YEARLY, now);
		sequence.late_hours = 24 * 20; /* nobody looks as late as that */
		add(1, -7, 0, NINE);
		add(2, 0, 0, NINE);
		contact.has_date = true;
		contact.date = (i32)random_below(&r, 18000);
		count = live(&r, now, now + 30 * 365 * DAY + 40 * DAY, sent, array_count(sent));
		assert_in_range(count, 59, 62);
		for (u32 s = 1; s < count; s++) {
			u64 apart = sent[s].at_ms - sent[s - 1].at_ms;

			assert_int_not_equal(sent[s].id, sent[s - 1].id);
			assert_in_range(apart, sent[s].id == 2 ? 0 : 330 * DAY,
					sent[s].id == 2 ? 30 * DAY : 390 * DAY);
		}
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct error error;

	(void)state;
	use_zone("UTC");
	begin(SEQUENCE_BY_MOMENT, 0);
	assert_false(sequence_check(&sequence, &error));
	add(1, 0, 0, SEQUENCE_ANY_TIME);
	sequence.steps[0].id = 0;
	assert_false(sequence_check(&sequence, &error));
	sequence.steps[0] = (struct sequence_step){ .id = 1, .days = -1 };
	assert_false(sequence_check(&sequence, &error));
	sequence.steps[0] = (struct sequence_step){ .id = 1, .at_minute = 1440 };
	assert_false(sequence_check(&sequence, &error));
	sequence.steps[0] = (struct sequence_step){ .id = 1, .weekdays = 128 };
	assert_false(sequence_check(&sequence, &error));
	sequence.steps[0] = (struct sequence_step){ .id = 1, .hours = SEQUENCE_HOURS_MAX + 1 };
	assert_false(sequence_check(&sequence, &error));
	sequence.steps[0] = (struct sequence_step){ .id = 1 };
	sequence.steps[1] = (struct sequence_step){ .id = 1 };
	sequence.step_count = 2;
	assert_false(sequence_check(&sequence, &error));
	sequence.steps[1] = (struct sequence_step){ .id = 2, .days = -3 };
	sequence.start = SEQUENCE_YEARLY;
	assert_false(sequence_check(&sequence, &error));
	assert_string_equal(error.text, "step 2 comes before step 1");
	sequence.steps[1] = (struct sequence_step){ .id = 2, .hours = 1 };
	assert_false(sequence_check(&sequence, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_follow_one_another_from_a_subscription),
		cmocka_unit_test(a_time_of_day_that_is_over_is_tomorrow_s),
		cmocka_unit_test(weekdays_are_waited_for),
		cmocka_unit_test(days_keep_their_time_over_summer_time),
		cmocka_unit_test(conditions_pass_a_step_by_and_exits_end_it),
		cmocka_unit_test(what_was_paused_goes_on_step_by_step),
		cmocka_unit_test(an_edit_counts_by_the_identity_of_steps),
		cmocka_unit_test(a_deleted_step_is_left_out),
		cmocka_unit_test(a_clock_that_is_set_sends_nothing_again),
		cmocka_unit_test(birthdays_come_each_year_with_the_29th_of_february),
		cmocka_unit_test(a_corrected_birthday_is_no_second_one),
		cmocka_unit_test(what_would_come_too_late_is_passed_by),
		cmocka_unit_test(the_end_of_a_contract_is_announced_once_for_each),
		cmocka_unit_test(each_step_goes_once_whatever_happens),
		cmocka_unit_test(each_year_has_its_birthday_once),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What calendar.h promises, by libc's own calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/text.h"

#include <stdio.h>
#include <time.h>

static void days_and_dates_are_those_of_libc(void **state)
{
	(void)state;
	for (i32 day = CALENDAR_DAY_MIN; day <= CALENDAR_DAY_MAX; day += day % 3 ? 17 : 1) {
		struct calendar_date date = calendar_date_of(day);
		time_t seconds = (time_t)day * 86400;
		char wanted[32];
		char text[CALENDAR_TEXT_SIZE];
		struct tm tm;
		i32 back;

		gmtime_r(&seconds, &tm);
		assert_int_equal(date.year, tm.tm_year + 1900);
		assert_int_equal(date.month, tm.tm_mon + 1);
		assert_int_equal(date.day, tm.tm_mday);
		assert_int_equal(calendar_day(&date), day);
		snprintf(wanted, sizeof(wanted), "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			 tm.tm_mday);
		calendar_format(text, day);
		assert_string_equal(text, wanted);
		assert_true(calendar_parse(slice_of(text), &back));
		assert_int_equal(back, day);
	}
}

static void what_is_no_day_is_refused(void **state)
{
	static const char *const texts[] = { "",	   "2026-11-3",	 "2026-11-31", "2026-02-29",
					     "1900-02-29", "2026-00-01", "2026-13-01", "2026-01-00",
					     "0000-01-01", "2026/11/30", "2026-11-30 ", "+026-11-30",
					     "2026-1a-01", "20261130" };
	i32 day;

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++)
		assert_false(calendar_parse(slice_of(texts[i]), &day));
	assert_true(calendar_parse(SLICE("2000-02-29"), &day));
	assert_true(calendar_parse(SLICE("0001-01-01"), &day));
	assert_int_equal(day, CALENDAR_DAY_MIN);
	assert_true(calendar_parse(SLICE("9999-12-31"), &day));
	assert_int_equal(day, CALENDAR_DAY_MAX);
	assert_true(calendar_parse(SLICE("1970-01-01"), &day));
	assert_int_equal(day, 0);
}

static void a_leap_day_comes_round_on_the_28th(void **state)
{
	static const struct {
		struct calendar_date date;
		i32 year;
		const char *wanted;
	} cases[] = {
		{ { 2000, 2, 29 }, 2026, "2026-02-28" }, { { 2000, 2, 29 }, 2028, "2028-02-29" },
		{ { 2000, 2, 29 }, 1900, "1900-02-28" }, { { 2000, 2, 28 }, 2028, "2028-02-28" },
		{ { 1980, 12, 31 }, 2026, "2026-12-31" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		char text[CALENDAR_TEXT_SIZE];

		calendar_format(text, calendar_anniversary(&cases[i].date, cases[i].year));
		assert_string_equal(text, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_and_dates_are_those_of_libc),
		cmocka_unit_test(what_is_no_day_is_refused),
		cmocka_unit_test(a_leap_day_comes_round_on_the_28th),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What local_day.h promises, by libc's zones for years in which the last rules hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/local_day.h"

#include <stdlib.h>
#include <time.h>

static struct time_zone zone;

static void read_zone(const char *name)
{
	assert_true(time_zone_find(slice_of(name), &zone));
	setenv("TZ", name, 1);
	tzset();
}

static void days_are_those_of_libc(void **state)
{
	static const char *const names[] = { "UTC",		 "Asia/Tokyo",	     "America/New_York",
					     "America/Havana", "Asia/Kathmandu",    "Pacific/Auckland",
					     "Africa/Cairo",	 "America/St_Johns", "Europe/London" };

	(void)state;
	for (size_t i = 0; i < array_count(names); i++) {
		read_zone(names[i]);
		/* 2024 to 2036 */
		for (time_t at = 1704067200; at < 2082758400; at += 1753) {
			struct calendar_date date;
			struct tm tm;

			localtime_r(&at, &tm);
			date = calendar_date_of(local_day(&zone, (u64)at * 1000));
			assert_int_equal(date.year, tm.tm_year + 1900);
			assert_int_equal(date.month, tm.tm_mon + 1);
			assert_int_equal(date.day, tm.tm_mday);
		}
	}
}

static void days_begin_where_the_clocks_say(void **state)
{
	static const struct {
		const char *zone;
		const char *day;
		u64 begins_s;
	} cases[] = {
		{ "UTC", "2026-11-30", 1795996800 },
		{ "Asia/Tokyo", "2026-11-30", 1795964400 },
		{ "America/New_York", "2026-03-08", 1772946000 }, /* 23 hours long */
		{ "America/New_York", "2026-03-09", 1773028800 },
		{ "America/New_York", "2026-11-01", 1793505600 }, /* 25 hours long */
		{ "America/New_York", "2026-11-02", 1793595600 },
		{ "America/Havana", "2026-03-08", 1772946000 }, /* begins at 01:00 */
		{ "America/Havana", "2026-03-09", 1773028800 },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		i32 day;

		read_zone(cases[i].zone);
		assert_true(calendar_parse(slice_of(cases[i].day), &day));
		assert_int_equal(local_day_begins_ms(&zone, day), cases[i].begins_s * 1000);
		assert_int_equal(local_day(&zone, cases[i].begins_s * 1000), day);
		assert_int_equal(local_day(&zone, cases[i].begins_s * 1000 - 1), day - 1);
	}
	assert_int_equal(local_day_begins_ms(&zone, -1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_those_of_libc),
		cmocka_unit_test(days_begin_where_the_clocks_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

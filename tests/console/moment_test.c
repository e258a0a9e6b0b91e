/* Moments as people type them: in the console's time zone, and refused when they are none. */
#include "base/text.h"
#include "console/moment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW_MS 1764512730500ull /* 2025-11-30 14:25:30.5 UTC, 23:25:30.5 in Tokyo */
#define HOUR_MS 3600000ull

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static u64 moment(const char *text)
{
	struct error error = { "" };
	u64 wall_ms = 0;

	if (!moment_parse(slice_of(text), NOW_MS, &wall_ms, &error))
		fail_msg("%s", error.text);
	return wall_ms;
}

static void dates_are_in_the_zone_of_the_console_unless_z_stands_behind(void **state)
{
	(void)state;
	set_zone("UTC");
	assert_int_equal(moment("2025-11-30 14:25:30"), NOW_MS - 500);
	set_zone("Asia/Tokyo");
	assert_int_equal(moment("2025-11-30 14:25:30"), NOW_MS - 500 - 9 * HOUR_MS);
	assert_int_equal(moment("2025-11-30T14:25:30Z"), NOW_MS - 500);
	assert_int_equal(moment("2025-11-30 23:25"), NOW_MS - 30500);
	assert_int_equal(moment("2025-12-01"), NOW_MS - 30500 + 35 * 60000);
	assert_int_equal(moment("23:25"), NOW_MS - 30500);
	assert_int_equal(moment("today"), moment("2025-11-30"));
	assert_int_equal(moment("yesterday"), moment("2025-11-29"));
}

static void durations_are_so_long_ago(void **state)
{
	(void)state;
	assert_int_equal(moment("2h"), NOW_MS - 2 * HOUR_MS);
	assert_int_equal(moment("30m"), NOW_MS - HOUR_MS / 2);
	assert_int_equal(moment("now"), NOW_MS);
	assert_int_equal(moment("@1764512730"), NOW_MS - 500);
}

/* The day of a change has 23 or 25 hours. */
static void midnight_is_midnight_on_the_day_that_clocks_are_set(void **state)
{
	struct error error;
	u64 wall_ms;
	/* 2025-03-30 12:00 UTC, the clocks of Berlin went from 2 to 3. */
	const u64 now_ms = 1743336000000ull;

	(void)state;
	set_zone("Europe/Berlin");
	assert_true(moment_parse(SLICE("today"), now_ms, &wall_ms, &error));
	assert_int_equal(wall_ms, 1743289200000ull);
	assert_true(moment_parse(SLICE("yesterday"), now_ms, &wall_ms, &error));
	assert_int_equal(wall_ms, 1743202800000ull);
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",	      "x",	    "2025",	   "2025-02-30", "2025-13-01", "2025-11-30 25:00",
		"2025-11-30x", "2025-11-30 1", "24:00",	   "12:60",	 "3600",       "@",
		"@99999999999999999999", "-1h", "2025-11-30 14:25:30Zz", "tomorrow", "1969-01-01",
	};
	struct error error;
	u64 wall_ms;

	(void)state;
	set_zone("UTC");
	for (size_t i = 0; i < array_count(wrong); i++) {
		if (moment_parse(slice_of(wrong[i]), NOW_MS, &wall_ms, &error))
			fail_msg("\"%s\" was taken", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_in_the_zone_of_the_console_unless_z_stands_behind),
		cmocka_unit_test(durations_are_so_long_ago),
		cmocka_unit_test(midnight_is_midnight_on_the_day_that_clocks_are_set),
		cmocka_unit_test(what_is_no_moment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

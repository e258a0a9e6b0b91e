/* Time zones, and the hours in which a campaign may send. */
#include "base/text.h"
#include "campaign/send_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct time_zone zone_of(const char *name)
{
	struct time_zone zone;

	if (!time_zone_find(slice_of(name), &zone))
		fail_msg("no zone %s", name);
	return zone;
}

static u64 utc(const char *text)
{
	u64 ms;

	assert_true(clock_parse_rfc3339(slice_of(text), &ms));
	return ms;
}

/* The moment at which clocks there show `local`. */
static u64 moment(const char *name, const char *local)
{
	struct time_zone zone = zone_of(name);
	struct clock_date date;

	assert_true(time_zone_read_local(slice_of(local), &date));
	return time_zone_moment(&zone, &date);
}

static void every_zone_of_the_table_has_a_rule_and_goes_there_and_back(void **state)
{
	size_t count = 0;

	(void)state;
	for (const char *name; (name = time_zone_name_at(count)); count++) {
		struct time_zone zone = zone_of(name);

		assert_in_range(zone.standard_s + 12 * 3600, 0, 27 * 3600);
		/* Noon of any day is one moment, and that is noon. */
		for (u32 day = 0; day < 366; day++) {
			u64 at = utc("2027-01-01T00:00:00Z") + day * 86400000ull;
			struct clock_date noon;
			struct clock_date back;

			clock_date_of(at, &noon);
			noon.hour = 12;
			time_zone_local(&zone, time_zone_moment(&zone, &noon), &back);
			assert_int_equal(back.day, noon.day);
			assert_int_equal(back.hour, 12);
			assert_int_equal(back.minute, 0);
		}
	}
	assert_in_range(count, 400, 700);
}

static void offsets_are_those_of_the_season(void **state)
{
	static const struct {
		const char *zone;
		const char *at;
		i32 minutes;
	} rows[] = {
		{ "Asia/Tokyo", "2026-07-01T00:00:00Z", 540 },
		{ "asia/tokyo", "2026-12-01T00:00:00Z", 540 },
		{ "Asia/Kolkata", "2026-12-01T00:00:00Z", 330 },
		{ "Europe/Berlin", "2027-03-28T00:59:59Z", 60 },
		{ "Europe/Berlin", "2027-03-28T01:00:00Z", 120 },
		{ "Europe/Berlin", "2026-10-25T00:59:59Z", 120 },
		{ "Europe/Berlin", "2026-10-25T01:00:00Z", 60 },
		{ "America/New_York", "2026-11-01T05:59:59Z", -240 },
		{ "America/New_York", "2026-11-01T06:00:00Z", -300 },
		{ "America/New_York", "2027-03-14T07:00:00Z", -240 },
		{ "Australia/Sydney", "2026-12-31T23:00:00Z", 660 },
		{ "Australia/Sydney", "2027-04-03T16:00:00Z", 600 },
		{ "Australia/Lord_Howe", "2027-01-01T00:00:00Z", 660 },
		{ "Australia/Lord_Howe", "2027-07-01T00:00:00Z", 630 },
		{ "Europe/Dublin", "2027-07-01T00:00:00Z", 60 },
		{ "Europe/Dublin", "2027-01-01T00:00:00Z", 0 },
		{ "America/Nuuk", "2027-07-01T00:00:00Z", -60 },
		{ "Asia/Jerusalem", "2027-03-26T00:00:00Z", 180 },
		{ "UTC", "2027-03-26T00:00:00Z", 0 },
	};
	struct time_zone zone;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		zone = zone_of(rows[i].zone);
		if (time_zone_offset_s(&zone, utc(rows[i].at)) != rows[i].minutes * 60)
			fail_msg("%s at %s: %d", rows[i].zone, rows[i].at,
				 time_zone_offset_s(&zone, utc(rows[i].at)));
	}
	assert_false(time_zone_find(SLICE("Europe/Atlantis"), &zone));
	assert_false(time_zone_find(SLICE(""), &zone));
}

static void an_hour_that_is_left_out_comes_later_and_one_that_comes_twice_first(void **state)
{
	(void)state;
	assert_int_equal(moment("Asia/Tokyo", "2026-12-01 09:00"), utc("2026-12-01T00:00:00Z"));
	assert_int_equal(moment("Europe/Berlin", "2027-03-28T02:30"), utc("2027-03-28T01:30:00Z"));
	assert_int_equal(moment("Europe/Berlin", "2026-10-25 02:30"), utc("2026-10-25T00:30:00Z"));
	assert_int_equal(moment("Europe/Berlin", "2026-10-25 03:00"), utc("2026-10-25T02:00:00Z"));
	assert_int_equal(moment("America/New_York", "2027-03-14 02:30"),
			 utc("2027-03-14T07:30:00Z"));
	assert_int_equal(moment("Pacific/Kiritimati", "2027-01-01 00:00"),
			 utc("2026-12-31T10:00:00Z"));
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const bad[] = { "", "2026-12-01", "2026-13-01 00:00", "2026-02-29 00:00",
					   "2026-12-01 24:00", "2026-12-01 09:60",
					   "2026-12-01 09:00Z", "26-12-01 09:00", "x026-12-01 09:00" };
	struct clock_date date;

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(time_zone_read_local(slice_of(bad[i]), &date));
	assert_true(time_zone_read_local(SLICE("2028-02-29 23:59"), &date));
}

static struct send_window window_of(const char *days, const char *hours)
{
	struct send_window window;

	if (!send_window_read(slice_of(days), slice_of(hours), &window))
		fail_msg("%s %s", days, hours);
	return window;
}

static void a_window_is_open_on_its_days_in_its_hours_there(void **state)
{
	struct send_window office = window_of("mon-fri", "09:00-18:00");
	struct send_window night = window_of("fri", "22:00-02:00");
	struct send_window always = window_of("", "");
	struct time_zone tokyo = zone_of("Asia/Tokyo");

	(void)state;
	/* 2026-11-30 is a Monday. */
	assert_false(send_window_is_open(&office, &tokyo, utc("2026-11-29T23:59:59Z")));
	assert_true(send_window_is_open(&office, &tokyo, utc("2026-11-30T00:00:00Z")));
	assert_false(send_window_is_open(&office, &tokyo, utc("2026-11-30T09:00:00Z")));
	assert_true(send_window_is_open(&night, &tokyo, utc("2026-12-04T16:59:59Z")));
	assert_false(send_window_is_open(&night, &tokyo, utc("2026-12-04T17:00:00Z")));
	assert_false(send_window_is_open(&night, &tokyo, utc("2026-12-03T16:00:00Z")));
	assert_true(send_window_is_open(&always, &tokyo, utc("2026-12-06T16:00:00Z")));
	assert_int_equal(send_window_next_ms(&office, &tokyo, utc("2026-12-04T09:00:00Z")),
			 utc("2026-12-07T00:00:00Z"));
	assert_int_equal(send_window_next_ms(&office, &tokyo, utc("2026-11-30T00:00:30Z")),
			 utc("2026-11-30T00:00:30Z"));
}

static void windows_that_say_nothing_are_refused(void **state)
{
	static const char *const bad[][2] = { { "monday", "" },      { "", "9:00-18:00" },
					      { "", "09:00" },	     { "", "09:00-09:00" },
					      { "", "09:00-24:01" }, { "mon,", "" },
					      { "", "24:00-09:00" }, { "", "09:61-10:00" } };
	struct send_window window;

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(send_window_read(slice_of(bad[i][0]), slice_of(bad[i][1]), &window));
	window = window_of("fri-mon", "18:00-24:00");
	assert_int_equal(window.days, 0x63);
	assert_int_equal(window.until, 1440);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_zone_of_the_table_has_a_rule_and_goes_there_and_back),
		cmocka_unit_test(offsets_are_those_of_the_season),
		cmocka_unit_test(an_hour_that_is_left_out_comes_later_and_one_that_comes_twice_first),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_window_is_open_on_its_days_in_its_hours_there),
		cmocka_unit_test(windows_that_say_nothing_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

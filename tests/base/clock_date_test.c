#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"

static void check(const char *text, u64 expected_ms)
{
	u64 ms;

	if (!clock_parse_rfc3339(slice_of(text), &ms))
		fail_msg("%s is refused", text);
	assert_int_equal(ms, expected_ms);
}

static void times_are_read_wherever_they_were_said(void **state)
{
	(void)state;
	check("1970-01-01T00:00:00Z", 0);
	check("2026-11-25T03:12:00Z", 1795576320000);
	check("2026-11-25t03:12:00z", 1795576320000);
	check("2026-11-25T12:12:00+09:00", 1795576320000);
	check("2026-11-24T22:42:00-04:30", 1795576320000);
	check("2026-11-25T03:12:00.5Z", 1795576320500);
	check("2026-11-25T03:12:00.123456789Z", 1795576320123);
	check("2024-02-29T00:00:00Z", 1709164800000);
	check("2024-03-01T00:00:00Z", 1709251200000);
	check("2016-12-31T23:59:60Z", 1483228800000);
	check("9999-12-31T23:59:59Z", 253402300799000);
}

static void what_was_written_is_read_again(void **state)
{
	char text[CLOCK_RFC3339_SIZE];

	(void)state;
	for (u64 ms = 3; ms < 4000000000000; ms += 86399997 * 11) {
		clock_format_rfc3339(text, ms);
		check(text, ms);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"2026-11-25",
		"2026-11-25T03:12Z",
		"2026-11-25T03:12:00",
		"2026-11-25 03:12:00Z",
		"2026-11-25T03:12:00 Z",
		"2026-11-25T03:12:00Z ",
		"2026-11-25T03:12:00ZZ",
		"2026-11-25T03:12:00.Z",
		"2026-11-25T03:12:00+0900",
		"2026-11-25T03:12:00+24:00",
		"2026-11-25T03:12:00+09:60",
		"2026-11-25T03:12:00+09:00x",
		"2026-13-25T03:12:00Z",
		"2026-00-25T03:12:00Z",
		"2026-11-31T03:12:00Z",
		"2026-11-00T03:12:00Z",
		"2026-02-29T03:12:00Z",
		"2100-02-29T03:12:00Z",
		"2026-11-25T24:00:00Z",
		"2026-11-25T23:60:00Z",
		"2026-11-25T23:59:61Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01",
		"+026-11-25T03:12:00Z",
		"2026-1-25T03:12:00Z",
		"tomorrow",
	};
	u64 ms;

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		if (clock_parse_rfc3339(slice_of(texts[i]), &ms))
			fail_msg("%s is taken", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_wherever_they_were_said),
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

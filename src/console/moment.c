#include "console/moment.h"

#include "base/text.h"

#include <string.h>
#include <time.h>

#define DAY_MS (24 * 3600 * 1000ull)
#define YEAR_MAX 9999

static bool take_number(struct slice text, u32 digits, u32 least, u32 most, int *out)
{
	u32 number;

	if (text.len != digits || !slice_to_u32(text, &number) || number < least || number > most)
		return false;
	*out = (int)number;
	return true;
}

/* "14:05" or "14:05:09" */
static bool take_clock(struct slice text, struct tm *tm)
{
	struct slice hours = slice_split(&text, ':');
	struct slice minutes = slice_split(&text, ':');

	return take_number(hours, 2, 0, 23, &tm->tm_hour) &&
	       take_number(minutes, 2, 0, 59, &tm->tm_min) &&
	       (!text.ptr || take_number(text, 2, 0, 59, &tm->tm_sec));
}

/* "2026-11-30" */
static bool take_day(struct slice text, struct tm *tm)
{
	struct slice year = slice_split(&text, '-');
	struct slice month = slice_split(&text, '-');

	if (!take_number(year, 4, 1970, YEAR_MAX, &tm->tm_year) ||
	    !take_number(month, 2, 1, 12, &tm->tm_mon) || !text.ptr ||
	    !take_number(text, 2, 1, 31, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return true;
}

static bool to_ms(struct tm *tm, bool is_utc, u64 *wall_ms)
{
	const int day = tm->tm_mday;
	time_t seconds;

	tm->tm_isdst = -1;
	seconds = is_utc ? timegm(tm) : mktime(tm);
	*wall_ms = seconds > 0 ? (u64)seconds * 1000 : 0;
	/* The 31st of a month that has none would be another day. */
	return seconds >= 0 && tm->tm_mday == day;
}

static bool midnight(u64 at_ms, u64 *wall_ms)
{
	const time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	return to_ms(&tm, false, wall_ms);
}

static bool parse_date(struct slice text, u64 *wall_ms)
{
	const bool is_utc = text.len > 0 && text.ptr[text.len - 1] == 'Z';
	struct tm tm = { 0 };
	struct slice day = slice_first(text, 10);
	struct slice clock = slice_from(text, 11);

	if (is_utc)
		clock = slice_first(clock, clock.len - (clock.len > 0));
	if (!take_day(day, &tm))
		return false;
	if (text.len > 10 && ((text.ptr[10] != ' ' && text.ptr[10] != 'T') ||
			      !take_clock(clock, &tm)))
		return false;
	return to_ms(&tm, is_utc, wall_ms);
}

static bool parse_today(struct slice text, u64 now_ms, u64 *wall_ms)
{
	const time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return false;
	tm.tm_sec = 0;
	return take_clock(text, &tm) && to_ms(&tm, false, wall_ms);
}

bool moment_parse(struct slice text, u64 now_ms, u64 *wall_ms, struct error *error)
{
	u64 number;

	text = slice_trim(text);
	if (slice_equal(text, SLICE("now"))) {
		*wall_ms = now_ms;
		return true;
	}
	if (slice_equal(text, SLICE("today")) && midnight(now_ms, wall_ms))
		return true;
	if (slice_equal(text, SLICE("yesterday")) && now_ms > DAY_MS &&
	    midnight(now_ms, &number) && midnight(number - DAY_MS / 2, wall_ms))
		return true;
	if (text.len > 1 && text.ptr[0] == '@' && slice_to_u64(slice_from(text, 1), &number) &&
	    number < UINT32_MAX * 60ull) {
		*wall_ms = number * 1000;
		return true;
	}
	/* A bare number would be seconds: nobody means that by it here. */
	if (!slice_to_u64(text, &number) && slice_to_duration_ms(text, &number)) {
		*wall_ms = now_ms - min_u64(number, now_ms);
		return true;
	}
	if (parse_date(text, wall_ms) || parse_today(text, now_ms, wall_ms))
		return true;
	return error_set(error,
			 "\"%.*s\" is no moment: write 2026-11-30, \"2026-11-30 14:05\", 14:05, "
			 "today, yesterday, or 2h for two hours ago",
			 SLICE_FMT(slice_first(text, 40)));
}

#include "campaign/time_zone.h"

#include "base/check.h"
#include "base/text.h"
#include "campaign/time_zone_table.h"

#define DAY_S 86400

static i64 max_i64(i64 a, i64 b)
{
	return a > b ? a : b;
}

const char *time_zone_name_at(size_t index)
{
	return index < array_count(time_zone_table) ? time_zone_table[index].name : NULL;
}

/* ---- rules (POSIX TZ, as RFC 9636 section 3.3.1 has them) ---- */

static void skip_name(struct slice *rest)
{
	bool quoted = rest->len > 0 && rest->ptr[0] == '<';
	size_t at = 0;

	while (at < rest->len && (quoted || ascii_is_alpha(rest->ptr[at]))) {
		if (rest->ptr[at++] == '>')
			break;
	}
	*rest = slice_from(*rest, at);
}

static u32 take_number(struct slice *rest)
{
	u32 number = 0;

	while (rest->len > 0 && ascii_is_digit(rest->ptr[0])) {
		number = number * 10 + (u32)(rest->ptr[0] - '0');
		*rest = slice_from(*rest, 1);
	}
	return number;
}

static bool take_char(struct slice *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

/* "-5:30" in seconds. */
static i32 take_time(struct slice *rest)
{
	bool negative = take_char(rest, '-');
	i32 seconds = (i32)take_number(rest) * 3600;

	if (take_char(rest, ':'))
		seconds += (i32)take_number(rest) * 60;
	return negative ? -seconds : seconds;
}

/* ",M3.2.0/2" */
static bool take_change(struct slice *rest, struct time_zone_change *change)
{
	if (!take_char(rest, ',') || !take_char(rest, 'M'))
		return false;
	change->month = take_number(rest);
	take_char(rest, '.');
	change->week = take_number(rest);
	take_char(rest, '.');
	change->weekday = take_number(rest);
	change->at_s = take_char(rest, '/') ? take_time(rest) : 7200;
	return true;
}

static bool read_rule(struct time_zone *zone, struct slice rest)
{
	skip_name(&rest);
	zone->standard_s = -take_time(&rest);
	zone->summer_s = zone->standard_s;
	if (rest.len == 0)
		return true;
	skip_name(&rest);
	zone->summer_s = rest.len > 0 && rest.ptr[0] != ',' ? -take_time(&rest) :
							       zone->standard_s + 3600;
	return take_change(&rest, &zone->begin) && take_change(&rest, &zone->end) && rest.len == 0;
}

bool time_zone_find(struct slice name, struct time_zone *zone)
{
	for (size_t i = 0; i < array_count(time_zone_table); i++) {
		if (!slice_equal_nocase(name, slice_of(time_zone_table[i].name)))
			continue;
		*zone = (struct time_zone){ .name = time_zone_table[i].name };
		ASSERT(read_rule(zone, slice_of(time_zone_table[i].rule)));
		return true;
	}
	return false;
}

/* ---- the calendar ---- */

/* Days since 1970-01-01 of a date of the Gregorian calendar; March is the first month within. */
static i64 days_of(u32 year, u32 month, u32 day)
{
	i64 y = (i64)year - (month <= 2);
	i64 era = y / 400;
	i64 year_of_era = y - era * 400;
	i64 day_of_year = (153 * ((i64)month + (month > 2 ? -3 : 9)) + 2) / 5 + (i64)day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static u32 days_in_month(u32 year, u32 month)
{
	return (u32)(month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1));
}

/* Seconds since 1970 by the clock on the wall there. */
static i64 change_s(const struct time_zone_change *change, u32 year)
{
	i64 first = days_of(year, change->month, 1);
	u32 weekday = (u32)((first + 4) % 7); /* 1970-01-01 was a Thursday */
	u32 day = 1 + (change->weekday + 7 - weekday) % 7 + (change->week - 1) * 7;

	while (day > days_in_month(year, change->month))
		day -= 7;
	return (first + day - 1) * DAY_S + change->at_s;
}

i32 time_zone_offset_s(const struct time_zone *zone, u64 utc_ms)
{
	i64 now_s = (i64)(utc_ms / MS_PER_S);
	struct clock_date date;
	i64 begin_s;
	i64 end_s;
	bool is_summer;

	if (zone->begin.month == 0)
		return zone->standard_s;
	/* The year there; changes do not come near its ends. */
	clock_date_of((u64)max_i64(now_s + zone->standard_s, 0) * MS_PER_S, &date);
	begin_s = change_s(&zone->begin, date.year) - zone->standard_s;
	end_s = change_s(&zone->end, date.year) - zone->summer_s;
	is_summer = begin_s < end_s ? now_s >= begin_s && now_s < end_s
				    : now_s >= begin_s || now_s < end_s;
	return is_summer ? zone->summer_s : zone->standard_s;
}

void time_zone_local(const struct time_zone *zone, u64 utc_ms, struct clock_date *local)
{
	i64 local_s = (i64)(utc_ms / MS_PER_S) + time_zone_offset_s(zone, utc_ms);

	clock_date_of((u64)max_i64(local_s, 0) * MS_PER_S, local);
}

u64 time_zone_moment(const struct time_zone *zone, const struct clock_date *local)
{
	i64 local_s = days_of(local->year, local->month, local->day) * DAY_S +
		      (i64)local->hour * 3600 + (i64)local->minute * 60 + (i64)local->second;
	i64 more = max_i64(zone->standard_s, zone->summer_s);
	i64 less = zone->standard_s + zone->summer_s - more;
	/* With the greater offset it is earlier: the first of two; if that is wrong, the other. */
	i64 moment = max_i64(local_s - more, 0);

	if (time_zone_offset_s(zone, (u64)moment * MS_PER_S) != more)
		moment = max_i64(local_s - less, 0);
	return (u64)moment * MS_PER_S;
}

/* `count` digits. */
static bool take_digits(struct slice *rest, size_t count, u32 *number)
{
	if (rest->len < count || !slice_to_u32(slice_first(*rest, count), number))
		return false;
	*rest = slice_from(*rest, count);
	return true;
}

bool time_zone_read_local(struct slice text, struct clock_date *local)
{
	struct slice rest = text;

	*local = (struct clock_date){ 0 };
	return take_digits(&rest, 4, &local->year) && take_char(&rest, '-') &&
	       take_digits(&rest, 2, &local->month) && take_char(&rest, '-') &&
	       take_digits(&rest, 2, &local->day) &&
	       (take_char(&rest, ' ') || take_char(&rest, 'T')) &&
	       take_digits(&rest, 2, &local->hour) && take_char(&rest, ':') &&
	       take_digits(&rest, 2, &local->minute) && rest.len == 0 && local->year >= 1970 &&
	       local->month >= 1 && local->month <= 12 && local->day >= 1 &&
	       local->day <= days_in_month(local->year, local->month) && local->hour < 24 &&
	       local->minute < 60;
}

#include "base/zone.h"

#include "base/calendar.h"

#define DAY_S 86400
#define HOUR_S 3600
#define OFFSET_MAX_S (26 * HOUR_S) /* RFC 9636 section 3.2: between -25 and 26 hours */

const struct zone zone_utc = { .change_count = 0 };

/* ---- the yearly rules ---- */

static i32 day_of_rule(const struct zone_rule *rule, i32 year)
{
	struct calendar_date date = { year, 1, 1 };
	i32 first;
	u32 weekday;
	u32 day;

	if (rule->kind == ZONE_RULE_DAY)
		return calendar_day(&date) + (i32)rule->day;
	if (rule->kind == ZONE_RULE_JULIAN)
		return calendar_day(&date) + (i32)rule->day - 1 +
		       (calendar_is_leap(year) && rule->day >= 60 ? 1 : 0);
	date.month = rule->month;
	first = calendar_day(&date);
	/* 1970-01-01 was a Thursday. */
	weekday = (u32)(((first + 4) % 7 + 7) % 7);
	day = (rule->day + 7 - weekday) % 7 + 7 * (rule->week - 1);
	while (day >= calendar_days_in_month(year, rule->month))
		day -= 7;
	return first + (i32)day;
}

/* The day that the moment is in, as far as the calendar goes. */
static i32 day_near(i64 utc_s)
{
	i64 day = utc_s / DAY_S;

	if (day < CALENDAR_DAY_MIN)
		return CALENDAR_DAY_MIN;
	return day > CALENDAR_DAY_MAX ? CALENDAR_DAY_MAX : (i32)day;
}

static i32 offset_by_rules(const struct zone *zone, i64 utc_s)
{
	i32 year = calendar_date_of(day_near(utc_s)).year;
	bool summer = false;
	i64 last = INT64_MIN;

	if (!zone->has_summer)
		return zone->standard_s;
	/* The last change before the moment says it; it may be of the year before. */
	for (i32 y = year - 1; y <= year + 1; y++) {
		i64 to_summer = (i64)day_of_rule(&zone->to_summer, y) * DAY_S +
				zone->to_summer.at_s - zone->standard_s;
		i64 to_standard = (i64)day_of_rule(&zone->to_standard, y) * DAY_S +
				  zone->to_standard.at_s - zone->summer_s;

		if (to_standard <= utc_s && to_standard >= last) {
			last = to_standard;
			summer = false;
		}
		if (to_summer <= utc_s && to_summer >= last) {
			last = to_summer;
			summer = true;
		}
	}
	return summer ? zone->summer_s : zone->standard_s;
}

/* ---- asking ---- */

i32 zone_offset_s(const struct zone *zone, i64 utc_s)
{
	u32 low = 0;
	u32 high = zone->change_count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (zone->changes[middle].at_s <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->change_count && zone->has_rules)
		return offset_by_rules(zone, utc_s);
	return low == 0 ? zone->first_offset_s : zone->changes[low - 1].offset_s;
}

i64 zone_moment_s(const struct zone *zone, i64 local_s)
{
	/* Offsets around it; none changes twice within two days. */
	i32 before = zone_offset_s(zone, local_s - DAY_S - OFFSET_MAX_S / 2);
	i32 after = zone_offset_s(zone, local_s + DAY_S + OFFSET_MAX_S / 2);
	i64 first = local_s - before;
	i64 second = local_s - after;

	if (zone_offset_s(zone, first) == before)
		return first;
	if (zone_offset_s(zone, second) == after)
		return second;
	return first; /* skipped: by the clocks of before */
}

i32 zone_day(const struct zone *zone, u64 utc_ms)
{
	i64 utc_s = (i64)(utc_ms / 1000);
	i64 local_s = utc_s + zone_offset_s(zone, utc_s);

	return (i32)(local_s >= 0 ? local_s / DAY_S : -((-local_s + DAY_S - 1) / DAY_S));
}

i64 zone_day_begins_ms(const struct zone *zone, i32 day)
{
	/* Where midnight itself is skipped, this is the moment at which the clocks went on. */
	return zone_moment_s(zone, (i64)day * DAY_S) * 1000;
}

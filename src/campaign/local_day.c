#include "campaign/local_day.h"

i32 local_day(const struct time_zone *zone, u64 utc_ms)
{
	struct clock_date local;

	time_zone_local(zone, utc_ms, &local);
	return calendar_day(
		&(struct calendar_date){ (i32)local.year, local.month, local.day });
}

u64 local_day_begins_ms(const struct time_zone *zone, i32 day)
{
	struct calendar_date date = calendar_date_of(day);
	struct clock_date midnight = { .year = (u32)date.year,
				       .month = date.month,
				       .day = date.day };

	return day < 0 ? 0 : time_zone_moment(zone, &midnight);
}

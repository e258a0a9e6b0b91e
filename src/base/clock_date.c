#include "base/clock.h"

#include <stdio.h>

void clock_date_of(u64 wall_ms, struct clock_date *date)
{
	u64 seconds = wall_ms / 1000;
	u64 days = seconds / 86400;
	u64 in_day = seconds % 86400;
	/* Days since 0000-03-01, so that the leap day ends a year (Hinnant's civil-from-days). */
	u64 z = days + 719468;
	u64 era = z / 146097;
	u64 doe = z % 146097;
	u64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	u64 doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	u64 mp = (5 * doy + 2) / 153;

	date->day = (u32)(doy - (153 * mp + 2) / 5 + 1);
	date->month = (u32)(mp < 10 ? mp + 3 : mp - 9);
	date->year = (u32)(yoe + era * 400 + (date->month <= 2 ? 1 : 0));
	date->hour = (u32)(in_day / 3600);
	date->minute = (u32)(in_day / 60 % 60);
	date->second = (u32)(in_day % 60);
	date->weekday = (u32)((days + 4) % 7);
}

void clock_format_rfc5322(char out[CLOCK_RFC5322_SIZE], u64 wall_ms)
{
	static const char weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct clock_date d;

	clock_date_of(wall_ms, &d);
	snprintf(out, CLOCK_RFC5322_SIZE, "%s, %02u %s %04u %02u:%02u:%02u +0000",
		 weekdays[d.weekday % 7], d.day % 100, months[(d.month - 1) % 12], d.year % 10000,
		 d.hour % 100, d.minute % 100, d.second % 100);
}

void clock_format_rfc3339(char out[CLOCK_RFC3339_SIZE], u64 wall_ms)
{
	struct clock_date d;

	clock_date_of(wall_ms, &d);
	snprintf(out, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year % 10000,
		 d.month % 100, d.day % 100, d.hour % 100, d.minute % 100, d.second % 100,
		 (u32)(wall_ms % 1000));
}

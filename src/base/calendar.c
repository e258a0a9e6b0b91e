#include "base/calendar.h"

#include "base/text.h"

#include <stdio.h>

bool calendar_is_leap(i32 year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

u32 calendar_days_in_month(i32 year, u32 month)
{
	static const u8 days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && calendar_is_leap(year) ? 29 : days[(month - 1) % 12];
}

/* Years begin in March here: the leap day is a year's last one. 400 years have 146,097 days. */
i32 calendar_day(const struct calendar_date *date)
{
	i32 year = date->month <= 2 ? date->year - 1 : date->year;
	i32 month = (i32)(date->month + 9) % 12;
	i32 era = (year >= 0 ? year : year - 399) / 400;
	i32 of_era = year - era * 400;
	i32 of_year = (153 * month + 2) / 5 + (i32)date->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct calendar_date calendar_date_of(i32 day)
{
	i32 z = day + 719468;
	i32 era = (z >= 0 ? z : z - 146096) / 146097;
	i32 doe = z - era * 146097;
	i32 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	i32 doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	i32 mp = (5 * doy + 2) / 153;
	u32 month = (u32)(mp < 10 ? mp + 3 : mp - 9);

	return (struct calendar_date){ .year = yoe + era * 400 + (month <= 2 ? 1 : 0),
				       .month = month,
				       .day = (u32)(doy - (153 * mp + 2) / 5 + 1) };
}

bool calendar_parse(struct slice text, i32 *day)
{
	struct calendar_date date;
	u32 year;

	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' ||
	    !slice_to_u32(slice_first(text, 4), &year) ||
	    !slice_to_u32((struct slice){ text.ptr + 5, 2 }, &date.month) ||
	    !slice_to_u32((struct slice){ text.ptr + 8, 2 }, &date.day))
		return false;
	date.year = (i32)year;
	if (year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
	    date.day > calendar_days_in_month(date.year, date.month))
		return false;
	*day = calendar_day(&date);
	return true;
}

void calendar_format(char out[CALENDAR_TEXT_SIZE], i32 day)
{
	struct calendar_date date = calendar_date_of(day);

	snprintf(out, CALENDAR_TEXT_SIZE, "%04u-%02u-%02u", (u32)date.year % 10000,
		 date.month % 100, date.day % 100);
}

i32 calendar_anniversary(const struct calendar_date *date, i32 year)
{
	struct calendar_date then = { year, date->month, date->day };

	if (then.day > calendar_days_in_month(year, then.month))
		then.day = calendar_days_in_month(year, then.month);
	return calendar_day(&then);
}

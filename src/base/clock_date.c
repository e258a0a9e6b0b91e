#include "base/clock.h"

#include "base/text.h"

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

/* Exactly so many digits off the front. */
static bool take_digits(struct slice *rest, size_t count, u32 *value)
{
	bool is_number = rest->len >= count && slice_to_u32(slice_first(*rest, count), value);

	*rest = slice_from(*rest, count);
	return is_number;
}

static bool take_char(struct slice *rest, char a, char b)
{
	bool is_there = rest->len > 0 && (rest->ptr[0] == a || rest->ptr[0] == b);

	*rest = slice_from(*rest, 1);
	return is_there;
}

/* Seconds are whole enough for whoever waits; milliseconds are kept. */
static bool take_fraction(struct slice *rest, u32 *ms)
{
	u32 digits = 0;
	u32 unit = 100;

	*ms = 0;
	if (rest->len == 0 || rest->ptr[0] != '.')
		return true;
	for (*rest = slice_from(*rest, 1); rest->len > 0 && ascii_is_digit(rest->ptr[0]);
	     *rest = slice_from(*rest, 1)) {
		*ms += (u32)(rest->ptr[0] - '0') * unit;
		unit /= 10;
		digits++;
	}
	return digits > 0;
}

/* Minutes east of Greenwich. */
static bool take_offset(struct slice *rest, i64 *minutes)
{
	i64 sign = rest->len > 0 && rest->ptr[0] == '-' ? -1 : 1;
	u32 hour;
	u32 minute;

	*minutes = 0;
	if (rest->len == 1 && (rest->ptr[0] == 'Z' || rest->ptr[0] == 'z'))
		return true;
	if (!take_char(rest, '+', '-') || !take_digits(rest, 2, &hour) ||
	    !take_char(rest, ':', ':') || !take_digits(rest, 2, &minute) || rest->len > 0 ||
	    hour > 23 || minute > 59)
		return false;
	*minutes = sign * (i64)(hour * 60 + minute);
	return true;
}

/* Days since 1970-01-01, the way back of clock_date_of. */
static u64 days_of(const struct clock_date *d)
{
	u64 year = d->year - (d->month <= 2 ? 1 : 0);
	u64 era = year / 400;
	u64 yoe = year % 400;
	u64 doy = (153 * (u64)(d->month > 2 ? d->month - 3 : d->month + 9) + 2) / 5 + d->day - 1;
	u64 doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

static bool take_date(struct slice *rest, struct clock_date *d)
{
	return take_digits(rest, 4, &d->year) && take_char(rest, '-', '-') &&
	       take_digits(rest, 2, &d->month) && take_char(rest, '-', '-') &&
	       take_digits(rest, 2, &d->day) && take_char(rest, 'T', 't') &&
	       take_digits(rest, 2, &d->hour) && take_char(rest, ':', ':') &&
	       take_digits(rest, 2, &d->minute) && take_char(rest, ':', ':') &&
	       take_digits(rest, 2, &d->second) && d->year >= 1970 && d->month >= 1 &&
	       d->month <= 12 && d->day >= 1 && d->hour <= 23 && d->minute <= 59 &&
	       d->second <= 60; /* a leap second is the next one */
}

bool clock_parse_rfc3339(struct slice text, u64 *wall_ms)
{
	struct clock_date date;
	struct clock_date again;
	i64 minutes;
	u64 days;
	i64 seconds;
	u32 ms;

	if (!take_date(&text, &date) || !take_fraction(&text, &ms) ||
	    !take_offset(&text, &minutes))
		return false;
	days = days_of(&date);
	/* The 31st of a month with fewer days is a day of the next one. */
	clock_date_of(days * 86400000, &again);
	if (again.day != date.day)
		return false;
	seconds = (i64)(days * 86400 + date.hour * 3600 + date.minute * 60 + date.second) -
		  minutes * 60;
	if (seconds < 0)
		return false;
	*wall_ms = (u64)seconds * 1000 + ms;
	return true;
}

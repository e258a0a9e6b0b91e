/*
 * Days without a place: the proleptic Gregorian calendar, counted from 1970-01-01. For birthdays,
 * ends of contracts and whatever else people keep as "2026-11-30". Years 1 to 9999.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "base/types.h"

#define CALENDAR_TEXT_SIZE 11 /* "2026-11-30" and its NUL */
#define CALENDAR_DAY_MIN (-719162) /* 0001-01-01 */
#define CALENDAR_DAY_MAX 2932896   /* 9999-12-31 */

struct calendar_date {
	i32 year;
	u32 month; /* 1-12 */
	u32 day;   /* 1-31 */
};

bool calendar_is_leap(i32 year);
u32 calendar_days_in_month(i32 year, u32 month);
/* Of a date that there is. */
i32 calendar_day(const struct calendar_date *date);
struct calendar_date calendar_date_of(i32 day);

/* Exactly "2026-11-30", and a day that there is. */
bool calendar_parse(struct slice text, i32 *day) MUST_CHECK;
void calendar_format(char out[CALENDAR_TEXT_SIZE], i32 day);

/*
 * The day in `year` on which a date comes round: the same day, and 28 February for the 29th in a
 * year that has none (a birthday is over with the last day of its month, not in the next one).
 */
i32 calendar_anniversary(const struct calendar_date *date, i32 year);

#endif

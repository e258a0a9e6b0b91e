/* Days and times of day in lists of recipients, and how they are written in a letter. */
#ifndef MESSAGE_VALUE_DATE_H
#define MESSAGE_VALUE_DATE_H

#include "base/buf.h"

struct value_date {
	u32 year;  /* 1-9999 */
	u32 month; /* 1-12 */
	u32 day;   /* 1-31 */
	u32 hour;
	u32 minute;
	u32 second;
};

/*
 * "2026-11-30", "2026/11/30", "2026.11.30", "20261130", each also with a time behind a blank or a
 * T: "10:05", "10:05:30". Fractions of a second and a zone are passed over: the time is written as
 * it stands there. False: anything else, and days that no month has.
 */
bool value_date_read(struct slice text, struct value_date *date);

/*
 * Appends the date by its format, in which these stand for parts, longest first, and all else for
 * itself:
 *
 *   YYYY 2026   YY 26     MMMM November  MMM Nov   MM 03   M 3   DD 07   D 7
 *   dddd Monday ddd Mon   aaaa (Japanese) 月曜日    aaa 月
 *   gggg 令和    e 8 (元 in an era's first year)    HH 09   H 9   mm 05   ss 07
 *   [text] the text itself
 */
void value_date_add(struct buf *out, const struct value_date *date, struct slice format);

#endif

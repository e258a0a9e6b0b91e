/*
 * Time in two distinct kinds. `mono` counts nanoseconds since some fixed moment, never jumps and
 * is for waiting; `wall` counts milliseconds since 1970 UTC, may be set to anything at any moment
 * and is for what people and other machines read, never for a decision. Rooms above io take `now`
 * as an argument; only loops read the clock. The simulator links another clock.c behind this
 * header.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/types.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define MS_PER_S 1000ull

/* 2025-01-01: a wall clock that says less was never set (no battery, no NTP yet). */
#define CLOCK_EARLIEST_MS 1735689600000ull

u64 clock_mono_ns(void);
u64 clock_wall_ms(void);

/* Calendar of a UTC moment; proleptic Gregorian, any year from 1970 to 9999. */
struct clock_date {
	u32 year;
	u32 month;   /* 1-12 */
	u32 day;     /* 1-31 */
	u32 hour;    /* 0-23 */
	u32 minute;  /* 0-59 */
	u32 second;  /* 0-59 */
	u32 weekday; /* 0 = Sunday */
};
void clock_date_of(u64 wall_ms, struct clock_date *date);

/* "Wed, 25 Nov 2026 03:12:00 +0000" (RFC 5322 section 3.3); always 31 bytes and a NUL. */
#define CLOCK_RFC5322_SIZE 32
void clock_format_rfc5322(char out[CLOCK_RFC5322_SIZE], u64 wall_ms);

/* "2026-11-25T03:12:00.123Z" (RFC 3339); 24 bytes and a NUL. */
#define CLOCK_RFC3339_SIZE 25
void clock_format_rfc3339(char out[CLOCK_RFC3339_SIZE], u64 wall_ms);
/*
 * "2026-11-25T03:12:00Z", "2026-11-25T12:12:00.5+09:00" (RFC 3339 section 5.6), from 1970 on. False
 * for anything else: what is no date, too, and a local time of which nobody said where.
 */
bool clock_parse_rfc3339(struct slice text, u64 *wall_ms) MUST_CHECK;

#endif

/*
 * Time zones by name ("Asia/Tokyo"): what a clock on the wall shows there, and when it will show a
 * time. The rules are part of the program (time_zone_table.h), each zone's last one: right for
 * plans; for the past as far back as the zone has had it. Zones whose summer time follows the moon
 * (Morocco) are off in that month. No I/O.
 */
#ifndef CAMPAIGN_TIME_ZONE_H
#define CAMPAIGN_TIME_ZONE_H

#include "base/clock.h"

/* The day on which a change comes: week 5 is the last one. */
struct time_zone_change {
	u32 month;
	u32 week;
	u32 weekday; /* 0 = Sunday */
	i32 at_s;    /* of the local day, by the clock before; may be before or after it */
};

struct time_zone {
	const char *name;
	i32 standard_s; /* ahead of UTC */
	i32 summer_s;   /* as `standard_s` when there is no summer time */
	struct time_zone_change begin;
	struct time_zone_change end;
};

/* False: there is no zone of that name (letters in any case). */
bool time_zone_find(struct slice name, struct time_zone *zone) MUST_CHECK;
/* The names in alphabetical order; NULL: no more. */
const char *time_zone_name_at(size_t index);

/* Seconds ahead of UTC at that moment. */
i32 time_zone_offset_s(const struct time_zone *zone, u64 utc_ms);
void time_zone_local(const struct time_zone *zone, u64 utc_ms, struct clock_date *local);
/*
 * The moment at which clocks there show that; weekday is not looked at. In the hour that is left
 * out in spring it is as long after the change as was meant; of the one that comes twice, the
 * first.
 */
u64 time_zone_moment(const struct time_zone *zone, const struct clock_date *local);
/* Reads "2026-12-01 09:00" or with a T between. False: no such date or time. */
bool time_zone_read_local(struct slice text, struct clock_date *local) MUST_CHECK;

#endif

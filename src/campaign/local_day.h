/* Days of the calendar (base/calendar.h) by the clocks of a zone (time_zone.h), from 1970 on. */
#ifndef CAMPAIGN_LOCAL_DAY_H
#define CAMPAIGN_LOCAL_DAY_H

#include "base/calendar.h"
#include "campaign/time_zone.h"

/* The day there at a moment. */
i32 local_day(const struct time_zone *zone, u64 utc_ms);
/*
 * The moment at which a day begins there; where its midnight is skipped, when clocks went on. 0 for
 * days before 1970.
 */
u64 local_day_begins_ms(const struct time_zone *zone, i32 day);

#endif

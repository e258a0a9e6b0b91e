/*
 * A time zone: how far its clocks are ahead of UTC at a moment, and which moment a local time is.
 * Read from a compiled zone file (TZif, RFC 9636; the tz database has one for each place), so that
 * a thread may use any zone and none of the process's own state (TZ, tzset) is touched. Immutable
 * once read: threads share it.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/error.h"
#include "base/types.h"

#define ZONE_FILE_MAX 65536 /* bytes; the largest ones have some 3,500 */
#define ZONE_CHANGES_MAX 2000
#define ZONE_TYPES_MAX 255

/* A yearly day of change, as POSIX writes them ("M3.2.0/2", "J60", "59"). */
struct zone_rule {
	enum { ZONE_RULE_WEEK, ZONE_RULE_JULIAN, ZONE_RULE_DAY } kind;
	u32 month; /* 1-12 */
	u32 week;  /* 1-5; 5: the last one */
	u32 day;   /* weekday from Sunday; or day of the year, of 1 without leap days, or of 0 */
	i32 at_s;  /* of the local day, -167 to 167 hours */
};

struct zone {
	struct zone_change {
		i64 at_s; /* seconds since 1970 */
		i32 offset_s;
	} changes[ZONE_CHANGES_MAX]; /* ascending; each holds until the next one */
	u32 change_count;
	i32 first_offset_s; /* before the first change */
	/* What holds behind the last change. */
	bool has_rules;
	i32 standard_s;
	bool has_summer;
	i32 summer_s;
	struct zone_rule to_summer;
	struct zone_rule to_standard;
};

/* All zero is UTC. */
extern const struct zone zone_utc;

/* False and a sentence: the bytes are no zone file. */
bool zone_parse(struct zone *zone, struct slice bytes, struct error *error) MUST_CHECK;
/* By name ("Asia/Tokyo"), below /usr/share/zoneinfo; "UTC" needs no file. */
bool zone_read(struct zone *zone, const char *name, struct error *error) MUST_CHECK;

/* Seconds that local clocks are ahead of UTC at that moment. */
i32 zone_offset_s(const struct zone *zone, i64 utc_s);
/*
 * The moment at which local clocks show `local_s` (seconds since 1970-01-01 00:00 of local clocks).
 * When they show it twice, the first one; when they skip it, the moment as far behind the skip as
 * it lies in it: 02:30 becomes 03:30.
 */
i64 zone_moment_s(const struct zone *zone, i64 local_s);

/* The local day (calendar.h) at a moment, and the moment at which a local day begins. */
i32 zone_day(const struct zone *zone, u64 utc_ms);
i64 zone_day_begins_ms(const struct zone *zone, i32 day);

#endif

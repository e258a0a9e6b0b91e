#include "campaign/send_window.h"

#include "base/text.h"

#define DAY_MINUTES 1440
#define MINUTE_MS (60 * MS_PER_S)

static bool day_of(struct slice name, u32 *day)
{
	static const char *const names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

	for (u32 i = 0; i < array_count(names); i++) {
		if (slice_equal_nocase(name, slice_of(names[i]))) {
			*day = i;
			return true;
		}
	}
	return false;
}

/* "mon-fri", "sat" */
static bool add_days(struct slice range, u8 *days)
{
	struct slice last = range;
	struct slice first = slice_split(&last, '-');
	u32 from;
	u32 to;

	if (!day_of(slice_trim(first), &from))
		return false;
	to = from;
	if (last.ptr && !day_of(slice_trim(last), &to))
		return false;
	*days |= (u8)(1u << to);
	for (u32 day = from; day != to; day = (day + 1) % 7)
		*days |= (u8)(1u << day);
	return true;
}

/* "09:00"; 24:00 is the day's end. */
static bool minute_of(struct slice text, u32 *minute)
{
	struct slice minutes = slice_trim(text);
	struct slice hours = slice_split(&minutes, ':');
	u32 hour;

	if (hours.len != 2 || minutes.len != 2 || !slice_to_u32(hours, &hour) ||
	    !slice_to_u32(minutes, minute) || *minute > 59 || hour > 24)
		return false;
	*minute += hour * 60;
	return *minute <= DAY_MINUTES;
}

bool send_window_read(struct slice days, struct slice hours, struct send_window *window)
{
	struct slice until = hours;
	struct slice from = slice_split(&until, '-');

	*window = SEND_WINDOW_ALWAYS;
	if (slice_trim(days).len > 0) {
		window->days = 0;
		while (days.ptr) {
			if (!add_days(slice_split(&days, ','), &window->days))
				return false;
		}
	}
	if (slice_trim(hours).len == 0)
		return true;
	return until.ptr && minute_of(from, &window->from) && minute_of(until, &window->until) &&
	       window->from < DAY_MINUTES && window->until > 0 && window->from != window->until;
}

bool send_window_is_open(const struct send_window *window, const struct time_zone *zone,
			 u64 now_ms)
{
	struct clock_date date;
	u32 minute;
	u32 yesterday;

	time_zone_local(zone, now_ms, &date);
	minute = date.hour * 60 + date.minute;
	yesterday = (date.weekday + 6) % 7;
	if (window->from < window->until)
		return window->days >> date.weekday & 1 && minute >= window->from &&
		       minute < window->until;
	return (window->days >> date.weekday & 1 && minute >= window->from) ||
	       (window->days >> yesterday & 1 && minute < window->until);
}

u64 send_window_next_ms(const struct send_window *window, const struct time_zone *zone,
			u64 now_ms)
{
	u64 at = now_ms;

	/* It opens within a week, but for a change of the clock that leaves the hour out. */
	for (u32 i = 0; i < 15 * DAY_MINUTES; i++) {
		if (send_window_is_open(window, zone, at))
			return at;
		at = (at / MINUTE_MS + 1) * MINUTE_MS;
	}
	return at;
}

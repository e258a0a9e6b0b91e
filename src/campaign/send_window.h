/*
 * When a campaign may send: days of the week and hours of the day, by the clock of a zone. No I/O.
 */
#ifndef CAMPAIGN_SEND_WINDOW_H
#define CAMPAIGN_SEND_WINDOW_H

#include "campaign/time_zone.h"

#define SEND_WINDOW_ALWAYS ((struct send_window){ 0x7f, 0, 1440 })

struct send_window {
	u8 days;   /* bit 0: Sunday; of the day on which the window opens */
	u32 from;  /* minute of the day */
	u32 until; /* likewise, 1 to 1440; not above `from`: of the day after */
};

/* "mon-fri,sun" and "09:00-18:00"; empty: all. False: neither days nor hours. */
bool send_window_read(struct slice days, struct slice hours,
		      struct send_window *window) MUST_CHECK;
bool send_window_is_open(const struct send_window *window, const struct time_zone *zone,
			 u64 now_ms);
/* When it opens next: `now_ms` when it is open. */
u64 send_window_next_ms(const struct send_window *window, const struct time_zone *zone,
			u64 now_ms);

#endif

/*
 * What the sender did in the last day, in steps of five minutes, for the chart of the first page:
 * one thread asks it every minute how much it has done since it began. In memory alone; a restart
 * of the role begins anew. A sender that began anew counts from 0, which is no loss.
 */
#ifndef WEB_PULSE_H
#define WEB_PULSE_H

#include "base/types.h"
#include "io/timer.h"
#include "web/exchange.h"

#include <pthread.h>

#define PULSE_STEP_MS 300000u
#define PULSE_STEPS 288 /* a day */

enum pulse_kind { PULSE_DELIVERED, PULSE_FAILED, PULSE_DEFERRED, PULSE_BOUNCED };
#define PULSE_KINDS 4

struct pulse_step {
	u64 number; /* milliseconds since 1970 by PULSE_STEP_MS; 0: none */
	u64 counts[PULSE_KINDS];
};

/* Of all threads. */
struct pulse {
	pthread_mutex_t lock;
	struct pulse_step steps[PULSE_STEPS]; /* by number modulo their count */
	u64 totals[PULSE_KINDS]; /* as the sender said them last */
	bool has_totals;
};
void pulse_init(struct pulse *pulse);
/* What the sender says of its totals now. */
void pulse_note(struct pulse *pulse, u64 now_ms, const u64 totals[PULSE_KINDS]);
/* Steps up to now, the oldest first; those that nobody saw are left out. Returns how many. */
u32 pulse_read(struct pulse *pulse, u64 now_ms, struct pulse_step out[PULSE_STEPS]);

/* The one that asks, on its thread's ring. */
struct pulse_asker {
	struct pulse *pulse;
	struct exchange_line *line;
	struct timer_wheel *wheel;
	struct timer timer;
	struct exchange *exchange;
};
void pulse_asker_start(struct pulse_asker *asker, struct pulse *pulse, struct exchange_line *line,
		       struct timer_wheel *wheel);
void pulse_asker_stop(struct pulse_asker *asker);

#endif

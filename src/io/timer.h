/*
 * Timer wheel: starting, moving and stopping a timer cost the same whether ten or a million run.
 * Resolution is one millisecond; a timer never fires early, and at most one tick late beyond what
 * the loop itself delays. Four levels of 256 slots reach 49 days. One wheel per thread; owners'
 * memory.
 */
#ifndef IO_TIMER_H
#define IO_TIMER_H

#include "base/list.h"
#include "base/types.h"

#define TIMER_LEVELS 4
#define TIMER_SLOTS 256

struct timer {
	struct list node;
	u64 tick; /* absolute, in ms of the wheel */
	void (*fire)(struct timer *timer);
};

struct timer_wheel {
	u64 now_tick;
	u64 started_ns;
	u64 running;
	u64 occupied[TIMER_LEVELS][TIMER_SLOTS / 64]; /* which slots hold timers */
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, u64 now_ns);

void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
/* Starts, or moves when it runs. A time in the past fires at the next advance. */
void timer_start(struct timer_wheel *wheel, struct timer *timer, u64 at_ns);
void timer_stop(struct timer_wheel *wheel, struct timer *timer); /* not running: nothing happens */
bool timer_is_running(const struct timer *timer);

/* Fires all that are due; a timer is stopped before its fire runs, which may start it again. */
void timer_wheel_advance(struct timer_wheel *wheel, u64 now_ns);
/* A time at or before the next timer, for the loop's wait; UINT64_MAX when none runs. */
u64 timer_wheel_next(const struct timer_wheel *wheel);

#endif

/*
 * A call that waits until DNS was asked anew: a record may have been published a minute ago, and
 * nobody is refused by what was known before.
 */
#ifndef WEB_IDENTITY_WAIT_H
#define WEB_IDENTITY_WAIT_H

#include "web/call.h"

/* Stands in whatever waits, which sets `done` and `drop`. */
struct identity_wait {
	/* DNS has answered, or did not in time: identity_latest says what is known. */
	void (*done)(struct identity_wait *wait);
	/* The call is gone: nothing is answered any more, and what waits is to be freed. */
	void (*drop)(struct identity_wait *wait);
	struct call *call;
	struct timer timer;
	u64 asked; /* identity_ask_anew's; 0: not yet */
	u64 until_ns;
};

/* Asks, and calls `done` in a later turn. */
void identity_wait_begin(struct identity_wait *wait, struct call *call);
/* The call is gone. */
void identity_wait_drop(struct identity_wait *wait);

#endif

/*
 * The scribe: the one thread of `web` that writes the audience. Who wants something written gives
 * it an *order*; what has gathered is applied in one transaction, so that one sync of the disk
 * serves many, and an order is done when that commit is durable.
 *
 *   desk    where orders of one thread are given and come back: of a ring's thread (scribe_desk_run
 *           after each turn), or of none (scribe_do waits)
 *
 * An order whose `apply` fails spoils nobody else's: the others are applied without it. It may
 * therefore be applied more than once, each time to a transaction that knows nothing of the time
 * before; what it keeps for itself it must set anew each time.
 */
#ifndef WEB_SCRIBE_H
#define WEB_SCRIBE_H

#include "base/error.h"
#include "base/list.h"
#include "store/audience.h"
#include "web/meter.h"

#include <pthread.h>

struct ring;
struct scribe;

struct scribe_order {
	/*
	 * On the scribe's thread. STORE_OK: what it wrote is to be kept (also when it found that
	 * there was nothing to do, or refuses by a field of its own: then it has written nothing).
	 * Anything else as the store said it. At most some ten thousand records; nothing slow.
	 */
	enum store_result (*apply)(struct scribe_order *order, struct audience_txn *txn);
	/* On the desk's thread, once; `result` and `error` are set. It is the owner's again. */
	void (*done)(struct scribe_order *order);
	enum store_result result; /* STORE_FULL: no room; STORE_FAILED: the store is broken */
	struct error error;	  /* a sentence, unless STORE_OK */
	/* The scribe's own: */
	struct list node;
	struct scribe_desk *desk;
};

struct scribe_desk {
	struct scribe *scribe;
	struct ring *ring; /* woken when something is done; NULL: nobody's */
	pthread_mutex_t lock;
	pthread_cond_t is_done; /* without a ring */
	struct list done;
};

/* Starts the thread; it counts in `meter`. NULL and a sentence: no memory, no thread. */
struct scribe *scribe_open(struct audience *audience, struct meter_scribe *meter,
			   struct error *error);
/* What was given is still done, but nobody is told any more. All desks are closed. NULL is fine. */
void scribe_close(struct scribe *scribe);

void scribe_desk_init(struct scribe_desk *desk, struct scribe *scribe, struct ring *ring);
void scribe_desk_done(struct scribe_desk *desk); /* nothing of it is under way */

/* Given orders are applied in the order of being given. `done` comes from scribe_desk_run. */
void scribe_give(struct scribe_desk *desk, struct scribe_order *order);
/* Calls `done` for what is done. */
void scribe_desk_run(struct scribe_desk *desk);

/* For threads without a ring (`done` is not called): waits. What the order's `result` says. */
enum store_result scribe_do(struct scribe *scribe, struct scribe_order *order) MUST_CHECK;

#endif

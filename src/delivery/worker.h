/*
 * A worker: one thread, one ring, thousands of SMTP sessions, nothing shared with other workers.
 * Leases come in through one queue and go back, decided, through another. One turn of its loop:
 *
 *   completions and timers -> new leases -> messages for hungry sessions (composed, signed in one
 *   batch) -> output of every session that has some -> decided leases back to the planner
 */
#ifndef DELIVERY_WORKER_H
#define DELIVERY_WORKER_H

#include "base/error.h"
#include "base/spsc.h"
#include "base/types.h"
#include "delivery/lease.h"
#include "io/ring.h"
#include "metrics/metrics.h"

struct worker_params {
	u32 index;
	u32 sessions_max; /* sockets of the ring */
	u32 leases_max;   /* power of two; length of both queues */
	u64 seed;
	struct metrics_worker *metrics;
	/* Called when decided leases wait in the outbox: wakes the planner. */
	void (*notify)(void *context);
	void *context;
};

struct worker;

/* Opens the ring in the calling thread, which must be the one that turns it. */
struct worker *worker_open(const struct worker_params *params, struct error *error);
void worker_close(struct worker *worker); /* after worker_is_finished */

/* One turn; waits up to timeout_ns when there is nothing to do. */
void worker_turn(struct worker *worker, u64 timeout_ns);
/* True after worker_stop once every session is closed and every lease is given back. */
bool worker_is_finished(const struct worker *worker);

/* ---- from the planner's thread ---- */

bool worker_give(struct worker *worker, struct lease *lease); /* false: queue full */
struct lease *worker_take_back(struct worker *worker);        /* NULL: none */
void worker_wake(struct worker *worker);                      /* after a batch of worker_give */
/*
 * Leases not yet begun come back UNSENT, open transactions are finished, sessions QUIT. With
 * `at_once` open transactions are broken off.
 */
void worker_stop(struct worker *worker, bool at_once);

/* ---- as threads (the simulator turns workers itself) ---- */

struct worker_thread;
/*
 * Starts a thread that opens a worker and turns it until it is finished. NULL and an error
 * otherwise.
 */
struct worker_thread *worker_thread_start(const struct worker_params *params,
					  struct worker **worker, struct error *error);
/* Waits for the end; the worker is closed then. */
void worker_thread_join(struct worker_thread *thread);

#endif

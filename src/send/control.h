/*
 * The sender's end of the control socket: accepts the command line client (control/README.md has
 * the protocol) and does what it asks. Everything runs from completions of the ring and timers of
 * the wheel, in the planner's thread and never inside a turn of the planner; so planner and queue
 * are called directly.
 *
 * No client can hold up the sender or make it grow: at most CONTROL_LINKS_MAX connections, one
 * request at a time on each, a bounded buffer for what is not read yet. Long answers read the queue
 * in slices of a few thousand rows and let the ring and the planner turn in between.
 *
 * What a report promises: on a campaign at rest (ready, paused without mail under way, done,
 * cancelled) each recipient comes exactly once. While rows move, none is missed, but one that moves
 * during the report may come twice; what comes last is the truth. Final rows older than
 * queue.log_keep are gone from the delivery log, and from reports.
 */
#ifndef SEND_CONTROL_H
#define SEND_CONTROL_H

#include "base/config.h"
#include "base/error.h"
#include "base/types.h"
#include "delivery/planner.h"
#include "io/ring.h"
#include "io/timer.h"
#include "metrics/metrics.h"

/* The ring's table must have room for so many accepted connections and a listener. */
#define CONTROL_LINKS_MAX 32
#define CONTROL_ACCEPTED_MAX (2 * CONTROL_LINKS_MAX) /* those beyond are told so and closed */

struct send_control;

/* All of it outlives the control; the caller turns the ring and advances the wheel. */
struct send_control_params {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct planner *planner;
	const struct config *config;
	const struct metrics *metrics;
};

/*
 * Listens on config->control (unix socket, mode 0660). NULL and a sentence, also when one listens.
 */
struct send_control *send_control_open(const struct send_control_params *params,
				       struct error *error) MUST_CHECK;

/* A client asked for the end of the process. Stays true. */
bool send_control_stop_requested(const struct send_control *control);

/*
 * Before planner_close: accepts nothing more, aborts imports, closes all connections but those that
 * wait for the end; from then on planner and queue are not touched.
 */
void send_control_leave_planner(struct send_control *control);

/*
 * Removes the socket and closes what is left, so that clients which wait for the end see it; turns
 * the ring until its own operations are over. NULL is fine.
 */
void send_control_close(struct send_control *control);

#endif

/*
 * The sender's end of the control socket: what the command line asks for is answered from here, on the
 * planner's ring and in its thread.
 */
#ifndef SEND_CONTROL_H
#define SEND_CONTROL_H

#include "base/config.h"
#include "base/error.h"
#include "delivery/planner.h"
#include "io/ring.h"
#include "io/timer.h"
#include "metrics/metrics.h"

struct send_control;

struct send_control_params {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct planner *planner;
	const struct config *config;
	const struct metrics *metrics;
};

/* Listens on config->control (mode 0660; a stale socket file is replaced). */
struct send_control *send_control_open(const struct send_control_params *params, struct error *error);
/* Somebody asked the sender to end. */
bool send_control_stop_requested(const struct send_control *control);
void send_control_close(struct send_control *control); /* connections see the end */

#endif

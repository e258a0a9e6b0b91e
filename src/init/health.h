/*
 * Whether the system that runs is well: decides when its slot may be marked good, and when one on
 * trial is given up. Decisions only; init tells it what it sees, and the time.
 *
 * Well means: the data volume is open, a console runs, and the sender, when it is configured, is
 * ready; on trial the sender has passed its self-test, too, and the web server, unless there is to
 * be none, has answered. All that for HEALTH_STEADY_MS on end without any service dying. A system
 * on trial that is not well HEALTH_PATIENCE_MS after its start is followed by the good one: init
 * reboots, and GRUB has used up the trial.
 */
#ifndef INIT_HEALTH_H
#define INIT_HEALTH_H

#include "base/types.h"

#define HEALTH_STEADY_MS 10000
#define HEALTH_PATIENCE_MS 300000

/* What init sees at one moment. */
struct health_view {
	bool is_trial;
	bool data_is_open;
	bool console_runs;
	bool is_configured;
	bool sender_is_ready;
	bool mail_is_tested; /* a message was queued, signed, delivered and verified */
	bool has_pages;      /* there is to be a web server */
	bool page_is_tested; /* it answered */
	u64 deaths; /* of services, since the start */
};

struct health {
	u64 well_since_ms; /* 0: not well */
	u64 deaths;
	bool is_decided;
};

enum health_verdict { HEALTH_WAIT, HEALTH_GOOD, HEALTH_GIVE_UP };

/* GOOD and GIVE_UP come once. */
enum health_verdict health_look(struct health *health, const struct health_view *view,
				u64 now_ms) MUST_CHECK;

#endif

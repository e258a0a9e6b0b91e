/*
 * What goes when its time is over, looked at every hour, by jobs: contacts that never confirmed
 * (campaign/pending_sweep.h; after how many days, the settings say), what imports keep, and files
 * that were brought and never imported (import_job.h).
 */
#ifndef WEB_SWEEPER_H
#define WEB_SWEEPER_H

#include "base/config.h"
#include "io/timer.h"
#include "web/job.h"

/* On the ring of one thread; configuration, jobs and wheel outlive it. */
struct sweeper {
	struct timer timer;
	struct timer_wheel *wheel;
	struct jobs *jobs;
	const struct config *config;
};

void sweeper_start(struct sweeper *sweeper, struct jobs *jobs, const struct config *config,
		   struct timer_wheel *wheel);
void sweeper_stop(struct sweeper *sweeper);

/* The job for contacts, at once. False: no memory. */
bool sweeper_give_contacts(struct jobs *jobs) MUST_CHECK;

#endif

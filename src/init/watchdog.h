/*
 * The machine's watchdog: if init does not turn its loop for WATCHDOG_TIMEOUT_S, the machine is
 * reset. A machine without one is served by the kernel's software watchdog, or goes without.
 */
#ifndef INIT_WATCHDOG_H
#define INIT_WATCHDOG_H

#include "base/types.h"

#define WATCHDOG_TIMEOUT_S 60
#define WATCHDOG_PERIOD_MS 10000

struct watchdog {
	int fd; /* -1: none */
	u64 next_ms;
};

void watchdog_open(struct watchdog *watchdog);
/* Tells it that all is well, at most every WATCHDOG_PERIOD_MS. */
void watchdog_turn(struct watchdog *watchdog, u64 now_ms);
/* For a shutdown: it stays armed, so that one that hangs ends as well; one more full timeout. */
void watchdog_last(struct watchdog *watchdog);

#endif

/*
 * Shows what a command writes, a screenful at a time. A few lines go straight through; behind a
 * full screen `-- more --` waits for a key. It starts no program.
 */
#ifndef CONSOLE_PAGER_H
#define CONSOLE_PAGER_H

#include "base/types.h"

#include <signal.h>

/*
 * Copies from `from` to standard output, a terminal, until its end. The operator may stop it (q,
 * Ctrl-C): then it returns at once and leaves the rest unread. *interrupted may be set by a signal
 * handler.
 */
void pager_run(int from, const volatile sig_atomic_t *interrupted);

/* Rows that a line takes on a terminal of so many columns; at least 1. */
u32 pager_rows(struct slice line, u32 columns);

#endif

/*
 * One-shot programs that a person asks for by init's control socket and that need rights the
 * console does not have: making keys (as the sender's user), upgrades, backup. Which there are, and
 * what each may do, is in task.c. A task goes on when whoever asked for it goes away.
 */
#ifndef INIT_TASK_H
#define INIT_TASK_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"
#include "init/loop.h"

#include <jansson.h>
#include <sys/types.h>

struct task;

/* What the one who asked hears; `owner` is NULL once it has gone. */
struct task_listener {
	void (*line)(void *owner, struct slice text);
	void (*ended)(void *owner, int exit_code);
	void (*wants_input)(void *owner); /* the input has room again */
};

/*
 * Starts the task `name` with `arguments` (an array of texts, or NULL). NULL and a sentence: no
 * such task, too many at once, a bad argument. With `has_input` the caller feeds its standard
 * input.
 */
struct task *task_start(struct loop *loop, const char *name, const json_t *arguments,
			bool has_input, const struct task_listener *listener, void *owner,
			struct error *error) MUST_CHECK;
/* Nobody listens any more; an input that has not ended is closed. */
void task_leave(struct task *task);

/*
 * Bytes for the standard input. False: the task takes no more for now; they were all taken, and
 * `wants_input` tells when to go on.
 */
bool task_input(struct task *task, struct slice bytes);
void task_end_input(struct task *task);

/* A child of init ended: true if it was a task's (which is told to its listener and freed). */
bool task_reaped(pid_t pid, int status);
/* Asks all that run to end, for a shutdown. */
void task_stop_all(void);
u32 task_count(void);

#endif

/*
 * Makes the process of a service: a session of its own, its output into a pipe (or a terminal of
 * its own as controlling terminal), its cgroup, its sandbox, then exec.
 */
#ifndef INIT_SPAWN_H
#define INIT_SPAWN_H

#include "base/error.h"
#include "base/types.h"
#include "init/cgroup.h"
#include "init/sandbox.h"

#include <sys/types.h>

#define SPAWN_WORDS_MAX 32
#define SPAWN_WORD_SIZE 256
#define SPAWN_ENVIRONMENT_MAX 8

/* How one service, or one task, is run. Plain data; owns its words. */
struct spawn_plan {
	char name[32]; /* of the cgroup and in the log */
	char words[SPAWN_WORDS_MAX]
		  [SPAWN_WORD_SIZE]; /* path and arguments; ends with an empty one */
	/* NAME=value; ends with an empty one. Beyond these: PATH, HOME and LANG only. */
	char environment[SPAWN_ENVIRONMENT_MAX][SPAWN_WORD_SIZE];
	char terminal[32];  /* "/dev/ttyS0"; "": output goes to the log */
	const char *folder; /* working directory; NULL: / */
	struct sandbox sandbox;
	struct cgroup_limits limits;
	int oom_score; /* -1000 (never) to 1000 (first) */
};

/* Appends a word; one that does not fit, or is one too many, makes the plan fail at spawn. */
void spawn_add_word(struct spawn_plan *plan, const char *fmt, ...) PRINTF_LIKE(2, 3);
void spawn_add_environment(struct spawn_plan *plan, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Starts it. *output is the reading end of its output, non-blocking, for the caller to close; -1
 * with a terminal. Returns the process, or -1 and a sentence. What goes wrong in the child before
 * exec is said in its output, and it ends with SPAWN_FAILED.
 */
#define SPAWN_FAILED 127
pid_t spawn(const struct spawn_plan *plan, int *output, struct error *error) MUST_CHECK;
/*
 * The same; unless `input` is NULL its standard input is a pipe, and *input the writing end:
 * non-blocking, for the caller to close.
 */
pid_t spawn_with_input(const struct spawn_plan *plan, int *output, int *input,
		       struct error *error) MUST_CHECK;

#endif

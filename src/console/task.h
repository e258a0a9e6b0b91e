/*
 * Work that the console has no right to do itself: init runs it (`task.run`) and hands on what it
 * prints.
 */
#ifndef CONSOLE_TASK_H
#define CONSOLE_TASK_H

#include "console/console.h"

/*
 * Runs the task with these words and prints its lines. `input` (-1: none) is read to its end and
 * given to the task. Returns the task's exit code, or what went wrong on the way.
 */
int task_run(const struct console *console, const char *name, int argc, char **argv, int input);

/* The same without input, each line to `on_line`. */
int task_collect(const struct console *console, const char *name, int argc, char **argv,
		 void (*on_line)(void *arg, struct slice line), void *arg);

/*
 * For commands that exist on every host, and that on the appliance's console only a task has the
 * rights for: true when this is one, and then its exit code is *code.
 */
bool task_instead(const struct console *console, const char *name, int argc, char **argv,
		  int *code);

#endif

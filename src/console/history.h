/*
 * What was typed, kept from session to session: a line each in a file that all consoles of the
 * appliance append to.
 */
#ifndef CONSOLE_HISTORY_H
#define CONSOLE_HISTORY_H

#include "console/console.h"

#include <stdio.h>

/* Where it is: on the appliance in its folder of settings, else in $HOME; "" : nowhere. */
void history_path(char path[CONSOLE_PATH_SIZE]);

/* Calls back with each line, oldest first, at most HISTORY_LINES of the newest. */
#define HISTORY_LINES 500
void history_read(const char *path, void (*on_line)(void *arg, const char *line), void *arg);

/*
 * A line that may be kept: not one that begins with a blank (that is how to keep something out of
 * it), nor one with a password in a URL.
 */
bool history_is_kept(const char *line);
/* Appends; the file is of mode 0600 and never grows far over HISTORY_LINES. A file that cannot be
 * written is no reason for a complaint at each command. */
void history_add(const char *path, const char *line);

#endif

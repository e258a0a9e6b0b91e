/*
 * DKIM keys as the operator sees them.
 */
#ifndef CONSOLE_KEYS_H
#define CONSOLE_KEYS_H

#include "console/console.h"
#include "dkim/key.h"

/* Prints file, kind, DNS record and zone line (or JSON) on standard output; the exit code. */
int keys_print(const struct console *console, const struct dkim_key *key, const char *path);

#endif

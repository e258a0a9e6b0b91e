/*
 * Refused rows of an import: to a CSV file with --rejects, else the first ones as lines on standard
 * error. Cells that a spreadsheet would run as formulas are made plain text.
 */
#ifndef CONSOLE_REJECTS_H
#define CONSOLE_REJECTS_H

#include "base/error.h"
#include "base/types.h"
#include "console/console.h"

#include <stdio.h>

#define REJECTS_SHOWN_MAX 20

struct rejects {
	const struct console *console;
	FILE *file; /* NULL: standard error */
	const char *path;
	u64 count;
};

/* path NULL: standard error. An old file is overwritten; a new one is for its owner only. */
bool rejects_open(struct rejects *rejects, const struct console *console, const char *path,
		  struct error *error);
void rejects_add(struct rejects *rejects, u64 line, const char *reason);
/* False: the file could not be written whole. */
bool rejects_close(struct rejects *rejects, struct error *error);

/* One CSV cell (RFC 4180), quoted where needed; formulas get an apostrophe in front. */
void rejects_add_cell(FILE *out, struct slice text);

#endif

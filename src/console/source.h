/*
 * The template files of `campaign create`.
 */
#ifndef CONSOLE_SOURCE_H
#define CONSOLE_SOURCE_H

#include "base/buf.h"
#include "base/error.h"
#include "control/campaign.h"

/* Paths; NULL: not given. */
struct source_files {
	const char *whole;
	const char *headers;
	const char *text;
	const char *html;
};

/* True for a whole template alone, or headers with a text, an HTML or both. */
bool source_files_are_complete(const struct source_files *files);

struct source {
	struct buf bytes[CONTROL_DATA_PARTS + 1]; /* by tag */
	struct slice parts[CONTROL_DATA_PARTS + 1];
};

/* Reads the files; refuses empty ones and more than CONTROL_TEMPLATE_MAX bytes together. */
bool source_read(struct source *source, const struct source_files *files, struct error *error);
void source_done(struct source *source); /* fine on a zeroed one */

#endif

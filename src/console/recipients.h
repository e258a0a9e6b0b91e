/*
 * The CSV file of `campaign create`, read piece by piece: recipients come out through a callback,
 * refused rows through another. A thin layer on campaign/intake.h, which judges the rows.
 */
#ifndef CONSOLE_RECIPIENTS_H
#define CONSOLE_RECIPIENTS_H

#include "base/error.h"
#include "base/types.h"

struct recipients;

struct recipients_params {
	const char *path; /* "-": standard input */
	char delimiter;   /* 0: found out from the first line */
	/* Slices live during the call only. */
	void (*on_row)(void *arg, struct slice address, struct slice values);
	void (*on_refused)(void *arg, u64 line, const char *reason);
	void *arg;
};

struct recipients_counts {
	u64 accepted;
	u64 quoted;     /* of them: addresses that only quotes make legal (a..b@x) */
	u64 refused;    /* duplicates included */
	u64 duplicates;
	u64 bytes_read;
	u64 bytes_total; /* 0: not known (a pipe) */
};

struct recipients *recipients_open(const struct recipients_params *params,
				   struct error *error) MUST_CHECK;
void recipients_close(struct recipients *recipients); /* NULL is fine */

/*
 * Reads up to the first row behind the header, which is handed out already. False: no header, no
 * `email` column, not UTF-8, ...
 */
bool recipients_read_header(struct recipients *recipients, struct error *error) MUST_CHECK;
/* Names of the merge columns in the order of the values; valid until close. */
size_t recipients_columns(const struct recipients *recipients, const char *const **columns);

/* Reads one more piece: 1 there is more, 0 the file is at its end, -1 it cannot be read. */
int recipients_read(struct recipients *recipients, struct error *error) MUST_CHECK;

void recipients_counts(const struct recipients *recipients, struct recipients_counts *counts);

#endif

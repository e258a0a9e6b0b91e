/*
 * The appliance's log: lines of all services and of the kernel, in the order in which they came.
 * The last LOGBOOK_LINES are in memory; once the data volume is there, everything also goes to
 * log/hikyaku.log on it, which is turned to hikyaku.log.1 ... .7 at LOGBOOK_FILE_MAX, the oldest
 * deleted. A volume that is full costs the file lines, and the next one that fits says how many.
 *
 * A line of the file: time (RFC 3339, UTC), service, the line as the service wrote it, without
 * control bytes.
 */
#ifndef INIT_LOGBOOK_H
#define INIT_LOGBOOK_H

#include "base/error.h"
#include "base/types.h"

#define LOGBOOK_LINES 2048
#define LOGBOOK_LINE_MAX 2048
#define LOGBOOK_FILE_MAX (8u << 20)
#define LOGBOOK_FILES 8
#define LOGBOOK_SERVICE_SIZE 32

struct logbook;

struct logbook_line {
	u64 number;  /* counts from 1, never twice */
	u64 time_ms; /* wall clock */
	const char *service;
	struct slice text; /* without line feed; borrowed until the next line is added */
};

struct logbook *logbook_new(void); /* NULL: no memory */
void logbook_free(struct logbook *logbook);

void logbook_add(struct logbook *logbook, const char *service, struct slice text);

/* Begins the file in `folder` with what memory has. False: it stays in memory only, and why. */
bool logbook_open(struct logbook *logbook, const char *folder, struct error *error) MUST_CHECK;
void logbook_sync(struct logbook *logbook); /* to the disk, before it goes */
/* The volume is about to be unmounted: what follows stays in memory. */
void logbook_close(struct logbook *logbook);

/*
 * The oldest line in memory whose number is at least `from` (and of `service`, unless NULL). False:
 * none. logbook_last is the number of the newest line, 0 when there is none.
 */
bool logbook_find(const struct logbook *logbook, u64 from, const char *service,
		  struct logbook_line *line);
u64 logbook_last(const struct logbook *logbook);
/* Number of the line with which the newest `count` of `service` (NULL: all) begin. */
u64 logbook_from_end(const struct logbook *logbook, const char *service, u64 count);
/* Lines that did not get into the file, since the start. */
u64 logbook_lost(const struct logbook *logbook);

#endif

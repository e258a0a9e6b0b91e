/*
 * Lines of the appliance's log, as init hands them out, for people.
 */
#ifndef CONSOLE_LOG_LINES_H
#define CONSOLE_LOG_LINES_H

#include "base/buf.h"
#include "base/types.h"

#include <jansson.h>

/* "2026-11-25 03:12:00 send      warn delivery event=..." of an item {time_ms, service, line}. */
void log_line_format(struct buf *out, const json_t *item);

/* An error or a warning, of a line as base/log.h writes it. */
bool log_line_is_trouble(struct slice line);

#endif

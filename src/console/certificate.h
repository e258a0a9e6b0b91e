/*
 * What the web server shows of itself, by the file in which `hikyaku www` tells it
 * (web/front_state.h): for the status and for checks.
 */
#ifndef CONSOLE_CERTIFICATE_H
#define CONSOLE_CERTIFICATE_H

#include "base/config.h"
#include "console/command.h"

#include <jansson.h>

#define CERTIFICATE_SOON_DAYS 14 /* it should have been renewed by then, as the alert rules say */

/* `config` NULL: where it is without one. NULL: nothing was told. The caller's. */
json_t *certificate_read(const struct config *config);
/* The same by the console's configuration. */
json_t *certificate_read_here(const struct console *console);
/* In one line: names, of what kind it is, days left, what ails it; by the wall clock. */
void certificate_add_line(struct buf *out, const json_t *state, u64 now_ms);
/* What has to be seen to, as a sentence. False: nothing; `out` is as it was. */
bool certificate_add_warning(struct buf *out, const json_t *state, u64 now_ms);

#endif

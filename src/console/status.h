/*
 * Parts of the status that the sender gives, for the screens that show them.
 */
#ifndef CONSOLE_STATUS_H
#define CONSOLE_STATUS_H

#include "console/command.h"

#include <jansson.h>

/* Rates, totals, queue, sessions, campaigns, store: a line each, six of them. */
void status_print_work(const json_t *status);

/*
 * The appliance on one screen of 24 rows and 80 columns: who it is, how it is, what it does, and
 * what went wrong last. `system` is init's system.status; `sender` (NULL: does not answer) the
 * sender's status; `troubles` a list of log items, newest last, as many as there is room for;
 * `ptr` what DNS says of our addresses, or NULL; `web` what the web server told (certificate.h), or
 * NULL.
 */
void status_print_appliance(const json_t *system, const json_t *sender, const json_t *troubles,
			    const char *ptr, const json_t *web);

/* Of the appliance. False: there is no data volume that can be written, and the operator has been
 * told. */
bool system_has_data(struct console *console);

#endif

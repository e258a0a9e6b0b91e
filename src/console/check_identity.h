/* `check identity` for who starts campaigns: delivery/identity_check.h does the work. */
#ifndef CONSOLE_CHECK_IDENTITY_H
#define CONSOLE_CHECK_IDENTITY_H

#include "console/console.h"

/*
 * Whether a campaign of the customer with that domain may start: on the appliance, only if SPF or
 * DKIM would vouch for its mail. CONSOLE_OK, or what to exit with; the reason has been said. When
 * it is overridden it may, and init's log has why it should not.
 */
int check_identity_before_start(const struct console *console, const char *domain,
				bool is_overridden);

#endif

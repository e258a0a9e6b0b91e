/*
 * The appliance's settings (appliance.conf) while somebody changes them: the file is written at
 * once, and counts when init is told to apply it. What counted before is kept beside it until then,
 * to go back to; that copy does not outlive a restart of the machine.
 */
#ifndef CONSOLE_SETTINGS_H
#define CONSOLE_SETTINGS_H

#include "base/appliance.h"
#include "base/error.h"

/* Reads what is to count; owned by the caller (appliance_free). */
bool settings_read(struct appliance *appliance, struct error *error) MUST_CHECK;
/* The same of those that came with a backup (init/restore.h). False: also when none did. */
bool settings_read_restored(struct appliance *appliance, struct error *error) MUST_CHECK;
/* Checks and writes, with what counted before kept if that is not kept yet. */
bool settings_write(const struct appliance *appliance, struct error *error) MUST_CHECK;

/* There are settings that nobody applied, or confirmed, yet. */
bool settings_are_open(void);
/* What is written counts from now on. */
void settings_keep(void);
/* Takes back what is written since settings last counted. False: there is nothing, or no way. */
bool settings_revert(struct error *error) MUST_CHECK;

/*
 * What is written differs from what counts in something that may cut off whoever sits at the far
 * end of an ssh session: addresses, routes, interfaces, ssh itself.
 */
bool settings_may_cut_off(void);

#endif

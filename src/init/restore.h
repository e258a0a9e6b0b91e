/*
 * Puts a staged backup (send/backup.h) in place, before any service runs. Every step can be done
 * again, so a power cut in the middle is followed by the rest at the next start.
 */
#ifndef INIT_RESTORE_H
#define INIT_RESTORE_H

#include "base/error.h"
#include "base/types.h"

#define RESTORE_STAGE "send/restore" /* below the data folder */

enum restore_result { RESTORE_NONE, RESTORE_DONE, RESTORE_FAILED };

/*
 * Looks for a stage below `data` ("/data"). DONE: everything that the backup had is in place, the
 * queue that was here is gone. Of appliance.conf the machine's own stays, if it has one. FAILED,
 * with a sentence: it is tried again at the next start.
 */
enum restore_result restore_apply(const char *data, struct error *error) MUST_CHECK;

#endif

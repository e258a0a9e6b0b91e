/*
 * Who sits at this console: where from, and by which key. For init's log; nothing is decided by it,
 * since all of it comes from the environment of the session.
 */
#ifndef CONSOLE_WHO_H
#define CONSOLE_WHO_H

#include "base/types.h"

#define WHO_SIZE 200

/* "ssh 192.0.2.7 ops@example" (the key's comment), "ttyS0", or "uid 100"; without controls. */
void who_describe(char who[WHO_SIZE]);

/* The console runs at the far end of ssh. */
bool who_is_remote(void);
/* The address that this ssh session came to, of ours; "" when there is none. */
void who_local_address(char address[64]);

#endif

/* Where services say that they are ready: datagrams "READY=1", as systemd's notify socket has. */
#ifndef INIT_NOTIFY_H
#define INIT_NOTIFY_H

#include "base/error.h"
#include "base/types.h"

#include <sys/types.h>

#define NOTIFY_PATH "/run/hikyaku/notify"

/* The descriptor, non-blocking; -1 and a sentence. */
int notify_listen(const char *path, struct error *error) MUST_CHECK;

/*
 * Takes one datagram off: false when there is none. *pid is the process that is ready, as the
 * kernel knows it, or 0 when it said something else.
 */
bool notify_take(int fd, pid_t *pid) MUST_CHECK;

#endif

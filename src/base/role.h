/*
 * What roles that run in the foreground have in common: their command line, and the signals that
 * end them.
 */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include "base/error.h"
#include "base/types.h"

#define ROLE_CONFIG "/etc/hikyaku/hikyaku.conf" /* unless --config names another */

/*
 * Reads "[--config FILE]". Returns the path; unless *code is -1 the role ends with it: --help was
 * answered, or `usage` was printed on stderr since the command line is wrong.
 */
const char *role_config_path(int argc, char **argv, const char *usage, int *code);

/*
 * SIGTERM and SIGINT come by the descriptor that is returned, non-blocking, from now on; SIGPIPE
 * and SIGXFSZ are ignored. Before any thread is made, so that only the descriptor sees them. -1 and
 * a sentence.
 */
int role_watch_signals(struct error *error) MUST_CHECK;
/* How many have come since the last call. */
u32 role_take_signals(int fd);

#endif

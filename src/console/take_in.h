/* A file that comes by standard input, for the commands that put one somewhere. */
#ifndef CONSOLE_TAKE_IN_H
#define CONSOLE_TAKE_IN_H

#include "base/types.h"

#include <sys/types.h>

/* From one descriptor to another until the end. How many bytes; -1: errno says. */
i64 take_in_copy(int from, int to) MUST_CHECK;

/*
 * All of standard input as the file `name` (at most 255 bytes) of a folder: beside it first, since
 * the name stands for a whole file, also when the line drops. On the disk when it returns. `mode`
 * is what others may do with it; `is_exact`: whatever the umask says. How many bytes; -1: errno
 * says, and the file is as it was.
 */
i64 take_in(int folder, const char *name, mode_t mode, bool is_exact) MUST_CHECK;

#endif

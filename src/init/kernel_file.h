/*
 * What the kernel shows below /proc and /sys as files: each is read, and written, in one go.
 */
#ifndef INIT_KERNEL_FILE_H
#define INIT_KERNEL_FILE_H

#include "base/types.h"

/*
 * At most `size` bytes, without the newlines at the end, in `to`. Empty: there is no such file, or
 * nothing in it.
 */
struct slice kernel_file_read(const char *path, char *to, size_t size);
/* False: errno. */
bool kernel_file_write(const char *path, const char *text);

#endif

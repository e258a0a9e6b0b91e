/*
 * A whole file in memory.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/types.h"

/*
 * The bytes of the file, at most max + 1 of them: one too many, for the caller to refuse. The
 * caller frees text->ptr. False: error set, and errno (ENOENT: there is none).
 */
bool file_read(const char *path, size_t max, struct slice *text, struct error *error) MUST_CHECK;

#endif

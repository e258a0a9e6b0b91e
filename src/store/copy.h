/*
 * A copy of an environment while its process runs (LMDB's hot copy): one moment of it, without the
 * pages that are free. From another process than that one.
 */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "base/error.h"
#include "base/types.h"

/*
 * Writes the copy of the environment in folder `path` to `fd`: what is to be data.mdb of another.
 * The process keeps old pages for as long as it takes. False, with a sentence: there is none, or no
 * room.
 */
bool store_copy(const char *path, int fd, struct error *error) MUST_CHECK;

#endif

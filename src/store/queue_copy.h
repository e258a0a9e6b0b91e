/*
 * A copy of the queue while the sender runs (LMDB's hot copy): one moment of it, without the pages
 * that are free. From another process than the sender's.
 */
#ifndef STORE_QUEUE_COPY_H
#define STORE_QUEUE_COPY_H

#include "base/error.h"
#include "base/types.h"

/*
 * Writes the copy of the environment in folder `path` to `fd`: what is to be data.mdb of another.
 * The sender's old pages are kept for as long as it takes. False, with a sentence: no queue there,
 * no room.
 */
bool queue_copy(const char *path, int fd, struct error *error) MUST_CHECK;

#endif

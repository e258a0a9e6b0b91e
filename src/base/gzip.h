/*
 * Bytes in the gzip format (RFC 1952). With its .c the only place that names zlib.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/buf.h"
#include "base/types.h"

/* Appends the compressed bytes; `out` is failed when they do not fit or memory lacks. */
void gzip_add(struct buf *out, struct slice bytes);

#endif

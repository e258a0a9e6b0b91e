/*
 * A growing buffer that is given its maximum at init. Appending past the maximum or past the
 * memory that there is marks it failed; later appends do nothing, so that a long run of appends
 * needs one check at the end. Bytes are owned by the buffer; slices of it die with the next append.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/types.h"

struct buf {
	char *ptr;
	size_t len;
	size_t size;
	size_t max;
	bool failed;
	bool no_memory; /* failed for want of memory, and not at the maximum */
};

void buf_init(struct buf *buf, size_t max); /* allocates nothing yet */
void buf_done(struct buf *buf);             /* frees; the buf may be used again after buf_init */
void buf_reset(struct buf *buf);            /* empties, keeps the memory, forgets failures */

/* Room for `len` more bytes behind what is there: pointer to it, or NULL (then it is failed). */
char *buf_reserve(struct buf *buf, size_t len) MUST_CHECK;
void buf_advance(struct buf *buf, size_t len); /* what was written into the reserved room */

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_slice(struct buf *buf, struct slice s);
void buf_add_text(struct buf *buf, const char *cstr);
void buf_add_char(struct buf *buf, char c);
void buf_add_u64(struct buf *buf, u64 value);
void buf_add_format(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_drop_front(struct buf *buf, size_t len); /* moves the rest down */

struct slice buf_slice(const struct buf *buf);
/* Ends the text with a NUL that is not counted; "" when failed before anything was added. */
const char *buf_text(struct buf *buf);

#endif

/*
 * Bump allocator: many small things with one lifetime (a compiled template, a message being
 * composed). Grows by chunks up to a maximum; reset keeps the first chunk, so that a message
 * arena allocates nothing once it is warm.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/buf.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *first;
	struct arena_chunk *last;
	size_t chunk_size;
	size_t total;
	size_t max;
};

void arena_init(struct arena *arena, size_t chunk_size, size_t max);
void arena_done(struct arena *arena);
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type; NULL when the maximum or the memory is reached. */
void *arena_take(struct arena *arena, size_t size) MUST_CHECK;
/* Copy of s in the arena; ptr is NULL when there is no room (and never NULL otherwise). */
struct slice arena_copy(struct arena *arena, struct slice s) MUST_CHECK;
/* The same of what the buffer holds; ptr is NULL also when the buffer failed and is not whole. */
struct slice arena_copy_buf(struct arena *arena, const struct buf *buf) MUST_CHECK;

#endif

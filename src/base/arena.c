#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t chunk_size, size_t max)
{
	*arena = (struct arena){ .chunk_size = chunk_size, .max = max };
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void arena_done(struct arena *arena)
{
	free_chunks(arena->first);
	arena_init(arena, arena->chunk_size, arena->max);
}

void arena_reset(struct arena *arena)
{
	if (!arena->first)
		return;
	free_chunks(arena->first->next);
	arena->first->next = NULL;
	arena->first->used = 0;
	arena->last = arena->first;
	arena->total = arena->first->size;
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t need)
{
	size_t size = need > arena->chunk_size ? need : arena->chunk_size;
	struct arena_chunk *chunk;

	if (size > arena->max - arena->total)
		return NULL;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	*chunk = (struct arena_chunk){ .size = size };
	if (arena->last)
		arena->last->next = chunk;
	else
		arena->first = chunk;
	arena->last = chunk;
	arena->total += size;
	return chunk;
}

void *arena_take(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *chunk = arena->last;
	void *result;

	if (size > arena->max)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (!chunk)
		return NULL;
	result = chunk->bytes + chunk->used;
	chunk->used += size;
	return memset(result, 0, size);
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
	char *to = arena_take(arena, s.len + 1);

	if (!to)
		return SLICE_NONE;
	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	return (struct slice){ to, s.len };
}

struct slice arena_copy_buf(struct arena *arena, const struct buf *buf)
{
	return buf->failed ? SLICE_NONE : arena_copy(arena, buf_slice(buf));
}

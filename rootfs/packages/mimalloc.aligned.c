/*
 * mimalloc 2.0 leaves C11's aligned_alloc to the C library. Memory from musl's allocator must never
 * meet mimalloc's free, so it comes from the same heap as everything else.
 */
#include <mimalloc.h>

#include <stddef.h>

void *aligned_alloc(size_t alignment, size_t size);

void *aligned_alloc(size_t alignment, size_t size)
{
	return mi_malloc_aligned(size, alignment);
}

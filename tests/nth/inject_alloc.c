/*
 * The allocator, in front of the sanitizer's. What the sanitizer allocates inside functions that it
 * takes over itself (strdup) is asked for here, too.
 */
#include "nth/inject.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *at, size_t size);
void *__interceptor_reallocarray(void *at, size_t count, size_t size);
void *__interceptor_memalign(size_t alignment, size_t size);
void *__interceptor_aligned_alloc(size_t alignment, size_t size);
int __interceptor_posix_memalign(void **at, size_t alignment, size_t size);
char *__interceptor_strdup(const char *text);
char *__interceptor_strndup(const char *text, size_t size);
char *__strdup(const char *text);

static bool fails(void)
{
	if (!inject_event(INJECT_ALLOC, 0))
		return false;
	inject_note(ENOMEM);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __interceptor_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __interceptor_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
	return size > 0 && fails() ? NULL : __interceptor_realloc(at, size);
}

void *reallocarray(void *at, size_t count, size_t size)
{
	return count > 0 && size > 0 && fails() ? NULL
						 : __interceptor_reallocarray(at, count, size);
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : __interceptor_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __interceptor_aligned_alloc(alignment, size);
}

int posix_memalign(void **at, size_t alignment, size_t size)
{
	return fails() ? ENOMEM : __interceptor_posix_memalign(at, alignment, size);
}

char *strdup(const char *text)
{
	return fails() ? NULL : __interceptor_strdup(text);
}

char *__strdup(const char *text)
{
	return fails() ? NULL : __interceptor_strdup(text);
}

char *strndup(const char *text, size_t size)
{
	return fails() ? NULL : __interceptor_strndup(text, size);
}

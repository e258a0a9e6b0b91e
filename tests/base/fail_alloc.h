/*
 * For tests of what happens when memory runs out: the program that includes this (once) fails the
 * allocation that it is told to. In front of the sanitizer's allocator where there is one.
 */
#ifndef TESTS_BASE_FAIL_ALLOC_H
#define TESTS_BASE_FAIL_ALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *at, size_t size) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);

/* ThreadSanitizer allocates before it can look at anything. */
#define FAIL_ALLOC_UNSEEN __attribute__((no_sanitize("thread")))

static _Thread_local uint64_t fail_alloc_at; /* counts down; 0: nothing fails */

/* The n-th allocation of this thread from now on fails (1: the next). 0: none. */
static inline void fail_alloc(uint64_t n)
{
	fail_alloc_at = n;
}

/* Nothing fails any more. True: the allocation that was to fail did. */
static inline bool fail_alloc_end(void)
{
	bool failed = fail_alloc_at == 0;

	fail_alloc_at = 0;
	return failed;
}

FAIL_ALLOC_UNSEEN static bool fail_alloc_now(void)
{
	if (fail_alloc_at == 0 || --fail_alloc_at > 0)
		return false;
	errno = ENOMEM;
	return true;
}

FAIL_ALLOC_UNSEEN void *malloc(size_t size)
{
	if (fail_alloc_now())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

FAIL_ALLOC_UNSEEN void *calloc(size_t count, size_t size)
{
	if (fail_alloc_now())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(count, size) :
				      __libc_calloc(count, size);
}

FAIL_ALLOC_UNSEEN void *realloc(void *at, size_t size)
{
	if (size > 0 && fail_alloc_now())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(at, size) : __libc_realloc(at, size);
}

#endif

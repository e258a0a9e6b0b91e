/*
 * Threads with a stack that is the same in every libc: musl's own default is 128 KiB, and what
 * compiles a message or takes a certificate apart may need more.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/types.h"

#include <pthread.h>

#define THREAD_STACK (1024 * 1024) /* bytes; address space, of which what is used becomes memory */

/* As pthread_create: 0, or a code of the system. */
int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument) MUST_CHECK;

/* A condition that is waited for by clock_mono_ns: nobody who sets the clock moves it. */
void thread_condition_init(pthread_cond_t *condition);

/* As pthread_cond_wait, but not beyond that time of clock_mono_ns: false when it has come. */
bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, u64 until_ns);

#endif

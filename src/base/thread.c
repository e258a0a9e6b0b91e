#include "base/thread.h"

#include "base/clock.h"

#include <time.h>

int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
	pthread_attr_t attr;
	int code = pthread_attr_init(&attr);

	if (code != 0)
		return code;
	code = pthread_attr_setstacksize(&attr, THREAD_STACK);
	if (code == 0)
		code = pthread_create(thread, &attr, run, argument);
	pthread_attr_destroy(&attr);
	return code;
}

void thread_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, u64 until_ns)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_S),
					.tv_nsec = (long)(until_ns % NS_PER_S) };

	return pthread_cond_timedwait(condition, lock, &until) == 0;
}

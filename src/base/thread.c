#include "base/thread.h"

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

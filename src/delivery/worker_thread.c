#include "base/log.h"
#include "base/thread.h"
#include "delivery/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* musl's default of 128 KiB is too little for OpenSSL under a deep call chain. */

struct worker_thread {
	struct worker_params params;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t opened;
	bool is_open;
	struct worker *worker;
	struct error error;
};

/* The ring must be opened by the thread that turns it, so the starter waits for the outcome. */
static void *run(void *argument)
{
	struct worker_thread *thread = argument;
	struct worker *worker;
	char name[16];

	snprintf(name, sizeof(name), "worker-%u", thread->params.index);
	pthread_setname_np(pthread_self(), name); /* for top -H; harmless if it fails */
	worker = worker_open(&thread->params, &thread->error);
	pthread_mutex_lock(&thread->mutex);
	thread->worker = worker;
	thread->is_open = true;
	pthread_cond_signal(&thread->opened);
	pthread_mutex_unlock(&thread->mutex);
	if (!worker)
		return NULL;
	while (!worker_is_finished(worker))
		worker_turn(worker, UINT64_MAX);
	return NULL;
}

static bool start(struct worker_thread *thread, struct error *error)
{
	int code;

	code = thread_start(&thread->thread, run, thread);
	if (code != 0)
		return error_set_errno(error, code, "thread of worker %u", thread->params.index);
	return true;
}

struct worker_thread *worker_thread_start(const struct worker_params *params,
					  struct worker **worker, struct error *error)
{
	struct worker_thread *thread = calloc(1, sizeof(*thread));

	if (!thread) {
		error_set(error, "out of memory for worker %u", params->index);
		return NULL;
	}
	thread->params = *params;
	pthread_mutex_init(&thread->mutex, NULL);
	pthread_cond_init(&thread->opened, NULL);
	if (!start(thread, error)) {
		free(thread);
		return NULL;
	}
	pthread_mutex_lock(&thread->mutex);
	while (!thread->is_open)
		pthread_cond_wait(&thread->opened, &thread->mutex);
	pthread_mutex_unlock(&thread->mutex);
	*worker = thread->worker;
	if (!thread->worker) {
		*error = thread->error;
		worker_thread_join(thread);
		return NULL;
	}
	return thread;
}

void worker_thread_join(struct worker_thread *thread)
{
	pthread_join(thread->thread, NULL);
	worker_close(thread->worker);
	pthread_cond_destroy(&thread->opened);
	pthread_mutex_destroy(&thread->mutex);
	free(thread);
}

#include "io/clerk.h"

#include "base/check.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>

struct clerk {
	pthread_t thread;
	struct ring *ring;
	u32 waiting_max;
	u32 count;	       /* the ring's thread alone: jobs given and not told as done */
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t asked_some;
	struct list asked;
	struct list done;
	bool stopping;
};

static struct clerk_job *next_job(struct clerk *clerk)
{
	struct list *node = NULL;

	pthread_mutex_lock(&clerk->mutex);
	while (!clerk->stopping && list_is_empty(&clerk->asked))
		pthread_cond_wait(&clerk->asked_some, &clerk->mutex);
	if (!clerk->stopping)
		node = list_pop_front(&clerk->asked);
	pthread_mutex_unlock(&clerk->mutex);
	return node ? list_entry(node, struct clerk_job, node) : NULL;
}

static void *run(void *argument)
{
	struct clerk *clerk = argument;
	struct clerk_job *job;

	while ((job = next_job(clerk))) {
		job->work(job);
		pthread_mutex_lock(&clerk->mutex);
		list_push_back(&clerk->done, &job->node);
		pthread_mutex_unlock(&clerk->mutex);
		ring_wake(clerk->ring);
	}
	return NULL;
}

struct clerk *clerk_open(struct ring *ring, u32 waiting, struct error *error)
{
	struct clerk *clerk = calloc(1, sizeof(*clerk));

	if (!clerk) {
		error_set(error, "out of memory for a thread");
		return NULL;
	}
	clerk->ring = ring;
	clerk->waiting_max = waiting;
	list_init(&clerk->asked);
	list_init(&clerk->done);
	pthread_mutex_init(&clerk->mutex, NULL);
	pthread_cond_init(&clerk->asked_some, NULL);
	if (thread_start(&clerk->thread, run, clerk) == 0)
		return clerk;
	error_set(error, "no thread for passwords and messages");
	pthread_cond_destroy(&clerk->asked_some);
	pthread_mutex_destroy(&clerk->mutex);
	free(clerk);
	return NULL;
}

void clerk_close(struct clerk *clerk)
{
	if (!clerk)
		return;
	ASSERT(clerk->count == 0);
	pthread_mutex_lock(&clerk->mutex);
	clerk->stopping = true;
	pthread_cond_signal(&clerk->asked_some);
	pthread_mutex_unlock(&clerk->mutex);
	pthread_join(clerk->thread, NULL);
	pthread_cond_destroy(&clerk->asked_some);
	pthread_mutex_destroy(&clerk->mutex);
	free(clerk);
}

bool clerk_give(struct clerk *clerk, struct clerk_job *job)
{
	if (clerk->count >= clerk->waiting_max)
		return false;
	clerk->count++;
	pthread_mutex_lock(&clerk->mutex);
	list_push_back(&clerk->asked, &job->node);
	pthread_cond_signal(&clerk->asked_some);
	pthread_mutex_unlock(&clerk->mutex);
	return true;
}

void clerk_finish(struct clerk *clerk)
{
	struct list *node;

	do {
		pthread_mutex_lock(&clerk->mutex);
		node = list_pop_front(&clerk->done);
		pthread_mutex_unlock(&clerk->mutex);
		if (!node)
			return;
		clerk->count--;
		list_entry(node, struct clerk_job, node)
			->done(list_entry(node, struct clerk_job, node));
	} while (true);
}

bool clerk_is_busy(const struct clerk *clerk)
{
	return clerk->count > 0;
}

#include "web/job.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <stdlib.h>

#define THREADS_MAX 8

struct job_thread {
	struct jobs *jobs;
	struct audience_txn *reader;
	pthread_t thread;
};

struct jobs {
	struct audience *audience;
	struct scribe *scribe;
	pthread_mutex_t lock;
	pthread_cond_t wakes; /* a job is there, or all are to stop */
	pthread_cond_t ends;  /* all are to stop */
	struct list inbox;
	bool stops;
	u32 thread_count; /* those that run */
	struct job_thread threads[THREADS_MAX];
};

static struct job *take(struct jobs *jobs)
{
	struct list *node = NULL;

	pthread_mutex_lock(&jobs->lock);
	while (!jobs->stops && !(node = list_pop_front(&jobs->inbox)))
		pthread_cond_wait(&jobs->wakes, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
	return node ? list_entry(node, struct job, node) : NULL;
}

static void *run(void *argument)
{
	struct job_thread *thread = argument;
	struct job *job;

	while ((job = take(thread->jobs))) {
		job->run(job, thread->reader);
		audience_abort(thread->reader);
		job->ended(job);
	}
	return NULL;
}

static bool start_thread(struct jobs *jobs, struct error *error)
{
	struct job_thread *thread = &jobs->threads[jobs->thread_count];
	int code;

	thread->jobs = jobs;
	thread->reader = audience_txn_open(jobs->audience);
	code = thread->reader ? thread_start(&thread->thread, run, thread) : ENOMEM;
	if (code == 0) {
		jobs->thread_count++;
		return true;
	}
	audience_txn_close(thread->reader);
	return error_set_errno(error, code, "a thread for jobs cannot be started");
}

struct jobs *jobs_open(struct audience *audience, struct scribe *scribe, u32 threads,
		       struct error *error)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs) {
		error_set(error, "no memory for jobs");
		return NULL;
	}
	jobs->audience = audience;
	jobs->scribe = scribe;
	list_init(&jobs->inbox);
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->wakes, NULL);
	thread_condition_init(&jobs->ends);
	for (u32 i = 0; i < min_u32(threads, THREADS_MAX); i++) {
		if (start_thread(jobs, error))
			continue;
		jobs_close(jobs);
		return NULL;
	}
	return jobs;
}

void jobs_close(struct jobs *jobs)
{
	struct list *node;

	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->stops = true;
	pthread_cond_broadcast(&jobs->wakes);
	pthread_cond_broadcast(&jobs->ends);
	pthread_mutex_unlock(&jobs->lock);
	for (u32 i = 0; i < jobs->thread_count; i++) {
		pthread_join(jobs->threads[i].thread, NULL);
		audience_txn_close(jobs->threads[i].reader);
	}
	while ((node = list_pop_front(&jobs->inbox))) {
		struct job *job = list_entry(node, struct job, node);

		job->ended(job);
	}
	pthread_cond_destroy(&jobs->wakes);
	pthread_cond_destroy(&jobs->ends);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

void jobs_give(struct jobs *jobs, struct job *job)
{
	job->jobs = jobs;
	pthread_mutex_lock(&jobs->lock);
	list_push_back(&jobs->inbox, &job->node);
	pthread_cond_signal(&jobs->wakes);
	pthread_mutex_unlock(&jobs->lock);
}

/* ---- within a job ---- */

bool job_should_stop(struct job *job)
{
	bool stops;

	pthread_mutex_lock(&job->jobs->lock);
	stops = job->jobs->stops;
	pthread_mutex_unlock(&job->jobs->lock);
	return stops;
}

bool job_pause(struct job *job, u32 wait_ms)
{
	struct jobs *jobs = job->jobs;
	u64 until_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
	bool stops;

	pthread_mutex_lock(&jobs->lock);
	while (!jobs->stops &&
	       thread_wait_until(&jobs->ends, &jobs->lock, until_ns)) {
	}
	stops = jobs->stops;
	pthread_mutex_unlock(&jobs->lock);
	return !stops;
}

enum store_result job_write(struct job *job, struct scribe_order *order)
{
	return scribe_do(job->jobs->scribe, order);
}

struct audience *job_audience(struct job *job)
{
	return job->jobs->audience;
}

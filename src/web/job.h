/*
 * Jobs: work that takes longer than a request may (imports, undoing them, counting), on threads of
 * their own. What a job has done, and what is left of it, stands in the audience, written by its
 * orders (scribe.h); so a job that ends with the process goes on when the next one starts, and who
 * wants to know how far it is, or to cancel it, reads and writes that record.
 */
#ifndef WEB_JOB_H
#define WEB_JOB_H

#include "base/error.h"
#include "base/list.h"
#include "web/scribe.h"

struct jobs;

struct job {
	/*
	 * On a thread of the jobs; `reader` is that thread's. Returns soon when job_should_stop.
	 * Not called at all when the process ends first.
	 */
	void (*run)(struct job *job, struct audience_txn *reader);
	/* Afterwards, on the same thread or on that of jobs_close: the job is its owner's again. */
	void (*ended)(struct job *job);
	/* The jobs' own: */
	struct list node;
	struct jobs *jobs;
};

/* NULL and a sentence: no memory, no threads. `scribe` outlives them. */
struct jobs *jobs_open(struct audience *audience, struct scribe *scribe, u32 threads,
		       struct error *error);
/* What runs is told to stop and waited for. NULL is fine. */
void jobs_close(struct jobs *jobs);

/* For any thread. Begun in the order of being given, as many at once as there are threads. */
void jobs_give(struct jobs *jobs, struct job *job);

/* ---- within `run` ---- */

bool job_should_stop(struct job *job);
/* Waits; false: it should stop. */
bool job_pause(struct job *job, u32 wait_ms) MUST_CHECK;
/* As scribe_do. */
enum store_result job_write(struct job *job, struct scribe_order *order) MUST_CHECK;
struct audience *job_audience(struct job *job);

#endif

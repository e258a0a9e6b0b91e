/*
 * The job that carries an import out: reads the file, gives batches of rows to the scribe, with the
 * place in the file in the same transaction; or undoes one. What the record says is what is done:
 * a batch of an import that is in another state by then changes nothing and ends the job.
 */
#ifndef WEB_IMPORT_JOB_H
#define WEB_IMPORT_JOB_H

#include "base/config.h"
#include "web/job.h"

/*
 * Carries out what the record of import `id` says is under way, forgets what is older than 30 days
 * of others, and discards files that nobody has done anything with for 7; 0: these alone. The
 * configuration outlives the job. False: no memory.
 *
 * Which addresses the sender has suppressed is asked for each batch; while it is not there, the
 * import waits, and its record says so.
 */
bool import_job_give(struct jobs *jobs, u32 id, const struct config *config) MUST_CHECK;

/*
 * At the start: goes on with what was under way, and deletes files that belong to no import.
 * False and a sentence: the audience cannot be read, or no memory.
 */
bool import_jobs_resume(struct jobs *jobs, struct audience_txn *reader,
			const struct config *config, struct error *error) MUST_CHECK;

#endif

#include "web/sweeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "campaign/pending_sweep.h"
#include "web/import_job.h"
#include "web/setting.h"

#include <stdlib.h>

#define EACH_NS (3600 * NS_PER_S)
#define LOOKS 10000 /* contacts of one reading transaction */
#define DAY_MS (86400ull * MS_PER_S)

struct sweep_job {
	struct job job;
	struct scribe_order order;
	struct pending_sweep sweep;
	u32 erased; /* by the order */
};

/* ---- contacts ---- */

static enum store_result erase(struct scribe_order *order, struct audience_txn *txn)
{
	struct sweep_job *job = container_of(order, struct sweep_job, order);

	return pending_sweep_erase(&job->sweep, txn, clock_wall_ms(), &job->erased);
}

/* How long they are waited for; 0: for ever, also when the settings cannot be read. */
static u64 patience_ms(struct audience_txn *reader)
{
	u32 days = 0;

	if (audience_begin_read(reader) == STORE_OK &&
	    !slice_to_u32(setting_get(reader, SETTING_PENDING_DAYS), &days))
		days = 0;
	audience_abort(reader);
	return days * DAY_MS;
}

static enum store_result find(struct sweep_job *job, struct audience_txn *reader)
{
	enum store_result result = audience_begin_read(reader);

	if (result == STORE_OK)
		result = pending_sweep_find(&job->sweep, reader, LOOKS);
	audience_abort(reader);
	return result;
}

static void run(struct job *base, struct audience_txn *reader)
{
	struct sweep_job *job = container_of(base, struct sweep_job, job);
	u64 wait_ms = patience_ms(reader);
	enum store_result result = STORE_OK;
	u64 erased = 0;

	if (wait_ms == 0 || wait_ms > clock_wall_ms())
		return;
	job->sweep.before_ms = clock_wall_ms() - wait_ms;
	job->order.apply = erase;
	while (result == STORE_OK && !job_should_stop(base)) {
		result = find(job, reader);
		if (job->sweep.count == 0 || (result != STORE_OK && result != STORE_NOT_FOUND))
			continue;
		if (job_write(base, &job->order) != STORE_OK)
			break; /* there is another hour */
		erased += job->erased;
	}
	if (erased > 0)
		log_info("web", "contacts that never confirmed are erased", "count=%llu",
			 (unsigned long long)erased);
}

static void ended(struct job *job)
{
	free(container_of(job, struct sweep_job, job));
}

bool sweeper_give_contacts(struct jobs *jobs)
{
	struct sweep_job *job = calloc(1, sizeof(*job));

	if (!job)
		return false;
	job->job.run = run;
	job->job.ended = ended;
	jobs_give(jobs, &job->job);
	return true;
}

/* ---- every hour ---- */

static void on_time(struct timer *timer)
{
	struct sweeper *sweeper = container_of(timer, struct sweeper, timer);

	if (!sweeper_give_contacts(sweeper->jobs) ||
	    !import_job_give(sweeper->jobs, 0, sweeper->config))
		log_warn("web", "no memory for what is to be swept", "");
	timer_start(sweeper->wheel, &sweeper->timer, clock_mono_ns() + EACH_NS);
}

void sweeper_start(struct sweeper *sweeper, struct jobs *jobs, const struct config *config,
		   struct timer_wheel *wheel)
{
	*sweeper = (struct sweeper){ .jobs = jobs, .config = config, .wheel = wheel };
	timer_init(&sweeper->timer, on_time);
	timer_start(wheel, &sweeper->timer, clock_mono_ns());
}

void sweeper_stop(struct sweeper *sweeper)
{
	timer_stop(sweeper->wheel, &sweeper->timer);
}

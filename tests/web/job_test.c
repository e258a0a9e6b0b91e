/* What web/job.h promises. */
#include "store/fixture.h"

#include "web/job.h"

#include <pthread.h>
#include <unistd.h>

static struct audience *audience;
static struct scribe *scribe;
static struct meter_scribe meter;
static char folder[256];

struct test_job {
	struct job job;
	struct scribe_order order;
	enum store_result written;
	bool was_told; /* to stop */
	_Atomic bool is_begun;
	_Atomic bool has_run;
	_Atomic bool has_ended;
};

static int set_up(void **state)
{
	struct store_params params = { .path = folder, .map_size_max = 256 * MIB };
	const char *tmp = getenv("TMPDIR");
	struct error error = { "" };

	(void)state;
	snprintf(folder, sizeof(folder), "%s/hikyaku-job-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	audience = audience_open(&params, &error);
	if (!audience)
		fail_msg("%s", error.text);
	scribe = scribe_open(audience, &meter, &error);
	if (!scribe)
		fail_msg("%s", error.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scribe_close(scribe);
	audience_close(audience);
	remove_tree(folder);
	return 0;
}

static struct jobs *open_jobs(u32 threads)
{
	struct error error = { "" };
	struct jobs *jobs = jobs_open(audience, scribe, threads, &error);

	if (!jobs)
		fail_msg("%s", error.text);
	return jobs;
}

static enum store_result put(struct scribe_order *order, struct audience_txn *txn)
{
	(void)order;
	return audience_setting_put(txn, SLICE("job"), SLICE("was here"));
}

static void ended(struct job *job)
{
	container_of(job, struct test_job, job)->has_ended = true;
}

static void write_and_read(struct job *base, struct audience_txn *reader)
{
	struct test_job *job = container_of(base, struct test_job, job);
	struct slice value;

	job->order.apply = put;
	job->written = job_write(base, &job->order);
	must(audience_begin_read(reader));
	must(audience_setting_get(reader, SLICE("job"), &value));
	must_slice(value, "was here");
	job->was_told = !job_pause(base, 1);
	job->has_run = true;
}

static void wait_for(_Atomic bool *what)
{
	for (u32 i = 0; i < 10000 && !*what; i++)
		usleep(1000);
	assert_true(*what);
}

static void a_job_writes_by_orders_and_reads_what_they_left(void **state)
{
	struct test_job job = { .job = { .run = write_and_read, .ended = ended } };
	struct jobs *jobs = open_jobs(2);

	(void)state;
	jobs_give(jobs, &job.job);
	wait_for(&job.has_ended);
	assert_true(job.has_run);
	assert_false(job.was_told);
	assert_int_equal(job.written, STORE_OK);
	jobs_close(jobs);
}

static void wait_to_be_told(struct job *base, struct audience_txn *reader)
{
	struct test_job *job = container_of(base, struct test_job, job);

	(void)reader;
	job->is_begun = true;
	job->was_told = !job_pause(base, 60000) && job_should_stop(base);
	job->has_run = true;
}

static void closing_tells_who_runs_and_ends_who_waits(void **state)
{
	struct test_job first = { .job = { .run = wait_to_be_told, .ended = ended } };
	struct test_job second = { .job = { .run = wait_to_be_told, .ended = ended } };
	struct jobs *jobs = open_jobs(1);

	(void)state;
	jobs_give(jobs, &first.job);
	jobs_give(jobs, &second.job);
	wait_for(&first.is_begun);
	jobs_close(jobs);
	assert_true(first.has_run && first.was_told && first.has_ended);
	assert_true(!second.has_run && second.has_ended);
}

static void as_many_run_at_once_as_there_are_threads(void **state)
{
	struct test_job first = { .job = { .run = wait_to_be_told, .ended = ended } };
	struct test_job second = { .job = { .run = wait_to_be_told, .ended = ended } };
	struct jobs *jobs = open_jobs(2);

	(void)state;
	jobs_give(jobs, &first.job);
	jobs_give(jobs, &second.job);
	wait_for(&first.is_begun);
	wait_for(&second.is_begun);
	jobs_close(jobs);
	assert_true(first.has_ended && second.has_ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_job_writes_by_orders_and_reads_what_they_left,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_tells_who_runs_and_ends_who_waits, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(as_many_run_at_once_as_there_are_threads, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

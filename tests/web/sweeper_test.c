/* What web/sweeper.h, pending_sweep.h and import_job.h promise of what goes when its time is over. */
#include "store/audience_fixture.h"

#include "base/clock.h"
#include "campaign/pending_sweep.h"
#include "store/audience_audit.h"
#include "store/audience_import.h"
#include "web/import_job.h"
#include "web/setting.h"
#include "web/sweeper.h"
#include "web/upload.h"

#include <fcntl.h>
#include <unistd.h>

#define DAY_MS 86400000ull

static struct scribe *scribe;
static struct meter_scribe meter;
static struct jobs *jobs;

static int set_up(void **state)
{
	struct error error = { "" };

	if (audience_fixture_setup(state) != 0)
		return -1;
	scribe = scribe_open(audience, &meter, &error);
	if (!scribe || !upload_prepare(folder, &error))
		fail_msg("%s", error.text);
	jobs = jobs_open(audience, scribe, 1, &error);
	if (!jobs)
		fail_msg("%s", error.text);
	return 0;
}

static int tear_down(void **state)
{
	scribe_close(scribe);
	return audience_fixture_teardown(state);
}

static _Atomic bool is_last_begun;

static void mark(struct job *job, struct audience_txn *reader)
{
	(void)job;
	(void)reader;
	is_last_begun = true;
}

static void nothing(struct job *job)
{
	(void)job;
}

/* There is one thread: once a last one has begun, those before it are done. */
static void finish_jobs(void)
{
	struct job last = { .run = mark, .ended = nothing };

	is_last_begun = false;
	jobs_give(jobs, &last);
	while (!is_last_begun)
		usleep(1000);
	jobs_close(jobs);
}

static u32 add(const char *address, enum contact_state state, u64 days_old)
{
	u64 at_ms = clock_wall_ms() - days_old * DAY_MS - 1000;
	struct contact contact = { .state = state,
				   .created_ms = at_ms,
				   .changed_ms = at_ms,
				   .address = slice_of(address) };

	must(contact_add(txn, &contact, slice_of(address)));
	must(contact_history_add(txn, contact.id,
				 &(struct history_event){ .at_ms = at_ms,
							  .kind = HISTORY_CREATED,
							  .fields = { SLICE("form 1") },
							  .field_count = 1 }));
	return contact.id;
}

static bool is_there(u32 id)
{
	struct contact contact;
	enum store_result result;

	must(audience_begin_read(txn));
	result = contact_get(txn, id, &contact);
	audience_abort(txn);
	return result == STORE_OK;
}

static void must_have_audit(const char *action, const char *object)
{
	struct audit_entry entry;

	must(audience_begin_read(txn));
	must(audit_before(txn, UINT64_MAX, 0, &entry));
	must_slice(entry.who, "hikyaku");
	must_slice(entry.action, action);
	must_slice(entry.object, object);
	audience_abort(txn);
}

static void who_never_confirmed_is_erased_after_the_days_of_the_settings(void **state)
{
	struct history_event event = { .at_ms = UINT64_MAX, .number = UINT16_MAX };
	u64 erased_ms;
	u32 old;
	u32 fresh;
	u32 active;

	(void)state;
	must(audience_begin(txn));
	must(setting_put(txn, SETTING_PENDING_DAYS, SLICE("10")));
	old = add("old@x.test", CONTACT_PENDING, 10);
	fresh = add("fresh@x.test", CONTACT_PENDING, 9);
	active = add("active@x.test", CONTACT_ACTIVE, 400);
	must(audience_commit(txn));
	assert_true(sweeper_give_contacts(jobs));
	finish_jobs();
	assert_false(is_there(old));
	assert_true(is_there(fresh));
	assert_true(is_there(active));
	must_have_audit("contact.sweep", "1 contacts that never confirmed");
	must(audience_begin_read(txn));
	must_be(STORE_NOT_FOUND,
		contact_history_before(txn, old, event.at_ms, event.number, &event));
	/* Nobody asked to be forgotten: a new sign-up is welcome. */
	must_be(STORE_NOT_FOUND, erased_find(txn, SLICE("old@x.test"), &erased_ms));
	audience_abort(txn);
}

static void for_no_days_nobody_is_erased(void **state)
{
	u32 old;

	(void)state;
	must(audience_begin(txn));
	must(setting_put(txn, SETTING_PENDING_DAYS, SLICE("0")));
	old = add("old@x.test", CONTACT_PENDING, 4000);
	must(audience_commit(txn));
	assert_true(sweeper_give_contacts(jobs));
	finish_jobs();
	assert_true(is_there(old));
}

static void who_confirms_in_between_stays_and_walks_are_bounded(void **state)
{
	struct pending_sweep sweep = { .before_ms = clock_wall_ms() - DAY_MS };
	struct contact contact;
	struct contact confirmed;
	u32 erased;
	u32 first;
	u32 second;

	(void)state;
	jobs_close(jobs);
	must(audience_begin(txn));
	first = add("a@x.test", CONTACT_PENDING, 5);
	second = add("b@x.test", CONTACT_PENDING, 5);
	add("c@x.test", CONTACT_PENDING, 5);
	must(pending_sweep_find(&sweep, txn, 2));
	assert_int_equal(sweep.count, 2);
	must(contact_get(txn, first, &contact));
	confirmed = contact;
	confirmed.state = CONTACT_ACTIVE;
	must(contact_put(txn, &contact, &confirmed));
	must(pending_sweep_erase(&sweep, txn, clock_wall_ms(), &erased));
	assert_int_equal(erased, 1);
	must(contact_get(txn, first, &contact));
	must_be(STORE_NOT_FOUND, contact_get(txn, second, &contact));
	must_be(STORE_NOT_FOUND, pending_sweep_find(&sweep, txn, 2));
	assert_int_equal(sweep.count, 1);
	must(audience_commit(txn));
}

static u32 add_import(const char *file, enum import_state state, u64 days_old)
{
	struct import import = { .state = state,
				 .created_ms = clock_wall_ms() - days_old * DAY_MS - 1000,
				 .name = SLICE("a.csv"),
				 .file = slice_of(file) };
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/uploads/%s", folder, file);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	must(import_add(txn, &import));
	return import.id;
}

static bool has_file(const char *file)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/uploads/%s", folder, file);
	return access(path, F_OK) == 0;
}

static void a_file_that_nobody_imports_is_discarded_after_seven_days(void **state)
{
	static struct config config;
	struct import import;
	u32 old;

	(void)state;
	config.web.audience = folder;
	config.control = "/nowhere";
	must(audience_begin(txn));
	add_import("import-fresh", IMPORT_UPLOADED, 6);
	old = add_import("import-old", IMPORT_TRIED, 7);
	must(audience_commit(txn));
	assert_true(import_job_give(jobs, 0, &config));
	finish_jobs();
	assert_false(has_file("import-old"));
	assert_true(has_file("import-fresh"));
	must(audience_begin_read(txn));
	must(import_get(txn, old, &import));
	assert_int_equal(import.state, IMPORT_CANCELLED);
	assert_int_equal(import.file.len, 0);
	audience_abort(txn);
	must_have_audit("import.discard", "import 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			who_never_confirmed_is_erased_after_the_days_of_the_settings, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(for_no_days_nobody_is_erased, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_confirms_in_between_stays_and_walks_are_bounded,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_nobody_imports_is_discarded_after_seven_days, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

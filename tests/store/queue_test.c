/* What queue.h promises about opening, transactions, campaigns, lanes, blobs and settings. */
#include "store/fixture.h"

#include <sys/wait.h>

static void what_was_committed_is_there_after_reopening(void **state)
{
	struct fixture *f = *state;
	struct slice value;

	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, SLICE("a"), SLICE("1")));
	must(queue_commit(f->queue));
	fixture_reopen(f);
	must(queue_begin(f->queue));
	must(queue_setting_get(f->queue, SLICE("a"), &value));
	must_slice(value, "1");
	queue_abort(f->queue);
}

static void what_was_aborted_is_not(void **state)
{
	struct fixture *f = *state;
	struct slice value;

	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, SLICE("a"), SLICE("1")));
	queue_abort(f->queue);
	must(queue_begin(f->queue));
	must_be(STORE_NOT_FOUND, queue_setting_get(f->queue, SLICE("a"), &value));
	queue_abort(f->queue);
}

/* What a start leaves that was killed, or had no room, while it made its queue. */
static void a_creation_that_broke_off_is_begun_again(void **state)
{
	struct fixture *f = *state;
	char path[sizeof(f->path) + 16];
	FILE *file;

	queue_close(f->queue);
	f->queue = NULL;
	snprintf(f->path, sizeof(f->path), "%s/second", f->dir);
	assert_int_equal(mkdir(f->path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new/data.mdb", f->path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("half of a page", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/data.mdb", f->path);
	fclose(fopen(path, "w"));
	fixture_open(f);
	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, SLICE("a"), SLICE("1")));
	must(queue_commit(f->queue));
	fixture_reopen(f);
	snprintf(path, sizeof(path), "%s/new", f->path);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void closing_aborts_what_is_open(void **state)
{
	struct fixture *f = *state;
	struct slice value;

	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, SLICE("a"), SLICE("1")));
	fixture_reopen(f);
	must(queue_begin(f->queue));
	must_be(STORE_NOT_FOUND, queue_setting_get(f->queue, SLICE("a"), &value));
	queue_abort(f->queue);
}

static void the_directory_is_made_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_second_opener_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error error;
	int status;
	pid_t child;

	assert_null(queue_open(&f->params, &error));
	assert_non_null(strstr(error.text, "in use by another process"));
	assert_non_null(strstr(error.text, f->path));
	child = fork();
	if (child == 0)
		_exit(queue_open(&f->params, &error) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_path_that_cannot_be_is_an_error_with_its_name(void **state)
{
	struct store_params params = { .path = "/nonexistent/queue", .map_size_max = MIB };
	struct error error;

	(void)state;
	assert_null(queue_open(&params, &error));
	assert_non_null(strstr(error.text, "/nonexistent/queue"));
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error error;
	char path[400];
	FILE *file;

	queue_close(f->queue);
	f->queue = NULL;
	snprintf(path, sizeof(path), "%s/data.mdb", f->path);
	file = fopen(path, "w");
	for (int i = 0; i < 16384; i++)
		fputc('x', file);
	fclose(file);
	assert_null(queue_open(&f->params, &error));
	assert_non_null(strstr(error.text, f->path));
}

/* ---- campaigns ---- */

static struct queue_campaign sample_campaign(void)
{
	struct queue_campaign c = {
		.state = CAMPAIGN_RUNNING,
		.doubt_policy = DOUBT_HOLD,
		.created_ms = 1,
		.started_ms = 2,
		.finished_ms = 3,
		.expire_after_ms = 4,
		.total = 1ull << 40,
		.delivered = 6,
		.failed = 7,
		.expired = 8,
		.cancelled = 9,
		.deferrals = 10,
		.deferred = 11,
		.doubts = 12,
		.held = UINT64_MAX,
	};

	memset(c.name, 'n', sizeof(c.name) - 1);
	memset(c.customer, 'c', sizeof(c.customer) - 1);
	return c;
}

static void a_campaign_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c = sample_campaign();
	struct queue_campaign back;

	must(queue_begin(f->queue));
	must(queue_campaign_create(f->queue, &c));
	c.domains = 5;
	must(queue_campaign_put(f->queue, &c));
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	memset(&back, 0xff, sizeof(back));
	must(queue_campaign_get(f->queue, c.id, &back));
	assert_memory_equal(&back, &c, sizeof(c));
	must_be(STORE_NOT_FOUND, queue_campaign_get(f->queue, c.id + 1, &back));
	queue_abort(f->queue);
}

/* What version 2 of the record is for; a plain campaign stays readable by older programs. */
static void a_campaign_keeps_its_kind_its_list_and_what_came_back_of_it(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c = sample_campaign();
	struct queue_campaign back;

	must(queue_begin(f->queue));
	c.kind = CAMPAIGN_TRANSACTIONAL;
	c.deadline_ms = 1ull << 40;
	c.bounced = 3;
	c.complained = 2;
	c.unsubscribed = 1;
	memset(c.list, 'l', sizeof(c.list) - 1);
	must(queue_campaign_create(f->queue, &c));
	must(queue_campaign_get(f->queue, c.id, &back));
	assert_memory_equal(&c, &back, sizeof(c));
	queue_abort(f->queue);
}

/* Version 3: also of one that is closed by now, or has not begun. */
static void a_campaign_keeps_whether_it_is_open_and_how_far_it_is(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c = sample_campaign();
	struct queue_campaign back;

	must(queue_begin(f->queue));
	c.is_open = true;
	must(queue_campaign_create(f->queue, &c));
	must(queue_campaign_get(f->queue, c.id, &back));
	assert_memory_equal(&c, &back, sizeof(c));
	c.is_open = false;
	c.cursor = UINT64_MAX;
	must(queue_campaign_put(f->queue, &c));
	must(queue_campaign_get(f->queue, c.id, &back));
	assert_memory_equal(&c, &back, sizeof(c));
	queue_abort(f->queue);
}

static void campaigns_are_walked_in_the_order_of_their_ids(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c = sample_campaign();
	struct queue_campaign back = { 0 };
	u32 count = 0;

	must(queue_begin(f->queue));
	for (u32 i = 1; i <= 300; i++) {
		must(queue_campaign_create(f->queue, &c));
		assert_int_equal(c.id, i);
	}
	while (queue_campaign_next(f->queue, back.id, &back) == STORE_OK)
		assert_int_equal(back.id, ++count);
	assert_int_equal(count, 300);
	queue_abort(f->queue);
}

static void an_id_is_never_given_twice_even_when_its_campaign_is_gone(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c = sample_campaign();
	u32 first;

	must(queue_begin(f->queue));
	must(queue_campaign_create(f->queue, &c));
	first = c.id;
	must_be(STORE_NOT_FOUND, queue_campaign_erase(f->queue, c.id, 10));
	must(queue_commit(f->queue));
	fixture_reopen(f);
	must(queue_begin(f->queue));
	must(queue_campaign_create(f->queue, &c));
	assert_int_equal(c.id, first + 1);
	queue_abort(f->queue);
}

static void every_state_and_outcome_has_a_name(void **state)
{
	(void)state;
	for (int i = CAMPAIGN_IMPORTING; i <= CAMPAIGN_CANCELLED; i++)
		assert_string_not_equal(queue_campaign_state_name(i), "unknown");
	assert_string_equal(queue_campaign_state_name(0), "unknown");
	assert_string_equal(queue_campaign_state_name(99), "unknown");
	for (u32 i = LOG_DELIVERED; i <= LOG_HELD; i++)
		assert_string_not_equal(log_outcome_name(i), "unknown");
	assert_string_equal(log_outcome_name(0), "unknown");
	assert_string_equal(log_outcome_name(99), "unknown");
}

static void lanes_are_numbered_from_one_within_their_campaign(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign a = sample_campaign();
	struct queue_campaign b = sample_campaign();
	struct queue_lane lane;
	u32 number;

	must(queue_begin(f->queue));
	must(queue_campaign_create(f->queue, &a));
	must(queue_campaign_create(f->queue, &b));
	must(queue_lane_create(f->queue, &a, SLICE("one.test"), &number));
	assert_int_equal(number, 1);
	must(queue_lane_create(f->queue, &b, SLICE("other.test"), &number));
	assert_int_equal(number, 1);
	must(queue_lane_create(f->queue, &a, SLICE("two.test"), &number));
	assert_int_equal(number, 2);
	assert_int_equal(a.domains, 2);
	must(queue_lane_next(f->queue, a.id, 0, &lane));
	assert_int_equal(lane.campaign, a.id);
	assert_int_equal(lane.number, 1);
	assert_string_equal(lane.domain, "one.test");
	must(queue_lane_next(f->queue, a.id, 1, &lane));
	assert_string_equal(lane.domain, "two.test");
	must_be(STORE_NOT_FOUND, queue_lane_next(f->queue, a.id, 2, &lane));
	must(queue_lane_next(f->queue, b.id, 0, &lane));
	assert_string_equal(lane.domain, "other.test");
	queue_abort(f->queue);
}

static void a_blob_of_any_size_comes_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 2000, 4096, 100000, 3000000 };
	struct fixture *f = *state;
	char *bytes = malloc(sizes[array_count(sizes) - 1]);
	struct slice back;

	for (size_t i = 0; i < sizes[array_count(sizes) - 1]; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	must(queue_begin(f->queue));
	for (u32 i = 0; i < array_count(sizes); i++)
		must(queue_blob_put(f->queue, i + 1, "html", (struct slice){ bytes, sizes[i] }));
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	for (u32 i = 0; i < array_count(sizes); i++) {
		must(queue_blob_get(f->queue, i + 1, "html", &back));
		assert_int_equal(back.len, sizes[i]);
		assert_memory_equal(back.ptr, bytes, sizes[i]);
	}
	must_be(STORE_NOT_FOUND, queue_blob_get(f->queue, 1, "htm", &back));
	must_be(STORE_NOT_FOUND, queue_blob_get(f->queue, 1, "html5", &back));
	must(queue_blob_put(f->queue, 1, "html", SLICE("other")));
	must(queue_blob_get(f->queue, 1, "html", &back));
	must_slice(back, "other");
	queue_abort(f->queue);
	free(bytes);
}

/* ---- erasing ---- */

static void fill_campaign(struct queue *queue, struct queue_campaign *c, u32 rows)
{
	u32 number;

	must(queue_campaign_create(queue, c));
	must(queue_lane_create(queue, c, SLICE("x.test"), &number));
	must(queue_blob_put(queue, c->id, "text", SLICE("hello")));
	for (u32 i = 1; i <= rows; i++) {
		struct queue_row row = row_at(lane_ref(c->id, 1, i));

		must(queue_row_put(queue, &row));
		row.ref = deferred_ref(1000 + i % 7, c->id, 2, i);
		must(queue_row_put(queue, &row));
		row.ref = doubt_ref(c->id, 3, i);
		must(queue_row_put(queue, &row));
	}
	must(queue_campaign_put(queue, c));
}

static void erasing_takes_steps_and_leaves_other_campaigns_alone(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c[3] = { sample_campaign(), sample_campaign(), sample_campaign() };
	struct queue_stats stats;
	struct slice blob;
	struct queue_lane lane;
	enum store_result result;
	int steps = 0;

	must(queue_begin(f->queue));
	for (int i = 0; i < 3; i++)
		fill_campaign(f->queue, &c[i], 100);
	must(queue_commit(f->queue));
	do {
		must(queue_begin(f->queue));
		result = queue_campaign_erase(f->queue, c[1].id, 50);
		must(queue_commit(f->queue));
		steps++;
	} while (result == STORE_OK);
	assert_int_equal(result, STORE_NOT_FOUND);
	assert_true(steps >= 6);
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.lane_rows, 200);
	assert_int_equal(stats.deferred_rows, 200);
	assert_int_equal(stats.doubt_rows, 200);
	must(queue_begin(f->queue));
	must_be(STORE_NOT_FOUND, queue_campaign_get(f->queue, c[1].id, &c[1]));
	must_be(STORE_NOT_FOUND, queue_blob_get(f->queue, 2, "text", &blob));
	must_be(STORE_NOT_FOUND, queue_lane_next(f->queue, 2, 0, &lane));
	for (int i = 0; i < 3; i += 2) {
		must(queue_campaign_get(f->queue, c[i].id, &c[i]));
		must(queue_blob_get(f->queue, c[i].id, "text", &blob));
		must(queue_lane_next(f->queue, c[i].id, 0, &lane));
	}
	must_be(STORE_NOT_FOUND, queue_campaign_erase(f->queue, 77, 50));
	queue_abort(f->queue);
}

static void erasing_that_was_aborted_looks_again(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c = sample_campaign();
	struct queue_stats stats;
	enum store_result result;

	must(queue_begin(f->queue));
	fill_campaign(f->queue, &c, 100);
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	must(queue_campaign_erase(f->queue, c.id, 80));
	queue_abort(f->queue);
	must(queue_begin(f->queue));
	do
		result = queue_campaign_erase(f->queue, c.id, 30);
	while (result == STORE_OK);
	assert_int_equal(result, STORE_NOT_FOUND);
	must(queue_commit(f->queue));
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.lane_rows + stats.deferred_rows + stats.doubt_rows, 0);
}

static void two_campaigns_can_be_erased_by_turns(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c[2] = { sample_campaign(), sample_campaign() };
	enum store_result result[2] = { STORE_OK, STORE_OK };
	struct queue_stats stats;

	must(queue_begin(f->queue));
	fill_campaign(f->queue, &c[0], 300);
	fill_campaign(f->queue, &c[1], 20);
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	while (result[0] == STORE_OK || result[1] == STORE_OK) {
		for (int i = 0; i < 2; i++) {
			if (result[i] == STORE_OK)
				result[i] = queue_campaign_erase(f->queue, c[i].id, 150);
		}
	}
	must(queue_commit(f->queue));
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.lane_rows + stats.deferred_rows + stats.doubt_rows, 0);
}

/* ---- settings ---- */

static void settings_are_walked_by_prefix(void **state)
{
	struct fixture *f = *state;
	struct slice name = SLICE_NONE;
	struct slice value;
	int count = 0;

	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, SLICE("site/b"), SLICE("2")));
	must(queue_setting_put(f->queue, SLICE("site/a"), SLICE("1")));
	must(queue_setting_put(f->queue, SLICE("sites"), SLICE("x")));
	must(queue_setting_put(f->queue, SLICE("a"), SLICE("")));
	must(queue_setting_next(f->queue, SLICE("site/"), SLICE_NONE, &name, &value));
	must_slice(name, "site/a");
	must(queue_setting_next(f->queue, SLICE("site/"), name, &name, &value));
	must_slice(name, "site/b");
	must_slice(value, "2");
	must_be(STORE_NOT_FOUND,
		queue_setting_next(f->queue, SLICE("site/"), name, &name, &value));
	name = SLICE_NONE;
	while (queue_setting_next(f->queue, SLICE_NONE, name, &name, &value) == STORE_OK)
		count++;
	assert_int_equal(count, 4);
	queue_abort(f->queue);
}

static void a_setting_is_overwritten_and_deleted(void **state)
{
	struct fixture *f = *state;
	struct slice value;
	char name[SETTING_NAME_MAX];
	struct slice longest = { name, sizeof(name) };

	memset(name, 'k', sizeof(name));
	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, longest, SLICE("1")));
	must(queue_setting_put(f->queue, longest, SLICE("")));
	must(queue_setting_get(f->queue, longest, &value));
	assert_int_equal(value.len, 0);
	must(queue_setting_delete(f->queue, longest));
	must_be(STORE_NOT_FOUND, queue_setting_get(f->queue, longest, &value));
	must_be(STORE_NOT_FOUND, queue_setting_delete(f->queue, longest));
	queue_abort(f->queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(what_was_committed_is_there_after_reopening),
		store_test(what_was_aborted_is_not),
		store_test(closing_aborts_what_is_open),
		store_test(a_creation_that_broke_off_is_begun_again),
		store_test(the_directory_is_made_private),
		store_test(a_second_opener_is_refused),
		store_test(a_path_that_cannot_be_is_an_error_with_its_name),
		store_test(a_file_that_is_no_database_is_refused),
		store_test(a_campaign_comes_back_as_it_was_put),
		store_test(a_campaign_keeps_its_kind_its_list_and_what_came_back_of_it),
		store_test(a_campaign_keeps_whether_it_is_open_and_how_far_it_is),
		store_test(campaigns_are_walked_in_the_order_of_their_ids),
		store_test(an_id_is_never_given_twice_even_when_its_campaign_is_gone),
		store_test(every_state_and_outcome_has_a_name),
		store_test(lanes_are_numbered_from_one_within_their_campaign),
		store_test(a_blob_of_any_size_comes_back),
		store_test(erasing_takes_steps_and_leaves_other_campaigns_alone),
		store_test(erasing_that_was_aborted_looks_again),
		store_test(two_campaigns_can_be_erased_by_turns),
		store_test(settings_are_walked_by_prefix),
		store_test(a_setting_is_overwritten_and_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

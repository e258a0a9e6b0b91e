/*
 * A full map and a full disk: both are answers, the committed state stays, and work goes on when
 * there is room again, in the same process.
 */
#include "store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Rows of 1,000 bytes, up to `count`; the number put, less than `count` when it got full. */
static u32 put_rows(struct queue *queue, u32 lane, u32 count, enum store_result *result)
{
	static char values[1000];
	struct queue_row row = row_at(lane_ref(1, lane, 1));

	row.values = (struct slice){ values, sizeof(values) };
	for (u32 i = 1; i <= count; i++) {
		row.ref.id.seq = i;
		*result = queue_row_put(queue, &row);
		if (*result != STORE_OK)
			return i - 1;
	}
	return count;
}

static u64 lane_rows(struct queue *queue)
{
	struct queue_stats stats;

	must(queue_stats(queue, &stats));
	return stats.lane_rows;
}

static int setup_small(void **state)
{
	struct fixture *f;

	if (fixture_setup(state) != 0)
		return -1;
	f = *state;
	f->params.map_size = MIB;
	f->params.map_size_max = 4 * MIB;
	queue_close(f->queue);
	f->queue = NULL;
	/* The first environment was made with a larger map: start from nothing. */
	snprintf(f->path, sizeof(f->path), "%s/small", f->dir);
	fixture_open(f);
	return 0;
}

static void a_full_map_dooms_the_transaction_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	enum store_result result;
	struct row_ref first = lane_ref(1, 1, 1);
	u32 put;

	must(queue_begin(f->queue));
	put_rows(f->queue, 1, 100, &result);
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	put = put_rows(f->queue, 2, 100000, &result);
	assert_int_equal(result, STORE_FULL);
	assert_true(put > 100);
	assert_non_null(strstr(queue_error_text(f->queue), f->path));
	must_be(STORE_FULL, queue_row_delete(f->queue, &first));
	must_be(STORE_FULL, queue_commit(f->queue));
	assert_int_equal(lane_rows(f->queue), 100);
	must(queue_begin(f->queue));
	must(queue_row_delete(f->queue, &first));
	must(queue_commit(f->queue));
	assert_int_equal(lane_rows(f->queue), 99);
}

/* As a caller does it: small steps, and room when it is asked for. */
static void erase_growing(struct queue *queue)
{
	enum store_result erased = STORE_OK;
	enum store_result result = STORE_OK;

	while (erased != STORE_NOT_FOUND || result != STORE_OK) {
		must(queue_begin(queue));
		erased = queue_campaign_erase(queue, 1, 20);
		result = queue_commit(queue);
		if (result == STORE_FULL)
			assert_true(queue_grow(queue));
		else
			must_be(STORE_OK, result);
	}
}

static void the_map_grows_by_doubling_up_to_its_maximum(void **state)
{
	struct fixture *f = *state;
	enum store_result result;
	struct queue_stats stats;
	u32 put;

	assert_false(queue_is_nearly_full(f->queue));
	for (u64 size = MIB; size <= 4 * MIB; size *= 2) {
		must(queue_stats(f->queue, &stats));
		assert_int_equal(stats.map_size, size);
		must(queue_begin(f->queue));
		put = put_rows(f->queue, 3, 100000, &result);
		assert_int_equal(result, STORE_FULL);
		assert_true(put > size * 7 / 10 / 1100 && put < size / 1000);
		queue_abort(f->queue);
		assert_int_equal(queue_grow(f->queue), size < 4 * MIB);
	}
	must(queue_begin(f->queue));
	put_rows(f->queue, 3, 2850, &result);
	must(queue_commit(f->queue));
	assert_true(queue_is_nearly_full(f->queue));
	/* What the file holds is not lost when the map asked for is smaller. */
	fixture_reopen(f);
	assert_int_equal(lane_rows(f->queue), 2850);
	erase_growing(f->queue);
	assert_int_equal(lane_rows(f->queue), 0);
	assert_false(queue_is_nearly_full(f->queue));
}

static void freed_pages_are_used_again(void **state)
{
	struct fixture *f = *state;
	enum store_result result;

	for (int round = 0; round < 100; round++) {
		must(queue_begin(f->queue));
		assert_int_equal(put_rows(f->queue, 1, 200, &result), 200);
		must(queue_commit(f->queue));
		must(queue_begin(f->queue));
		must_be(STORE_NOT_FOUND, queue_campaign_erase(f->queue, 1, 1000));
		must(queue_commit(f->queue));
	}
}

static void fill_until_full(struct queue *queue, u32 *lanes)
{
	enum store_result result = STORE_OK;

	while (result == STORE_OK) {
		must(queue_begin(queue));
		put_rows(queue, *lanes + 1, 100, &result);
		if (result == STORE_OK)
			result = queue_commit(queue);
		else
			queue_abort(queue);
		*lanes += result == STORE_OK;
		assert_true(*lanes < 10000);
	}
	assert_int_equal(result, STORE_FULL);
	assert_int_equal(lane_rows(queue), *lanes * 100ull);
}

static void a_file_that_may_not_grow_is_full_and_recovers(void **state)
{
	struct fixture *f = *state;
	struct rlimit old;
	struct rlimit small;
	enum store_result result;
	u32 lanes = 0;

	f->params.map_size = f->params.map_size_max;
	fixture_reopen(f);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 2 * MIB, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	fill_until_full(f->queue, &lanes);
	assert_true(lanes > 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	must(queue_begin(f->queue));
	assert_int_equal(put_rows(f->queue, lanes + 1, 100, &result), 100);
	must(queue_commit(f->queue));
	fixture_reopen(f);
	assert_int_equal(lane_rows(f->queue), lanes * 100ull + 100);
}

/* In a mount namespace of its own; 77: such a namespace cannot be made here. */
static int fill_disk(const char *dir)
{
	struct fixture f = { .params = { .map_size = 64 * MIB, .map_size_max = 64 * MIB } };
	char other[400];
	enum store_result result;
	u32 lanes = 0;
	int fd;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", dir, "tmpfs", 0, "size=8m") != 0)
		return 77;
	snprintf(f.path, sizeof(f.path), "%s/queue", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	f.params.path = f.path;
	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (posix_fallocate(fd, 0, 3 << 20) != 0)
		return 1;
	fixture_open(&f);
	fill_until_full(f.queue, &lanes);
	/* Full for a while: every try is refused, nothing is lost, nothing breaks. */
	for (int i = 0; i < 20; i++)
		fill_until_full(f.queue, &lanes);
	if (!queue_is_nearly_full(f.queue) || lanes == 0 || ftruncate(fd, 0) != 0)
		return 2;
	must(queue_begin(f.queue));
	if (put_rows(f.queue, lanes + 1, 100, &result) != 100)
		return 3;
	must(queue_commit(f.queue));
	fixture_reopen(&f);
	if (lane_rows(f.queue) != lanes * 100ull + 100)
		return 4;
	queue_close(f.queue);
	return 0;
}

static void a_full_disk_is_an_answer_and_recovers_without_a_restart(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(fill_disk(f->dir));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

#define small_test(name) cmocka_unit_test_setup_teardown(name, setup_small, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		small_test(a_full_map_dooms_the_transaction_and_nothing_else),
		small_test(the_map_grows_by_doubling_up_to_its_maximum),
		small_test(freed_pages_are_used_again),
		small_test(a_file_that_may_not_grow_is_full_and_recovers),
		store_test(a_full_disk_is_an_answer_and_recovers_without_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * kill -9 at random moments: what is found afterwards is exactly the state of one transaction, and
 * no commit that was reported is missing. Rounds can be given: queue_kill_test ROUNDS.
 */
#include "store/fixture.h"

#include "base/random.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define WINDOW 20 /* rows live for so many transactions */
#define ROWS 10   /* per transaction */

/* Shared with the child, which notes what it has been told. */
struct progress {
	_Atomic u64 begun;     /* transaction that was about to be committed */
	_Atomic u64 committed; /* transaction whose commit was reported */
};

static u64 rounds = 250;

/* Transaction n: its rows come, those of n - WINDOW go, a lease moves on, the log gets an entry. */
static void run_transaction(struct queue *queue, u64 n)
{
	struct queue_log_entry entry = { .outcome = LOG_DELIVERED, .wall_ms = n, .age_ms = n };
	struct row_ref lease[ROWS];
	char number[32];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)n);
	must(queue_begin(queue));
	for (u32 i = 0; i < ROWS; i++) {
		struct queue_row row = row_at(lane_ref(1, 1 + i % 3, (u32)n * ROWS + i));

		row.values = slice_of(number);
		must(queue_row_put(queue, &row));
		lease[i] = row.ref;
		row.ref.id.seq -= WINDOW * ROWS;
		if (n > WINDOW)
			must(queue_row_delete(queue, &row.ref));
	}
	if (n > 1)
		must(queue_lease_delete(queue, n - 1));
	must(queue_lease_put(queue, n, n, lease, ROWS));
	must(queue_log_add(queue, &entry));
	assert_true(queue_log_trim(queue, n - min_u64(n, WINDOW), UINT64_MAX, 5) <= STORE_NOT_FOUND);
	must(queue_setting_put(queue, SLICE("n"), slice_of(number)));
}

static void work_until_killed(struct fixture *f, struct progress *progress, u64 n)
{
	fixture_open(f);
	for (;; n++) {
		run_transaction(f->queue, n);
		progress->begun = n;
		must(queue_commit(f->queue));
		progress->committed = n;
	}
}

static u64 number_found(struct queue *queue)
{
	struct slice value;
	u64 n;

	if (queue_setting_get(queue, SLICE("n"), &value) != STORE_OK)
		return 0;
	assert_true(slice_to_u64(value, &n));
	return n;
}

/* The state must be that of transaction n, of all of it and of nothing else. */
static void check_state(struct queue *queue, u64 n)
{
	struct queue_log_entry entry = { 0 };
	struct queue_row row;
	struct buf refs;
	u64 number;
	u64 wall_ms;
	u64 rows = 0;

	for (u32 lane = 1; lane <= 3; lane++) {
		struct row_ref at = lane_ref(1, lane, 0);

		while (queue_row_next(queue, &at, 0, &row) == STORE_OK) {
			u64 made;

			at = row.ref;
			assert_true(slice_to_u64(row.values, &made));
			assert_int_equal(made, at.id.seq / ROWS);
			assert_int_equal(lane, 1 + at.id.seq % ROWS % 3);
			assert_true(made <= n && made + WINDOW > n);
			rows++;
		}
	}
	assert_int_equal(rows, ROWS * min_u64(n, WINDOW));
	buf_init(&refs, ROWS * sizeof(row.ref));
	must_be(n > 0 ? STORE_OK : STORE_NOT_FOUND,
		queue_lease_next(queue, 0, &number, &wall_ms, &refs));
	if (n > 0)
		assert_true(number == n && refs.len == ROWS * sizeof(row.ref));
	must_be(STORE_NOT_FOUND, queue_lease_next(queue, n, &number, &wall_ms, &refs));
	buf_done(&refs);
	while (queue_log_next(queue, entry.number, &entry) == STORE_OK)
		assert_int_equal(entry.wall_ms, entry.number);
	assert_int_equal(entry.number, n);
}

static void exactly_what_was_committed_is_found_after_kill_9(void **state)
{
	struct fixture *f = *state;
	struct progress *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct random random;
	u64 n = 0;
	int status;

	assert_true(progress != MAP_FAILED);
	random_seed(&random, 1);
	queue_close(f->queue);
	f->queue = NULL;
	for (u64 round = 0; round < rounds; round++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			work_until_killed(f, progress, n + 1);
			_exit(1);
		}
		usleep((useconds_t)random_below(&random, 8000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		/* It was killed, and did not end by itself because something had failed. */
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		fixture_open(f);
		must(queue_begin(f->queue));
		n = number_found(f->queue);
		assert_true(n >= progress->committed && n <= progress->begun);
		check_state(f->queue, n);
		queue_abort(f->queue);
		queue_close(f->queue);
		f->queue = NULL;
	}
	print_message("%llu transactions in %llu rounds\n", (unsigned long long)n,
		      (unsigned long long)rounds);
	assert_true(n > rounds / 4);
	munmap(progress, sizeof(*progress));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		store_test(exactly_what_was_committed_is_found_after_kill_9),
	};

	if (argc > 1 && !slice_to_u64(slice_of(argv[1]), &rounds))
		return 2;
	/* In memory commits are quick, so that the kills meet every part of them. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

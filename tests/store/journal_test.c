/* What journal.h promises: states outlive kill -9, another boot is seen, two openers never. */
#include "store/fixture.h"

#include "store/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const u8 this_boot[JOURNAL_BOOT_SIZE] = "11111111-1111-1111-1111-111111111111";
static const u8 other_boot[JOURNAL_BOOT_SIZE] = "22222222-2222-2222-2222-222222222222";

static struct journal *open_in(const struct fixture *f, u32 slots, const u8 *boot)
{
	struct error error = { "" };
	char path[300];
	struct journal *journal;

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	journal = journal_open_in_boot(path, slots, boot, &error);
	if (!journal)
		fail_msg("%s", error.text);
	return journal;
}

static void reset(struct journal *journal)
{
	struct error error = { "" };

	if (!journal_reset(journal, &error))
		fail_msg("%s", error.text);
}

static u32 state_of(struct journal *journal, u32 index)
{
	return atomic_load_explicit(&journal_slot(journal, index)->state, memory_order_acquire);
}

static void set_state(struct journal *journal, u32 index, u32 state)
{
	atomic_store_explicit(&journal_slot(journal, index)->state, state, memory_order_release);
}

static void a_new_journal_is_empty_and_says_nothing_until_it_is_reset(void **state)
{
	struct journal *journal = open_in(*state, 100, this_boot);

	assert_int_equal(journal_slot_count(journal), 100);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(state_of(journal, i), JOURNAL_FREE);
	assert_false(journal_is_current(journal));
	reset(journal);
	assert_true(journal_is_current(journal));
	journal_close(journal);
}

static void a_slot_is_one_cache_line_of_its_own(void **state)
{
	struct journal *journal = open_in(*state, 3, this_boot);

	assert_int_equal((uintptr_t)journal_slot(journal, 1) % CACHE_LINE, 0);
	assert_int_equal((char *)journal_slot(journal, 2) - (char *)journal_slot(journal, 1),
			 CACHE_LINE);
	journal_close(journal);
}

/* The child notes states as fast as it can and is killed in between. */
static void note_for_ever(struct journal *journal)
{
	for (u32 round = 1;; round++) {
		for (u32 i = 0; i < journal_slot_count(journal); i++) {
			struct journal_slot *slot = journal_slot(journal, i);

			set_state(journal, i, JOURNAL_FREE);
			slot->ref = deferred_ref(round, i + 1, round, i + 1);
			slot->date_ms = round * 3ull;
			slot->code = (u16)(250 + i);
			memset(slot->host, (int)i, sizeof(slot->host));
			set_state(journal, i, 1 + (round + i) % 3);
		}
	}
}

static void states_outlive_kill_9(void **state)
{
	struct journal *journal;
	u32 used = 0;

	for (int round = 0; round < 50; round++) {
		int begins[2];
		char byte = 0;
		pid_t child;

		assert_int_equal(pipe(begins), 0);
		child = fork();
		if (child == 0) {
			journal = open_in(*state, 64, this_boot);
			reset(journal);
			if (write(begins[1], &byte, 1) == 1)
				note_for_ever(journal);
			_exit(1);
		}
		/* From there on it notes, however busy the machine is. */
		assert_int_equal(read(begins[0], &byte, 1), 1);
		close(begins[0]);
		close(begins[1]);
		usleep(500 + 97 * (unsigned)round);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		journal = open_in(*state, 64, this_boot);
		for (u32 i = 0; journal_is_current(journal) && i < 64; i++) {
			struct journal_slot *slot = journal_slot(journal, i);
			u64 mark = slot->ref.due_ms;

			if (state_of(journal, i) == JOURNAL_FREE)
				continue;
			used++;
			assert_int_equal(state_of(journal, i), 1 + (mark + i) % 3);
			assert_int_equal(slot->ref.id.campaign, i + 1);
			assert_int_equal(slot->ref.id.domain, mark);
			assert_int_equal(slot->ref.id.seq, i + 1);
			assert_int_equal(slot->date_ms, mark * 3);
			assert_int_equal(slot->code, 250 + i);
			assert_int_equal(slot->host[15], i);
		}
		journal_close(journal);
	}
	assert_true(used > 0);
}

static void after_another_boot_it_is_not_to_be_trusted(void **state)
{
	struct journal *journal = open_in(*state, 10, this_boot);

	reset(journal);
	set_state(journal, 3, JOURNAL_DOT_SENT);
	journal_close(journal);
	journal = open_in(*state, 10, other_boot);
	assert_false(journal_is_current(journal));
	reset(journal);
	assert_true(journal_is_current(journal));
	assert_int_equal(state_of(journal, 3), JOURNAL_FREE);
	journal_close(journal);
}

static void the_kernels_boot_id_is_the_same_for_two_openers(void **state)
{
	struct fixture *f = *state;
	struct error error = { "" };
	char path[300];
	struct journal *journal;

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	journal = journal_open(path, 5, &error);
	assert_non_null(journal);
	reset(journal);
	set_state(journal, 0, JOURNAL_LEASED);
	journal_close(journal);
	journal = journal_open(path, 5, &error);
	assert_non_null(journal);
	assert_true(journal_is_current(journal));
	assert_int_equal(state_of(journal, 0), JOURNAL_LEASED);
	journal_close(journal);
}

static void another_count_keeps_the_slots_until_the_reset(void **state)
{
	struct journal *journal = open_in(*state, 200, this_boot);

	reset(journal);
	set_state(journal, 199, JOURNAL_ANSWERED);
	journal_close(journal);
	journal = open_in(*state, 20, this_boot);
	assert_int_equal(journal_slot_count(journal), 200);
	assert_true(journal_is_current(journal));
	assert_int_equal(state_of(journal, 199), JOURNAL_ANSWERED);
	reset(journal);
	assert_int_equal(journal_slot_count(journal), 20);
	journal_close(journal);
	journal = open_in(*state, 5000, this_boot);
	assert_int_equal(journal_slot_count(journal), 20);
	reset(journal);
	assert_int_equal(journal_slot_count(journal), 5000);
	assert_int_equal(state_of(journal, 4999), JOURNAL_FREE);
	journal_close(journal);
}

static void a_second_opener_is_refused(void **state)
{
	struct fixture *f = *state;
	struct journal *journal = open_in(f, 10, this_boot);
	struct error error = { "" };
	char path[300];
	int status;
	pid_t child;

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	assert_null(journal_open(path, 10, &error));
	assert_non_null(strstr(error.text, "in use by another process"));
	child = fork();
	if (child == 0)
		_exit(journal_open(path, 10, &error) ? 1 : 0);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	journal_close(journal);
	journal_close(open_in(f, 10, this_boot));
}

/* Cuts the file at `size`, or overwrites its first bytes when `size` is negative. */
static void spoil(const struct fixture *f, off_t size)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	if (size < 0)
		assert_int_equal(pwrite(fd, "damaged!", 8, 0), 8);
	else
		assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void a_file_that_is_cut_or_damaged_says_nothing(void **state)
{
	static const off_t sizes[] = { 0, 1, 20, 4096, 4096 + 64 * 9, -1 };

	for (size_t i = 0; i < array_count(sizes); i++) {
		struct journal *journal = open_in(*state, 10, this_boot);

		reset(journal);
		set_state(journal, 9, JOURNAL_DOT_SENT);
		journal_close(journal);
		spoil(*state, sizes[i]);
		journal = open_in(*state, 10, this_boot);
		assert_false(journal_is_current(journal));
		assert_int_equal(journal_slot_count(journal), 10);
		assert_int_equal(state_of(journal, 9), JOURNAL_FREE);
		journal_close(journal);
	}
}

static void every_block_is_allocated_so_that_no_store_can_fail(void **state)
{
	struct fixture *f = *state;
	struct journal *journal = open_in(f, 5000, this_boot);
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	reset(journal);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size >= 5000 * 64 && st.st_blocks * 512 >= st.st_size);
	journal_close(journal);
}

static void no_room_for_the_file_is_an_error_at_once(void **state)
{
	struct fixture *f = *state;
	struct error error = { "" };
	struct rlimit old;
	struct rlimit small;
	char path[300];

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 8192, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_null(journal_open_in_boot(path, 1000, this_boot, &error));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(error.text, path));
	journal_close(open_in(f, 1000, this_boot));
	assert_null(journal_open("/nonexistent/journal", 1, &error));
	assert_non_null(strstr(error.text, "/nonexistent/journal"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_new_journal_is_empty_and_says_nothing_until_it_is_reset),
		store_test(a_slot_is_one_cache_line_of_its_own),
		store_test(states_outlive_kill_9),
		store_test(after_another_boot_it_is_not_to_be_trusted),
		store_test(the_kernels_boot_id_is_the_same_for_two_openers),
		store_test(another_count_keeps_the_slots_until_the_reset),
		store_test(a_second_opener_is_refused),
		store_test(a_file_that_is_cut_or_damaged_says_nothing),
		store_test(every_block_is_allocated_so_that_no_store_can_fail),
		store_test(no_room_for_the_file_is_an_error_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A disk without any room left: what was set aside before is enough to open, to commit what is under
 * way and to reset the journal; what is not there yet is refused in words. On a tmpfs in a mount
 * namespace of the test's own.
 */
#include "store/fixture.h"

#include "store/journal.h"
#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define DISK (16 * MIB)
#define SLOTS 4096
#define NOT_HERE 77 /* no mount namespace can be made */

static const u8 boot[JOURNAL_BOOT_SIZE] = "11111111-1111-1111-1111-111111111111";

static void on_small_disk(struct fixture *f)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", f->dir, "tmpfs", 0, "size=16m") != 0)
		_exit(NOT_HERE);
	f->queue = NULL;
	f->params = (struct store_params){
		.path = f->path, .map_size = 64 * MIB, .map_size_max = 64 * MIB, .reserve = 2 * MIB
	};
}

/* Takes all that is left, to the last block; the file that holds it. */
static int fill_disk(const struct fixture *f)
{
	static const char block[4096];
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/other", f->dir);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	return fd;
}

static bool has_room(struct queue *queue)
{
	struct queue_stats stats;

	must(queue_stats(queue, &stats));
	return queue_has_room(queue, &stats);
}

static void put_rows(struct queue *queue, u32 lane, u32 count)
{
	static char values[1000];
	struct queue_row row = row_at(lane_ref(1, lane, 1));

	row.values = (struct slice){ values, sizeof(values) };
	must(queue_begin(queue));
	for (u32 i = 1; i <= count; i++) {
		row.ref.id.seq = i;
		must(queue_row_put(queue, &row));
	}
	must(queue_commit(queue));
}

static struct journal *journal_in(const struct fixture *f, u32 slots, struct error *error)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	return journal_open_in_boot(path, slots, boot, error);
}

/* Runs `body` in a child of its own on a small disk. */
static void in_child(void **state, void (*body)(struct fixture *f))
{
	struct fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0) {
		on_small_disk(f);
		body(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_HERE)
		skip();
	assert_int_equal(status, 0);
}

static void use_the_reserve(struct fixture *f)
{
	struct error error = { "" };
	struct journal *journal = journal_in(f, SLOTS, &error);
	u32 lane = 1;
	int other;

	assert_non_null(journal);
	assert_true(journal_reset(journal, &error));
	journal_close(journal);
	fixture_open(f);
	assert_true(has_room(f->queue));
	put_rows(f->queue, lane++, 100);
	other = fill_disk(f);
	/* A whole reserve is set aside, in commits of 100 kB: half of it is "no room" to the asker. */
	while (has_room(f->queue))
		put_rows(f->queue, lane++, 100);
	for (u32 i = 0; i < 4; i++)
		put_rows(f->queue, lane++, 100);
	assert_true(lane > 10);
	/* A start on the full disk. */
	fixture_reopen(f);
	put_rows(f->queue, lane++, 50);
	assert_false(has_room(f->queue));
	journal = journal_in(f, SLOTS, &error);
	assert_non_null(journal);
	for (int i = 0; i < 3; i++)
		assert_true(journal_reset(journal, &error));
	memset(journal_slot(journal, SLOTS - 1), 0x55, sizeof(struct journal_slot));
	journal_close(journal);
	assert_int_equal(ftruncate(other, 0), 0);
	assert_true(has_room(f->queue));
	queue_close(f->queue);
}

static void what_is_under_way_is_committed_on_a_full_disk(void **state)
{
	in_child(state, use_the_reserve);
}

static void open_without_room(struct fixture *f)
{
	struct error error = { "" };
	char lock[320];

	fixture_open(f);
	put_rows(f->queue, 1, 100);
	queue_close(f->queue);
	snprintf(lock, sizeof(lock), "%s/lock.mdb", f->path);
	assert_int_equal(unlink(lock), 0);
	close(fill_disk(f));
	/* LMDB alone would die by SIGBUS here. */
	f->queue = queue_open(&f->params, &error);
	assert_null(f->queue);
	assert_non_null(strstr(error.text, "lock file"));
	assert_null(journal_in(f, SLOTS, &error));
	assert_non_null(strstr(error.text, "no room"));
}

static void what_is_not_there_yet_is_refused_on_a_full_disk(void **state)
{
	in_child(state, open_without_room);
}

static void ask_for_room(struct fixture *f)
{
	struct error error = { "" };
	char needed[64];
	struct statvfs fs;

	assert_true(room_check(f->dir, DISK / 2, &error));
	assert_false(room_check(f->dir, 2 * DISK, &error));
	snprintf(needed, sizeof(needed), "%llu bytes are needed", 2 * DISK);
	assert_non_null(strstr(error.text, needed));
	assert_non_null(strstr(error.text, f->dir));
	/* What was tried was given back. */
	assert_int_equal(statvfs(f->dir, &fs), 0);
	assert_int_equal(fs.f_bavail, fs.f_blocks);
	assert_true(queue_room_needed(&f->params) > f->params.reserve);
	fixture_open(f);
	assert_int_equal(queue_room_needed(&f->params), 0);
	queue_close(f->queue);
}

static void room_is_asked_for_and_named(void **state)
{
	in_child(state, ask_for_room);
}

static void a_journal_says_what_it_will_take(void **state)
{
	struct fixture *f = *state;
	struct error error = { "" };
	char path[300];
	struct journal *journal;

	snprintf(path, sizeof(path), "%s/journal", f->dir);
	assert_true(journal_room_needed(path, 1000) >= 64000);
	journal = journal_in(f, 1000, &error);
	assert_int_equal(journal_room_needed(path, 1000), 0);
	assert_int_equal(journal_room_needed(path, 10), 0);
	assert_true(journal_room_needed(path, 2000) >= 128000);
	journal_close(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(what_is_under_way_is_committed_on_a_full_disk),
		store_test(what_is_not_there_yet_is_refused_on_a_full_disk),
		store_test(room_is_asked_for_and_named),
		store_test(a_journal_says_what_it_will_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

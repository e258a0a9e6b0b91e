/* The spool: what is durable, what leaves no trace, and what there is no room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/durable.h"
#include "base/text.h"
#include "receive/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#define PATH_MAX_HERE 256

struct place {
	char root[64];
	char folder[80];
	struct ring *ring;
	struct spool *spool;
	u64 bytes_max;
	u64 bytes_free;
};

struct message {
	struct spool_file file;
	u32 dones;
	bool durable;
};

static void on_done(struct spool_file *file, bool durable)
{
	struct message *message = container_of(file, struct message, file);

	message->dones++;
	message->durable = durable;
}

static void place_open_spool(struct place *place)
{
	struct spool_params params = { .folder = place->folder,
				       .bytes_max = place->bytes_max,
				       .bytes_free = place->bytes_free };
	struct error error = { "" };

	place->spool = spool_open(place->ring, &params, &error);
	if (!place->spool)
		fail_msg("%s", error.text);
}

static void place_open(struct place *place, u64 bytes_max, u64 bytes_free)
{
	struct ring_params params = { .entries = 64, .files = 8, .buffers = 8, .buffer_size = 1024 };
	struct error error = { "" };

	*place = (struct place){ .root = "/tmp/spool-test-XXXXXX", .bytes_max = bytes_max,
				 .bytes_free = bytes_free };
	assert_non_null(mkdtemp(place->root));
	snprintf(place->folder, sizeof(place->folder), "%s/spool", place->root);
	place->ring = ring_open(&params, &error);
	assert_non_null(place->ring);
	place_open_spool(place);
}

static void place_close(struct place *place)
{
	struct error error;

	spool_close(place->spool);
	ring_close(place->ring);
	assert_true(durable_remove_tree(place->root, &error));
}

static u32 count_files(const struct place *place, const char *name)
{
	char path[PATH_MAX_HERE];
	struct dirent *entry;
	u32 count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void message_begin(struct message *message, struct place *place)
{
	*message = (struct message){ .dones = 0 };
	spool_file_init(&message->file, place->spool, on_done);
	assert_true(spool_file_begin(&message->file));
}

static void message_commit(struct message *message, struct place *place)
{
	assert_true(spool_file_flush(&message->file));
	spool_file_commit(&message->file);
	assert_int_equal(message->dones, 0);
	while (message->dones == 0)
		ring_turn(place->ring, UINT64_MAX);
	assert_int_equal(message->dones, 1);
}

static void a_message_gets_its_name_when_it_is_whole(void **state)
{
	struct message message;
	struct place place;
	char path[PATH_MAX_HERE];
	char text[16] = "";
	struct stat st;
	int fd;

	(void)state;
	place_open(&place, 1 << 20, 0);
	message_begin(&message, &place);
	assert_true(spool_file_write(&message.file, SLICE("one ")));
	assert_true(spool_file_write(&message.file, SLICE("two")));
	assert_int_equal(count_files(&place, "tmp"), 1);
	assert_int_equal(count_files(&place, "new"), 0);
	message_commit(&message, &place);
	assert_true(message.durable);
	assert_int_equal(count_files(&place, "tmp"), 0);
	snprintf(path, sizeof(path), "%s/new/%s", place.folder, message.file.id);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(read(fd, text, sizeof(text)), 7);
	assert_string_equal(text, "one two");
	close(fd);
	/* The same memory for the next one, which has another name. */
	assert_true(spool_file_begin(&message.file));
	message.dones = 0;
	message_commit(&message, &place);
	assert_int_equal(count_files(&place, "new"), 2);
	place_close(&place);
}

static void what_is_dropped_or_was_left_by_a_crash_leaves_no_trace(void **state)
{
	struct message message;
	struct place place;
	char path[PATH_MAX_HERE];

	(void)state;
	place_open(&place, 1 << 20, 0);
	message_begin(&message, &place);
	assert_true(spool_file_write(&message.file, SLICE("x")));
	spool_file_drop(&message.file);
	spool_file_drop(&message.file);
	assert_int_equal(count_files(&place, "tmp"), 0);
	spool_close(place.spool);
	snprintf(path, sizeof(path), "%s/tmp/leftover", place.folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	snprintf(path, sizeof(path), "%s/new/kept", place.folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	place_open_spool(&place);
	assert_int_equal(count_files(&place, "tmp"), 0);
	assert_int_equal(count_files(&place, "new"), 1);
	place_close(&place);
}

static void a_full_spool_takes_nothing_until_it_is_emptied(void **state)
{
	static char bulk[1000];
	struct message message;
	struct place place;

	(void)state;
	place_open(&place, 2500, 0);
	for (u32 i = 0; i < 2; i++) {
		message_begin(&message, &place);
		assert_true(spool_file_write(&message.file, (struct slice){ bulk, sizeof(bulk) }));
		message_commit(&message, &place);
	}
	assert_true(spool_has_room(place.spool, 500));
	assert_false(spool_has_room(place.spool, 501));
	/* What is there counts at the next start, too. */
	spool_close(place.spool);
	place_open_spool(&place);
	assert_true(spool_has_room(place.spool, 500));
	assert_false(spool_has_room(place.spool, 501));
	place_close(&place);
}

static void room_is_looked_at_while_a_message_grows(void **state)
{
	static char bulk[128 * 1024];
	struct message message;
	struct place place;
	u32 taken = 0;

	(void)state;
	place_open(&place, 1 << 20, 0);
	message_begin(&message, &place);
	while (spool_file_write(&message.file, (struct slice){ bulk, sizeof(bulk) }))
		taken++;
	assert_int_equal(taken, 8);
	assert_false(spool_file_write(&message.file, SLICE("x")));
	spool_file_drop(&message.file);
	assert_true(spool_has_room(place.spool, 1 << 20));
	place_close(&place);
}

static void a_disk_that_has_to_keep_room_takes_nothing(void **state)
{
	struct message message = { .dones = 0 };
	struct place place;

	(void)state;
	place_open(&place, 1 << 20, 1ull << 60);
	spool_file_init(&message.file, place.spool, on_done);
	assert_false(spool_has_room(place.spool, 0));
	assert_false(spool_file_begin(&message.file));
	spool_file_drop(&message.file);
	place_close(&place);
}

static void a_write_that_fails_fails_for_good(void **state)
{
	struct rlimit limit;
	struct rlimit old;
	struct message message;
	struct place place;

	(void)state;
	place_open(&place, 1 << 20, 0);
	message_begin(&message, &place);
	assert_true(spool_file_write(&message.file, SLICE("x")));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){ .rlim_cur = 4, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	/* It waits for company, and its failure with it. */
	assert_true(spool_file_write(&message.file, SLICE("123456")));
	assert_false(spool_file_flush(&message.file));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(spool_file_flush(&message.file));
	assert_false(spool_file_write(&message.file, SLICE("y")));
	spool_file_drop(&message.file);
	assert_int_equal(count_files(&place, "tmp"), 0);
	place_close(&place);
}

/* Pieces of both come in turns; each file has its own, in order. */
static void small_pieces_of_many_messages_do_not_mix(void **state)
{
	struct message messages[3];
	struct place place;
	char path[2 * PATH_MAX_HERE];
	char text[40000];
	char piece[16];

	(void)state;
	place_open(&place, 8 << 20, 0);
	for (u32 i = 0; i < 3; i++)
		message_begin(&messages[i], &place);
	for (u32 n = 0; n < 9000; n++) {
		u32 i = n / 7 % 3;

		snprintf(piece, sizeof(piece), "%u:%u\n", i, n);
		assert_true(spool_file_write(&messages[i].file, slice_of(piece)));
	}
	spool_file_drop(&messages[1].file);
	for (u32 i = 0; i < 3; i += 2) {
		size_t at = 0;
		FILE *file;

		message_commit(&messages[i], &place);
		assert_true(messages[i].durable);
		snprintf(path, sizeof(path), "%s/new/%s", place.folder, messages[i].file.id);
		file = fopen(path, "r");
		assert_non_null(file);
		assert_int_equal(fread(text, 1, sizeof(text), file), messages[i].file.size);
		fclose(file);
		for (u32 n = 0; n < 9000; n++) {
			if (n / 7 % 3 != i)
				continue;
			snprintf(piece, sizeof(piece), "%u:%u\n", i, n);
			assert_memory_equal(text + at, piece, strlen(piece));
			at += strlen(piece);
		}
		assert_int_equal(at, messages[i].file.size);
	}
	place_close(&place);
}

static void a_message_whose_name_cannot_be_made_is_gone(void **state)
{
	struct message message;
	struct place place;
	char path[PATH_MAX_HERE];
	char other[PATH_MAX_HERE];

	(void)state;
	place_open(&place, 1 << 20, 0);
	message_begin(&message, &place);
	snprintf(path, sizeof(path), "%s/new", place.folder);
	snprintf(other, sizeof(other), "%s/away", place.folder);
	assert_int_equal(rename(path, other), 0);
	message_commit(&message, &place);
	assert_false(message.durable);
	assert_int_equal(count_files(&place, "tmp"), 0);
	place_close(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_gets_its_name_when_it_is_whole),
		cmocka_unit_test(what_is_dropped_or_was_left_by_a_crash_leaves_no_trace),
		cmocka_unit_test(a_full_spool_takes_nothing_until_it_is_emptied),
		cmocka_unit_test(room_is_looked_at_while_a_message_grows),
		cmocka_unit_test(a_disk_that_has_to_keep_room_takes_nothing),
		cmocka_unit_test(a_write_that_fails_fails_for_good),
		cmocka_unit_test(small_pieces_of_many_messages_do_not_mix),
		cmocka_unit_test(a_message_whose_name_cannot_be_made_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

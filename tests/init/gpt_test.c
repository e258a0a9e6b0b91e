/* The partition table, against sgdisk: what it wrote is read, what we write it finds no fault in. */
#include "init/gpt.h"

#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK 512u
#define MIB (1024 * 1024)
#define DISK (200ull * MIB)

static char path[] = "/tmp/gpt_test.XXXXXX";
static u8 *head;
static u8 *tail;

static bool holds(const char *fmt, ...) PRINTF_LIKE(1, 2);
static bool holds(const char *fmt, ...)
{
	char command[512];
	char whole[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "( %s ) >/dev/null 2>&1", command);
	return system(whole) == 0;
}

static void load(u64 bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, head, gpt_head_size(BLOCK), 0), gpt_head_size(BLOCK));
	assert_int_equal(pread(fd, tail, gpt_tail_size(BLOCK),
			       (off_t)(bytes - gpt_tail_size(BLOCK))),
			 gpt_tail_size(BLOCK));
	close(fd);
}

static void save(u64 bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, head, gpt_head_size(BLOCK), 0), gpt_head_size(BLOCK));
	assert_int_equal(pwrite(fd, tail, gpt_tail_size(BLOCK),
				(off_t)(bytes - gpt_tail_size(BLOCK))),
			 gpt_tail_size(BLOCK));
	close(fd);
}

static enum gpt_result read_table(struct gpt *gpt, u64 bytes)
{
	struct error error = { "" };

	load(bytes);
	return gpt_read(gpt, head, tail, BLOCK, bytes / BLOCK, &error);
}

/* A disk as sgdisk makes it, with two partitions, one with a name that is not ASCII. */
static int make_disk(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/gpt_test.XXXXXX");
	fd = mkstemp(path);
	head = malloc(GPT_HEAD_MAX);
	tail = malloc(GPT_HEAD_MAX);
	if (fd < 0 || !head || !tail || ftruncate(fd, DISK) < 0)
		return -1;
	close(fd);
	return holds("sgdisk -n 1:2048:+1M -t 1:ef02 -c 1:hikyaku-boot -n 2:4096:+96M -t 2:ef00 "
		     "-c 2:hikyaku-esp -n 5:0:+10M -A 5:set:2 -c 5:\xe9\x83\xb5\xe4\xbe\xbf %s",
		     path)
		       ? 0
		       : -1;
}

static int drop_disk(void **state)
{
	(void)state;
	unlink(path);
	free(head);
	free(tail);
	return 0;
}

static void the_checksum_is_the_one_of_ieee(void **state)
{
	(void)state;
	assert_int_equal(gpt_crc("123456789", 9), 0xcbf43926);
	assert_int_equal(gpt_crc("", 0), 0);
}

static void what_sgdisk_wrote_is_read(void **state)
{
	struct gpt gpt;

	(void)state;
	assert_int_equal(read_table(&gpt, DISK), GPT_READ);
	assert_false(gpt.needs_writing);
	assert_int_equal(gpt.first_usable, 34);
	assert_int_equal(gpt.last_usable, DISK / BLOCK - 34);
	assert_int_equal(gpt_find(&gpt, "hikyaku-esp"), 2);
	assert_int_equal(gpt_find(&gpt, "hikyaku"), 0);
	assert_int_equal(gpt.partitions[1].first, 4096);
	assert_int_equal(gpt.partitions[1].last, 4096 + 96 * 2048 - 1);
	assert_string_equal(gpt.partitions[4].name, "??");
	assert_int_equal(gpt.partitions[4].flags, 4);
	assert_int_equal(gpt_end(&gpt), gpt.partitions[4].last);
}

static void what_we_write_pleases_sgdisk(void **state)
{
	static const u8 id[16] = { 1, 2, 3, 4 };
	struct gpt gpt;

	(void)state;
	assert_int_equal(read_table(&gpt, DISK), GPT_READ);
	memcpy(head, "boot code", 9);
	assert_true(gpt_set(&gpt, 3, 300000, 400000, "hikyaku-data", id));
	assert_true(gpt.needs_writing);
	gpt_write(&gpt, head, tail);
	assert_memory_equal(head, "boot code", 9);
	save(DISK);
	assert_true(holds("sgdisk -v %s | grep -q 'No problems found'", path));
	assert_true(holds("sgdisk -p %s | grep -q '3 *300000 *400000 .* 8300 *hikyaku-data'", path));
	assert_true(holds("sgdisk -i 3 %s | grep -q 'unique GUID: 04030201-'", path));
	assert_true(holds("sgdisk -i 5 %s | grep -q \"'\xe9\x83\xb5\xe4\xbe\xbf'\"", path));
	assert_true(holds("sgdisk -i 5 %s | grep -q 'flags: 0000000000000004'", path));
	assert_int_equal(read_table(&gpt, DISK), GPT_READ);
	assert_false(gpt.needs_writing);
}

static void a_larger_disk_gets_its_second_copy_at_its_end(void **state)
{
	u64 larger = 3 * DISK;
	struct gpt gpt;

	(void)state;
	assert_int_equal(truncate(path, (off_t)larger), 0);
	assert_int_equal(read_table(&gpt, larger), GPT_READ);
	assert_true(gpt.needs_writing);
	assert_int_equal(gpt.last_usable, larger / BLOCK - 34);
	gpt_write(&gpt, head, tail);
	save(larger);
	assert_true(holds("sgdisk -v %s | grep -q 'No problems found'", path));
	assert_int_equal(read_table(&gpt, larger), GPT_READ);
	assert_false(gpt.needs_writing);
}

static void either_copy_restores_the_other(void **state)
{
	struct gpt gpt;

	(void)state;
	for (u32 damage = 0; damage < 4; damage++) {
		load(DISK);
		if (damage == 0)
			memset(head + BLOCK, 0, gpt_head_size(BLOCK) - BLOCK);
		else if (damage == 1)
			head[2 * BLOCK + 130] ^= 1; /* the first partition's place */
		else if (damage == 2)
			tail[GPT_ENTRIES_SIZE + 60] ^= 1;
		else
			memset(tail, 0xff, gpt_tail_size(BLOCK));
		save(DISK);
		assert_int_equal(read_table(&gpt, DISK), GPT_READ);
		assert_true(gpt.needs_writing);
		assert_int_equal(gpt_find(&gpt, "hikyaku-esp"), 2);
		gpt_write(&gpt, head, tail);
		save(DISK);
		assert_true(holds("sgdisk -v %s | grep -q 'No problems found'", path));
		assert_int_equal(read_table(&gpt, DISK), GPT_READ);
		assert_false(gpt.needs_writing);
	}
}

static void without_a_whole_copy_nobody_may_write(void **state)
{
	struct error error = { "" };
	struct gpt gpt;

	(void)state;
	load(DISK);
	head[BLOCK + 60] ^= 1;
	tail[GPT_ENTRIES_SIZE + 60] ^= 1;
	assert_int_equal(gpt_read(&gpt, head, tail, BLOCK, DISK / BLOCK, &error), GPT_BAD);
	assert_string_equal(error.text, "its partition table is damaged");
	memset(head, 0, gpt_head_size(BLOCK));
	memset(tail, 0, gpt_tail_size(BLOCK));
	assert_int_equal(gpt_read(&gpt, head, tail, BLOCK, DISK / BLOCK, &error), GPT_NONE);
	/* A disk that became smaller: its partitions are not all there. */
	assert_int_equal(truncate(path, 50 * MIB), 0);
	load(50 * MIB);
	assert_int_equal(gpt_read(&gpt, head, tail, BLOCK, 50 * MIB / BLOCK, &error), GPT_BAD);
	assert_string_equal(error.text, "its partition 2 does not fit");
}

static void a_partition_lies_within_the_disk_and_over_no_other(void **state)
{
	static const u8 id[16] = { 1 };
	struct gpt gpt;
	u64 free_from;

	(void)state;
	assert_int_equal(read_table(&gpt, DISK), GPT_READ);
	free_from = gpt_end(&gpt) + 1;
	assert_false(gpt_set(&gpt, 3, 33, 1000, "x", id));
	assert_false(gpt_set(&gpt, 3, 5000, 6000, "x", id));
	assert_false(gpt_set(&gpt, 3, free_from - 1, free_from + 100, "x", id));
	assert_false(gpt_set(&gpt, 3, free_from, gpt.last_usable + 1, "x", id));
	assert_false(gpt_set(&gpt, 3, free_from + 1, free_from, "x", id));
	assert_int_equal(gpt_find(&gpt, "x"), 0);
	assert_false(gpt.needs_writing);
	assert_true(gpt_set(&gpt, 3, free_from, gpt.last_usable, "x", id));
	assert_true(gpt_set(&gpt, 3, free_from, gpt.last_usable - 1, "y", id));
	assert_int_equal(gpt_find(&gpt, "y"), 3);
}

/* Whatever a disk holds: read without a step beside it, and what is taken is consistent. */
static void any_bytes_can_be_read(void **state)
{
	struct error error;
	struct gpt gpt;
	u32 seed = 1;

	(void)state;
	for (u32 round = 0; round < 3000; round++) {
		load(DISK);
		for (u32 i = 0; i < 1 + round % 4; i++) {
			seed = seed * 1664525 + 1013904223;
			head[BLOCK + (seed >> 8) % (3 * BLOCK)] = (u8)(seed >> 3);
		}
		/* The checksums made right again, so that the reader believes what is there. */
		if (round % 2) {
			u32 crc = gpt_crc(head + 2 * BLOCK, GPT_ENTRIES_SIZE);

			memcpy(head + BLOCK + 88, &crc, 4);
			memset(head + BLOCK + 16, 0, 4);
			crc = gpt_crc(head + BLOCK, 92);
			memcpy(head + BLOCK + 16, &crc, 4);
		}
		if (gpt_read(&gpt, head, tail, BLOCK, DISK / BLOCK, &error) != GPT_READ)
			continue;
		assert_true(gpt_end(&gpt) <= gpt.last_usable);
		assert_true(gpt.last_usable == DISK / BLOCK - 34);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_disk, drop_disk)
		cmocka_unit_test(the_checksum_is_the_one_of_ieee),
		TEST(what_sgdisk_wrote_is_read),
		TEST(what_we_write_pleases_sgdisk),
		TEST(a_larger_disk_gets_its_second_copy_at_its_end),
		TEST(either_copy_restores_the_other),
		TEST(without_a_whole_copy_nobody_may_write),
		TEST(a_partition_lies_within_the_disk_and_over_no_other),
		TEST(any_bytes_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Archives: what others' tar reads of ours and we of theirs, and damaged headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u8 block[TAR_HEAD_MAX];

static void gnu_tar_reads_what_we_write(void **state)
{
	struct tar_entry entry = {
		.name = "send/keys/a.pem", .size = 5, .mode = 0600, .time_s = 1796000000
	};
	u8 rest[3 * TAR_BLOCK] = "hello";
	char line[256];
	FILE *tar;
	FILE *file = fopen("/tmp/tar-test.tar", "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(tar_write(block, &entry), TAR_BLOCK);
	assert_int_equal(fwrite(block, 1, TAR_BLOCK, file), TAR_BLOCK);
	assert_int_equal(fwrite(rest, 1, sizeof(rest), file), sizeof(rest));
	assert_int_equal(fclose(file), 0);
	tar = popen("TZ=UTC tar --full-time --numeric-owner -tvf /tmp/tar-test.tar 2>&1", "r");
	assert_non_null(fgets(line, sizeof(line), tar));
	pclose(tar);
	assert_string_equal(line,
			    "-rw------- 0/0               5 2026-11-30 00:53:20 send/keys/a.pem\n");
	tar = popen("tar -xOf /tmp/tar-test.tar 2>&1", "r");
	assert_non_null(fgets(line, sizeof(line), tar));
	pclose(tar);
	assert_string_equal(line, "hello");
	remove("/tmp/tar-test.tar");
}

static void we_read_what_gnu_tar_writes(void **state)
{
	struct tar_entry entry;
	FILE *tar = popen(
		"cd /etc && tar --format=ustar --mode=0640 --mtime=@1234567890 -cf - hostname",
		"r");

	(void)state;
	assert_int_equal(fread(block, 1, TAR_BLOCK, tar), TAR_BLOCK);
	pclose(tar);
	assert_int_equal(tar_read(block, &entry), TAR_ENTRY);
	assert_string_equal(entry.name, "hostname");
	assert_int_equal(entry.mode, 0640);
	assert_int_equal(entry.time_s, 1234567890);
	assert_true(entry.size > 0);
}

static void what_is_written_is_read_whatever_its_size(void **state)
{
	static const u64 sizes[] = { 0, 1, 511, 512, 077777777777ull, 0100000000000ull, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tar_entry entry = { .name = "x", .size = sizes[i], .mode = 0644 };
		struct tar_entry read;

		assert_int_equal(tar_write(block, &entry), TAR_BLOCK);
		assert_int_equal(tar_read(block, &read), TAR_ENTRY);
		assert_true(read.size == sizes[i]);
	}
	assert_int_equal(tar_padding(0), 0);
	assert_int_equal(tar_padding(1), 511);
	assert_int_equal(tar_padding(512), 0);
}

static void names_have_their_limits(void **state)
{
	struct tar_entry entry = { .size = 1 };
	struct tar_entry read;

	(void)state;
	assert_int_equal(tar_write(block, &entry), 0);
	memset(entry.name, 'n', 99);
	assert_int_equal(tar_write(block, &entry), TAR_BLOCK);
	assert_int_equal(tar_read(block, &read), TAR_ENTRY);
	assert_string_equal(read.name, entry.name);
	for (size_t len = 100; len <= TAR_NAME_MAX; len++) {
		memset(entry.name, 'n', len);
		assert_int_equal(tar_write(block, &entry), 3 * TAR_BLOCK);
		assert_int_equal(tar_read(block, &read), TAR_LONG_NAME);
		assert_true(tar_read_long_name(block + TAR_BLOCK, read.name));
		assert_string_equal(read.name, entry.name);
		assert_int_equal(tar_read(block + 2 * TAR_BLOCK, &read), TAR_ENTRY);
		assert_int_equal(read.size, 1);
	}
	memset(block, 'n', TAR_BLOCK);
	assert_false(tar_read_long_name(block, read.name));
	memset(block, 0, TAR_BLOCK);
	assert_false(tar_read_long_name(block, read.name));
}

static void no_damaged_header_is_taken(void **state)
{
	struct tar_entry entry = { .name = "etc/a.conf", .size = 77, .mode = 0640 };
	struct tar_entry read;

	(void)state;
	assert_int_equal(tar_write(block, &entry), TAR_BLOCK);
	for (u32 bit = 0; bit < TAR_BLOCK * 8; bit++) {
		bool is_in_sum = bit / 8 >= 148 && bit / 8 < 156;

		block[bit / 8] ^= (u8)(1u << (bit % 8));
		/* The end of the sum's own field says nothing. */
		if (!is_in_sum)
			assert_int_equal(tar_read(block, &read), TAR_BAD);
		block[bit / 8] ^= (u8)(1u << (bit % 8));
	}
	memset(block, 0, sizeof(block));
	assert_int_equal(tar_read(block, &read), TAR_END);
}

static void links_and_folders_are_refused(void **state)
{
	struct tar_entry read;
	FILE *tar = popen("cd /tmp && ln -sf /etc/passwd tar-test-link && tar --format=ustar -cf - "
			  "tar-test-link && rm tar-test-link",
			  "r");

	(void)state;
	assert_int_equal(fread(block, 1, TAR_BLOCK, tar), TAR_BLOCK);
	pclose(tar);
	assert_int_equal(tar_read(block, &read), TAR_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gnu_tar_reads_what_we_write),
		cmocka_unit_test(we_read_what_gnu_tar_writes),
		cmocka_unit_test(what_is_written_is_read_whatever_its_size),
		cmocka_unit_test(names_have_their_limits),
		cmocka_unit_test(no_damaged_header_is_taken),
		cmocka_unit_test(links_and_folders_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

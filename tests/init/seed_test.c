/*
 * The seed that one run leaves to the next. (That a clock behind it is set is a matter of the
 * guest: here it would be this machine's.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/remove_tree.h"
#include "init/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(folder, sizeof(folder), "/tmp/seed-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/random-seed", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

static void read_seed(u8 seed[64])
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(seed, 1, 64, file), 64);
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
}

static void take(void)
{
	struct error error = { "" };
	u64 set_ms = 1;

	if (!seed_take(path, &set_ms, &error))
		fail_msg("%s", error.text);
	assert_int_equal(set_ms, 0);
}

static void no_two_starts_have_the_same_seed(void **state)
{
	u8 first[64];
	u8 second[64];
	struct stat status;

	(void)state;
	take(); /* there is none: one is made */
	read_seed(first);
	take();
	read_seed(second);
	assert_memory_not_equal(first, second, 64);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_seed_that_was_cut_is_replaced(void **state)
{
	u8 seed[64];
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	fputs("short", file);
	fclose(file);
	take();
	read_seed(seed);
}

static void a_folder_that_cannot_be_written_is_told(void **state)
{
	struct error error = { "" };
	u64 set_ms;

	(void)state;
	assert_false(seed_take("/proc/random-seed", &set_ms, &error));
	assert_non_null(strstr(error.text, "/proc/random-seed"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(no_two_starts_have_the_same_seed),
		TEST(a_seed_that_was_cut_is_replaced),
		TEST(a_folder_that_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

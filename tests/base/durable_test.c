/* Files and folders that are whole or not there; that they outlive a power cut is tests/crash's. */
#include "base/durable.h"

#include "base/text.h"
#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/durable_test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void assert_content(const char *path, const char *want)
{
	char got[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, got, sizeof(got));

	close(fd);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(got, want, strlen(want));
}

static u32 names_in_folder(void)
{
	DIR *all = opendir(folder);
	u32 count = 0;

	while (readdir(all))
		count++;
	closedir(all);
	return count - 2;
}

static void a_file_is_private_and_has_its_content(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	assert_true(durable_create(path_of("a"), SLICE("secret"), NULL));
	assert_content(path_of("a"), "secret");
	assert_int_equal(stat(path_of("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(names_in_folder(), 1);
}

static void a_name_that_is_taken_keeps_its_content(void **state)
{
	struct error error;

	(void)state;
	assert_true(durable_create(path_of("a"), SLICE("first"), NULL));
	assert_false(durable_create(path_of("a"), SLICE("second"), &error));
	assert_non_null(strstr(error.text, path_of("a")));
	assert_non_null(strstr(error.text, strerror(EEXIST)));
	assert_content(path_of("a"), "first");
	assert_int_equal(names_in_folder(), 1);
}

static void a_file_in_no_folder_names_the_file(void **state)
{
	struct error error;

	(void)state;
	assert_false(durable_create(path_of("none/a"), SLICE("x"), &error));
	assert_non_null(strstr(error.text, path_of("none/a")));
	assert_non_null(strstr(error.text, strerror(ENOENT)));
}

static void a_folder_is_made_once_and_may_end_with_a_slash(void **state)
{
	struct stat st;

	(void)state;
	assert_true(durable_folder(path_of("data/"), NULL));
	assert_int_equal(stat(path_of("data"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(durable_create(path_of("data/a"), SLICE("x"), NULL));
	assert_true(durable_folder(path_of("data"), NULL));
	assert_content(path_of("data/a"), "x");
}

static void a_folder_that_cannot_be_made_says_why(void **state)
{
	struct error error;

	(void)state;
	assert_false(durable_folder(path_of("none/data"), &error));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(error.text, path_of("none/data")));
}

static void a_file_is_replaced_as_a_whole(void **state)
{
	struct error error = { "" };
	struct stat st;

	(void)state;
	assert_true(durable_replace(path_of("r"), SLICE("one"), 0640, &error));
	assert_content(path_of("r"), "one");
	assert_true(durable_replace(path_of("r"), SLICE("another"), 0600, &error));
	assert_content(path_of("r"), "another");
	assert_int_equal(stat(path_of("r"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_false(durable_replace(path_of("none/r"), SLICE("x"), 0600, &error));
	assert_non_null(strstr(error.text, "none/r: No such file or directory"));
	assert_int_equal(mkdir(path_of("taken"), 0700), 0);
	assert_false(durable_replace(path_of("taken"), SLICE("x"), 0600, &error));
	assert_int_equal(rmdir(path_of("taken")), 0);
	assert_int_equal(unlink(path_of("r")), 0);
	assert_int_equal(names_in_folder(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_private_and_has_its_content, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(a_name_that_is_taken_keeps_its_content,
						make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(a_file_in_no_folder_names_the_file, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(a_folder_is_made_once_and_may_end_with_a_slash,
						make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_says_why,
						make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(a_file_is_replaced_as_a_whole, make_folder,
						drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

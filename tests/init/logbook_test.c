/*
 * The appliance's log: what memory keeps, what the file gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/remove_tree.h"
#include "base/text.h"
#include "init/logbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

static char folder[64];
static struct logbook *the;

static int new_logbook(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/logbook-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	the = logbook_new();
	assert_non_null(the);
	return 0;
}

static int free_logbook(void **state)
{
	(void)state;
	logbook_free(the);
	remove_tree(folder);
	return 0;
}

static void add(const char *service, const char *text)
{
	logbook_add(the, service, slice_of(text));
}

static void read_log(const char *name, char *text, size_t size)
{
	char path[128];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
}

static void lines_are_found_by_number_and_service(void **state)
{
	struct logbook_line line;

	(void)state;
	add("send", "one");
	add("ntp", "two");
	add("send", "three");
	assert_int_equal(logbook_last(the), 3);
	assert_true(logbook_find(the, 2, "send", &line));
	assert_int_equal(line.number, 3);
	assert_true(slice_equal(line.text, SLICE("three")));
	assert_true(logbook_find(the, 0, NULL, &line));
	assert_int_equal(line.number, 1);
	assert_false(logbook_find(the, 3, "ntp", &line));
	assert_int_equal(logbook_from_end(the, NULL, 2), 2);
	assert_int_equal(logbook_from_end(the, "send", 2), 1);
	assert_int_equal(logbook_from_end(the, "nobody", 5), 1);
}

static void memory_keeps_the_last_lines_only(void **state)
{
	struct logbook_line line;

	(void)state;
	for (int i = 1; i <= LOGBOOK_LINES + 10; i++) {
		char text[32];

		snprintf(text, sizeof(text), "line %d", i);
		add("send", text);
	}
	assert_true(logbook_find(the, 0, NULL, &line));
	assert_int_equal(line.number, 11);
	assert_true(slice_equal(line.text, SLICE("line 11")));
}

static void the_file_begins_with_what_came_before_it(void **state)
{
	struct error error;
	char text[512];

	(void)state;
	add("kernel", "early");
	assert_true(logbook_open(the, folder, &error));
	add("send", "late");
	read_log("hikyaku.log", text, sizeof(text));
	assert_non_null(strstr(text, "Z kernel early\n"));
	assert_non_null(strstr(text, "Z send late\n"));
	assert_true(strstr(text, "early") < strstr(text, "late"));
}

static void control_bytes_do_not_reach_a_terminal(void **state)
{
	struct logbook_line line;

	(void)state;
	add("send", "a\033[2Jb\rc\td");
	assert_true(logbook_find(the, 0, NULL, &line));
	assert_true(slice_equal(line.text, SLICE("a?[2Jb?c\td")));
}

static void a_full_file_is_turned_and_the_oldest_goes(void **state)
{
	struct error error;
	static char text[LOGBOOK_LINE_MAX + 1];
	char path[128];
	struct stat status;

	(void)state;
	memset(text, 'x', LOGBOOK_LINE_MAX);
	assert_true(logbook_open(the, folder, &error));
	for (u32 i = 0; i < (LOGBOOK_FILES + 2) * (LOGBOOK_FILE_MAX / LOGBOOK_LINE_MAX); i++)
		add("send", text);
	for (u32 i = 1; i < LOGBOOK_FILES; i++) {
		snprintf(path, sizeof(path), "%s/hikyaku.log.%u", folder, i);
		assert_int_equal(stat(path, &status), 0);
		assert_true((u64)status.st_size <= LOGBOOK_FILE_MAX + 4096);
	}
	snprintf(path, sizeof(path), "%s/hikyaku.log.%u", folder, LOGBOOK_FILES);
	assert_int_not_equal(stat(path, &status), 0);
	assert_int_equal(logbook_lost(the), 0);
}

static void lines_that_do_not_fit_the_disk_are_counted_and_told(void **state)
{
	struct rlimit before;
	struct rlimit small;
	struct error error;
	char text[2048];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(logbook_open(the, folder, &error));
	add("send", "fits");
	small = before;
	small.rlim_cur = 80;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	add("send", "this one is cut by the limit, and half a line would look like a whole one");
	add("send", "nor has this one any room, for the file is at its limit already, as it is");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(logbook_lost(the), 2);
	add("send", "room again");
	read_log("hikyaku.log", text, sizeof(text));
	assert_null(strstr(text, "this one"));
	assert_non_null(strstr(text, " init 2 lines did not fit the disk\n"));
	assert_non_null(strstr(text, " send room again\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, new_logbook, free_logbook)
	const struct CMUnitTest tests[] = {
		TEST(lines_are_found_by_number_and_service),
		TEST(memory_keeps_the_last_lines_only),
		TEST(the_file_begins_with_what_came_before_it),
		TEST(control_bytes_do_not_reach_a_terminal),
		TEST(a_full_file_is_turned_and_the_oldest_goes),
		TEST(lines_that_do_not_fit_the_disk_are_counted_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

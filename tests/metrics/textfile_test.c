/*
 * Pages of other programs on the sender's page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/remove_tree.h"
#include "base/text.h"
#include "metrics/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static struct metrics *metrics;
static struct buf page;

static int open_metrics(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/textfile-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	metrics = metrics_open(1);
	assert_non_null(metrics);
	metrics_set_textfiles(metrics, folder);
	buf_init(&page, METRICS_EXPOSITION_MAX);
	return 0;
}

static int close_metrics(void **state)
{
	(void)state;
	metrics_close(metrics);
	buf_done(&page);
	remove_tree(folder);
	return 0;
}

static void put(const char *name, const char *text, size_t len)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static const char *expose(bool openmetrics)
{
	buf_reset(&page);
	metrics_expose(metrics, openmetrics, &page);
	assert_false(page.failed);
	return buf_text(&page);
}

static const char example[] = "# HELP up_total Ups of the machine.\n"
			      "# TYPE up_total counter\n"
			      "up_total{a=\"b c\"} 5\n"
			      "# TYPE level gauge\n"
			      "level 1\n";

static void a_file_is_shown_as_it_is(void **state)
{
	(void)state;
	put_text("init.prom", example);
	assert_non_null(strstr(expose(false), example));
}

static void in_openmetrics_a_counters_family_has_no_suffix_and_eof_is_last(void **state)
{
	const char *text;

	(void)state;
	put_text("init.prom", example);
	text = expose(true);
	assert_non_null(strstr(text, "# HELP up Ups of the machine.\n"
				     "# TYPE up counter\n"
				     "up_total{a=\"b c\"} 5\n"
				     "# TYPE level gauge\n"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_ptr_equal(strstr(text, "# EOF\n"), text + strlen(text) - 6);
}

static void other_files_half_pages_and_long_ones_are_left_out(void **state)
{
	static char long_text[300 << 10];

	(void)state;
	put_text("init.prom.new", "half_written 1\n");
	put_text(".hidden.prom", "hidden 1\n");
	put_text("notes.txt", "notes 1\n");
	put_text("cut.prom", "cut 1\ncut 2");
	memset(long_text, '\n', sizeof(long_text));
	memcpy(long_text, "too_long 1", 10);
	put("long.prom", long_text, sizeof(long_text));
	put_text("empty.prom", "");
	put_text("good.prom", "good 1\n");
	expose(false);
	assert_non_null(strstr(buf_text(&page), "\ngood 1\n"));
	assert_null(strstr(buf_text(&page), "half_written"));
	assert_null(strstr(buf_text(&page), "hidden 1"));
	assert_null(strstr(buf_text(&page), "notes"));
	assert_null(strstr(buf_text(&page), "cut"));
	assert_null(strstr(buf_text(&page), "too_long"));
}

static void a_folder_that_is_not_there_costs_nothing(void **state)
{
	(void)state;
	metrics_set_textfiles(metrics, "/nowhere");
	assert_non_null(strstr(expose(false), "hikyaku_build"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_metrics, close_metrics)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_shown_as_it_is),
		TEST(in_openmetrics_a_counters_family_has_no_suffix_and_eof_is_last),
		TEST(other_files_half_pages_and_long_ones_are_left_out),
		TEST(a_folder_that_is_not_there_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log: what a line looks like, and what nobody can make it look like. */
#include "base/log.h"

#include "base/text.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int reader = -1;
static int writer = -1;
static char seen[1 << 20];

static int open_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	reader = fds[0];
	writer = fds[1];
	fcntl(writer, F_SETPIPE_SZ, sizeof(seen));
	log_set_fd(writer);
	log_set_level(LOG_LEVEL_DEBUG);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	log_set_fd(2);
	close(reader);
	close(writer);
	return 0;
}

/* All that was written since the last call. */
static const char *taken(void)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(reader, seen + len, sizeof(seen) - 1 - len)) > 0)
		len += (size_t)n;
	seen[len] = '\0';
	return seen;
}

/* The line behind its time stamp; it must be exactly one line. */
static const char *taken_line(void)
{
	const char *line = taken();
	size_t len = strlen(line);

	assert_true(len > 25);
	assert_int_equal(line[len - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	assert_int_equal(line[23], 'Z');
	seen[len - 1] = '\0';
	return line + 25;
}

static void test_a_line_is_time_level_room_event_and_pairs(void **state)
{
	(void)state;
	log_info("delivery", "session opened", "site=%s sessions=%u", "example.jp", 3u);
	assert_string_equal(taken_line(), "info delivery event=\"session opened\""
					  " site=example.jp sessions=3");
	log_error("store", "started");
	assert_string_equal(taken_line(), "error store event=started");
}

static void test_every_conversion_prints_as_printf_does(void **state)
{
	struct slice part = { "mx1.example.jp and more", 14 };
	u64 big = 18446744073709551615ull;
	size_t size = 77;

	(void)state;
	log_warn("x", "y", "a=%d b=%llu c=%zu d=%.*s e=%c f=%x g=%03d%% h=%.2f i=%ld j=%.3s", -5,
		 (unsigned long long)big, size, SLICE_FMT(part), 'Q', 255u, 7, 1.5, -9l, "abcdef");
	assert_string_equal(taken_line(), "warn x event=y a=-5 b=18446744073709551615 c=77"
					  " d=mx1.example.jp e=Q f=ff g=007% h=1.50 i=-9 j=abc");
}

static void test_text_of_a_peer_cannot_start_a_line_or_forge_a_pair(void **state)
{
	(void)state;
	log_info("smtp", "reply", "text=%s next=%d",
		 "550 no\r\n2026-11-25T00:00:00.000Z info x event=y", 1);
	assert_string_equal(taken_line(),
			    "info smtp event=reply"
			    " text=\"550 no\\r\\n2026-11-25T00:00:00.000Z info x event=y\" next=1");
	log_info("smtp", "reply", "text=%s", "a\" next=\"2\\");
	assert_string_equal(taken_line(), "info smtp event=reply text=\"a\\\" next=\\\"2\\\\\"");
	log_info("smtp", "reply", "text=%s", "next=2");
	assert_string_equal(taken_line(), "info smtp event=reply text=\"next=2\"");
}

static void test_no_byte_reaches_a_terminal_as_a_control(void **state)
{
	char all[256];

	(void)state;
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	log_info("x", "y", "v=%s", all);
	for (const char *at = taken_line(); *at; at++)
		assert_true(*at >= ' ' && *at < 0x7f);
	log_info("x", "y", "v=%s", "\x1b[2J\xc2\x9b");
	assert_string_equal(taken_line(), "info x event=y v=\"\\x1b[2J\\xc2\\x9b\"");
}

static void test_nul_inside_a_slice_ends_the_value(void **state)
{
	(void)state;
	log_info("x", "y", "v=%.*s", 3, "a\0b");
	assert_string_equal(taken_line(), "info x event=y v=a");
}

static void test_an_empty_value_is_two_quotes(void **state)
{
	(void)state;
	log_info("x", "y", "v=%s w=%d", "", 1);
	assert_string_equal(taken_line(), "info x event=y v=\"\" w=1");
}

static void test_a_long_value_is_cut_and_says_so(void **state)
{
	char value[4096];
	const char *line;

	(void)state;
	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("x", "y", "v=%s w=%d", value, 1);
	line = taken_line();
	assert_true(strlen(line) < LOG_VALUE_MAX + 64);
	assert_non_null(strstr(line, "a...\" w=1"));
}

static void test_a_line_never_exceeds_its_maximum_whatever_the_values(void **state)
{
	static struct log_site site = { .room = "x", .event = "y", .level = LOG_LEVEL_INFO };
	char value[LOG_VALUE_MAX];

	(void)state;
	for (size_t len = 0; len < LOG_VALUE_MAX; len++) {
		const char *line;
		size_t quotes = 0;

		memset(value, 1, sizeof(value));
		value[len] = '\0';
		site.written = 0;
		log_write(&site, " a=%s b=%s c=%s d=%s e=%s last=%d", value, value, value, value,
			  value, 1);
		line = taken();
		assert_true(strlen(line) <= LOG_LINE_MAX);
		assert_int_equal(line[strlen(line) - 1], '\n');
		for (; *line; line++)
			quotes += *line == '"';
		assert_int_equal(quotes % 2, 0);
	}
}

static void test_pairs_that_do_not_fit_are_left_out_whole(void **state)
{
	char value[LOG_VALUE_MAX];
	const char *line;

	(void)state;
	memset(value, 1, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("x", "y", "a=%s b=%s c=%s", value, value, "plain");
	line = taken_line();
	assert_true(strlen(line) + 26 <= LOG_LINE_MAX);
	assert_null(strstr(line, "c="));
	assert_string_equal(line + strlen(line) - 10, "...\" cut=1");
}

static void test_levels_above_the_set_one_are_silent(void **state)
{
	enum log_level level;

	(void)state;
	assert_true(log_level_parse(SLICE("warn"), &level));
	log_set_level(level);
	log_info("x", "quiet");
	log_debug("x", "quiet");
	log_warn("x", "heard");
	assert_string_equal(taken_line(), "warn x event=heard");
	assert_false(log_level_parse(SLICE("loud"), &level));
	assert_false(log_level_parse(SLICE(""), &level));
}

static void write_from_one_site(u32 times)
{
	for (u32 i = 0; i < times; i++)
		log_info("x", "storm", "i=%u", i);
}

static u32 count_lines(const char *text)
{
	u32 lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void test_a_storm_at_one_site_is_limited_and_others_are_not(void **state)
{
	(void)state;
	write_from_one_site(LOG_SITE_BURST * 10);
	log_info("x", "other");
	assert_int_equal(count_lines(taken()), LOG_SITE_BURST + 1);
	assert_non_null(strstr(seen, "event=other"));
}

static void test_suppressed_lines_are_counted_in_the_next_window(void **state)
{
	static struct log_site site = { .room = "x", .event = "storm", .level = LOG_LEVEL_INFO };

	(void)state;
	for (u32 i = 0; i < LOG_SITE_BURST + 7; i++)
		log_write(&site, " i=%u", i);
	taken();
	log_report_suppressed(); /* the window is not over: nothing yet */
	assert_string_equal(taken(), "");
	site.window_start_ns -= (u64)LOG_SITE_WINDOW_MS * 1000000;
	log_write(&site, " i=%u", 99u);
	assert_string_equal(taken_line(), "info x event=storm suppressed=7 i=99");

	for (u32 i = 0; i < LOG_SITE_BURST; i++)
		log_write(&site, " i=%u", i);
	taken();
	site.window_start_ns -= (u64)LOG_SITE_WINDOW_MS * 1000000;
	log_report_suppressed();
	assert_string_equal(taken_line(), "info x event=storm suppressed=1");
	log_report_suppressed();
	assert_string_equal(taken(), "");
}

#define THREADS 4

static void *write_many(void *arg)
{
	/* Ten sites, each below its limit. */
	for (u32 i = 0; i < LOG_SITE_BURST / THREADS; i++) {
		log_info("x", "a", "t=%d v=%s", *(int *)arg, "one two");
		log_info("x", "b", "t=%d v=%s", *(int *)arg, "one two");
		log_info("x", "c", "t=%d v=%s", *(int *)arg, "one two");
	}
	return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	u32 lines = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	taken();
	for (const char *line = seen; *line; line = strchr(line, '\n') + 1) {
		assert_int_equal(strcspn(line, "\n"),
				 strlen("2026-11-25T03:12:00.123Z info x event=a "
					"t=0 v=\"one two\""));
		lines++;
	}
	assert_int_equal(lines, LOG_SITE_BURST / THREADS * THREADS * 3);
}

static void test_a_full_pipe_drops_lines_and_counts_them(void **state)
{
	static struct log_site site = { .room = "x", .event = "y", .level = LOG_LEVEL_INFO };
	u64 before = log_dropped();

	(void)state;
	fcntl(writer, F_SETPIPE_SZ, 4096);
	for (int i = 0; i < 2000; i++) {
		site.written = 0;
		log_write(&site, " text=%s", "fills the pipe soon enough, quite surely");
	}
	assert_true(log_dropped() > before);
	assert_int_equal(count_lines(taken()) + log_dropped() - before, 2000);
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, open_pipe, close_pipe)
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_a_line_is_time_level_room_event_and_pairs),
		LOG_TEST(test_every_conversion_prints_as_printf_does),
		LOG_TEST(test_text_of_a_peer_cannot_start_a_line_or_forge_a_pair),
		LOG_TEST(test_no_byte_reaches_a_terminal_as_a_control),
		LOG_TEST(test_nul_inside_a_slice_ends_the_value),
		LOG_TEST(test_an_empty_value_is_two_quotes),
		LOG_TEST(test_a_long_value_is_cut_and_says_so),
		LOG_TEST(test_a_line_never_exceeds_its_maximum_whatever_the_values),
		LOG_TEST(test_pairs_that_do_not_fit_are_left_out_whole),
		LOG_TEST(test_levels_above_the_set_one_are_silent),
		LOG_TEST(test_a_storm_at_one_site_is_limited_and_others_are_not),
		LOG_TEST(test_suppressed_lines_are_counted_in_the_next_window),
		LOG_TEST(test_lines_of_threads_do_not_mix),
		LOG_TEST(test_a_full_pipe_drops_lines_and_counts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

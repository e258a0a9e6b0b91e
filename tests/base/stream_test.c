/* Bytes through descriptors: lines out of pieces, and writing to the last byte. */
#include "base/stream.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Lines that were given, each in brackets. */
static char given[256];

static void note(void *arg, struct slice line)
{
	size_t len = strlen(given);

	(void)arg;
	assert_true(len + line.len + 3 < sizeof(given));
	given[len] = '[';
	memcpy(given + len + 1, line.ptr, line.len);
	memcpy(given + len + 1 + line.len, "]", 2);
}

static const char *cut(size_t max, const char *const *pieces)
{
	static struct stream_lines lines;

	lines = (struct stream_lines){ .max = max };
	given[0] = '\0';
	for (; *pieces; pieces++)
		stream_cut(&lines, slice_of(*pieces), note, NULL);
	stream_cut_rest(&lines, note, NULL);
	return given;
}

static void lines_are_the_same_wherever_the_pieces_end(void **state)
{
	static const char text[] = "one\n\ntwo three\nfour";

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		char first[sizeof(text)] = "";
		const char *const pieces[] = { first, text + at, NULL };

		memcpy(first, text, at);
		assert_string_equal(cut(64, pieces), "[one][][two three][four]");
	}
}

static void a_line_that_is_too_long_comes_in_parts_and_loses_nothing(void **state)
{
	(void)state;
	assert_string_equal(cut(4, (const char *const[]){ "abcdefghij\nk\n", NULL }),
			    "[abcd][efgh][ij][k]");
	assert_string_equal(cut(4, (const char *const[]){ "abc", "def", "gh\n", NULL }),
			    "[abcd][efgh]");
	/* As long as may be is not too long: no empty line follows. */
	assert_string_equal(cut(4, (const char *const[]){ "abcd\n", "efgh", "\n", NULL }),
			    "[abcd][efgh]");
	assert_string_equal(cut(4, (const char *const[]){ "abcd", NULL }), "[abcd]");
}

#define MUCH (1u << 20) /* more than a pipe holds */

static void *read_slowly(void *arg)
{
	const int fd = *(const int *)arg;
	static char bytes[MUCH];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, bytes + len, 10000)) > 0)
		len += (size_t)n;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != (char)(i % 251))
			return NULL;
	}
	return len == MUCH ? bytes : NULL;
}

static void all_of_it_is_written_when_the_other_end_takes_little(void **state)
{
	char *bytes = malloc(MUCH);
	pthread_t reader;
	void *whole;
	int ends[2];

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = (char)(i % 251);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_slowly, &ends[0]), 0);
	assert_true(stream_write(ends[1], (struct slice){ bytes, MUCH }));
	close(ends[1]);
	pthread_join(reader, &whole);
	assert_non_null(whole);
	close(ends[0]);
	free(bytes);
}

static void nobody_at_the_other_end_is_an_error_and_no_loop(void **state)
{
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_false(stream_write(ends[1], SLICE("x")));
	assert_int_equal(errno, EPIPE);
	assert_true(stream_write(ends[1], SLICE("")));
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_wherever_the_pieces_end),
		cmocka_unit_test(a_line_that_is_too_long_comes_in_parts_and_loses_nothing),
		cmocka_unit_test(all_of_it_is_written_when_the_other_end_takes_little),
		cmocka_unit_test(nobody_at_the_other_end_is_an_error_and_no_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

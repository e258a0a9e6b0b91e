/* Lines as words, and words as they are written in lines. */
#include "base/text.h"
#include "console/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct words words;
static struct error error;

static bool split(const char *line)
{
	error.text[0] = '\0';
	return words_split(&words, slice_of(line), &error);
}

static void test_blanks_separate_words(void **state)
{
	(void)state;
	assert_true(split("  queue \t list --rows  "));
	assert_int_equal(words.count, 3);
	assert_string_equal(words.at[0], "queue");
	assert_string_equal(words.at[1], "list");
	assert_string_equal(words.at[2], "--rows");
	assert_null(words.at[3]);
	assert_true(split(""));
	assert_int_equal(words.count, 0);
}

static void test_quotes_keep_blanks_and_each_other(void **state)
{
	(void)state;
	assert_true(split("a 'b c' \"d 'e'\" f' 'g ''"));
	assert_int_equal(words.count, 5);
	assert_string_equal(words.at[1], "b c");
	assert_string_equal(words.at[2], "d 'e'");
	assert_string_equal(words.at[3], "f g");
	assert_string_equal(words.at[4], "");
}

static void test_a_backslash_takes_the_special_sense_away(void **state)
{
	(void)state;
	assert_true(split("a\\ b \"c\\\"d\\\\e\\n\" 'f\\g'"));
	assert_int_equal(words.count, 3);
	assert_string_equal(words.at[0], "a b");
	assert_string_equal(words.at[1], "c\"d\\e\\n");
	assert_string_equal(words.at[2], "f\\g");
}

static void test_nothing_else_is_special(void **state)
{
	(void)state;
	assert_true(split("$HOME `id` *.csv ;|& > # ~"));
	assert_string_equal(words.at[0], "$HOME");
	assert_string_equal(words.at[1], "`id`");
	assert_int_equal(words.count, 7);
}

static void test_what_is_not_closed_is_refused(void **state)
{
	(void)state;
	assert_false(split("campaign 'spring"));
	assert_string_equal(error.text, "a quote (') is not closed");
	assert_false(split("a \"b\\\""));
	assert_false(split("a\\"));
}

static void test_a_line_has_a_maximum_of_words_and_bytes(void **state)
{
	static char line[WORDS_LINE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < 2 * WORDS_MAX; i++)
		line[i] = i % 2 == 0 ? 'a' : ' ';
	assert_true(split(line));
	assert_int_equal(words.count, WORDS_MAX);
	line[2 * WORDS_MAX] = 'a';
	assert_false(split(line));
	memset(line, 'a', WORDS_LINE_MAX);
	assert_true(split(line));
	line[WORDS_LINE_MAX] = 'a';
	assert_false(split(line));
	assert_false(words_split(&words, (struct slice){ "a\0b", 3 }, &error));
}

static void test_an_open_line_has_a_last_word(void **state)
{
	(void)state;
	assert_true(words_split_open(&words, SLICE("queue li")));
	assert_int_equal(words.count, 2);
	assert_string_equal(words.at[1], "li");
	assert_int_equal(words.last_start, 6);
	assert_true(words_split_open(&words, SLICE("queue ")));
	assert_int_equal(words.count, 2);
	assert_string_equal(words.at[1], "");
	assert_int_equal(words.last_start, 6);
	assert_true(words_split_open(&words, SLICE("x \"a b")));
	assert_string_equal(words.at[1], "a b");
	assert_int_equal(words.quote, '"');
	assert_int_equal(words.last_start, 2);
}

static void test_quoted_words_come_back_as_they_were(void **state)
{
	static const char *const all[] = { "plain", "", "a b", "it's", "say \"x\"", "c:\\d", "雪 だ" };

	(void)state;
	for (size_t i = 0; i < array_count(all); i++) {
		struct buf line;

		buf_init(&line, 256);
		words_quote(&line, slice_of(all[i]));
		assert_true(split(buf_text(&line)));
		assert_int_equal(words.count, 1);
		assert_string_equal(words.at[0], all[i]);
		buf_done(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blanks_separate_words),
		cmocka_unit_test(test_quotes_keep_blanks_and_each_other),
		cmocka_unit_test(test_a_backslash_takes_the_special_sense_away),
		cmocka_unit_test(test_nothing_else_is_special),
		cmocka_unit_test(test_what_is_not_closed_is_refused),
		cmocka_unit_test(test_a_line_has_a_maximum_of_words_and_bytes),
		cmocka_unit_test(test_an_open_line_has_a_last_word),
		cmocka_unit_test(test_quoted_words_come_back_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Options and the words that mistyped ones were meant to be. */
#include "console/nearest.h"
#include "console/option.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct error error;
static bool flag;
static const char *name;
static u64 number;
static u64 duration;
static u32 words_bits;
static u32 word;
static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct option options[] = {
	{ "flag", OPTION_FLAG, &flag, NULL, "", NULL },
	{ "name", OPTION_TEXT, &name, "NAME", "", NULL },
	{ "number", OPTION_NUMBER, &number, "N", "", NULL },
	{ "duration", OPTION_DURATION, &duration, "TIME", "", NULL },
	{ "colours", OPTION_WORDS, &words_bits, "LIST", "", colours },
	{ "colour", OPTION_WORD, &word, "WORD", "", colours },
};

static int parse(int argc, char **argv)
{
	const struct option_table table = { options, array_count(options) };
	int words;

	flag = false;
	name = NULL;
	number = duration = 0;
	words_bits = word = 0;
	error.text[0] = '\0';
	return option_parse(&table, 1, argc, argv, &words, &error) ? words : -1;
}

#define PARSE(...) parse(array_count(((char *[]){ __VA_ARGS__ })), (char *[]){ __VA_ARGS__ })

static void test_options_stand_anywhere_among_words(void **state)
{
	char *argv[] = { "a", "--name", "x", "b", "--flag", "--number=12", "c" };

	(void)state;
	assert_int_equal(parse(7, argv), 3);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[1], "b");
	assert_string_equal(argv[2], "c");
	assert_string_equal(name, "x");
	assert_true(flag);
	assert_int_equal(number, 12);
}

static void test_two_dashes_end_the_options_and_one_dash_is_a_word(void **state)
{
	char *argv[] = { "-", "--", "--flag" };

	(void)state;
	assert_int_equal(parse(3, argv), 2);
	assert_string_equal(argv[0], "-");
	assert_string_equal(argv[1], "--flag");
	assert_false(flag);
}

static void test_values_are_read_by_kind(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--duration", "3d", "--colours", "red, blue", "--colour=green"), 0);
	assert_int_equal(duration, 3ull * 24 * 3600 * 1000);
	assert_int_equal(words_bits, 5);
	assert_int_equal(word, 1);
	assert_int_equal(PARSE("--name", "--flag"), 0); /* a value may look like an option */
	assert_string_equal(name, "--flag");
	assert_int_equal(PARSE("--name=a=b"), 0);
	assert_string_equal(name, "a=b");
}

static void expect_refusal(int result, const char *text)
{
	assert_int_equal(result, -1);
	assert_string_equal(error.text, text);
}

static void test_bad_values_and_names_are_refused_in_words(void **state)
{
	(void)state;
	expect_refusal(PARSE("--number", "-1"), "--number: \"-1\" is not a whole number");
	expect_refusal(PARSE("--number", "18446744073709551616"),
		       "--number: \"18446744073709551616\" is not a whole number");
	expect_refusal(PARSE("--name="), "--name: empty");
	expect_refusal(PARSE("--name"), "--name needs a value: --name NAME");
	expect_refusal(PARSE("--name", "a", "--name", "b"), "--name is given twice");
	expect_refusal(PARSE("--flag=yes"), "--flag takes no value");
	expect_refusal(PARSE("--nmae", "x"), "unknown option --nmae; did you mean --name?");
	expect_refusal(PARSE("--dur", "x"), "unknown option --dur; did you mean --duration?");
	expect_refusal(PARSE("--zzzzzzzz"), "unknown option --zzzzzzzz");
	expect_refusal(PARSE("-f"), "unknown option -f; options begin with --");
	expect_refusal(PARSE("--colours", "red,gren"), "--colours: \"gren\" is not one of red, "
						       "green, blue; did you mean green?");
	expect_refusal(PARSE("--colours", "red,"),
		       "--colours: \"\" is not one of red, green, blue");
}

static void test_distance_counts_single_edits(void **state)
{
	char longest[80];

	(void)state;
	assert_int_equal(nearest_distance("same", "same"), 0);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("status", "statsu"), 1);
	assert_int_equal(nearest_distance("start", "stat"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(nearest_distance(longest, "a"), UINT32_MAX);
}

static void test_no_word_is_offered_when_none_is_near(void **state)
{
	struct nearest nearest;

	(void)state;
	nearest_init(&nearest, "x");
	nearest_offer(&nearest, "status");
	assert_null(nearest_word(&nearest));
	nearest_init(&nearest, "stauts");
	nearest_offer(&nearest, "stop");
	nearest_offer(&nearest, "status");
	assert_string_equal(nearest_word(&nearest), "status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_stand_anywhere_among_words),
		cmocka_unit_test(test_two_dashes_end_the_options_and_one_dash_is_a_word),
		cmocka_unit_test(test_values_are_read_by_kind),
		cmocka_unit_test(test_bad_values_and_names_are_refused_in_words),
		cmocka_unit_test(test_distance_counts_single_edits),
		cmocka_unit_test(test_no_word_is_offered_when_none_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

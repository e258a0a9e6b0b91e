/* What campaign/value.h promises: values as people write them come to one form, or to a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/value.h"

#include <stdio.h>

struct row {
	const char *text;
	const char *form; /* NULL: the problem counts */
	enum value_problem problem;
};

static void check(enum attribute_type type, struct slice choices, const struct row *rows,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf out;
		enum value_problem problem;

		buf_init(&out, 8192);
		problem = value_read(&out, type, choices, slice_of(rows[i].text));
		if (problem != rows[i].problem ||
		    (rows[i].form && !slice_equal(buf_slice(&out), slice_of(rows[i].form))))
			fail_msg("\"%s\": %s, \"%s\"", rows[i].text,
				 value_problem_words(problem, false), buf_text(&out));
		buf_done(&out);
	}
}

static void numbers_have_one_form(void **state)
{
	static const struct row rows[] = {
		{ "12", "12", 0 },
		{ " １，２３４ ", "1234", 0 },
		{ "1,234,567.50", "1234567.5", 0 },
		{ "-0.0", "0", 0 },
		{ "−３．１０", "-3.1", 0 },
		{ "007", "7", 0 },
		{ ".5", "0.5", 0 },
		{ "5.", "5", 0 },
		{ "+8", "8", 0 },
		{ "¥1,980", "1980", 0 },
		{ "1,980円", "1980", 0 },
		{ "", "", 0 },
		{ "　", "", 0 },
		{ "123456789012345678901234567890", "123456789012345678901234567890", 0 },
		{ "1234567890123456789012345678901", NULL, VALUE_NUMBER_LONG },
		{ "1,23", NULL, VALUE_NO_NUMBER },
		{ "12,3456", NULL, VALUE_NO_NUMBER },
		{ ",123", NULL, VALUE_NO_NUMBER },
		{ "1.2.3", NULL, VALUE_NO_NUMBER },
		{ "1e5", NULL, VALUE_NO_NUMBER },
		{ "-", NULL, VALUE_NO_NUMBER },
		{ ".", NULL, VALUE_NO_NUMBER },
		{ "円", NULL, VALUE_NO_NUMBER },
		{ "--1", NULL, VALUE_NO_NUMBER },
		{ "十二", NULL, VALUE_NO_NUMBER },
	};

	(void)state;
	check(ATTRIBUTE_NUMBER, SLICE_NONE, rows, array_count(rows));
}

static void dates_have_one_form(void **state)
{
	static const struct row rows[] = {
		{ "2026-11-30", "2026-11-30", 0 },
		{ "2026/11/30", "2026-11-30", 0 },
		{ "2026/1/2", "2026-01-02", 0 },
		{ "２０２６／１１／３０", "2026-11-30", 0 },
		{ "2026.11.30", "2026-11-30", 0 },
		{ "20261130", "2026-11-30", 0 },
		{ "2026年11月30日", "2026-11-30", 0 },
		{ "2026年 1月 2日", "2026-01-02", 0 },
		{ "令和8年11月30日", "2026-11-30", 0 },
		{ "令和元年5月1日", "2019-05-01", 0 },
		{ "平成31年4月30日", "2019-04-30", 0 },
		{ "昭和５０年１月１日", "1975-01-01", 0 },
		{ "S50.1.1", "1975-01-01", 0 },
		{ "R8/11/30", "2026-11-30", 0 },
		{ "2026-11-30 12:34:56", "2026-11-30", 0 },
		{ "2026-11-30T12:34:56Z", "2026-11-30", 0 },
		{ "2026/11/30 0:00", "2026-11-30", 0 },
		{ "2024-02-29", "2024-02-29", 0 },
		{ "11/30/2026", "2026-11-30", 0 },
		{ "30.11.2026", "2026-11-30", 0 },
		{ "5/5/2026", "2026-05-05", 0 },
		{ "11/12/2026", NULL, VALUE_DATE_UNCLEAR },
		{ "2026-02-29", NULL, VALUE_DAY_MISSING },
		{ "1900-02-29", NULL, VALUE_DAY_MISSING },
		{ "2026-13-01", NULL, VALUE_DAY_MISSING },
		{ "2026-00-01", NULL, VALUE_DAY_MISSING },
		{ "令和0年1月1日", NULL, VALUE_DAY_MISSING },
		{ "2026-11/30", NULL, VALUE_NO_DATE },
		{ "2026-11-30abc", NULL, VALUE_NO_DATE },
		{ "2026-11", NULL, VALUE_NO_DATE },
		{ "11-30", NULL, VALUE_NO_DATE },
		{ "46356", NULL, VALUE_NO_DATE },
		{ "r", NULL, VALUE_NO_DATE },
		{ "tomorrow", NULL, VALUE_NO_DATE },
	};

	(void)state;
	check(ATTRIBUTE_DATE, SLICE_NONE, rows, array_count(rows));
}

static void yes_and_no_have_many_words(void **state)
{
	static const struct row rows[] = {
		{ "はい", "1", 0 }, { "いいえ", "0", 0 }, { "○", "1", 0 },  { "×", "0", 0 },
		{ "TRUE", "1", 0 }, { "false", "0", 0 },  { "１", "1", 0 }, { "0", "0", 0 },
		{ "〇", "1", 0 },   { "Ｙ", "1", 0 },	  { "", "", 0 },
		{ "maybe", NULL, VALUE_NO_YES_NO },
		{ "2", NULL, VALUE_NO_YES_NO },
	};

	(void)state;
	check(ATTRIBUTE_YES_NO, SLICE_NONE, rows, array_count(rows));
}

static void a_choice_is_one_of_those_that_there_are(void **state)
{
	static const struct row rows[] = {
		{ "東京", "東京", 0 },
		{ "GOLD", "Gold", 0 },
		{ "gold", "gold", 0 },
		{ "大阪府", NULL, VALUE_NO_CHOICE },
	};

	(void)state;
	check(ATTRIBUTE_CHOICE, SLICE("東京\nGold\ngold\n大阪"), rows, array_count(rows));
	check(ATTRIBUTE_CHOICE, SLICE_NONE, &(struct row){ "x", NULL, VALUE_NO_CHOICE }, 1);
}

static void text_stays_as_it_is_but_for_blanks_around_it(void **state)
{
	static const struct row rows[] = {
		{ "　森 鷗外\xc2\xa0 ", "森 鷗外", 0 },
		{ "a\nb", "a\nb", 0 },
		{ "a\x01", NULL, VALUE_CONTROL },
	};
	static char long_one[5000];

	(void)state;
	check(ATTRIBUTE_TEXT, SLICE_NONE, rows, array_count(rows));
	memset(long_one, 'a', 4097);
	check(ATTRIBUTE_TEXT, SLICE_NONE, &(struct row){ long_one, NULL, VALUE_TOO_LONG }, 1);
	long_one[4096] = '\0';
	check(ATTRIBUTE_TEXT, SLICE_NONE, &(struct row){ long_one, long_one, 0 }, 1);
}

static void a_guarded_cell_comes_back_as_it_was(void **state)
{
	static const char *const cells[] = { "=1+1", "+81", "-5", "@x", "\tq", "\rq", "'=1", "''=1",
					     "plain", "'quoted'", "'", "", "it's =" };

	(void)state;
	for (size_t i = 0; i < array_count(cells); i++) {
		struct slice cell = slice_of(cells[i]);
		char guarded[64];

		snprintf(guarded, sizeof(guarded), "%s%s", value_is_formula(cell) ? "'" : "",
			 cells[i]);
		assert_null(strchr("=+-@\t\r", guarded[0] ? guarded[0] : 'x'));
		assert_true(slice_equal(value_undo_guard(slice_of(guarded)), cell));
	}
}

static void the_type_of_a_column_is_what_all_its_values_are(void **state)
{
	static const struct {
		const char *values[3];
		enum attribute_type type;
	} rows[] = {
		{ { "1", "2,000", "" }, ATTRIBUTE_NUMBER },
		{ { "1", "0", "1" }, ATTRIBUTE_YES_NO },
		{ { "2026/1/2", "令和8年1月3日", "" }, ATTRIBUTE_DATE },
		{ { "090", "1", "2" }, ATTRIBUTE_TEXT },
		{ { "1", "x", "2" }, ATTRIBUTE_TEXT },
		{ { "", "", "" }, ATTRIBUTE_TEXT },
		{ { "○", "×", "" }, ATTRIBUTE_YES_NO },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct value_guess guess = { 0 };

		for (size_t v = 0; v < 3; v++)
			value_guess_add(&guess, slice_of(rows[i].values[v]));
		assert_int_equal(value_guess_type(&guess), rows[i].type);
	}
}

static void every_form_reads_as_itself(void **state)
{
	static const struct {
		enum attribute_type type;
		const char *form;
	} rows[] = {
		{ ATTRIBUTE_NUMBER, "-12.5" }, { ATTRIBUTE_DATE, "2026-11-30" },
		{ ATTRIBUTE_YES_NO, "1" },     { ATTRIBUTE_YES_NO, "0" },
		{ ATTRIBUTE_TEXT, "森" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++)
		check(rows[i].type, SLICE_NONE, &(struct row){ rows[i].form, rows[i].form, 0 }, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_one_form),
		cmocka_unit_test(dates_have_one_form),
		cmocka_unit_test(yes_and_no_have_many_words),
		cmocka_unit_test(a_choice_is_one_of_those_that_there_are),
		cmocka_unit_test(text_stays_as_it_is_but_for_blanks_around_it),
		cmocka_unit_test(a_guarded_cell_comes_back_as_it_was),
		cmocka_unit_test(the_type_of_a_column_is_what_all_its_values_are),
		cmocka_unit_test(every_form_reads_as_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

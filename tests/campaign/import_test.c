/* What import_guess.h, import_reader.h and import_row.h promise: from the bytes of a file to rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/import_reader.h"
#include "campaign/import_row.h"

#include <stdio.h>
#include <string.h>

/* "氏名" and "森" and "é" in several encodings. */
#define SJIS_NAME "\x8e\x81\x96\xbc"
#define SJIS_MORI "\x90\x58"
#define EUC_NAME "\xbb\xe1\xcc\xbe"
#define EUC_MORI "\xbf\xb9"
#define JIS_NAME "\x1b$B;aL>\x1b(B"
#define JIS_MORI "\x1b$B?9\x1b(B"

/* ---- encodings ---- */

struct guess_row {
	const char *bytes;
	size_t len;
	enum import_encoding encoding;
	enum import_reason reason;
};
#define GUESS(bytes, encoding, reason) { bytes, sizeof(bytes) - 1, encoding, reason }

static void an_encoding_is_known_by_what_the_file_is_made_of(void **state)
{
	static const struct guess_row rows[] = {
		GUESS("email\r\na@x.test\r\n", IMPORT_UTF8, IMPORT_BY_ASCII),
		GUESS("\xef\xbb\xbf"
		      "email\r\n",
		      IMPORT_UTF8, IMPORT_BY_MARK),
		GUESS("氏名,email\n森,a@x.test\n", IMPORT_UTF8, IMPORT_BY_FORM),
		GUESS("\xff\xfe"
		      "e\0m\0",
		      IMPORT_UTF16LE, IMPORT_BY_MARK),
		GUESS("\xfe\xff\0e\0m", IMPORT_UTF16BE, IMPORT_BY_MARK),
		GUESS("e\0m\0a\0i\0l\0\n\0", IMPORT_UTF16LE, IMPORT_BY_ZEROS),
		GUESS("\0e\0m\0a\0i\0l\0\n", IMPORT_UTF16BE, IMPORT_BY_ZEROS),
		GUESS(SJIS_NAME ",email\r\n" SJIS_MORI ",a@x.test\r\n", IMPORT_SHIFT_JIS,
		      IMPORT_BY_FORM),
		GUESS(EUC_NAME ",email\n" EUC_MORI ",a@x.test\n", IMPORT_EUC_JP, IMPORT_BY_FORM),
		GUESS(JIS_NAME ",email\n" JIS_MORI ",a@x.test\n", IMPORT_ISO_2022_JP,
		      IMPORT_BY_ESCAPES),
		GUESS("name,email\nRen\xe9,a@x.test\n", IMPORT_LATIN1, IMPORT_BY_REST),
		GUESS("", IMPORT_UTF8, IMPORT_BY_ASCII),
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		for (size_t cut = 0; cut <= rows[i].len; cut++) {
			struct slice bytes = { rows[i].bytes, rows[i].len };
			enum import_reason reason;
			struct import_guess guess;

			import_guess_init(&guess);
			import_guess_feed(&guess, slice_first(bytes, cut));
			import_guess_feed(&guess, slice_from(bytes, cut));
			assert_int_equal(import_guess_say(&guess, &reason), rows[i].encoding);
			assert_int_equal(reason, rows[i].reason);
		}
	}
}

/* ---- rows ---- */

static void read_all(struct buf *out, enum import_encoding encoding, struct slice file, size_t step)
{
	struct import_reader *reader = import_reader_open(encoding, 0);
	struct csv_row row;
	struct error error;
	enum csv_event event;
	size_t at = 0;

	assert_non_null(reader);
	for (;;) {
		event = import_reader_next(reader, &row, &error);
		if (event == CSV_MORE && at < file.len) {
			size_t len = min_size(step, file.len - at);

			import_reader_feed(reader, (struct slice){ file.ptr + at, len });
			at += len;
			continue;
		}
		if (event == CSV_MORE) {
			import_reader_finish(reader);
			continue;
		}
		if (event != CSV_ROW)
			break;
		for (size_t i = 0; i < row.count; i++) {
			buf_add_slice(out, row.fields[i]);
			buf_add_char(out, '|');
		}
		buf_add_char(out, ';');
	}
	assert_int_equal(event, CSV_END);
	import_reader_close(reader);
}

static void all_encodings_give_the_same_rows_however_they_are_cut(void **state)
{
	static const struct {
		enum import_encoding encoding;
		struct slice file;
	} rows[] = {
		{ IMPORT_UTF8, SLICE("氏名,email\r\n\"森\r\nx\",a@x.test\r\n") },
		{ IMPORT_UTF8, SLICE("\xef\xbb\xbf"
				     "\"氏名\",email\r\n\"森\r\nx\",a@x.test\r\n") },
		{ IMPORT_SHIFT_JIS, SLICE(SJIS_NAME ",email\r\n\"" SJIS_MORI "\r\nx\",a@x.test") },
		{ IMPORT_EUC_JP, SLICE(EUC_NAME ",email\n\"" EUC_MORI "\r\nx\",a@x.test\n") },
		{ IMPORT_ISO_2022_JP, SLICE(JIS_NAME ",email\n\"" JIS_MORI "\r\nx\",a@x.test\n") },
		{ IMPORT_UTF16LE,
		  SLICE("\x0f\x6c\x0d\x54,\0e\0m\0a\0i\0l\0\n\0\"\0\xee\x68\r\0\n\0x\0\"\0,\0a\0@\0x"
			"\0.\0t\0e\0s\0t\0\n\0") },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		for (size_t step = 1; step < 40; step++) {
			struct buf out;

			buf_init(&out, 4096);
			read_all(&out, rows[i].encoding, rows[i].file, step);
			assert_string_equal(buf_text(&out), "氏名|email|;森\r\nx|a@x.test|;");
			buf_done(&out);
		}
	}
}

static const struct import_map map = {
	.column_count = 4,
	.columns = { { IMPORT_EMAIL, 0 }, { IMPORT_ATTRIBUTE, 7 }, { IMPORT_ATTRIBUTE, 3 },
		     { IMPORT_LIST, 9 } },
	.types = { [1] = ATTRIBUTE_DATE, [2] = ATTRIBUTE_TEXT },
	.order = { 2, 1 },
	.order_count = 2,
	.is_exact = false,
};

static const struct import_row *take(struct import_parser *parser, u64 line, const char *email,
				     const char *date, const char *name, const char *list)
{
	static struct import_row row;
	struct slice fields[] = { slice_of(email), slice_of(date), slice_of(name),
				  slice_of(list) };
	struct csv_row from = { line, fields, 4 };

	assert_true(import_parser_take(parser, &from, NULL, &row));
	return &row;
}

static void must_find(const struct import_row *row, enum import_kind kind, u16 column)
{
	assert_int_equal(row->finding_count, 1);
	assert_int_equal(row->findings[0].kind, kind);
	assert_int_equal(row->findings[0].column, column);
	assert_int_equal(row->findings[0].line, row->line);
}

static void a_row_becomes_an_address_values_and_lists(void **state)
{
	struct import_parser *parser = import_parser_open(&map);
	const struct import_row *row = take(parser, 2, " Ann@X.test ", "令和8年11月30日", "'=森", "○");

	(void)state;
	assert_int_equal(row->finding_count, 0);
	assert_true(slice_equal(row->address, SLICE("Ann@x.test")));
	assert_true(slice_equal(row->key, SLICE("ann@x.test")));
	assert_true(slice_equal(contact_find_value(row->values, 7), SLICE("2026-11-30")));
	assert_true(slice_equal(contact_find_value(row->values, 3), SLICE("=森")));
	assert_int_equal(row->join_count, 1);
	assert_int_equal(row->joins[0], 9);
	row = take(parser, 3, "bob@x.test", "", "", "×");
	assert_int_equal(row->finding_count, 0);
	assert_int_equal(row->values.len, 0);
	assert_int_equal(row->join_count, 0);
	import_parser_close(parser);
}

static void a_bad_value_costs_itself_and_a_bad_address_the_row(void **state)
{
	struct import_parser *parser = import_parser_open(&map);
	const struct import_row *row = take(parser, 2, "ann@x.test", "30.2.2026", "n", "");

	(void)state;
	must_find(row, IMPORT_VALUE_BAD, 2);
	assert_int_equal(row->findings[0].problem, VALUE_DAY_MISSING);
	assert_int_equal(row->values_bad, 1);
	assert_null(contact_find_value(row->values, 7).ptr);
	assert_true(slice_equal(contact_find_value(row->values, 3), SLICE("n")));
	row = take(parser, 3, "ann at x.test", "", "", "");
	must_find(row, IMPORT_ADDRESS_BAD, 1);
	assert_int_equal(row->address.len, 0);
	must_find(take(parser, 4, " ", "", "", ""), IMPORT_ADDRESS_NONE, 1);
	must_find(take(parser, 5, "ANN@x.test", "", "", ""), IMPORT_DUPLICATE, 1);
	must_find(take(parser, 6, "c@x.test", "", "a\xef\xbf\xbd", ""), IMPORT_UNREADABLE, 3);
	must_find(take(parser, 7, "d@x.test", "", "", "perhaps"), IMPORT_VALUE_BAD, 4);
	import_parser_close(parser);
}

/* P13: old addresses of Japanese carriers stay what they are. */
static void odd_dots_of_carriers_are_kept_and_nobody_else_s(void **state)
{
	static const char *const odd[] = { "a..b@docomo.example", "ab.@docomo.example",
					   ".ab@au.example" };
	struct import_parser *parser = import_parser_open(&map);
	const struct import_row *row;

	(void)state;
	for (size_t i = 0; i < array_count(odd); i++) {
		row = take(parser, i + 2, odd[i], "", "", "");
		must_find(row, IMPORT_ADDRESS_ODD, 1);
		assert_true(slice_equal(row->key, slice_of(odd[i])));
	}
	row = take(parser, 9, "\"a..b\"@docomo.example", "", "", "");
	assert_int_equal(row->findings[row->finding_count - 1].kind, IMPORT_DUPLICATE);
	row = take(parser, 10, "ab@docomo.example", "", "", "");
	assert_int_equal(row->finding_count, 0);
	import_parser_close(parser);
}

static const struct import_row *take_state(struct import_parser *parser, const char *address,
					   const char *word)
{
	static struct import_row row;
	struct slice fields[] = { slice_of(address), slice_of(word) };

	assert_true(import_parser_take(parser, &(struct csv_row){ 2, fields, 2 }, NULL, &row));
	return &row;
}

static void a_column_of_states_is_read_in_both_languages(void **state)
{
	static const struct import_map states = {
		.column_count = 2,
		.columns = { { IMPORT_EMAIL, 0 }, { IMPORT_STATE, 0 } },
	};
	struct import_parser *parser = import_parser_open(&states);
	const struct import_row *row;

	(void)state;
	assert_int_equal(take_state(parser, "a@x.test", " Unsubscribed ")->state,
			 CONTACT_UNSUBSCRIBED);
	assert_int_equal(take_state(parser, "b@x.test", "配信停止")->state, CONTACT_UNSUBSCRIBED);
	assert_int_equal(take_state(parser, "c@x.test", "不達")->state, CONTACT_BOUNCED);
	assert_int_equal(take_state(parser, "d@x.test", "迷惑メール報告")->state,
			 CONTACT_COMPLAINED);
	assert_int_equal(take_state(parser, "e@x.test", "active")->state, CONTACT_ACTIVE);
	row = take_state(parser, "f@x.test", "");
	assert_int_equal(row->state, 0);
	assert_int_equal(row->finding_count, 0);
	row = take_state(parser, "g@x.test", "perhaps");
	must_find(row, IMPORT_VALUE_BAD, 2);
	assert_int_equal(row->findings[0].problem, VALUE_NO_STATE);
	assert_int_equal(row->state, 0);
	assert_int_equal(row->address.len, 8);
	import_parser_close(parser);
}

static void other_widths_are_refused_but_empty_cells_at_the_end_are_none(void **state)
{
	struct import_parser *parser = import_parser_open(&map);
	struct slice fields[6] = { SLICE("a@x.test"), SLICE(""), SLICE(""), SLICE("") };
	struct csv_row from = { 5, fields, 3 };
	struct import_row row;

	(void)state;
	assert_true(import_parser_take(parser, &from, NULL, &row));
	must_find(&row, IMPORT_ROW_WIDTH, 0);
	from.count = 6;
	assert_true(import_parser_take(parser, &from, NULL, &row));
	assert_int_equal(row.finding_count, 0);
	assert_int_equal(row.address.len, 8);
	fields[5] = SLICE("x");
	assert_true(import_parser_take(parser, &from, NULL, &row));
	must_find(&row, IMPORT_ROW_WIDTH, 0);
	assert_true(import_parser_take(parser, &from, "line 5, column 2: why", &row));
	must_find(&row, IMPORT_ROW_BAD, 0);
	import_parser_close(parser);
}

static void what_was_found_has_words_in_both_languages(void **state)
{
	(void)state;
	for (u32 kind = IMPORT_ROW_BAD; kind < IMPORT_KINDS; kind++) {
		struct import_report report = { .kind = (u8)kind, .text = SLICE("a@x.test") };
		struct buf english;
		struct buf japanese;

		buf_init(&english, 1000);
		buf_init(&japanese, 1000);
		import_report_words(&english, &report, false);
		import_report_words(&japanese, &report, true);
		assert_non_null(strstr(buf_text(&english), "a@x.test"));
		assert_string_not_equal(buf_text(&english), buf_text(&japanese));
		assert_string_not_equal(import_kind_name((enum import_kind)kind), "unknown");
		buf_done(&english);
		buf_done(&japanese);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_encoding_is_known_by_what_the_file_is_made_of),
		cmocka_unit_test(all_encodings_give_the_same_rows_however_they_are_cut),
		cmocka_unit_test(a_row_becomes_an_address_values_and_lists),
		cmocka_unit_test(a_bad_value_costs_itself_and_a_bad_address_the_row),
		cmocka_unit_test(odd_dots_of_carriers_are_kept_and_nobody_else_s),
		cmocka_unit_test(a_column_of_states_is_read_in_both_languages),
		cmocka_unit_test(other_widths_are_refused_but_empty_cells_at_the_end_are_none),
		cmocka_unit_test(what_was_found_has_words_in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

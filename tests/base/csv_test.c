/* What csv.h promises: rows, encodings, line ends, refusals, and that cuts change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Everything that comes out, as text: "1[a|b]" per row, "!line 2, ..." per refusal. */
static void drain(struct csv *csv, struct buf *out, enum csv_event *event)
{
	struct csv_row row;
	struct error error;

	while ((*event = csv_next(csv, &row, &error)) == CSV_ROW || *event == CSV_BAD_ROW) {
		buf_add_format(out, "%llu", (unsigned long long)row.line);
		if (*event == CSV_BAD_ROW) {
			buf_add_format(out, "!%s\n", error.text);
			continue;
		}
		for (size_t i = 0; i < row.count; i++) {
			buf_add_char(out, i > 0 ? '|' : '[');
			buf_add_slice(out, row.fields[i]);
		}
		buf_add_text(out, "]\n");
	}
	if (*event == CSV_FAILED)
		buf_add_format(out, "FAILED %s\n", error.text);
}

/* Reads `file` in pieces that end at `cut` and then every `step` bytes. */
static void read_pieces(struct slice file, char delimiter, size_t cut, size_t step, struct buf *out)
{
	struct csv *csv = csv_open(delimiter);
	enum csv_event event;
	size_t at = 0;

	assert_non_null(csv);
	drain(csv, out, &event);
	while (at < file.len && event != CSV_FAILED) {
		size_t len = min_size(at == 0 && cut > 0 ? cut : step, file.len - at);
		/* Of exactly this size, so that reading behind it is seen by the sanitizer. */
		char *copy = malloc(len);

		memcpy(copy, file.ptr + at, len);
		csv_feed(csv, (struct slice){ copy, len });
		free(copy);
		at += len;
		drain(csv, out, &event);
		assert_true(event == CSV_MORE || event == CSV_FAILED);
	}
	if (event != CSV_FAILED) {
		csv_finish(csv);
		drain(csv, out, &event);
		assert_true(event == CSV_END || event == CSV_FAILED);
	}
	assert_int_equal(csv_next(csv, &(struct csv_row){ 0 }, NULL), event);
	csv_close(csv);
}

static void check_slice(struct slice file, char delimiter, const char *want)
{
	struct buf out;

	buf_init(&out, 64u << 20);
	read_pieces(file, delimiter, 0, CSV_FEED_MAX, &out);
	assert_string_equal(buf_text(&out), want);
	/* Every cut in two, and byte by byte. */
	for (size_t cut = 1; cut < file.len; cut++) {
		buf_reset(&out);
		read_pieces(file, delimiter, cut, CSV_FEED_MAX, &out);
		assert_string_equal(buf_text(&out), want);
	}
	buf_reset(&out);
	read_pieces(file, delimiter, 1, 1, &out);
	assert_string_equal(buf_text(&out), want);
	buf_done(&out);
}

#define check(literal, want) check_slice(SLICE(literal), ',', want)

static void rows_and_fields_come_out_as_written(void **state)
{
	(void)state;
	check("", "");
	check("a", "1[a]\n");
	check("a,b\r\nc,d\r\n", "1[a|b]\n2[c|d]\n");
	check("a,b\nc,d", "1[a|b]\n2[c|d]\n");
	check("a,b\rc,d\r", "1[a|b]\n2[c|d]\n");
	check("a,,\n,\n", "1[a||]\n2[|]\n");
	check("a,", "1[a|]\n");
	check(" a , b \n", "1[ a | b ]\n");
}

static void mixed_line_ends_count_once_each(void **state)
{
	(void)state;
	check("a\rb\nc\r\nd\n\re", "1[a]\n2[b]\n3[c]\n4[d]\n6[e]\n");
}

static void empty_lines_are_passed_over_but_counted(void **state)
{
	(void)state;
	check("\n\na\r\n\r\nb\n\n", "3[a]\n5[b]\n");
	check("\"\"\n", "1[]\n");
}

static void quoted_fields_hold_anything(void **state)
{
	(void)state;
	check("\"a,b\",\"c\"\"d\",\"\"\n", "1[a,b|c\"d|]\n");
	check("\"a\r\nb\",c\nd,e\n", "1[a\r\nb|c]\n3[d|e]\n");
	check("\"a\rb\nc\r\n\r\n\"\nd", "1[a\rb\nc\r\n\r\n]\n6[d]\n");
	check("\"\"\"\"\"\",\"\"\"x\"", "1[\"\"|\"x]\n");
	check("a,\"b\"", "1[a|b]\n");
}

static void a_quote_inside_an_unquoted_field_stands_for_itself(void **state)
{
	(void)state;
	check("5\" disk,x \"y\"\n", "1[5\" disk|x \"y\"]\n");
}

static void text_behind_a_closing_quote_costs_its_line(void **state)
{
	(void)state;
	check("a\n\"b\"c,d\ne\n",
	      "1[a]\n2!line 2, column 1: text behind a closing quote\n3[e]\n");
	check("a,\"b\" ,c\ne\n", "1!line 1, column 2: text behind a closing quote\n2[e]\n");
	check("\"b\"c", "1!line 1, column 1: text behind a closing quote\n");
}

static void an_unclosed_quote_costs_one_line_only(void **state)
{
	(void)state;
	check("a\nb,\"c\nd\ne",
	      "1[a]\n2!line 2, column 2: the quote that opens here is not closed\n3[d]\n4[e]\n");
	/* The next quote seems to close it. */
	check("a,\"b\r\nc,\"d\"\r\ne,f\r\n",
	      "1!line 1, column 2: text behind a closing quote\n2[c|d]\n3[e|f]\n");
	check("\"", "1!line 1, column 1: the quote that opens here is not closed\n");
	check("\"\r\n", "1!line 1, column 1: the quote that opens here is not closed\n");
}

static void nul_is_refused_with_its_place(void **state)
{
	(void)state;
	check("a\0b,c\nd\n",
	      "1!line 1, column 1: NUL (if this is UTF-16, a byte order mark is missing)\n2[d]\n");
	check("a,\"x\n\0\",c\nd\n",
	      "1!line 2, column 2: NUL (if this is UTF-16, a byte order mark is missing)\n3[d]\n");
}

static void bad_utf8_is_refused_and_the_rest_is_read(void **state)
{
	(void)state;
	check("\xc3\xa9\na,\xe3\x81\nb\n", "1[\xc3\xa9]\n2!line 2, column 2: not UTF-8\n3[b]\n");
	check("\xc3\xa9\n\"\xed\xa0\x80\n\"\nb\n",
	      "1[\xc3\xa9]\n2!line 2, column 1: not UTF-8\n4[b]\n");
	/* Latin-1 is not taken for Japanese. */
	check("M\xfcller,Jos\xe9\nb\n", "1!line 1, column 1: not UTF-8\n2[b]\n");
}

static void other_japanese_encodings_are_refused_by_name(void **state)
{
	(void)state;
	check("email,name\na@x.test,\x8e\x52\x93\x63\n",
	      "1[email|name]\nFAILED line 2, column 2: not UTF-8; looks like Shift_JIS\n");
	check("email,name\na@x.test,\xbb\xb3\xc5\xc4\n",
	      "1[email|name]\nFAILED line 2, column 2: not UTF-8; looks like EUC-JP\n");
	check("email,name\na@x.test,\x1b$B;3ED\x1b(B\n",
	      "1[email|name]\nFAILED line 2, column 2: not UTF-8; looks like ISO-2022-JP\n");
	check("a,\x1b[0m\n", "1[a|\x1b[0m]\n");
}

static void a_byte_order_mark_is_no_text(void **state)
{
	(void)state;
	check("\xef\xbb\xbf" "email,name\r\nann@x.test,Ann\r\n",
	      "1[email|name]\n2[ann@x.test|Ann]\n");
	check("\xef\xbb\xbf\"email\",name\r\n", "1[email|name]\n");
	check("\xef\xbb\xbf", "");
	check("\xef\xbb", "1!line 1, column 1: not UTF-8\n");
	check("a\n\xef\xbb\xbf" "b\n", "1[a]\n2[\xef\xbb\xbf" "b]\n");
}

static void utf16_of_both_orders_is_converted(void **state)
{
	(void)state;
	check("\xff\xfe" "e\0m\0,\0\"\0n\0\"\0\r\0\n\0\x42\x30\x3d\xd8\x00\xde,\0x\0",
	      "1[em|n]\n2[\xe3\x81\x82\xf0\x9f\x98\x80|x]\n");
	check("\xfe\xff\0e\0m\0,\0n\0\r\0\n\x30\x42\xd8\x3d\xde\x00\0,\0x",
	      "1[em|n]\n2[\xe3\x81\x82\xf0\x9f\x98\x80|x]\n");
}

static void broken_utf16_is_refused(void **state)
{
	(void)state;
	check("\xff\xfe\x3d\xd8,\0x\0\n\0b\0\n\0", "1!line 1, column 1: not UTF-16\n2[b]\n");
	check("\xff\xfe\x00\xde\n\0b\0", "1!line 1, column 1: not UTF-16\n2[b]\n");
	check("\xff\xfe" "a\0\n\0b", "1[a]\n2!line 2, column 1: not UTF-16\n");
	check("\xff\xfe" "a\0\n\0\x3d\xd8", "1[a]\n2!line 2, column 1: not UTF-16\n");
	check("\xff\xfe" "a\0\0\0\n\0b\0", "1!line 1, column 1: NUL\n2[b]\n");
}

static void the_delimiter_is_given_or_found(void **state)
{
	(void)state;
	check_slice(SLICE("a;b,c\n"), ';', "1[a|b,c]\n");
	check_slice(SLICE("a\tb,c\n"), '\t', "1[a|b,c]\n");
	check_slice(SLICE("a;b;c,d\n1,2;3\n"), 0, "1[a|b|c,d]\n2[1,2|3]\n");
	check_slice(SLICE("\n\r\na\tb\n"), 0, "3[a|b]\n");
	check_slice(SLICE("\"a;b;c\",d\n"), 0, "1[a;b;c|d]\n");
	check_slice(SLICE("email\nx;y\n"), 0, "1[email]\n2[x;y]\n");
	check_slice(SLICE("a;b"), 0, "1[a|b]\n");
}

static void too_many_columns_are_refused(void **state)
{
	struct buf file;
	struct buf out;

	(void)state;
	buf_init(&file, 4096);
	buf_init(&out, 4096);
	for (int i = 0; i < CSV_COLUMNS_MAX - 1; i++)
		buf_add_char(&file, ',');
	buf_add_char(&file, '\n');
	for (int i = 0; i < CSV_COLUMNS_MAX; i++)
		buf_add_char(&file, ',');
	buf_add_text(&file, "\nx\n");
	read_pieces(buf_slice(&file), ',', 0, 10, &out);
	assert_non_null(strstr(buf_text(&out),
			       "|]\n2!line 2, column 257: more than 256 columns\n3[x]\n"));
	buf_done(&file);
	buf_done(&out);
}

/* `len` x's as one field, quoted or not, in line 2 of three. */
static void check_long_field(size_t len, bool quoted, const char *refusal)
{
	static const size_t steps[] = { CSV_FEED_MAX, 4096, 997 };
	const char *quote = quoted ? "\"" : "";
	struct buf file;
	struct buf out;
	const char *text;

	buf_init(&file, 8u << 20);
	buf_init(&out, 8u << 20);
	buf_add_format(&file, "a\nb,%s", quote);
	memset(buf_reserve(&file, len), 'x', len);
	buf_advance(&file, len);
	buf_add_format(&file, "%s\nc\n", quote);
	for (size_t i = 0; i < array_count(steps); i++) {
		buf_reset(&out);
		read_pieces(buf_slice(&file), ',', 0, steps[i], &out);
		text = buf_text(&out);
		if (refusal)
			assert_string_equal(text, refusal);
		else
			assert_int_equal(strlen(text), strlen("1[a]\n2[b|]\n3[c]\n") + len);
	}
	buf_done(&file);
	buf_done(&out);
}

static void a_field_has_a_greatest_length(void **state)
{
	(void)state;
	check_long_field(CSV_FIELD_MAX, false, NULL);
	check_long_field(CSV_FIELD_MAX, true, NULL);
	check_long_field(CSV_FIELD_MAX + 1, false,
			 "1[a]\n2!line 2, column 2: field or row too long\n3[c]\n");
	check_long_field(CSV_FIELD_MAX + 1, true,
			 "1[a]\n2!line 2, column 2: the quote that opens here is not closed "
			 "within 65,536 bytes\n3[c]\n");
	check_long_field(5u << 20, false,
			 "1[a]\n2!line 2, column 2: field or row too long\n3[c]\n");
}

static void a_row_has_a_greatest_length(void **state)
{
	struct buf file;
	struct buf out;
	size_t len = CSV_FIELD_MAX - 10;

	(void)state;
	buf_init(&file, 32u << 20);
	buf_init(&out, 4u << 20);
	for (int i = 0; i < 100; i++) {
		memset(buf_reserve(&file, len), 'x', len);
		buf_advance(&file, len);
		buf_add_char(&file, ',');
	}
	buf_add_text(&file, "\nc\n");
	read_pieces(buf_slice(&file), ',', 0, 65536, &out);
	assert_string_equal(buf_text(&out), "1!line 1, column 17: field or row too long\n2[c]\n");
	buf_done(&file);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_fields_come_out_as_written),
		cmocka_unit_test(mixed_line_ends_count_once_each),
		cmocka_unit_test(empty_lines_are_passed_over_but_counted),
		cmocka_unit_test(quoted_fields_hold_anything),
		cmocka_unit_test(a_quote_inside_an_unquoted_field_stands_for_itself),
		cmocka_unit_test(text_behind_a_closing_quote_costs_its_line),
		cmocka_unit_test(an_unclosed_quote_costs_one_line_only),
		cmocka_unit_test(nul_is_refused_with_its_place),
		cmocka_unit_test(bad_utf8_is_refused_and_the_rest_is_read),
		cmocka_unit_test(other_japanese_encodings_are_refused_by_name),
		cmocka_unit_test(a_byte_order_mark_is_no_text),
		cmocka_unit_test(utf16_of_both_orders_is_converted),
		cmocka_unit_test(broken_utf16_is_refused),
		cmocka_unit_test(the_delimiter_is_given_or_found),
		cmocka_unit_test(too_many_columns_are_refused),
		cmocka_unit_test(a_field_has_a_greatest_length),
		cmocka_unit_test(a_row_has_a_greatest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

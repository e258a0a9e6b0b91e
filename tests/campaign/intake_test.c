/* What intake.h promises: clean recipients, refusals with line and reason, duplicates, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/text.h"
#include "campaign/intake.h"
#include "store/row_values.h"

#include <stdio.h>
#include <string.h>

static void add_row(struct intake *intake, const struct intake_row *row, struct buf *out)
{
	struct slice values[INTAKE_COLUMNS_MAX];
	size_t count = intake_column_count(intake);

	assert_true(row_values_unpack(row->values, values, count));
	buf_add_format(out, "%llu %.*s @%.*s", (unsigned long long)row->line,
		       SLICE_FMT(row->address), SLICE_FMT(row->domain));
	for (size_t i = 0; i < count; i++)
		buf_add_format(out, " %.*s=%.*s", SLICE_FMT(intake_column(intake, i)),
			       SLICE_FMT(values[i]));
	buf_add_text(out, row->not_dot_atom ? " (quoted)\n" : row->utf8_local ? " (utf8)\n" : "\n");
}

static enum intake_event drain(struct intake *intake, struct buf *out)
{
	struct intake_row row;
	struct error error;

	for (;;) {
		enum intake_event event = intake_next(intake, &row, &error);

		switch (event) {
		case INTAKE_ROW:
			add_row(intake, &row, out);
			break;
		case INTAKE_BAD:
			buf_add_format(out, "bad %s\n", error.text);
			break;
		case INTAKE_DUPLICATE:
			buf_add_format(out, "again %s\n", error.text);
			break;
		case INTAKE_FAILED:
			buf_add_format(out, "failed %s\n", error.text);
			return event;
		default:
			return event;
		}
	}
}

static struct intake_counts import(struct slice file, size_t step, struct buf *out)
{
	struct intake *intake = intake_open(0);
	struct intake_counts counts;
	enum intake_event event = INTAKE_MORE;

	assert_non_null(intake);
	for (size_t at = 0; at < file.len && event == INTAKE_MORE; at += step) {
		intake_feed(intake, slice_first(slice_from(file, at), step));
		event = drain(intake, out);
	}
	if (event == INTAKE_MORE) {
		intake_finish(intake);
		event = drain(intake, out);
		assert_true(event == INTAKE_END || event == INTAKE_FAILED);
	}
	intake_counts(intake, &counts);
	assert_int_equal(counts.rows, counts.accepted + counts.bad + counts.duplicates);
	intake_close(intake);
	return counts;
}

/* Whatever the pieces, the outcome is `want`, or begins with it when it ends in "...". */
static struct intake_counts check(struct slice file, const char *want)
{
	static const size_t steps[] = { CSV_FEED_MAX, 7, 1 };
	struct intake_counts counts = { 0 };
	struct slice prefix = slice_of(want);
	struct buf out;

	buf_init(&out, 1u << 20);
	for (size_t i = 0; i < array_count(steps); i++) {
		buf_reset(&out);
		counts = import(file, steps[i], &out);
		if (prefix.len > 3 && strcmp(want + prefix.len - 3, "...") == 0)
			assert_memory_equal(buf_text(&out), want, prefix.len - 3);
		else
			assert_string_equal(buf_text(&out), want);
	}
	buf_done(&out);
	return counts;
}

static void rows_become_addresses_and_values_by_column(void **state)
{
	struct intake_counts counts;

	(void)state;
	counts = check(SLICE("name,email,city\nAnn,ann@X.test,Kobe\n,bob@y.test,\n"),
		       "2 ann@x.test @x.test name=Ann city=Kobe\n"
		       "3 bob@y.test @y.test name= city=\n");
	assert_int_equal(counts.rows, 2);
	assert_int_equal(counts.accepted, 2);
}

static void the_email_column_is_found_in_any_case_and_with_space_around(void **state)
{
	(void)state;
	check(SLICE(" EMail ; Name\n ann@x.test ;Ann \n"), "2 ann@x.test @x.test Name=Ann \n");
	check(SLICE("\"email\"\nann@x.test\n"), "2 ann@x.test @x.test\n");
}

static void a_byte_order_mark_does_not_hide_the_email_column(void **state)
{
	(void)state;
	check(SLICE("\xef\xbb\xbf" "email,name\r\nann@x.test,Ann\r\n"),
	      "2 ann@x.test @x.test name=Ann\n");
	check(SLICE("\xef\xbb\xbf\"email\",name\r\nann@x.test,Ann\r\n"),
	      "2 ann@x.test @x.test name=Ann\n");
	check(SLICE("\xff\xfe" "e\0m\0a\0i\0l\0,\0n\0a\0m\0e\0\r\0\n\0"
		    "a\0n\0n\0@\0x\0.\0t\0e\0s\0t\0,\0A\0n\0n\0\r\0\n\0"),
	      "2 ann@x.test @x.test name=Ann\n");
	check(SLICE("\xff\xfe\"\0e\0m\0a\0i\0l\0\"\0,\0n\0a\0m\0e\0\r\0\n\0"
		    "a\0n\0n\0@\0x\0.\0t\0e\0s\0t\0,\0A\0n\0n\0\r\0\n\0"),
	      "2 ann@x.test @x.test name=Ann\n");
}

static void a_header_row_that_is_wrong_is_refused_as_a_whole(void **state)
{
	(void)state;
	check(SLICE("name,mail\nAnn,ann@x.test\n"),
	      "failed line 1: no column is named \"email\"...");
	check(SLICE("email,name,NAME\n"),
	      "failed line 1, column 3: \"NAME\" is column 2 already\n");
	check(SLICE("email,Email\n"), "failed line 1, column 2: \"Email\" is column 1 already\n");
	check(SLICE("email, ,x\n"), "failed line 1, column 2: the column has no name\n");
	check(SLICE("email,first name\n"), "failed line 1, column 2: \"first name\" cannot...");
	check(SLICE("email,_token\n"), "failed line 1, column 2: \"_token\" cannot...");
	check(SLICE("\n\nemail,\"a\"b\nx"), "failed line 3, column 2: text behind...");
	check(SLICE(""), "failed there is no row that names the columns\n");
	check(SLICE("\r\n"), "failed there is no row that names the columns\n");
}

static void a_bad_row_is_named_and_does_not_stop_the_rest(void **state)
{
	struct intake_counts counts;

	(void)state;
	counts = check(SLICE("email,name\n"
			     "ann@x.test\n"
			     "bob@x.test,Bob,1\n"
			     "\"c\n@x.test\",C\n"
			     "d@x.test,\"D\"d\n"
			     "e@x.test,E\n"),
		       "bad line 2: 1 columns, but the first row names 2\n"
		       "bad line 3: 3 columns, but the first row names 2\n"
		       "bad line 4: ...");
	assert_int_equal(counts.rows, 5);
	assert_int_equal(counts.bad, 4);
	assert_int_equal(counts.accepted, 1);
}

static void a_bad_address_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {
		"ann", "@x.test", "ann@", "ann@x", "ann@[192.0.2.1]", "a b@x.test",
		"\"ann@x.test\r\nBcc: z@x.test\"", "a@x.test; b@x.test", "<a@x.test>",
	};
	struct intake_counts counts;
	struct buf file;

	(void)state;
	buf_init(&file, 4096);
	for (size_t i = 0; i < array_count(bad); i++) {
		buf_reset(&file);
		buf_add_format(&file, "email,b\n\n%s,x\nok@x.test,y\n", bad[i]);
		counts = check(buf_slice(&file), "bad line 3: ...");
		assert_int_equal(counts.accepted, 1);
	}
	buf_done(&file);
}

static void the_same_person_twice_is_a_duplicate(void **state)
{
	struct intake_counts counts;

	(void)state;
	counts = check(SLICE("email,n\na.b@x.test,1\nA.B@X.Test,2\na.b@y.test,3\nab@x.test,4\n"),
		       "2 a.b@x.test @x.test n=1\nagain line 3: A.B@x.test came before\n"
		       "4 a.b@y.test @y.test n=3\n5 ab@x.test @x.test n=4\n");
	assert_int_equal(counts.duplicates, 1);
	assert_int_equal(counts.accepted, 3);
}

static void a_refused_row_does_not_make_its_address_known(void **state)
{
	(void)state;
	check(SLICE("email,n\na@x.test\na@x.test,1\n"),
	      "bad line 2: 1 columns, but the first row names 2\n3 a@x.test @x.test n=1\n");
}

static void carrier_addresses_with_odd_dots_are_accepted_and_marked(void **state)
{
	(void)state;
	check(SLICE("email\na..b@docomo.example\nab.@docomo.example\n.ab@au.example\n"
		    "\"\"\"a..b\"\"@docomo.example\"\nab@docomo.example\n"),
	      "2 \"a..b\"@docomo.example @docomo.example (quoted)\n"
	      "3 \"ab.\"@docomo.example @docomo.example (quoted)\n"
	      "4 \".ab\"@au.example @au.example (quoted)\n"
	      "again line 5: \"a..b\"@docomo.example came before\n"
	      "6 ab@docomo.example @docomo.example\n");
}

static void values_that_are_too_long_together_are_refused(void **state)
{
	struct buf file;
	struct buf out;

	(void)state;
	buf_init(&file, 1u << 20);
	buf_init(&out, 1u << 20);
	buf_add_text(&file, "email,a,b\n");
	/* 2 * (3 bytes of length + 32764) = 65534 fits, two more bytes do not. */
	for (size_t len = 32764; len <= 32765; len++) {
		buf_add_format(&file, "%zu@x.test,%0*d,%0*d\n", len, (int)len, 0, (int)len, 0);
	}
	assert_int_equal(import(buf_slice(&file), 1000, &out).accepted, 1);
	assert_non_null(strstr(buf_text(&out),
			       "bad line 3: its values are longer than 65535 bytes together\n"));
	buf_done(&file);
	buf_done(&out);
}

static void many_addresses_are_told_apart(void **state)
{
	struct intake_counts counts;
	struct buf file;
	struct buf out;

	(void)state;
	buf_init(&file, 16u << 20);
	buf_init(&out, 64u << 20);
	buf_add_text(&file, "email\n");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20000; i++)
			buf_add_format(&file, "user%d@d%d.test\n", i, i % 100);
	}
	counts = import(buf_slice(&file), 65536, &out);
	assert_int_equal(counts.accepted, 20000);
	assert_int_equal(counts.duplicates, 20000);
	buf_done(&file);
	buf_done(&out);
}

static void another_encoding_is_refused_by_name_and_nothing_more_comes(void **state)
{
	(void)state;
	check(SLICE("email,name\na@x.test,ok\nb@x.test,\x8e\x52\x93\x63\nc@x.test,d\n"),
	      "2 a@x.test @x.test name=ok\n"
	      "failed line 3, column 2: not UTF-8; looks like Shift_JIS\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_addresses_and_values_by_column),
		cmocka_unit_test(the_email_column_is_found_in_any_case_and_with_space_around),
		cmocka_unit_test(a_byte_order_mark_does_not_hide_the_email_column),
		cmocka_unit_test(a_header_row_that_is_wrong_is_refused_as_a_whole),
		cmocka_unit_test(a_bad_row_is_named_and_does_not_stop_the_rest),
		cmocka_unit_test(a_bad_address_is_refused_with_its_line),
		cmocka_unit_test(the_same_person_twice_is_a_duplicate),
		cmocka_unit_test(a_refused_row_does_not_make_its_address_known),
		cmocka_unit_test(carrier_addresses_with_odd_dots_are_accepted_and_marked),
		cmocka_unit_test(values_that_are_too_long_together_are_refused),
		cmocka_unit_test(many_addresses_are_told_apart),
		cmocka_unit_test(another_encoding_is_refused_by_name_and_nothing_more_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Dates, numbers and lists among the values of recipients. */
#include "message/fixture.h"

#include "message/list_value.h"
#include "message/value_date.h"
#include "message/value_number.h"

static void dates_are_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		const char *wanted; /* NULL: it is none */
	} cases[] = {
		{ "2026-11-30", "2026-11-30 00:00:00" },
		{ "2026/1/3", "2026-01-03 00:00:00" },
		{ "2026.01.03", "2026-01-03 00:00:00" },
		{ " 20261130 ", "2026-11-30 00:00:00" },
		{ "2026-11-30T10:05:30.25+09:00", "2026-11-30 10:05:30" },
		{ "2026-11-30 9:05", "2026-11-30 09:05:00" },
		{ "2026-11-30T10:05Z", "2026-11-30 10:05:00" },
		{ "2024-02-29", "2024-02-29 00:00:00" },
		{ "1950-06-01", "1950-06-01 00:00:00" },
		{ "2026-02-29", NULL },
		{ "1900-02-29", NULL },
		{ "2026-13-01", NULL },
		{ "2026-00-01", NULL },
		{ "2026-11-31", NULL },
		{ "2026-11/30", NULL },
		{ "2026-11-30x", NULL },
		{ "2026-11-30 24:00", NULL },
		{ "2026-11-30 10:5", NULL },
		{ "2026-11-30 10:05 ", "2026-11-30 10:05:00" },
		{ "2026-11-30 10:05+9", NULL },
		{ "30.11.2026", NULL },
		{ "202611", NULL },
		{ "0000-01-01", NULL },
		{ "", NULL },
		{ "tomorrow", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct value_date date;
		char room[64];
		struct buf out = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

		if (value_date_read(slice_of(cases[i].text), &date) != (cases[i].wanted != NULL))
			fail_msg("\"%s\"", cases[i].text);
		if (!cases[i].wanted)
			continue;
		value_date_add(&out, &date, SLICE("YYYY-MM-DD HH:mm:ss"));
		assert_string_equal(buf_text(&out), cases[i].wanted);
	}
}

static void formats_say_how_a_date_is_written(void **state)
{
	static const struct {
		const char *date;
		const char *format;
		const char *wanted;
	} cases[] = {
		{ "2026-11-30", "YYYY年M月D日(aaa)", "2026年11月30日(月)" },
		{ "2026-11-30", "gggge年MM月DD日 aaaa", "令和8年11月30日 月曜日" },
		{ "2019-05-01", "gggge年", "令和元年" },
		{ "2019-04-30", "gggge年", "平成31年" },
		{ "1989-01-07", "gggge年", "昭和64年" },
		{ "1926-12-25", "gggge年", "昭和元年" },
		{ "1926-12-24", "gggge年", "大正15年" },
		{ "1872-12-31", "gggge", "1872" },
		{ "2026-03-07 09:05:07", "dddd, D MMMM YYYY", "Saturday, 7 March 2026" },
		{ "2026-03-07 09:05:07", "ddd D MMM YY H:mm HH:mm:ss", "Sat 7 Mar 26 9:05 09:05:07" },
		{ "2000-02-29", "ddd", "Tue" },
		{ "1600-01-01", "ddd", "Sat" },
		{ "2026-03-07", "[Day] D[][M", "Day 7[3" },
		{ "2026-03-07", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct value_date date;
		char room[128];
		struct buf out = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

		assert_true(value_date_read(slice_of(cases[i].date), &date));
		value_date_add(&out, &date, slice_of(cases[i].format));
		assert_string_equal(buf_text(&out), cases[i].wanted);
	}
}

static void numbers_are_grouped_by_thousands(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} cases[] = {
		{ "0", "0" },
		{ "123", "123" },
		{ "1234", "1,234" },
		{ "-123456.789", "-123,456.789" },
		{ "+1234567", "+1,234,567" },
		{ "1,234,567", "1,234,567" },
		{ " 1000 ", "1,000" },
		{ "123456789012345678", "123,456,789,012,345,678" },
		{ "1234567890123456789", "1234567890123456789" },
		{ "1234 yen", "1234 yen" },
		{ "1,5", "1,5" },
		{ "12,34", "12,34" },
		{ "1.", "1." },
		{ "-", "-" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		char room[64];
		struct buf out = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

		value_number_add(&out, slice_of(cases[i].text));
		assert_string_equal(buf_text(&out), cases[i].wanted);
	}
}

static void numbers_are_ordered_by_what_they_are_worth(void **state)
{
	static const char *const rising[] = { "-1,000", "-2.5", "-2.49",       "-0.000000001",
					      "0",	"0.1",	"0.100000001", "1",
					      "9",	"10",	"999999999999999999" };

	(void)state;
	for (size_t i = 0; i < array_count(rising); i++) {
		for (size_t k = 0; k < array_count(rising); k++) {
			struct value_number a;
			struct value_number b;
			int order;

			assert_true(value_number_read(slice_of(rising[i]), &a));
			assert_true(value_number_read(slice_of(rising[k]), &b));
			order = value_number_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
}

static void lists_are_read_as_they_were_written(void **state)
{
	char large[300];
	struct buf object;
	struct buf list;
	struct slice rest;
	struct slice item;
	bool is_text;

	(void)state;
	memset(large, 'x', sizeof(large));
	buf_init(&object, 1u << 16);
	buf_init(&list, 1u << 16);
	object_value_begin(&object);
	object_value_add(&object, SLICE("a"), SLICE("1"));
	object_value_add(&object, SLICE("large"), (struct slice){ large, sizeof(large) });
	list_value_begin(&list);
	list_value_add(&list, buf_slice(&object));
	list_value_add(&list, SLICE(""));
	assert_true(value_is_list(buf_slice(&list)) && !value_is_object(buf_slice(&list)));
	list_value_open(buf_slice(&list), &rest, &is_text);
	assert_true(list_value_next(&rest, is_text, &item));
	assert_true(value_is_object(item));
	assert_slice(object_value_find(item, SLICE("a")), SLICE("1"));
	assert_int_equal(object_value_find(item, SLICE("large")).len, sizeof(large));
	assert_int_equal(object_value_find(item, SLICE("b")).len, 0);
	assert_true(list_value_next(&rest, is_text, &item));
	assert_int_equal(item.len, 0);
	assert_false(list_value_next(&rest, is_text, &item));
	/* Cut anywhere, it has fewer items and nothing beyond its end is read. */
	for (size_t len = 0; len < list.len; len++) {
		list_value_open(slice_first(buf_slice(&list), len), &rest, &is_text);
		while (list_value_next(&rest, is_text, &item)) {
			assert_true(item.ptr + item.len <= list.ptr + len);
			(void)object_value_find(item, SLICE("b"));
		}
	}
	buf_done(&object);
	buf_done(&list);
}

static void filters_write_dates_and_numbers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_true(fixture_compile_body(
		&f, SLICE("{{name|date:\"D/M\"}} {{note|number}} {{link|number|default:\"-\"}}")));
	f.values[0] = SLICE("2026-11-30");
	f.values[1] = SLICE("1234.5");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_slice(fixture_body(&f.bytes), SLICE("30/11=\r\n=201,234.5=\r\n=20-\r\n"));
	/* What is no date stays. */
	f.values[0] = SLICE("soon");
	assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("\r\nsoon=\r\n"));
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_read_as_people_write_them),
		cmocka_unit_test(formats_say_how_a_date_is_written),
		cmocka_unit_test(numbers_are_grouped_by_thousands),
		cmocka_unit_test(numbers_are_ordered_by_what_they_are_worth),
		cmocka_unit_test(lists_are_read_as_they_were_written),
		cmocka_unit_test(filters_write_dates_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

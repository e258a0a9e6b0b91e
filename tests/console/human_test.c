/* What people read: numbers, durations, harmless texts, aligned tables. */
#include "base/text.h"
#include "console/human.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct buf out;

static const char *shown(void (*show)(struct buf *, u64), u64 value)
{
	buf_reset(&out);
	show(&out, value);
	return buf_text(&out);
}

static const char *text(struct slice s)
{
	buf_reset(&out);
	human_text(&out, s);
	return buf_text(&out);
}

static void test_numbers_have_thousands_separators(void **state)
{
	(void)state;
	assert_string_equal(shown(human_number, 0), "0");
	assert_string_equal(shown(human_number, 999), "999");
	assert_string_equal(shown(human_number, 1000), "1,000");
	assert_string_equal(shown(human_number, 123456), "123,456");
	assert_string_equal(shown(human_number, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void test_durations_show_two_units_at_most(void **state)
{
	(void)state;
	assert_string_equal(shown(human_duration, 0), "0 ms");
	assert_string_equal(shown(human_duration, 999), "999 ms");
	assert_string_equal(shown(human_duration, 1999), "1 s");
	assert_string_equal(shown(human_duration, 192000), "3 min 12 s");
	assert_string_equal(shown(human_duration, 180000), "3 min");
	assert_string_equal(shown(human_duration, 3605000), "1 h");
	assert_string_equal(shown(human_duration, 187200000), "2 d 4 h");
}

static void test_bytes_and_times_have_units(void **state)
{
	(void)state;
	assert_string_equal(shown(human_bytes, 812), "812 B");
	assert_string_equal(shown(human_bytes, 1024), "1.0 KiB");
	assert_string_equal(shown(human_bytes, 1048575), "1.0 MiB");
	assert_string_equal(shown(human_bytes, UINT64_MAX), "16777216.0 TiB");
	setenv("TZ", "UTC", 1);
	assert_string_equal(shown(human_time, 0), "-");
	assert_string_equal(shown(human_time, 1795575600123), "2026-11-25 03:00:00");
}

static void test_times_are_in_the_time_zone_of_the_console(void **state)
{
	static const struct {
		const char *zone;
		u64 wall_ms;
		const char *time;
		const char *name;
	} places[] = {
		{ "Asia/Tokyo", 1795575600123, "2026-11-25 12:00:00", "JST" },
		{ "America/New_York", 1795575600123, "2026-11-24 22:00:00", "EST" },
		{ "America/New_York", 1782270000000, "2026-06-23 23:00:00", "EDT" },
		{ "UTC", 1795575600123, "2026-11-25 03:00:00", "UTC" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		setenv("TZ", places[i].zone, 1);
		tzset();
		assert_string_equal(shown(human_time, places[i].wall_ms), places[i].time);
		assert_string_equal(shown(human_zone, places[i].wall_ms), places[i].name);
		assert_string_equal(shown(human_time, UINT64_MAX), "-");
	}
}

static void test_text_that_could_drive_a_terminal_is_shown_as_codes(void **state)
{
	(void)state;
	assert_string_equal(text(SLICE("plain 雪")), "plain 雪");
	assert_string_equal(text(SLICE("a\x1b[2J\r\nb\0c\x7f")), "a\\x1b[2J\\x0d\\x0ab\\x00c\\x7f");
	assert_string_equal(text(SLICE("\xc2\x9b" "1m")), "\\x9b1m");
	assert_string_equal(text(SLICE("\xff\xc3")), "\\xff\\xc3");
	assert_string_equal(text(SLICE("\u202egnp.exe")), "\\u{202e}gnp.exe");
}

static void test_every_byte_alone_and_in_pairs_gives_no_control_byte(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char pair[2] = { (char)a, (char)b };

			for (const char *at = text((struct slice){ pair, 2 }); *at; at++)
				assert_true((u8)*at >= ' ' && *at != 0x7f);
			assert_null(strstr(out.ptr, "\xc2\x9b"));
		}
	}
}

static void test_tables_are_aligned_and_wide_characters_count_two(void **state)
{
	static const char *const titles[] = { "name", "n", "note" };
	struct table table;
	char *printed;
	size_t size;
	FILE *file = open_memstream(&printed, &size);

	(void)state;
	table_init(&table, file, titles, 3, 2);
	table_text(&table, SLICE("春の便り"));
	table_number(&table, 1234);
	table_text(&table, SLICE("x"));
	table_text(&table, SLICE("ann"));
	table_number(&table, 5);
	table_text(&table, SLICE(""));
	table_flush(&table);
	table_text(&table, SLICE("later"));
	table_number(&table, 6);
	table_text(&table, SLICE("y\n"));
	table_done(&table);
	fclose(file);
	assert_string_equal(printed, "name          n  note\n"
				     "春の便り  1,234  x\n"
				     "ann           5  -\n"
				     "later         6  y\\x0a\n");
	free(printed);
}

static void test_a_table_without_rows_prints_its_head_only_when_flushed(void **state)
{
	static const char *const titles[] = { "a", "b" };
	struct table table;
	char *printed;
	size_t size;
	FILE *file = open_memstream(&printed, &size);

	(void)state;
	table_init(&table, file, titles, 2, 0);
	table_done(&table);
	fflush(file);
	assert_int_equal(size, 0);
	table_init(&table, file, titles, 2, 0);
	table_flush(&table);
	table_done(&table);
	fclose(file);
	assert_string_equal(printed, "a  b\n");
	free(printed);
}

static void test_a_long_table_is_printed_block_by_block(void **state)
{
	static const char *const titles[] = { "a" };
	struct table table;
	size_t rows = 300000;
	char *printed;
	size_t size;
	FILE *file = open_memstream(&printed, &size);

	(void)state;
	table_init(&table, file, titles, 1, 0);
	for (size_t i = 0; i < rows; i++) {
		table_text(&table, SLICE("twelve bytes"));
		assert_true(table.cells.size <= 4u << 20);
	}
	table_done(&table);
	fclose(file);
	assert_int_equal(size, strlen("a\n") + rows * strlen("twelve bytes\n"));
	free(printed);
}

static int open_out(void **state)
{
	(void)state;
	buf_init(&out, 1 << 16);
	return 0;
}

static int close_out(void **state)
{
	(void)state;
	buf_done(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_have_thousands_separators),
		cmocka_unit_test(test_durations_show_two_units_at_most),
		cmocka_unit_test(test_bytes_and_times_have_units),
		cmocka_unit_test(test_times_are_in_the_time_zone_of_the_console),
		cmocka_unit_test(test_text_that_could_drive_a_terminal_is_shown_as_codes),
		cmocka_unit_test(test_every_byte_alone_and_in_pairs_gives_no_control_byte),
		cmocka_unit_test(test_tables_are_aligned_and_wide_characters_count_two),
		cmocka_unit_test(test_a_table_without_rows_prints_its_head_only_when_flushed),
		cmocka_unit_test(test_a_long_table_is_printed_block_by_block),
	};

	return cmocka_run_group_tests(tests, open_out, close_out);
}

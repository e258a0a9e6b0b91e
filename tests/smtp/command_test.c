/* Command lines: what is written, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "smtp/command.h"

#include <string.h>

static void each_form_is_written_with_its_line_end(void **state)
{
	static const struct {
		struct smtp_command command;
		const char *line;
	} cases[] = {
		{ { .verb = SLICE("DATA") }, "DATA\r\n" },
		{ { .verb = SLICE("EHLO "), .argument = SLICE("[192.0.2.1]") },
		  "EHLO [192.0.2.1]\r\n" },
		{ { .verb = SLICE("MAIL FROM:"), .bracketed = true }, "MAIL FROM:<>\r\n" },
		{ { .verb = SLICE("RCPT TO:"),
		    .bracketed = true,
		    .argument = SLICE("\"a..b\"@y.test"),
		    .parameters = SLICE(" NOTIFY=NEVER") },
		  "RCPT TO:<\"a..b\"@y.test> NOTIFY=NEVER\r\n" },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		char out[SMTP_COMMAND_MAX];
		size_t want = strlen(cases[i].line);

		assert_int_equal(smtp_command_write(out, sizeof(out), &cases[i].command), want);
		assert_memory_equal(out, cases[i].line, want);
		assert_int_equal(smtp_command_write(out, want, &cases[i].command), want);
		assert_int_equal(smtp_command_write(out, want - 1, &cases[i].command), 0);
	}
}

static void raw_dots_cost_the_quotes_where_only_dots_ask_for_them(void **state)
{
	static const struct {
		struct slice path;
		const char *line;
	} cases[] = {
		{ SLICE("\"a..b\"@y.test"), "RCPT TO:<a..b@y.test>\r\n" },
		{ SLICE("\".ab\"@y.test"), "RCPT TO:<.ab@y.test>\r\n" },
		{ SLICE("\"a.!#$%&'*+-/=?^_`{|}~b.\"@y.test"),
		  "RCPT TO:<a.!#$%&'*+-/=?^_`{|}~b.@y.test>\r\n" },
		{ SLICE("a.b@y.test"), "RCPT TO:<a.b@y.test>\r\n" },
		/* Quotes that are needed for more. */
		{ SLICE("\"a,.b.\"@y.test"), "RCPT TO:<\"a,.b.\"@y.test>\r\n" },
		{ SLICE("\"a@.b\"@y.test"), "RCPT TO:<\"a@.b\"@y.test>\r\n" },
		{ SLICE("\"a\\\"..b\"@y.test"), "RCPT TO:<\"a\\\"..b\"@y.test>\r\n" },
		{ SLICE("\"a..b"), "RCPT TO:<\"a..b>\r\n" },
		{ SLICE("\"a..b\""), "RCPT TO:<\"a..b\">\r\n" },
		{ SLICE("\"\"@y.test"), "RCPT TO:<\"\"@y.test>\r\n" },
		{ SLICE("\""), "RCPT TO:<\">\r\n" },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		struct smtp_command command = { .verb = SLICE("RCPT TO:"),
						.bracketed = true,
						.raw_dots = true,
						.argument = cases[i].path };
		char out[SMTP_COMMAND_MAX];
		size_t want = strlen(cases[i].line);

		assert_int_equal(smtp_command_write(out, want, &command), want);
		assert_memory_equal(out, cases[i].line, want);
		assert_int_equal(smtp_command_write(out, want - 1, &command), 0);
	}
}

static void every_byte_that_could_end_a_path_or_line_is_refused(void **state)
{
	(void)state;
	for (u32 byte = 0; byte < 256; byte++) {
		char path[] = "ab@y.test";
		struct smtp_command command = { .verb = SLICE("RCPT TO:"),
						.bracketed = true,
						.argument = { path, sizeof(path) - 1 } };
		bool bad = byte <= 0x20 || byte == 0x7f || byte == '<' || byte == '>';
		char out[64];

		path[1] = (char)byte;
		assert_int_equal(smtp_path_check(command.argument),
				 bad ? SMTP_PATH_BAD : byte > 0x7f ? SMTP_PATH_UTF8 :
								    SMTP_PATH_ASCII);
		assert_int_equal(smtp_command_write(out, sizeof(out), &command) == 0, bad);
	}
}

static void a_path_has_a_maximum(void **state)
{
	char path[SMTP_PATH_MAX + 1];

	(void)state;
	memset(path, 'a', sizeof(path));
	assert_int_equal(smtp_path_check((struct slice){ path, SMTP_PATH_MAX }), SMTP_PATH_ASCII);
	assert_int_equal(smtp_path_check((struct slice){ path, SMTP_PATH_MAX + 1 }), SMTP_PATH_BAD);
	assert_int_equal(smtp_path_check(SLICE_NONE), SMTP_PATH_ASCII);
}

static void digits_are_those_of_the_number(void **state)
{
	static const u64 numbers[] = { 0, 9, 10, 99, 8196, 4294967296, UINT64_MAX };

	(void)state;
	for (u32 i = 0; i < array_count(numbers); i++) {
		char digits[SMTP_DIGITS_MAX];
		u64 back = 1;
		size_t len = smtp_digits_write(digits, numbers[i]);

		assert_true(slice_to_u64((struct slice){ digits, len }, &back));
		assert_true(back == numbers[i]);
		assert_true(len == 1 || digits[0] != '0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_is_written_with_its_line_end),
		cmocka_unit_test(raw_dots_cost_the_quotes_where_only_dots_ask_for_them),
		cmocka_unit_test(every_byte_that_could_end_a_path_or_line_is_refused),
		cmocka_unit_test(a_path_has_a_maximum),
		cmocka_unit_test(digits_are_those_of_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

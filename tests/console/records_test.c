/* Records to publish, lines on a screen, lines that are kept, fingerprints: the pure parts. */
#include "base/text.h"
#include "console/history.h"
#include "console/log_lines.h"
#include "console/pager.h"
#include "console/records.h"
#include "console/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf text;

static const char *strings_of(const char *value, size_t len)
{
	buf_done(&text);
	buf_init(&text, 65536);
	records_strings(&text, (struct slice){ value, len });
	return buf_text(&text);
}

static void test_a_value_is_cut_into_strings_of_255_bytes(void **state)
{
	char value[600];
	const char *out;

	(void)state;
	memset(value, 'a', sizeof(value));
	assert_string_equal(strings_of("", 0), "\"\"");
	assert_string_equal(strings_of("v=spf1 -all", 11), "\"v=spf1 -all\"");
	out = strings_of(value, 255);
	assert_int_equal(strlen(out), 257);
	assert_null(strstr(out, "\" \""));
	out = strings_of(value, 256);
	assert_int_equal(strlen(out), 255 + 1 + 5);
	assert_memory_equal(out + 255, "a\" \"a\"", 6);
	out = strings_of(value, 511);
	assert_int_equal(strlen(out), 511 + 2 + 2 * 3);
}

static void test_quotes_and_backslashes_are_escaped_and_count_once(void **state)
{
	char value[300];

	(void)state;
	assert_string_equal(strings_of("a\"b\\c", 5), "\"a\\\"b\\\\c\"");
	memset(value, '"', sizeof(value));
	assert_int_equal(strlen(strings_of(value, 255)), 2 + 2 * 255);
}

static void test_spf_names_every_address_by_its_family(void **state)
{
	static const char *const addresses[] = { "192.0.2.10", "2001:db8::10" };
	const struct records records = { "example.jp", "mail.example.jp", addresses, 2 };

	(void)state;
	buf_done(&text);
	buf_init(&text, 4096);
	records_spf(&records, &text);
	assert_string_equal(buf_text(&text), "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 -all");
}

static void test_a_line_takes_as_many_rows_as_its_columns_need(void **state)
{
	char line[200];

	(void)state;
	memset(line, 'x', sizeof(line));
	assert_int_equal(pager_rows(SLICE(""), 80), 1);
	assert_int_equal(pager_rows((struct slice){ line, 80 }, 80), 1);
	assert_int_equal(pager_rows((struct slice){ line, 81 }, 80), 2);
	assert_int_equal(pager_rows((struct slice){ line, 160 }, 80), 2);
	assert_int_equal(pager_rows(SLICE("雪雪雪雪雪雪"), 10), 2); /* two columns each */
}

static void test_secrets_are_not_kept(void **state)
{
	(void)state;
	assert_true(history_is_kept("queue list"));
	assert_true(history_is_kept("upgrade https://example.jp/x.bundle"));
	assert_true(history_is_kept("campaign create --unsubscribe-url https://a.jp/u ann@b.jp"));
	assert_false(history_is_kept(" queue list"));
	assert_false(history_is_kept(""));
	assert_false(history_is_kept("upgrade https://me:secret@example.jp/x"));
	assert_false(history_is_kept("a\nb"));
}

static void test_a_fingerprint_is_that_of_ssh(void **state)
{
	char fingerprint[SETUP_FINGERPRINT_SIZE];

	(void)state;
	/* ssh-keygen -lf says so. */
	setup_fingerprint("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs"
			  "cHR4f ops@example.jp", fingerprint);
	assert_string_equal(fingerprint, "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA");
	setup_fingerprint("ssh-ed25519", fingerprint);
	assert_string_equal(fingerprint, "");
	setup_fingerprint("ssh-ed25519 !!!", fingerprint);
	assert_string_equal(fingerprint, "");
}

static void test_errors_and_warnings_are_told_from_the_rest(void **state)
{
	(void)state;
	assert_true(log_line_is_trouble(SLICE("2026-11-30T01:02:03.004Z warn io event=\"x\"")));
	assert_true(log_line_is_trouble(SLICE("error store event=\"x\"")));
	assert_false(log_line_is_trouble(SLICE("2026-11-30T01:02:03.004Z info io event=\"error \"")));
	assert_false(log_line_is_trouble(SLICE("2026-11-30T01:02:03.004X warn io")));
	assert_false(log_line_is_trouble(SLICE("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_is_cut_into_strings_of_255_bytes),
		cmocka_unit_test(test_quotes_and_backslashes_are_escaped_and_count_once),
		cmocka_unit_test(test_spf_names_every_address_by_its_family),
		cmocka_unit_test(test_a_line_takes_as_many_rows_as_its_columns_need),
		cmocka_unit_test(test_secrets_are_not_kept),
		cmocka_unit_test(test_a_fingerprint_is_that_of_ssh),
		cmocka_unit_test(test_errors_and_warnings_are_told_from_the_rest),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_done(&text);
	return failed;
}

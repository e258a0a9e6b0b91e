/* Results of `check identity` on the page of metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "init/identity_note.h"

#include <stdio.h>

static struct identity_notes notes;
static struct buf page;

static const char *page_of(void)
{
	buf_reset(&page);
	identity_notes_expose(&notes, &page);
	return buf_text(&page);
}

static int begin(void **state)
{
	(void)state;
	notes = (struct identity_notes){ 0 };
	buf_init(&page, 65536);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_done(&page);
	return 0;
}

static void nothing_is_shown_before_a_check(void **state)
{
	(void)state;
	assert_string_equal(page_of(), "");
}

static void the_last_result_of_each_domain_is_shown(void **state)
{
	(void)state;
	assert_true(identity_notes_set(&notes, SLICE("Example.jp"), false, 5, 1000));
	assert_true(identity_notes_set(&notes, SLICE("example.com"), true, 1, 1500));
	assert_true(identity_notes_set(&notes, SLICE("example.jp"), true, 0, 2000));
	assert_string_equal(
		page_of(),
		"# HELP hikyaku_identity_aligned Whether SPF or DKIM vouches for a domain's mail, as last "
		"checked.\n# TYPE hikyaku_identity_aligned gauge\n"
		"hikyaku_identity_aligned{domain=\"example.jp\"} 1\n"
		"hikyaku_identity_aligned{domain=\"example.com\"} 1\n"
		"# HELP hikyaku_identity_failures Checks of a domain's identity that failed last.\n"
		"# TYPE hikyaku_identity_failures gauge\n"
		"hikyaku_identity_failures{domain=\"example.jp\"} 0\n"
		"hikyaku_identity_failures{domain=\"example.com\"} 1\n"
		"# HELP hikyaku_identity_checked_timestamp_seconds When it was last checked.\n"
		"# TYPE hikyaku_identity_checked_timestamp_seconds gauge\n"
		"hikyaku_identity_checked_timestamp_seconds{domain=\"example.jp\"} 2000\n"
		"hikyaku_identity_checked_timestamp_seconds{domain=\"example.com\"} 1500\n");
}

static void of_too_many_the_oldest_gives_way(void **state)
{
	(void)state;
	for (u64 i = 0; i <= IDENTITY_NOTES_MAX; i++) {
		char domain[32];

		snprintf(domain, sizeof(domain), "d%llu.example", (unsigned long long)i);
		/* d1 was checked first. */
		assert_true(identity_notes_set(&notes, slice_of(domain), true, 0, i == 1 ? 10 : 100 + i));
	}
	assert_int_equal(notes.count, IDENTITY_NOTES_MAX);
	assert_null(strstr(page_of(), "\"d1.example\""));
	assert_non_null(strstr(page_of(), "\"d0.example\""));
	assert_non_null(strstr(page_of(), "\"d16.example\""));
}

static void what_is_no_name_is_refused(void **state)
{
	char longest[255];

	(void)state;
	assert_false(identity_notes_set(&notes, SLICE(""), true, 0, 1));
	assert_false(identity_notes_set(&notes, SLICE("a\"} 1\n"), true, 0, 1));
	assert_false(identity_notes_set(&notes, SLICE("a\\b"), true, 0, 1));
	memset(longest, 'a', sizeof(longest));
	assert_false(identity_notes_set(&notes, (struct slice){ longest, 254 }, true, 0, 1));
	assert_true(identity_notes_set(&notes, (struct slice){ longest, 253 }, true, 0, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_shown_before_a_check),
		TEST(the_last_result_of_each_domain_is_shown),
		TEST(of_too_many_the_oldest_gives_way),
		TEST(what_is_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "console/certificate.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW_MS 1796000000000ull
#define DAY_S (24 * 3600)

/* A state as `hikyaku www` tells it. */
static json_t *state_of(const char *kind, i64 seconds_left, bool is_for_names, int failures)
{
	return json_pack("{s:{s:s, s:[s, s], s:I, s:b}, s:{s:i, s:s}}", "certificate", "kind", kind,
			 "names", "mail.example.jp", "www.example.jp", "until_s",
			 (json_int_t)(NOW_MS / 1000) + (json_int_t)seconds_left, "is_for_names",
			 (int)is_for_names, "acme", "failures", failures, "trouble",
			 "no such\033 name");
}

static void line_is(json_t *state, const char *expected)
{
	struct buf text;

	buf_init(&text, 4096);
	certificate_add_line(&text, state, NOW_MS);
	assert_string_equal(buf_text(&text), expected);
	buf_done(&text);
	json_decref(state);
}

static void warning_is(json_t *state, const char *expected)
{
	struct buf text;

	buf_init(&text, 4096);
	assert_int_equal(certificate_add_warning(&text, state, NOW_MS), expected != NULL);
	assert_string_equal(buf_text(&text), expected ? expected : "");
	buf_done(&text);
	json_decref(state);
}

static void the_status_says_in_a_line_what_the_web_server_shows(void **state)
{
	(void)state;
	line_is(state_of("acme", 61 * DAY_S + 5, true, 0),
		"mail.example.jp (+1): certificate of an authority, 61 days left");
	line_is(state_of("own", -1, true, 0),
		"mail.example.jp (+1): certificate of your own, IT IS OVER");
	line_is(state_of("own", DAY_S, false, 0),
		"mail.example.jp (+1): certificate of your own, 1 day left, NOT FOR ALL NAMES");
	line_is(state_of("self-signed", 300 * DAY_S, true, 7),
		"mail.example.jp (+1): SELF-SIGNED CERTIFICATE, 300 days left, RENEWAL FAILS (7)");
	line_is(state_of("none", 0, false, 0),
		"mail.example.jp (+1): no certificate, pages are served in the clear");
}

static void a_certificate_that_ends_soon_or_is_not_renewed_is_warned_of(void **state)
{
	(void)state;
	warning_is(state_of("acme", 14 * DAY_S, true, 0), NULL);
	warning_is(state_of("none", 0, true, 0), NULL);
	warning_is(state_of("acme", 14 * DAY_S - 1, true, 0),
		   "the web server's certificate ends in 13 days (`certificate show`)");
	warning_is(state_of("own", 0, true, 0),
		   "the web server's certificate is over (`certificate show`)");
	warning_is(state_of("own", 90 * DAY_S, false, 0),
		   "the web server's certificate is not for all of its names (`certificate show`)");
	/* What the authority said is text of others. */
	warning_is(state_of("acme", 90 * DAY_S, true, 2),
		   "the web server's certificate cannot be renewed: no such\\x1b name "
		   "(`certificate show`)");
	warning_is(state_of("acme", DAY_S, true, 2),
		   "the web server's certificate ends in 1 day, and cannot be renewed: no such\\x1b "
		   "name (`certificate show`)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_says_in_a_line_what_the_web_server_shows),
		cmocka_unit_test(a_certificate_that_ends_soon_or_is_not_renewed_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

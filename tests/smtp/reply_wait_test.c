/* Times that refusals name. */
#include "smtp/reply_wait.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND 1000ull
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

struct row {
	const char *text;
	u64 wait_ms;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		u64 wait = smtp_reply_wait_ms(slice_of(rows[i].text));

		if (wait != rows[i].wait_ms)
			fail_msg("%s: %llu ms", rows[i].text, (unsigned long long)wait);
	}
}

static void a_time_is_read_in_the_words_of_many_servers(void **state)
{
	static const struct row rows[] = {
		{ "4.7.1 Greylisting in action, please come back in 00:04:59", 299 * SECOND },
		{ "Greylisted, please try again in 300 seconds", 5 * MINUTE },
		{ "4.7.1 <kim@one.example>: Recipient address rejected: Temporarily deferred for "
		  "120 seconds", 2 * MINUTE },
		{ "4.7.1 Greylisted for 5 minutes", 5 * MINUTE },
		{ "4.7.1 Greylist in effect for 300 seconds", 5 * MINUTE },
		{ "4.7.1 Greylisting in action, try again in 3 minutes", 3 * MINUTE },
		{ "GREYLISTED, PLEASE COME BACK IN 5 MINUTES.", 5 * MINUTE },
		{ "4.2.0 Greylisted, come back / 4.2.0 in 90 s", 90 * SECOND },
		{ "please retry after 10min", 10 * MINUTE },
		{ "try again (in 15 minutes)", 15 * MINUTE },
		{ "please wait 4 minutes and 30 seconds", 270 * SECOND },
		{ "retry in 1 hour, 5 minutes", 65 * MINUTE },
		{ "wait another 2 hour(s) please", 2 * HOUR },
		{ "Please try again after about 1 hr", HOUR },
		{ "too many messages, try later: delay 3:20", 200 * SECOND },
		{ "you are blocked for 24 hours, retry later", 24 * HOUR },
	};

	(void)state;
	check(rows, array_count(rows));
}

static void other_numbers_name_no_time(void **state)
{
	static const struct row rows[] = {
		{ "", 0 },
		{ "try again later", 0 },
		{ "4.7.1 Greylisted, see http://postgrey.example/help/5.minutes.example.html", 0 },
		{ "Too many messages (50) from 192.0.2.1 in 60 seconds", 0 },
		{ "come back in 5 apples", 0 },
		{ "please try again in a few minutes", 0 },
		{ "retry in 0 seconds", 0 },
		{ "retry in 12345678 seconds", 0 },
		{ "try again in 99999999999999999999999 seconds", 0 },
		{ "retry in 5", 0 },
		{ "retry in", 0 },
		{ "retry in ::", 0 },
		{ "retry in 1:2:3:4", 0 },
		{ "again: id 300 seconds", 0 },
	};

	(void)state;
	check(rows, array_count(rows));
}

static void a_time_has_an_upper_bound(void **state)
{
	(void)state;
	assert_int_equal(smtp_reply_wait_ms(SLICE("try again in 9999999 days")),
			 SMTP_REPLY_WAIT_MAX_MS);
	assert_int_equal(smtp_reply_wait_ms(SLICE("try again in 999:999:999")),
			 SMTP_REPLY_WAIT_MAX_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_read_in_the_words_of_many_servers),
		cmocka_unit_test(other_numbers_name_no_time),
		cmocka_unit_test(a_time_has_an_upper_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

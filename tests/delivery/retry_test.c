/* When deferred rows are tried again. */
#include "delivery/retry.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000ull
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define CUSTOMER "customer a.example { sign = false address any { ehlo = mx.a.example } }\n"

static struct config config;
static struct random randoms;

static void parse(const char *text)
{
	struct error error;

	random_seed(&randoms, 1);
	config_free(&config);
	if (!config_parse(&config, slice_of(text), "test.conf", &error))
		fail_msg("%s", error.text);
}

static u64 wait_of(struct retry_row row)
{
	return retry_wait_ms(&config.retry, &row, &randoms);
}

/* Waits of a row that meets the same failure each time, up to the age. */
static size_t waits_up_to(u32 class, u64 age_ms, u64 *waits, size_t max)
{
	struct retry_row row = { .class = class };
	size_t count = 0;

	while (row.age_ms < age_ms && count < max) {
		row.attempts++;
		waits[count] = wait_of(row);
		row.age_ms += waits[count++];
	}
	return count;
}

static void every_class_has_a_schedule_that_comes_with_the_program(void **state)
{
	static const struct {
		enum smtp_class class;
		u64 waits[8];
	} rows[] = {
		{ SMTP_CLASS_NONE, { 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_UNKNOWN, { 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_PROTOCOL, { 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_GREYLISTED, { 7 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR } },
		{ SMTP_CLASS_TRANSIENT_HOST,
		  { 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_DNS,
		  { 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_RATE,
		  { 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, HOUR } },
		{ SMTP_CLASS_POLICY, { 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_BAD_MAILBOX, { 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 4 * HOUR } },
		{ SMTP_CLASS_MAILBOX_FULL, { HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR } },
		{ SMTP_CLASS_CONTENT, { HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR } },
		{ SMTP_CLASS_REPUTATION, { HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR } },
		{ SMTP_CLASS_AUTH_FAILURE, { HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR } },
	};

	(void)state;
	_Static_assert(array_count(rows) == SMTP_CLASS_COUNT, "every class");
	parse("retry { jitter = 0 }\n" CUSTOMER);
	for (size_t i = 0; i < array_count(rows); i++) {
		u64 waits[8];
		size_t count = waits_up_to(rows[i].class, 10 * DAY, waits, array_count(waits));

		assert_int_equal(count, array_count(waits));
		for (size_t k = 0; k < count && rows[i].waits[k]; k++) {
			if (waits[k] != rows[i].waits[k])
				fail_msg("%s: wait %zu is %llu s", smtp_class_name(rows[i].class),
					 k, (unsigned long long)waits[k] / 1000);
		}
	}
}

static void a_wait_is_chosen_by_age_but_never_later_than_the_number_of_failures(void **state)
{
	(void)state;
	parse("retry { schedule = {5m, 15m, 1h} jitter = 0 }\n" CUSTOMER);
	/* Many failures in a short time. */
	assert_int_equal(wait_of((struct retry_row){ .attempts = 9 }), 5 * MINUTE);
	assert_int_equal(wait_of((struct retry_row){ .attempts = 9, .age_ms = 2 * MINUTE }),
			 5 * MINUTE);
	assert_int_equal(wait_of((struct retry_row){ .attempts = 9, .age_ms = 4 * MINUTE }),
			 15 * MINUTE);
	assert_int_equal(wait_of((struct retry_row){ .attempts = 9, .age_ms = 16 * MINUTE }), HOUR);
	/* One that is old already, after a pause of its campaign. */
	assert_int_equal(wait_of((struct retry_row){ .attempts = 1, .age_ms = 2 * DAY }),
			 5 * MINUTE);
	assert_int_equal(wait_of((struct retry_row){ .attempts = 2, .age_ms = 2 * DAY }),
			 15 * MINUTE);
	assert_int_equal(wait_of((struct retry_row){ .attempts = 4000000000u,
						     .age_ms = 4000 * DAY }), HOUR);
	assert_int_equal(wait_of((struct retry_row){ .attempts = 0, .age_ms = DAY }), 5 * MINUTE);
}

static void jitter_stays_within_its_percentage_and_no_wait_comes_twice_for_it(void **state)
{
	u64 least = UINT64_MAX;
	u64 most = 0;
	u64 waits[4];

	(void)state;
	parse("retry { schedule = {5m, 15m, 1h} jitter = 20 }\n" CUSTOMER);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(waits_up_to(SMTP_CLASS_UNKNOWN, DAY, waits, 4), 4);
		assert_in_range(waits[0], 4 * MINUTE, 6 * MINUTE);
		assert_in_range(waits[1], 12 * MINUTE, 18 * MINUTE);
		assert_in_range(waits[2], 48 * MINUTE, 72 * MINUTE);
		assert_in_range(waits[3], 48 * MINUTE, 72 * MINUTE);
		least = min_u64(least, waits[0]);
		most = max_u64(most, waits[0]);
	}
	assert_true(least < 246 * SECOND);
	assert_true(most > 354 * SECOND);
	assert_true(retry_longest_ms(&config.retry) >= 72 * MINUTE);
}

static void a_grey_list_of_five_minutes_lets_the_second_attempt_in(void **state)
{
	(void)state;
	parse(CUSTOMER);
	for (int i = 0; i < 1000; i++)
		assert_in_range(wait_of((struct retry_row){ .class = SMTP_CLASS_GREYLISTED,
							    .attempts = 1 }),
				5 * MINUTE, 9 * MINUTE);
}

static void a_time_that_the_reply_names_is_kept_to_and_not_fallen_short_of(void **state)
{
	(void)state;
	parse(CUSTOMER);
	for (u32 class = 0; class < SMTP_CLASS_COUNT; class++) {
		for (int i = 0; i < 200; i++) {
			struct retry_row row = { .class = class, .attempts = 1,
						 .named_ms = 10 * MINUTE };

			assert_in_range(wait_of(row), 10 * MINUTE, 12 * MINUTE);
			row.attempts = 9;
			row.age_ms = DAY;
			row.named_ms = 3 * HOUR;
			assert_true(wait_of(row) >= 3 * HOUR);
			assert_true(wait_of(row) <= retry_longest_ms(&config.retry));
		}
	}
}

static void a_time_that_the_reply_names_is_bounded(void **state)
{
	struct retry_row soon = { .class = SMTP_CLASS_RATE, .attempts = 1, .named_ms = 1 };
	struct retry_row late = { .class = SMTP_CLASS_RATE, .attempts = 1, .named_ms = 7 * DAY };

	(void)state;
	parse("retry { jitter = 0 }\n" CUSTOMER);
	assert_int_equal(wait_of(soon), RETRY_NAMED_MIN_MS);
	assert_int_equal(wait_of(late), RETRY_NAMED_MAX_MS);
	/* Who says "in a second" for ever is not asked every half minute for days. */
	soon.age_ms = DAY;
	soon.attempts = RETRY_NAMED_QUICK_MAX + 1;
	assert_int_equal(wait_of(soon), HOUR);
}

static void a_file_changes_single_classes_or_all_of_them(void **state)
{
	const struct config_retry *retry = &config.retry;

	(void)state;
	parse("retry { class mailbox-full { schedule = {3h, 6h} expire = 2d } }\n" CUSTOMER);
	assert_int_equal(retry->classes[SMTP_CLASS_MAILBOX_FULL].schedule.count, 2);
	assert_int_equal(retry->classes[SMTP_CLASS_MAILBOX_FULL].schedule.ms[1], 6 * HOUR);
	assert_int_equal(retry->classes[SMTP_CLASS_GREYLISTED].schedule.ms[0], 7 * MINUTE);
	assert_int_equal(retry_expire_ms(retry, SMTP_CLASS_MAILBOX_FULL, 3 * DAY), 2 * DAY);
	assert_int_equal(retry_expire_ms(retry, SMTP_CLASS_MAILBOX_FULL, DAY), DAY);
	assert_int_equal(retry_expire_ms(retry, SMTP_CLASS_RATE, 3 * DAY), 3 * DAY);
	/* Only the expiry: the schedule stays. */
	parse("retry { class content { expire = 1d } }\n" CUSTOMER);
	assert_int_equal(retry->classes[SMTP_CLASS_CONTENT].schedule.ms[0], HOUR);
	assert_int_equal(retry->classes[SMTP_CLASS_CONTENT].expire_ms, DAY);
	/* What the file says of all counts for those that it does not name. */
	parse("retry { schedule = {10s} class rate { schedule = {20s} } }\n" CUSTOMER);
	for (u32 class = 0; class < SMTP_CLASS_COUNT; class++)
		assert_int_equal(retry->classes[class].schedule.ms[0],
				 class == SMTP_CLASS_RATE ? 20 * SECOND : 10 * SECOND);
	assert_int_equal(retry_longest_ms(retry), RETRY_NAMED_MAX_MS / 100 * 120);
}

static void a_class_that_makes_no_sense_is_refused_by_name(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} rows[] = {
		{ "retry { class quick { schedule = {1s} } }\n",
		  "t:1: retry: class \"quick\": its title is no class of replies" },
		{ "retry { class rate { expire = 1m } }\n",
		  "t:1: class \"rate\": expire: earlier than the first retry" },
		{ "retry { class rate { schedule = {8d} } }\n",
		  "t:1: class \"rate\": schedule: \"8d\" is not a duration from 1s to 7d" },
		{ "retry { class rate { expire = 0 } }\n",
		  "t:1: class \"rate\": expire: \"0\" is not a duration from 1m to 30d" },
	};
	struct config refused;
	struct error error;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		assert_false(config_parse(&refused, slice_of(rows[i].text), "t", &error));
		if (i > 0)
			assert_string_equal(error.text, rows[i].error);
		else
			assert_non_null(strstr(error.text, "its title is no class of replies"));
	}
}

static void a_dead_route_is_probed_ever_more_rarely_but_at_least_every_18_minutes(void **state)
{
	u64 before = 0;

	(void)state;
	random_seed(&randoms, 3);
	for (u32 failures = 1; failures < 100; failures++) {
		u64 wait = retry_route_wait_ms(failures, &randoms);

		assert_in_range(wait, 12 * SECOND, 18 * MINUTE);
		if (failures < 6)
			assert_true(wait > before);
		before = wait;
	}
}

static int free_config(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class_has_a_schedule_that_comes_with_the_program),
		cmocka_unit_test(
			a_wait_is_chosen_by_age_but_never_later_than_the_number_of_failures),
		cmocka_unit_test(
			jitter_stays_within_its_percentage_and_no_wait_comes_twice_for_it),
		cmocka_unit_test(a_grey_list_of_five_minutes_lets_the_second_attempt_in),
		cmocka_unit_test(
			a_time_that_the_reply_names_is_kept_to_and_not_fallen_short_of),
		cmocka_unit_test(a_time_that_the_reply_names_is_bounded),
		cmocka_unit_test(a_file_changes_single_classes_or_all_of_them),
		cmocka_unit_test(a_class_that_makes_no_sense_is_refused_by_name),
		cmocka_unit_test(
			a_dead_route_is_probed_ever_more_rarely_but_at_least_every_18_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, free_config);
}

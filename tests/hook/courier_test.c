/*
 * What a hook does next: in which order, how long it waits after failures, when it gives up, and
 * what of it the sender has to know.
 */
#include "hook/courier.h"

#include "base/clock.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS (24 * HOUR_NS)

static struct config_hook hook;
static struct courier courier;
static struct courier_news news;
static u64 now_ns;
static u64 wall_ms;

static int setup(void **state)
{
	(void)state;
	hook = (struct config_hook){ .name = "crm", .batch = 100, .retry_ms = 5000,
				     .suspend_after_ms = 5 * 24 * 3600 * MS_PER_S };
	news = (struct courier_news){ .position = 10 };
	now_ns = 1000 * DAY_NS;
	wall_ms = 1764500000000ull;
	courier_init(&courier, &hook, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	courier_done(&courier);
	return 0;
}

static void pass(u64 ns)
{
	now_ns += ns;
	wall_ms += ns / NS_PER_MS;
}

static void hear(void)
{
	courier_heard(&courier, &news, now_ns, wall_ms);
}

/* Entries `first` to `last`, of one customer each other. */
static void give(u64 first, u64 last, u64 upto)
{
	json_t *items = json_array();

	for (u64 i = first; i <= last; i++)
		json_array_append_new(items, json_pack("{s:I, s:I, s:s, s:s, s:s}", "number",
						       (json_int_t)i, "time_ms",
						       (json_int_t)(1000 + i), "outcome",
						       "delivered", "address", "ann@x.test",
						       "customer", i % 2 ? "a.test" : "b.test"));
	assert_true(courier_take(&courier, items, upto, now_ns, wall_ms));
	json_decref(items);
}

static enum courier_wish wish(u64 last)
{
	return courier_wish(&courier, last, now_ns);
}

static void answer(u32 status)
{
	const struct courier_answer what = { .status = status, .words = "connection refused" };

	courier_sent(&courier, false);
	assert_int_equal(wish(1000), COURIER_WAITS);
	courier_answered(&courier, &what, now_ns, wall_ms);
}

static void tell(void)
{
	news.position = courier.position;
	news.suspended_ms = courier.suspended_ms;
	news.failing_ms = courier.failing_ms;
	courier_told(&courier, courier.position, now_ns);
}

static void a_batch_counts_when_the_receiver_has_taken_it(void **state)
{
	(void)state;
	assert_int_equal(wish(20), COURIER_WAITS);
	hear();
	assert_int_equal(wish(10), COURIER_WAITS);
	assert_int_equal(wish(20), COURIER_WANTS_ENTRIES);
	give(11, 15, 15);
	assert_int_equal(wish(20), COURIER_WANTS_POST);
	assert_int_equal(courier.position, 10);
	assert_false(courier_wants_ack(&courier, 20, now_ns));
	answer(200);
	assert_int_equal(courier.position, 15);
	assert_int_equal(courier.posted, 5);
	assert_int_equal(wish(20), COURIER_WANTS_ENTRIES);
	/* The sender is told at once when there is nothing else to do. */
	assert_true(courier_wants_ack(&courier, 15, now_ns));
	tell();
	assert_false(courier_wants_ack(&courier, 15, now_ns));
}

static void the_sender_is_told_twice_a_second_while_there_is_work(void **state)
{
	(void)state;
	hear();
	give(11, 15, 15);
	answer(204);
	tell();
	give(16, 20, 20);
	answer(204);
	assert_false(courier_wants_ack(&courier, 100, now_ns));
	pass(NS_PER_S / 2);
	assert_true(courier_wants_ack(&courier, 100, now_ns));
}

static void entries_that_are_not_for_it_are_passed_over(void **state)
{
	static const char *const customers[] = { "b.test" };

	(void)state;
	hook.customers = (struct config_list){ customers, 1 };
	hear();
	give(11, 11, 13);
	assert_int_equal(courier.position, 13);
	assert_int_equal(wish(20), COURIER_WANTS_ENTRIES);
	give(14, 17, 18);
	assert_int_equal(courier.batch.count, 2);
	answer(200);
	assert_int_equal(courier.position, 18);
	assert_int_equal(courier.posted, 2);
}

static void it_waits_longer_after_each_failure_up_to_an_hour(void **state)
{
	u64 before = 0;
	u32 longest = 0;

	(void)state;
	hear();
	give(11, 15, 15);
	for (u32 i = 0; i < 20; i++) {
		answer(i % 3 ? 500 : 0);
		assert_int_equal(wish(20), COURIER_WAITS);
		assert_int_equal(courier_next_ns(&courier), courier.next_try_ns);
		assert_in_range((courier.next_try_ns - now_ns) / NS_PER_S,
				i < 9 ? (5u << i) * 8 / 10 - 1 : 2048,
				i < 9 ? (5u << i) * 12 / 10 : 3600);
		if (courier.next_try_ns - now_ns == HOUR_NS)
			longest++;
		before = courier.next_try_ns;
		pass(before - now_ns);
		assert_int_equal(wish(20), COURIER_WANTS_POST);
	}
	assert_true(longest > 0);
	assert_int_equal(courier.failed, 20);
	assert_int_equal(courier.position, 10);
	answer(200);
	assert_int_equal(courier.position, 15);
	assert_int_equal(courier.failing_ms, 0);
	assert_int_equal(wish(20), COURIER_WANTS_ENTRIES);
	assert_true(courier_wants_ack(&courier, 20, now_ns));
}

static void it_comes_again_when_the_receiver_says(void **state)
{
	const struct courier_answer busy = { .status = 503, .retry_after_s = 120 };
	const struct courier_answer never = { .status = 429, .retry_after_s = 1000000 };

	(void)state;
	hear();
	give(11, 15, 15);
	courier_sent(&courier, false);
	courier_answered(&courier, &busy, now_ns, wall_ms);
	assert_int_equal(courier.next_try_ns - now_ns, 120 * NS_PER_S);
	courier_sent(&courier, false);
	courier_answered(&courier, &never, now_ns, wall_ms);
	assert_int_equal(courier.next_try_ns - now_ns, HOUR_NS);
}

static void redirects_and_refusals_are_failures(void **state)
{
	static const u32 statuses[] = { 0, 100, 199, 300, 302, 308, 400, 401, 404, 422, 500, 599 };

	(void)state;
	hear();
	give(11, 15, 15);
	for (size_t i = 0; i < array_count(statuses); i++) {
		answer(statuses[i]);
		assert_int_equal(courier.failures, i + 1);
	}
	assert_int_equal(courier.suspended_ms, 0);
}

static void a_receiver_that_is_gone_suspends_it_until_it_is_resumed(void **state)
{
	(void)state;
	hear();
	give(11, 15, 15);
	answer(410);
	assert_int_equal(courier.suspended_ms, wall_ms);
	assert_string_equal(courier.note, "it answered 410");
	assert_true(courier_wants_ack(&courier, 20, now_ns));
	/* What the sender has is older than what it is about to be told. */
	hear();
	assert_int_equal(courier.suspended_ms, wall_ms);
	tell();
	hear();
	pass(30 * DAY_NS);
	assert_int_equal(wish(20), COURIER_WAITS);
	assert_int_equal(courier_next_ns(&courier), UINT64_MAX);
	news.suspended_ms = 0;
	news.failing_ms = 0;
	hear();
	assert_int_equal(wish(20), COURIER_WANTS_POST);
	answer(200);
	assert_int_equal(courier.position, 15);
}

static void days_of_failure_suspend_it(void **state)
{
	(void)state;
	hear();
	give(11, 15, 15);
	answer(500);
	pass(5 * DAY_NS - NS_PER_S);
	answer(500);
	assert_int_equal(courier.suspended_ms, 0);
	pass(NS_PER_S);
	answer(500);
	assert_int_equal(courier.suspended_ms, wall_ms);
}

static void a_restart_does_not_forget_since_when_it_fails(void **state)
{
	(void)state;
	news.failing_ms = wall_ms - 4 * 24 * 3600 * MS_PER_S;
	hear();
	give(11, 15, 15);
	answer(500);
	assert_int_equal(courier.suspended_ms, 0);
	pass(DAY_NS);
	answer(500);
	assert_int_equal(courier.suspended_ms, wall_ms);
}

static void a_position_that_somebody_sets_counts(void **state)
{
	const struct courier_answer ok = { .status = 200 };

	(void)state;
	hear();
	give(11, 15, 15);
	courier_sent(&courier, false);
	news.position = 2;
	hear();
	courier_answered(&courier, &ok, now_ns, wall_ms);
	assert_int_equal(courier.position, 2);
	assert_int_equal(wish(20), COURIER_WANTS_ENTRIES);
	give(3, 5, 5);
	news.position = 8;
	hear();
	/* The batch that waited is not what comes next. */
	assert_int_equal(wish(20), COURIER_WANTS_ENTRIES);
	/* The sender put it right: the log was shorter. */
	courier.position = 30;
	courier_told(&courier, 20, now_ns);
	assert_int_equal(courier.position, 20);
}

static void a_test_is_posted_whatever_state_it_is_in(void **state)
{
	const struct courier_answer ok = { .status = 204, .took_ms = 35 };
	const struct courier_answer no = { .words = "no route \xff to host" };

	(void)state;
	hear();
	give(11, 15, 15);
	answer(410);
	tell();
	news.tests_wanted = 1;
	hear();
	assert_int_equal(wish(20), COURIER_WANTS_TEST);
	assert_true(courier_make_test(&courier, wall_ms));
	courier_sent(&courier, true);
	courier_answered(&courier, &ok, now_ns, wall_ms);
	assert_true(courier.has_test_note);
	assert_string_equal(courier.test_note, "ok: it answered 204 after 35 ms");
	assert_int_equal(courier.position, 10);
	assert_true(courier.suspended_ms > 0);
	assert_int_equal(wish(20), COURIER_WAITS);
	news.tests_wanted = 2;
	news.tests_done = 1;
	hear();
	courier_sent(&courier, true);
	courier_answered(&courier, &no, now_ns, wall_ms);
	assert_string_equal(courier.test_note, "no route ? to host after 0 ms");
	assert_int_equal(courier.failed, 1);
	/* The sender was started anew and counts from 0. */
	news.tests_wanted = news.tests_done = 0;
	hear();
	news.tests_wanted = 1;
	hear();
	assert_int_equal(wish(20), COURIER_WANTS_TEST);
}

#define courier_unit(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		courier_unit(a_batch_counts_when_the_receiver_has_taken_it),
		courier_unit(the_sender_is_told_twice_a_second_while_there_is_work),
		courier_unit(entries_that_are_not_for_it_are_passed_over),
		courier_unit(it_waits_longer_after_each_failure_up_to_an_hour),
		courier_unit(it_comes_again_when_the_receiver_says),
		courier_unit(redirects_and_refusals_are_failures),
		courier_unit(a_receiver_that_is_gone_suspends_it_until_it_is_resumed),
		courier_unit(days_of_failure_suspend_it),
		courier_unit(a_restart_does_not_forget_since_when_it_fails),
		courier_unit(a_position_that_somebody_sets_counts),
		courier_unit(a_test_is_posted_whatever_state_it_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

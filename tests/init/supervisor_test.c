/*
 * The supervisor's decisions over time: no process is started here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "init/supervisor.h"

#include <signal.h>
#include <string.h>

static struct supervisor the;

static struct supervisor_service *add(const char *name, u32 conditions, u32 rank)
{
	struct supervisor_service service = { .conditions = conditions,
					      .stop_rank = rank,
					      .stop_patience_ms = 5000 };

	slice_copy(service.name, sizeof(service.name), slice_of(name));
	return supervisor_add(&the, &service);
}

static int empty_table(void **state)
{
	(void)state;
	supervisor_init(&the);
	return 0;
}

/* Expects exactly this as the next thing to do. */
static void expect(u64 now_ms, enum supervisor_action action, struct supervisor_service *whose)
{
	struct supervisor_service *service;

	assert_int_equal(supervisor_next(&the, now_ms, &service), action);
	assert_ptr_equal(service, whose);
}

static void starts(struct supervisor_service *service, pid_t pid, u64 now_ms)
{
	expect(now_ms, SUPERVISOR_START, service);
	supervisor_started(service, pid, now_ms);
}

#define DIED (1 << 8) /* as of waitpid: exit code 1 */

static void a_wanted_service_starts_once_its_conditions_hold(void **state)
{
	struct supervisor_service *send = add("send", SUPERVISOR_DATA | SUPERVISOR_CONFIGURED, 0);

	(void)state;
	expect(0, SUPERVISOR_NOTHING, NULL);
	supervisor_want(send, true, 0);
	expect(0, SUPERVISOR_NOTHING, NULL);
	supervisor_set_condition(&the, SUPERVISOR_DATA, true);
	expect(0, SUPERVISOR_NOTHING, NULL);
	supervisor_set_condition(&the, SUPERVISOR_CONFIGURED, true);
	starts(send, 7, 0);
	assert_int_equal(send->state, SUPERVISOR_RUNNING);
	expect(1, SUPERVISOR_NOTHING, NULL);
}

static void a_condition_that_is_lost_stops_nothing(void **state)
{
	struct supervisor_service *ntp = add("ntp", SUPERVISOR_NETWORK, 0);

	(void)state;
	supervisor_set_condition(&the, SUPERVISOR_NETWORK, true);
	supervisor_want(ntp, true, 0);
	starts(ntp, 7, 0);
	supervisor_set_condition(&the, SUPERVISOR_NETWORK, false);
	expect(10, SUPERVISOR_NOTHING, NULL);
	/* But without it the service does not come back. */
	supervisor_exited(ntp, DIED, 20);
	expect(100000, SUPERVISOR_NOTHING, NULL);
	supervisor_set_condition(&the, SUPERVISOR_NETWORK, true);
	starts(ntp, 8, 100000);
}

static void a_service_that_notifies_is_starting_until_it_says_so(void **state)
{
	struct supervisor_service *send = add("send", 0, 0);

	(void)state;
	send->notifies = true;
	supervisor_want(send, true, 0);
	starts(send, 7, 0);
	assert_int_equal(send->state, SUPERVISOR_STARTING);
	supervisor_ready(send, 300);
	assert_int_equal(send->state, SUPERVISOR_RUNNING);
	assert_int_equal(send->since_ms, 300);
}

static void one_that_keeps_dying_waits_longer_each_time_up_to_a_minute(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);
	u64 now_ms = 1000;
	u64 expected = 250;

	(void)state;
	supervisor_want(service, true, now_ms);
	starts(service, 100, now_ms);
	for (int i = 0; i < 12; i++) {
		supervisor_exited(service, DIED, now_ms);
		assert_int_equal(service->state, SUPERVISOR_BACKING_OFF);
		assert_int_equal(supervisor_due_ms(&the), now_ms + expected);
		expect(now_ms + expected - 1, SUPERVISOR_NOTHING, NULL);
		now_ms += expected;
		starts(service, 101 + i, now_ms);
		expected = min_u64(expected * 2, 60000);
	}
	assert_int_equal(service->restarts, 12);
	assert_int_equal(expected, 60000);
}

static void a_minute_of_life_forgives_earlier_deaths(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	supervisor_exited(service, DIED, 0);
	starts(service, 8, 250);
	supervisor_exited(service, DIED, 300);
	assert_int_equal(service->wait_ms, 500);
	starts(service, 9, 800);
	supervisor_exited(service, SIGSEGV, 800 + 60000);
	assert_int_equal(service->wait_ms, 250);
}

static void one_that_cannot_be_started_backs_off_too(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	expect(0, SUPERVISOR_START, service);
	supervisor_started(service, 0, 0);
	assert_int_equal(service->state, SUPERVISOR_BACKING_OFF);
	expect(249, SUPERVISOR_NOTHING, NULL);
	starts(service, 7, 250);
}

static void one_not_wanted_any_more_is_terminated_and_stays_away(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	supervisor_want(service, false, 10);
	expect(10, SUPERVISOR_TERM, service);
	expect(11, SUPERVISOR_NOTHING, NULL);
	supervisor_exited(service, 0, 20);
	assert_int_equal(service->state, SUPERVISOR_STOPPED);
	expect(100000, SUPERVISOR_NOTHING, NULL);
}

static void one_that_does_not_end_in_its_time_is_killed_once(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	supervisor_want(service, false, 0);
	expect(0, SUPERVISOR_TERM, service);
	assert_int_equal(supervisor_due_ms(&the), 5000);
	expect(4999, SUPERVISOR_NOTHING, NULL);
	expect(5000, SUPERVISOR_KILL, service);
	expect(6000, SUPERVISOR_NOTHING, NULL);
	supervisor_exited(service, SIGKILL, 6001);
	assert_int_equal(service->state, SUPERVISOR_STOPPED);
}

static void a_restart_that_is_asked_for_waits_for_nothing(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	supervisor_restart(service, 10);
	expect(10, SUPERVISOR_TERM, service);
	supervisor_exited(service, 0, 20);
	starts(service, 8, 20);
	/* Also in the middle of a long wait. */
	supervisor_exited(service, DIED, 30);
	supervisor_restart(service, 31);
	starts(service, 9, 31);
}

static void one_that_is_killed_is_not_asked_and_counts_as_dead(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	assert_false(supervisor_kill(service, 0));
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	assert_true(supervisor_kill(service, 10));
	expect(10, SUPERVISOR_KILL, service);
	expect(11, SUPERVISOR_NOTHING, NULL);
	supervisor_exited(service, SIGKILL, 12);
	assert_int_equal(service->state, SUPERVISOR_BACKING_OFF);
	starts(service, 8, 12 + SUPERVISOR_WAIT_MIN_MS);
	assert_int_equal(service->restarts, 1);
}

static void one_that_does_not_end_when_asked_can_be_killed_before_its_time(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	supervisor_restart(service, 0);
	expect(0, SUPERVISOR_TERM, service);
	expect(1, SUPERVISOR_NOTHING, NULL);
	assert_true(supervisor_kill(service, 2));
	expect(2, SUPERVISOR_KILL, service);
	supervisor_exited(service, SIGKILL, 3);
	starts(service, 8, 3);
}

static void one_wanted_again_while_it_ends_comes_back(void **state)
{
	struct supervisor_service *service = add("a", 0, 0);

	(void)state;
	supervisor_want(service, true, 0);
	starts(service, 7, 0);
	supervisor_want(service, false, 0);
	expect(0, SUPERVISOR_TERM, service);
	supervisor_want(service, true, 5);
	expect(5, SUPERVISOR_NOTHING, NULL);
	supervisor_exited(service, 0, 10);
	starts(service, 8, 10);
}

static void at_the_end_ranks_go_one_after_the_other(void **state)
{
	struct supervisor_service *console = add("console", 0, 0);
	struct supervisor_service *send = add("send", 0, 2);
	struct supervisor_service *dhcp = add("dhcp", 0, 3);
	struct supervisor_service *all[] = { console, send, dhcp };

	(void)state;
	for (int i = 0; i < 3; i++) {
		supervisor_want(all[i], true, 0);
		starts(all[i], 7 + i, 0);
	}
	supervisor_end(&the);
	assert_false(supervisor_has_ended(&the));
	expect(100, SUPERVISOR_TERM, console);
	expect(100, SUPERVISOR_NOTHING, NULL);
	supervisor_exited(console, 0, 110);
	expect(110, SUPERVISOR_TERM, send);
	expect(120, SUPERVISOR_NOTHING, NULL);
	expect(5110, SUPERVISOR_KILL, send);
	supervisor_exited(send, SIGKILL, 5120);
	expect(5120, SUPERVISOR_TERM, dhcp);
	supervisor_exited(dhcp, 0, 5130);
	assert_true(supervisor_has_ended(&the));
	/* Nothing comes back, however long it takes. */
	expect(1000000, SUPERVISOR_NOTHING, NULL);
	assert_int_equal(supervisor_due_ms(&the), SUPERVISOR_NEVER);
}

static void a_table_without_room_takes_no_more(void **state)
{
	(void)state;
	for (int i = 0; i < SUPERVISOR_SERVICES_MAX; i++)
		assert_non_null(add("x", 0, 0));
	assert_null(add("one too many", 0, 0));
}

static void ends_are_told_in_words(void **state)
{
	char text[SUPERVISOR_EXIT_SIZE];

	(void)state;
	supervisor_exit_text(-1, text);
	assert_string_equal(text, "never");
	supervisor_exit_text(3 << 8, text);
	assert_string_equal(text, "exit code 3");
	supervisor_exit_text(SIGKILL, text);
	assert_string_equal(text, "signal 9 (Killed)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wanted_service_starts_once_its_conditions_hold,
				       empty_table),
		cmocka_unit_test_setup(a_condition_that_is_lost_stops_nothing, empty_table),
		cmocka_unit_test_setup(a_service_that_notifies_is_starting_until_it_says_so,
				       empty_table),
		cmocka_unit_test_setup(one_that_keeps_dying_waits_longer_each_time_up_to_a_minute,
				       empty_table),
		cmocka_unit_test_setup(a_minute_of_life_forgives_earlier_deaths, empty_table),
		cmocka_unit_test_setup(one_that_cannot_be_started_backs_off_too, empty_table),
		cmocka_unit_test_setup(one_not_wanted_any_more_is_terminated_and_stays_away,
				       empty_table),
		cmocka_unit_test_setup(one_that_does_not_end_in_its_time_is_killed_once,
				       empty_table),
		cmocka_unit_test_setup(a_restart_that_is_asked_for_waits_for_nothing, empty_table),
		cmocka_unit_test_setup(one_that_is_killed_is_not_asked_and_counts_as_dead,
				       empty_table),
		cmocka_unit_test_setup(
			one_that_does_not_end_when_asked_can_be_killed_before_its_time,
			empty_table),
		cmocka_unit_test_setup(one_wanted_again_while_it_ends_comes_back, empty_table),
		cmocka_unit_test_setup(at_the_end_ranks_go_one_after_the_other, empty_table),
		cmocka_unit_test_setup(a_table_without_room_takes_no_more, empty_table),
		cmocka_unit_test_setup(ends_are_told_in_words, empty_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

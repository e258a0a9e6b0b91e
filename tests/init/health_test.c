/*
 * When a slot is called good, and when one on trial is given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "init/health.h"

static const struct health_view well = { .is_trial = true,
					 .data_is_open = true,
					 .console_runs = true,
					 .is_configured = true,
					 .sender_is_ready = true,
					 .mail_is_tested = true,
					 .has_pages = true,
					 .page_is_tested = true };

static void a_system_that_stays_well_is_good_once(void **state)
{
	struct health health = { 0 };

	(void)state;
	assert_int_equal(health_look(&health, &well, 2000), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &well, 2000 + HEALTH_STEADY_MS - 1), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &well, 2000 + HEALTH_STEADY_MS), HEALTH_GOOD);
	assert_int_equal(health_look(&health, &well, 1000000), HEALTH_WAIT);
}

static void a_death_starts_the_wait_anew(void **state)
{
	struct health health = { 0 };
	struct health_view view = well;

	(void)state;
	assert_int_equal(health_look(&health, &view, 2000), HEALTH_WAIT);
	view.deaths = 1;
	assert_int_equal(health_look(&health, &view, 11000), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &view, 11000 + HEALTH_STEADY_MS - 1), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &view, 11000 + HEALTH_STEADY_MS), HEALTH_GOOD);
}

static void one_on_trial_that_is_not_well_in_time_is_given_up(void **state)
{
	bool *lacks[6];
	struct health_view view = well;

	(void)state;
	lacks[0] = &view.data_is_open;
	lacks[1] = &view.console_runs;
	lacks[2] = &view.sender_is_ready;
	lacks[3] = &view.mail_is_tested;
	lacks[4] = &view.page_is_tested;
	lacks[5] = NULL;
	for (int i = 0; lacks[i]; i++) {
		struct health health = { 0 };

		*lacks[i] = false;
		assert_int_equal(health_look(&health, &view, HEALTH_PATIENCE_MS - 1), HEALTH_WAIT);
		assert_int_equal(health_look(&health, &view, HEALTH_PATIENCE_MS), HEALTH_GIVE_UP);
		assert_int_equal(health_look(&health, &view, HEALTH_PATIENCE_MS + 1), HEALTH_WAIT);
		*lacks[i] = true;
	}
}

static void a_good_system_is_never_given_up(void **state)
{
	struct health health = { 0 };
	struct health_view view = { .is_trial = false };

	(void)state;
	assert_int_equal(health_look(&health, &view, 100 * HEALTH_PATIENCE_MS), HEALTH_WAIT);
}

static void a_system_that_was_good_before_needs_no_self_test(void **state)
{
	struct health health = { 0 };
	struct health_view view = well;

	(void)state;
	view.is_trial = false;
	view.mail_is_tested = false;
	view.page_is_tested = false;
	assert_int_equal(health_look(&health, &view, 1), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &view, 1 + HEALTH_STEADY_MS), HEALTH_GOOD);
}

static void without_a_configuration_the_sender_is_not_waited_for(void **state)
{
	struct health health = { 0 };
	struct health_view view = well;

	(void)state;
	view.is_configured = false;
	view.mail_is_tested = false;
	view.sender_is_ready = false;
	assert_int_equal(health_look(&health, &view, 1), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &view, 1 + HEALTH_STEADY_MS), HEALTH_GOOD);
}

static void without_a_web_server_no_page_is_waited_for(void **state)
{
	struct health health = { 0 };
	struct health_view view = well;

	(void)state;
	view.has_pages = false;
	view.page_is_tested = false;
	assert_int_equal(health_look(&health, &view, 1), HEALTH_WAIT);
	assert_int_equal(health_look(&health, &view, 1 + HEALTH_STEADY_MS), HEALTH_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_system_that_stays_well_is_good_once),
		cmocka_unit_test(a_death_starts_the_wait_anew),
		cmocka_unit_test(one_on_trial_that_is_not_well_in_time_is_given_up),
		cmocka_unit_test(a_good_system_is_never_given_up),
		cmocka_unit_test(a_system_that_was_good_before_needs_no_self_test),
		cmocka_unit_test(without_a_configuration_the_sender_is_not_waited_for),
		cmocka_unit_test(without_a_web_server_no_page_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "delivery/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* `per_s` a second for so many seconds, noted five times a second. */
static void go_on(struct rate *rate, u32 per_s, u32 seconds)
{
	for (u32 i = 0; i < seconds * 5; i++)
		rate_note(rate, per_s / 5, NS_PER_S / 5);
}

static void assert_about(const struct rate *rate, double wanted)
{
	assert_true(rate_per_s(rate) > wanted * 0.97 && rate_per_s(rate) < wanted * 1.03);
}

static void a_steady_rate_is_right_from_the_first_moment(void **state)
{
	struct rate rate = { 0 };

	(void)state;
	assert_true(rate_per_s(&rate) <= 0);
	for (u32 i = 0; i < 100; i++) {
		go_on(&rate, 1000, 1);
		assert_about(&rate, 1000);
	}
}

static void after_a_change_the_new_rate_shows_within_half_a_minute(void **state)
{
	struct rate rate = { 0 };

	(void)state;
	go_on(&rate, 1000, 3600);
	go_on(&rate, 100, 10);
	assert_true(rate_per_s(&rate) > 300 && rate_per_s(&rate) < 550);
	go_on(&rate, 100, 60);
	assert_about(&rate, 100);
	go_on(&rate, 0, 120);
	assert_true(rate_per_s(&rate) < 1);
}

static void how_often_it_is_noted_does_not_matter(void **state)
{
	struct rate often = { 0 };
	struct rate seldom = { 0 };

	(void)state;
	for (u32 i = 0; i < 20; i++) {
		go_on(&often, 500, 2);
		rate_note(&seldom, 1000, 2 * NS_PER_S);
	}
	assert_about(&often, 500);
	assert_about(&seldom, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_rate_is_right_from_the_first_moment),
		cmocka_unit_test(after_a_change_the_new_rate_shows_within_half_a_minute),
		cmocka_unit_test(how_often_it_is_noted_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

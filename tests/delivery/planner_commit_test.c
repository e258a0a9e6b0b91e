/* When the planner commits: the many wait for each other, the few for nobody. */
#include "planner_fixture.h"

#define INTERVAL_MS 160

/* `count` rows of one campaign are lent; then they are answered, and the next turn commits that. */
static u64 pause_after_results(u32 count)
{
	struct lease *lease;
	struct fixture f;
	u64 pause_ns;
	u32 answered = 0;

	fixture_open(&f, "address \"any\" { ehlo = \"mail.a.example\" }", "");
	f.config.queue.commit_interval_ms = INTERVAL_MS;
	zone_set("x.test", MX_OK, 1000, "a=20.0.0.1");
	send_to(&f, "x.test", count);
	pass(&f, 2);
	while ((lease = next_lease(&f))) {
		give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
		answered++;
	}
	assert_int_equal(answered, count);
	f.now_ns += NS_PER_S;
	planner_turn(f.planner, f.now_ns, f.wall_ms);
	pause_ns = f.planner->next_commit_ns - f.now_ns;
	fixture_close(&f);
	return pause_ns;
}

static void one_result_hardly_waits_for_others(void **state)
{
	(void)state;
	assert_int_equal(pause_after_results(1), INTERVAL_MS * NS_PER_MS / 16);
}

static void many_results_wait_for_the_whole_interval(void **state)
{
	(void)state;
	assert_int_equal(pause_after_results(16), INTERVAL_MS * NS_PER_MS);
	assert_int_equal(pause_after_results(60), INTERVAL_MS * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_result_hardly_waits_for_others),
		cmocka_unit_test(many_results_wait_for_the_whole_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

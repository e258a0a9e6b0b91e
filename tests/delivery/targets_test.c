/* Which address of a path is dialled next. */
#include "delivery/targets.h"

#include "base/clock.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIALS 1200

static struct random random_;

/* "mx1/10=20.0.0.1,2a00::1 mx2/10=..." */
static struct path *make_path(const char *hosts)
{
	struct path *path = path_make();
	struct slice rest = slice_of(hosts);

	assert_non_null(path);
	while (rest.len > 0) {
		struct slice addresses = slice_split(&rest, ' ');
		struct slice preference = slice_split(&addresses, '=');
		char name[64];
		u32 value;

		slice_copy(name, sizeof(name), slice_split(&preference, '/'));
		assert_true(slice_to_u32(preference, &value));
		path->hosts[path->host_count] = path_add_text(path, name);
		while (addresses.len > 0) {
			struct path_target *t = &path->targets[path->target_count++];

			assert_true(net_address_parse(&t->address, slice_split(&addresses, ','),
						      false));
			t->preference = (u16)value;
			t->host = (u8)path->host_count;
		}
		path->host_count++;
	}
	return path_fit(path);
}

static void take(struct targets *targets, const char *hosts)
{
	struct path *path = make_path(hosts);

	targets_take(targets, path);
	path_give(path);
}

static void begin(struct targets *targets, const char *hosts)
{
	random_seed(&random_, 1);
	targets_init(targets, 0);
	take(targets, hosts);
}

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_true(net_address_parse(&a, slice_of(text), false));
	return a;
}

static void fails(struct targets *targets, const char *text, u64 now_ns)
{
	struct net_address a = address(text);

	targets_failed(targets, &a, now_ns, &random_);
}

static void works(struct targets *targets, const char *text)
{
	struct net_address a = address(text);

	targets_worked(targets, &a);
}

/* How many of DIALS go to each target. */
static void dial(struct targets *targets, u64 now_ns, u32 counts[PATH_TARGETS_MAX])
{
	memset(counts, 0, PATH_TARGETS_MAX * sizeof(counts[0]));
	for (u32 i = 0; i < DIALS; i++) {
		i32 at = targets_choose(targets, now_ns);

		assert_in_range(at, 0, PATH_TARGETS_MAX - 1);
		counts[at]++;
	}
}

static void check_next(struct targets *targets, u64 now_ns, const char *want)
{
	i32 at = targets_choose(targets, now_ns);
	char text[NET_ADDRESS_TEXT_SIZE];

	if (at < 0) {
		assert_string_equal("none", want);
		return;
	}
	net_address_format(text, &targets->path->targets[at].address, false);
	assert_string_equal(text, want);
}

static void equal_hosts_are_dialled_equally_often(void **state)
{
	struct targets targets;
	u32 counts[PATH_TARGETS_MAX];

	(void)state;
	begin(&targets, "a/10=20.0.0.1 b/10=20.0.0.2 c/10=20.0.0.3 d/20=20.0.0.4");
	dial(&targets, 0, counts);
	assert_int_equal(counts[0], DIALS / 3);
	assert_int_equal(counts[1], DIALS / 3);
	assert_int_equal(counts[2], DIALS / 3);
	assert_int_equal(counts[3], 0);
	targets_done(&targets);
}

static void a_host_with_many_addresses_is_one_host(void **state)
{
	struct targets targets;
	u32 counts[PATH_TARGETS_MAX];

	(void)state;
	begin(&targets, "a/10=20.0.0.1,20.0.0.2,20.0.0.3 b/10=20.0.1.1");
	dial(&targets, 0, counts);
	assert_int_equal(counts[3], DIALS / 2);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(counts[i], DIALS / 6);
	targets_done(&targets);
}

static void ipv6_comes_before_ipv4_of_the_same_host(void **state)
{
	struct targets targets;

	(void)state;
	begin(&targets, "a/10=20.0.0.1,2a00::1 b/10=20.0.1.1");
	check_next(&targets, 0, "2a00::1");
	check_next(&targets, 0, "20.0.1.1");
	check_next(&targets, 0, "2a00::1");
	fails(&targets, "2a00::1", 0);
	check_next(&targets, 0, "20.0.1.1");
	check_next(&targets, 0, "20.0.0.1");
	targets_done(&targets);
}

static void a_dead_best_host_gives_way_to_the_next_preference_and_comes_back(void **state)
{
	struct targets targets;

	(void)state;
	begin(&targets, "best/10=20.0.0.1 next/20=20.0.0.2 last/30=20.0.0.3");
	check_next(&targets, 0, "20.0.0.1");
	fails(&targets, "20.0.0.1", 0);
	check_next(&targets, 0, "20.0.0.2");
	check_next(&targets, 7 * NS_PER_S, "20.0.0.2");
	check_next(&targets, 13 * NS_PER_S, "20.0.0.1");
	works(&targets, "20.0.0.1");
	check_next(&targets, 13 * NS_PER_S, "20.0.0.1");
	targets_done(&targets);
}

static void a_host_that_stays_dead_is_tried_less_and_less_often(void **state)
{
	struct targets targets;
	u64 now_ns = 0;
	u64 wait_ns = 10 * NS_PER_S;

	(void)state;
	begin(&targets, "a/10=20.0.0.1");
	for (u32 i = 0; i < 10; i++) {
		fails(&targets, "20.0.0.1", now_ns);
		assert_false(targets_is_up(&targets, 0, now_ns + wait_ns / 10 * 7));
		assert_true(targets_is_up(&targets, 0, now_ns + wait_ns / 10 * 13));
		now_ns += wait_ns / 10 * 13;
		wait_ns = min_u64(wait_ns * 2, 600 * NS_PER_S);
	}
	targets_done(&targets);
}

static void one_session_at_a_time_tries_a_host_that_failed(void **state)
{
	struct net_address best = address("20.0.0.1");
	struct targets targets;

	(void)state;
	begin(&targets, "best/10=20.0.0.1 next/20=20.0.0.2");
	assert_false(targets_try(&targets, 0));
	fails(&targets, "20.0.0.1", 0);
	check_next(&targets, 20 * NS_PER_S, "20.0.0.1");
	assert_true(targets_try(&targets, 0));
	check_next(&targets, 20 * NS_PER_S, "20.0.0.2");
	targets_tried(&targets, &best);
	check_next(&targets, 20 * NS_PER_S, "20.0.0.1");
	targets_done(&targets);
}

static void all_down_is_nobody(void **state)
{
	struct targets targets;

	(void)state;
	begin(&targets, "a/10=20.0.0.1 b/20=20.0.0.2");
	fails(&targets, "20.0.0.1", 0);
	fails(&targets, "20.0.0.2", 0);
	check_next(&targets, NS_PER_S, "none");
	targets_done(&targets);
}

static void an_address_that_two_hosts_share_is_down_for_both(void **state)
{
	struct targets targets;

	(void)state;
	begin(&targets, "a/10=20.0.0.1 b/20=20.0.0.1 c/30=20.0.0.3");
	fails(&targets, "20.0.0.1", 0);
	check_next(&targets, NS_PER_S, "20.0.0.3");
	targets_done(&targets);
}

static void what_is_known_of_an_address_outlives_the_path(void **state)
{
	struct net_address plain = address("20.0.0.2");
	struct targets targets;

	(void)state;
	begin(&targets, "a/10=20.0.0.1 b/10=20.0.0.2");
	fails(&targets, "20.0.0.1", 0);
	targets_no_tls(&targets, &plain);
	take(&targets, "new/10=20.0.0.9 b/10=20.0.0.2 a/10=20.0.0.1");
	assert_true(targets.states[1].no_tls);
	assert_false(targets.states[0].no_tls);
	assert_true(targets_is_up(&targets, 0, NS_PER_S));
	assert_false(targets_is_up(&targets, 2, NS_PER_S));
	take(&targets, "new/10=20.0.0.9");
	take(&targets, "a/10=20.0.0.1");
	assert_true(targets_is_up(&targets, 0, NS_PER_S));
	targets_done(&targets);
}

static void a_try_may_end_when_the_path_is_another(void **state)
{
	struct net_address gone = address("20.0.0.1");
	struct targets targets;

	(void)state;
	begin(&targets, "a/10=20.0.0.1");
	fails(&targets, "20.0.0.1", 0);
	assert_true(targets_try(&targets, 0));
	take(&targets, "b/10=20.0.0.2");
	targets_tried(&targets, &gone);
	assert_int_equal(targets_find(&targets, &gone), -1);
	take(&targets, "b/10=20.0.0.2 a/10=20.0.0.1");
	targets_tried(&targets, &gone);
	assert_int_equal(targets.states[1].trying, 0);
	targets_done(&targets);
}

static void a_host_that_drops_what_it_is_given_three_times_in_a_row_is_a_failure(void **state)
{
	struct net_address rude = address("20.0.0.1");
	struct targets targets;

	(void)state;
	begin(&targets, "a/10=20.0.0.1 b/20=20.0.0.2");
	assert_false(targets_useless(&targets, &rude));
	assert_false(targets_useless(&targets, &rude));
	targets_useful(&targets, &rude);
	for (u32 i = 1; i <= 5; i++) {
		/* It opens a session each time; that alone says nothing. */
		works(&targets, "20.0.0.1");
		assert_int_equal(targets_useless(&targets, &rude), i >= 3);
	}
	check_next(&targets, 0, "20.0.0.1");
	fails(&targets, "20.0.0.1", 0);
	check_next(&targets, NS_PER_S, "20.0.0.2");
	targets_done(&targets);
}

static void a_useless_host_is_tried_less_often_although_it_opens_sessions(void **state)
{
	struct net_address rude = address("20.0.0.1");
	struct targets targets;
	u64 now_ns = 0;

	(void)state;
	begin(&targets, "a/10=20.0.0.1");
	for (u32 i = 0; i < 3; i++)
		(void)!targets_useless(&targets, &rude);
	for (u32 i = 0; i < 4; i++) {
		fails(&targets, "20.0.0.1", now_ns);
		now_ns = targets.states[0].down_until_ns;
		works(&targets, "20.0.0.1");
	}
	assert_int_equal(targets.states[0].failures, 4);
	targets_useful(&targets, &rude);
	assert_int_equal(targets.states[0].failures, 0);
	targets_done(&targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_hosts_are_dialled_equally_often),
		cmocka_unit_test(a_host_with_many_addresses_is_one_host),
		cmocka_unit_test(ipv6_comes_before_ipv4_of_the_same_host),
		cmocka_unit_test(a_dead_best_host_gives_way_to_the_next_preference_and_comes_back),
		cmocka_unit_test(a_host_that_stays_dead_is_tried_less_and_less_often),
		cmocka_unit_test(one_session_at_a_time_tries_a_host_that_failed),
		cmocka_unit_test(all_down_is_nobody),
		cmocka_unit_test(an_address_that_two_hosts_share_is_down_for_both),
		cmocka_unit_test(what_is_known_of_an_address_outlives_the_path),
		cmocka_unit_test(a_try_may_end_when_the_path_is_another),
		cmocka_unit_test(a_host_that_drops_what_it_is_given_three_times_in_a_row_is_a_failure),
		cmocka_unit_test(a_useless_host_is_tried_less_often_although_it_opens_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

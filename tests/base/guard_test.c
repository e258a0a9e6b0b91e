/* What slows guessing down, whom it does not hold up, and how much a user may send. */
#include "base/guard.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define START (1000 * MINUTE)

static const struct slice here = SLICE("\4\1\2\3\4");
static const struct slice there = SLICE("\4\1\2\3\5");
static const struct slice ann = SLICE("ann");

static struct guard *open_guard(void)
{
	struct error error;
	struct guard *guard = guard_open(&error);

	assert_non_null(guard);
	return guard;
}

static void each_failure_takes_twice_as_long_up_to_a_bound(void **state)
{
	static const u32 delays[] = { 1000, 2000, 4000, 8000, 8000 };
	struct guard *guard = open_guard();
	u32 failures;

	(void)state;
	for (u32 i = 0; i < array_count(delays); i++) {
		assert_int_equal(guard_fail(guard, here, ann, START + i * SECOND, &failures),
				 delays[i]);
		assert_int_equal(failures, i + 1);
	}
	assert_int_equal(guard_fail(guard, there, ann, START, &failures), 1000);
	/* Long after, it begins anew. */
	assert_int_equal(guard_fail(guard, here, ann, START + 11 * MINUTE, &failures), 1000);
	guard_close(guard);
}

static void a_client_is_not_listened_to_for_a_while(void **state)
{
	struct guard *guard = open_guard();
	u64 now = START;
	char name[16];
	u32 failures;

	(void)state;
	for (u32 i = 0; i < GUARD_CLIENT_FAILURES; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		assert_int_equal(guard_may_ask(guard, here, slice_of(name), now), GUARD_ASK);
		guard_fail(guard, here, slice_of(name), now, &failures);
		now += SECOND;
	}
	assert_int_equal(guard_may_ask(guard, here, ann, now), GUARD_CLIENT_LATER);
	assert_int_equal(guard_may_ask(guard, there, ann, now), GUARD_ASK);
	now += GUARD_CLIENT_NS;
	assert_int_equal(guard_may_ask(guard, here, ann, now), GUARD_ASK);
	guard_close(guard);
}

static void many_clients_guess_one_user_no_faster(void **state)
{
	struct guard *guard = open_guard();
	const struct guard_claim claim = { ann, SLICE("right"), SLICE("kept") };
	char client[8];
	u32 failures;

	(void)state;
	guard_remember(guard, &claim, START);
	for (u32 i = 0; i < GUARD_USER_FAILURES; i++) {
		snprintf(client, sizeof(client), "c%u", i);
		assert_int_equal(guard_may_ask(guard, slice_of(client), ann, START), GUARD_ASK);
		guard_fail(guard, slice_of(client), ann, START, &failures);
	}
	assert_int_equal(guard_may_ask(guard, there, ann, START), GUARD_USER_LATER);
	assert_int_equal(guard_may_ask(guard, there, SLICE("bob"), START), GUARD_ASK);
	/* Who signed in lately does so again; and the hour ends however long they guess. */
	assert_true(guard_knows(guard, &claim, START));
	assert_int_equal(guard_may_ask(guard, there, ann, START + 60 * MINUTE), GUARD_ASK);
	guard_close(guard);
}

static void what_was_right_is_known_for_an_hour_after_its_last_use(void **state)
{
	struct guard *guard = open_guard();
	const struct guard_claim claim = { ann, SLICE("right"), SLICE("kept") };
	const struct guard_claim others[] = {
		{ ann, SLICE("wrong"), SLICE("kept") },
		{ SLICE("bob"), SLICE("right"), SLICE("kept") },
		{ ann, SLICE("right"), SLICE("kept since") }, /* another password was given */
		{ SLICE("annr"), SLICE("ight"), SLICE("kept") },
		{ ann, SLICE("rightk"), SLICE("ept") },
	};

	(void)state;
	assert_false(guard_knows(guard, &claim, START));
	guard_remember(guard, &claim, START);
	for (u32 i = 0; i < array_count(others); i++)
		assert_false(guard_knows(guard, &others[i], START));
	assert_true(guard_knows(guard, &claim, START + 59 * MINUTE));
	assert_true(guard_knows(guard, &claim, START + 118 * MINUTE));
	assert_false(guard_knows(guard, &claim, START + 178 * MINUTE));
	guard_close(guard);
}

static void recipients_are_counted_by_the_hour(void **state)
{
	struct guard *guard = open_guard();

	(void)state;
	for (u32 i = 0; i < 3; i++)
		assert_true(guard_count(guard, ann, 3, START + i * MINUTE));
	assert_false(guard_count(guard, ann, 3, START + 59 * MINUTE));
	assert_true(guard_count(guard, SLICE("bob"), 3, START + 59 * MINUTE));
	assert_true(guard_count(guard, ann, 3, START + 60 * MINUTE));
	for (u32 i = 0; i < 100; i++)
		assert_true(guard_count(guard, ann, 0, START));
	guard_close(guard);
}

static void a_flood_of_clients_takes_no_more_memory(void **state)
{
	struct guard *guard = open_guard();
	char client[16];
	u32 failures;

	(void)state;
	for (u32 i = 0; i < 200000; i++) {
		snprintf(client, sizeof(client), "%u", i);
		guard_fail(guard, slice_of(client), slice_of(client), START + i, &failures);
	}
	/* The latest ones are remembered. */
	assert_int_equal(guard_fail(guard, slice_of(client), ann, START + 200000, &failures), 2000);
	guard_close(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_takes_twice_as_long_up_to_a_bound),
		cmocka_unit_test(a_client_is_not_listened_to_for_a_while),
		cmocka_unit_test(many_clients_guess_one_user_no_faster),
		cmocka_unit_test(what_was_right_is_known_for_an_hour_after_its_last_use),
		cmocka_unit_test(recipients_are_counted_by_the_hour),
		cmocka_unit_test(a_flood_of_clients_takes_no_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

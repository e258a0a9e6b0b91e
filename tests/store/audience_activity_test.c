/* What audience_activity.h, audience_behaviour.h and the headers of a campaign's numbers promise. */
#include "store/audience_fixture.h"

#include "base/random.h"
#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_campaign_link.h"

static void what_nobody_did_is_zero(void **state)
{
	static const struct activity none;
	static const struct behaviour nothing;
	struct activity activity = { { 7 } };
	struct behaviour behaviour = { { 7 } };
	u64 count = 7;

	(void)state;
	must(activity_get(txn, 1, 2, &activity));
	assert_memory_equal(&activity, &none, sizeof(none));
	must(behaviour_get(txn, 2, &behaviour));
	assert_memory_equal(&behaviour, &nothing, sizeof(nothing));
	must(campaign_count_get(txn, 1, CAMPAIGN_OPENS, 0, &count));
	assert_int_equal(count, 0);
}

static void every_number_comes_back(void **state)
{
	struct activity activity;
	struct activity back;
	struct behaviour behaviour;
	struct behaviour then;
	struct random random;

	(void)state;
	random_seed(&random, 7);
	for (u32 i = 1; i < 200; i++) {
		for (u32 field = 0; field < ACTIVITY_FIELDS; field++)
			activity.of[field] = random_below(&random, 3) ? 0 : (u32)random_u64(&random);
		for (u32 field = 0; field < BEHAVIOUR_FIELDS; field++)
			behaviour.of[field] =
				random_below(&random, 3) ? 0 : (u32)random_u64(&random);
		must(activity_put(txn, i % 3, i, &activity));
		must(behaviour_put(txn, i, &behaviour));
		must(activity_get(txn, i % 3, i, &back));
		must(behaviour_get(txn, i, &then));
		assert_memory_equal(&back, &activity, sizeof(back));
		assert_memory_equal(&then, &behaviour, sizeof(then));
	}
}

static void a_campaigns_contacts_come_in_order_and_no_others(void **state)
{
	struct activity activity = { { 1 } };
	u32 found = 0;

	(void)state;
	must(activity_put(txn, 1, 9, &activity));
	must(activity_put(txn, 2, 5, &activity));
	must(activity_put(txn, 2, 70000, &activity));
	must(activity_put(txn, 3, 1, &activity));
	must(activity_after(txn, 2, 0, &found, &activity));
	assert_int_equal(found, 5);
	must(activity_after(txn, 2, found, &found, &activity));
	assert_int_equal(found, 70000);
	assert_int_equal(activity_after(txn, 2, found, &found, &activity), STORE_NOT_FOUND);
}

static void links_have_bits_up_to_the_64th(void **state)
{
	struct activity activity = { { 0 } };

	(void)state;
	for (u32 number = 0; number <= 66; number += 3)
		activity_add_link(&activity, number);
	for (u32 number = 0; number <= 70; number++)
		assert_int_equal(activity_has_link(&activity, number),
				 number % 3 == 0 && number > 0 && number <= 64);
}

static void a_campaign_s_links_are_its_own(void **state)
{
	struct slice url;
	u32 number = 0;

	(void)state;
	must(campaign_link_put(txn, 4, 1, SLICE("https://a.example/?x={{name}}")));
	must(campaign_link_put(txn, 4, 2, SLICE("https://b.example/")));
	must(campaign_link_put(txn, 5, 1, SLICE("https://c.example/")));
	must(campaign_link_get(txn, 4, 1, &url));
	assert_true(slice_equal(url, SLICE("https://a.example/?x={{name}}")));
	assert_int_equal(campaign_link_get(txn, 4, 3, &url), STORE_NOT_FOUND);
	must(campaign_link_after(txn, 4, 1, &number, &url));
	assert_int_equal(number, 2);
	assert_int_equal(campaign_link_after(txn, 4, 2, &number, &url), STORE_NOT_FOUND);
	must(campaign_links_clear(txn, 4));
	assert_int_equal(campaign_link_get(txn, 4, 1, &url), STORE_NOT_FOUND);
	must(campaign_link_get(txn, 5, 1, &url));
}

static void numbers_are_counted_by_what_they_are_of(void **state)
{
	u64 of = UINT64_MAX;
	u64 count;

	(void)state;
	must(campaign_count_change(txn, 4, CAMPAIGN_LINK_CLICKS, 2, 5));
	must(campaign_count_change(txn, 4, CAMPAIGN_LINK_CLICKS, 2, -2));
	must(campaign_count_change(txn, 4, CAMPAIGN_LINK_CLICKS, 9, 1));
	must(campaign_count_change(txn, 4, CAMPAIGN_OPENS_IN, 3, 1));
	must(campaign_count_get(txn, 4, CAMPAIGN_LINK_CLICKS, 2, &count));
	assert_int_equal(count, 3);
	must(campaign_count_change(txn, 4, CAMPAIGN_LINK_CLICKS, 9, -2));
	must(campaign_count_next(txn, 4, CAMPAIGN_LINK_CLICKS, &of, &count));
	assert_int_equal(of, 2);
	must(campaign_count_next(txn, 4, CAMPAIGN_LINK_CLICKS, &of, &count));
	assert_int_equal(of, 9);
	assert_int_equal(count, 0);
	assert_int_equal(campaign_count_next(txn, 4, CAMPAIGN_LINK_CLICKS, &of, &count),
			 STORE_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(what_nobody_did_is_zero),
		audience_writing_test(every_number_comes_back),
		audience_writing_test(a_campaigns_contacts_come_in_order_and_no_others),
		audience_writing_test(links_have_bits_up_to_the_64th),
		audience_writing_test(a_campaign_s_links_are_its_own),
		audience_writing_test(numbers_are_counted_by_what_they_are_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

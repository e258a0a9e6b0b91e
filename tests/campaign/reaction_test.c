/* What reaction.h promises, and the rows of visit.h that need to know what was before. */
#include "store/audience_fixture.h"

#include "campaign/reaction.h"
#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"

#define CAMPAIGN 3
#define NOW_S 1796000000u

static u32 contact_id;
static struct activity activity;
static struct behaviour behaviour;

static int set_up(void **state)
{
	struct contact contact = { .state = CONTACT_ACTIVE, .address = SLICE("a@b.example") };

	if (audience_fixture_setup_writing(state) != 0)
		return -1;
	must(contact_add(txn, &contact, SLICE("a@b.example")));
	contact_id = contact.id;
	return 0;
}

static void react(u32 at_s, u32 link, enum visitor visitor)
{
	struct reaction reaction = { CAMPAIGN, contact_id, at_s, link, visitor };

	must(reaction_keep(txn, &reaction));
	must(activity_get(txn, CAMPAIGN, contact_id, &activity));
	must(behaviour_get(txn, contact_id, &behaviour));
}

static u64 counted(enum campaign_counted what, u64 of)
{
	u64 count;

	must(campaign_count_get(txn, CAMPAIGN, what, of, &count));
	return count;
}

static void deliver(u32 at_s)
{
	must(activity_get(txn, CAMPAIGN, contact_id, &activity));
	activity.of[ACTIVITY_DELIVERED] = at_s;
	must(activity_put(txn, CAMPAIGN, contact_id, &activity));
}

static void opens_are_counted_and_those_who_open(void **state)
{
	(void)state;
	react(NOW_S, 0, VISITOR_PERSON);
	react(NOW_S + 3600, 0, VISITOR_PERSON);
	assert_int_equal(activity.of[ACTIVITY_FIRST_OPEN], NOW_S);
	assert_int_equal(activity.of[ACTIVITY_LAST_OPEN], NOW_S + 3600);
	assert_int_equal(activity.of[ACTIVITY_OPENS], 2);
	assert_int_equal(behaviour.of[BEHAVIOUR_LAST_OPEN], NOW_S + 3600);
	assert_int_equal(behaviour.of[BEHAVIOUR_CAMPAIGNS_OPENED], 1);
	assert_int_equal(counted(CAMPAIGN_OPENED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_OPENS, 0), 2);
	assert_int_equal(counted(CAMPAIGN_OPENS_IN, NOW_S / 3600), 1);
}

static void the_same_open_comes_once(void **state)
{
	(void)state;
	for (u32 i = 0; i < REACTION_SAME_OPEN_S; i++)
		react(NOW_S + i, 0, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_OPENS, 0), 1);
}

static void a_program_s_open_is_apart_until_a_person_comes(void **state)
{
	(void)state;
	react(NOW_S, 0, VISITOR_MACHINE);
	react(NOW_S + 1, 0, VISITOR_MACHINE);
	assert_int_equal(activity.of[ACTIVITY_FIRST_OPEN], 0);
	assert_int_equal(behaviour.of[BEHAVIOUR_LAST_OPEN], 0);
	assert_int_equal(behaviour.of[BEHAVIOUR_LAST_MACHINE_OPEN], NOW_S + 1);
	assert_int_equal(counted(CAMPAIGN_OPENED, 0), 0);
	assert_int_equal(counted(CAMPAIGN_MACHINE_OPENED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_MACHINE_OPENS, 0), 2);
	react(NOW_S + 100, 0, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_MACHINE_OPENED, 0), 0);
	assert_int_equal(counted(CAMPAIGN_OPENED, 0), 1);
}

static void what_comes_with_the_delivery_is_a_gateway(void **state)
{
	(void)state;
	deliver(NOW_S);
	react(NOW_S + VISIT_OPEN_S, 0, VISITOR_PERSON);
	react(NOW_S + VISIT_CLICK_S, 1, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_OPENS, 0), 0);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), 0);
	assert_int_equal(counted(CAMPAIGN_MACHINE_OPENS, 0), 1);
	assert_int_equal(counted(CAMPAIGN_MACHINE_CLICKS, 0), 1);
	react(NOW_S + VISIT_OPEN_S + 1, 0, VISITOR_PERSON);
	react(NOW_S + VISIT_CLICK_S + 1, 1, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_OPENS, 0), 1);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), 1);
}

static void a_click_is_counted_by_its_link_and_is_an_open(void **state)
{
	(void)state;
	react(NOW_S, 2, VISITOR_PERSON);
	react(NOW_S + 1, 2, VISITOR_PERSON); /* a double click */
	react(NOW_S + 60, 2, VISITOR_PERSON);
	react(NOW_S + 61, 5, VISITOR_PERSON);
	assert_int_equal(activity.of[ACTIVITY_FIRST_CLICK], NOW_S);
	assert_int_equal(activity.of[ACTIVITY_CLICKS], 3);
	assert_true(activity_has_link(&activity, 2) && activity_has_link(&activity, 5));
	assert_int_equal(counted(CAMPAIGN_CLICKED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), 3);
	assert_int_equal(counted(CAMPAIGN_LINK_CLICKED, 2), 1);
	assert_int_equal(counted(CAMPAIGN_LINK_CLICKS, 2), 2);
	assert_int_equal(counted(CAMPAIGN_LINK_CLICKS, 5), 1);
	assert_int_equal(counted(CAMPAIGN_OPENED, 0), 1);
}

static void many_links_at_once_were_a_program_from_the_first_on(void **state)
{
	(void)state;
	for (u32 link = 1; link <= 10; link++)
		react(NOW_S + link / 3, link, VISITOR_PERSON);
	assert_int_equal(activity.of[ACTIVITY_CLICKS], 0);
	assert_int_equal(activity.of[ACTIVITY_FIRST_CLICK], 0);
	assert_int_equal(activity.of[ACTIVITY_LINKS], 0);
	assert_int_equal(activity.of[ACTIVITY_MACHINE_CLICKS], 10);
	assert_int_equal(behaviour.of[BEHAVIOUR_LAST_CLICK], 0);
	assert_int_equal(behaviour.of[BEHAVIOUR_CAMPAIGNS_CLICKED], 0);
	assert_int_equal(counted(CAMPAIGN_CLICKED, 0), 0);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), 0);
	assert_int_equal(counted(CAMPAIGN_MACHINE_CLICKS, 0), 10);
	for (u32 link = 1; link <= 10; link++) {
		assert_int_equal(counted(CAMPAIGN_LINK_CLICKED, link), 0);
		assert_int_equal(counted(CAMPAIGN_LINK_CLICKS, link), 0);
	}
}

static void what_a_person_clicked_before_such_a_burst_stays(void **state)
{
	(void)state;
	react(NOW_S, 1, VISITOR_PERSON);
	for (u32 link = 1; link <= 5; link++)
		react(NOW_S + 1000, link, VISITOR_PERSON);
	assert_int_equal(activity.of[ACTIVITY_FIRST_CLICK], NOW_S);
	assert_int_equal(activity.of[ACTIVITY_CLICKS], 1);
	assert_int_equal(activity.of[ACTIVITY_LINKS], 1);
	assert_int_equal(behaviour.of[BEHAVIOUR_LAST_CLICK], NOW_S);
	assert_int_equal(counted(CAMPAIGN_CLICKED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), 1);
	assert_int_equal(counted(CAMPAIGN_LINK_CLICKED, 1), 1);
	assert_int_equal(counted(CAMPAIGN_LINK_CLICKS, 1), 1);
}

static void who_reads_opens_three_links_and_more_later(void **state)
{
	(void)state;
	for (u32 link = 1; link < VISIT_BURST_LINKS; link++)
		react(NOW_S + link, link, VISITOR_PERSON);
	react(NOW_S + 1 + VISIT_BURST_S, 9, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), VISIT_BURST_LINKS);
	assert_int_equal(counted(CAMPAIGN_MACHINE_CLICKS, 0), 0);
}

static void links_without_a_bit_are_counted_all_the_same(void **state)
{
	(void)state;
	react(NOW_S, 33, VISITOR_PERSON);
	react(NOW_S + 100, 64, VISITOR_PERSON);
	react(NOW_S + 200, 65, VISITOR_PERSON);
	react(NOW_S + 300, 1000, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_CLICKS, 0), 4);
	assert_int_equal(counted(CAMPAIGN_LINK_CLICKS, 1000), 1);
	assert_int_equal(activity.of[ACTIVITY_LINKS_MORE], 1u << 31 | 1);
}

static void of_whom_is_erased_nothing_is_kept(void **state)
{
	(void)state;
	must(contact_erase(txn, contact_id, SLICE("a@b.example")));
	react(NOW_S, 0, VISITOR_PERSON);
	react(NOW_S, 1, VISITOR_PERSON);
	assert_int_equal(activity.of[ACTIVITY_OPENS], 0);
	assert_int_equal(behaviour.of[BEHAVIOUR_LAST_OPEN], 0);
	assert_int_equal(counted(CAMPAIGN_OPENS, 0), 0);
}

static void of_two_subjects_each_has_its_own_numbers(void **state)
{
	(void)state;
	activity = (struct activity){ .of[ACTIVITY_VARIANT] = 2 };
	must(activity_put(txn, CAMPAIGN, contact_id, &activity));
	react(NOW_S, 0, VISITOR_PERSON);
	react(NOW_S + 3600, 0, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_VARIANT_OPENED, 2), 1);
	assert_int_equal(counted(CAMPAIGN_VARIANT_OPENED, 1), 0);
	react(NOW_S + 7200, 1, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_VARIANT_CLICKED, 2), 1);
	/* A program followed all links: that was nobody. */
	for (u32 link = 2; link <= VISIT_BURST_LINKS; link++)
		react(NOW_S + 7200, link, VISITOR_PERSON);
	assert_int_equal(counted(CAMPAIGN_CLICKED, 0), 0);
	assert_int_equal(counted(CAMPAIGN_VARIANT_CLICKED, 2), 0);
	assert_int_equal(counted(CAMPAIGN_VARIANT_OPENED, 2), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, audience_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_are_counted_and_those_who_open),
		TEST(the_same_open_comes_once),
		TEST(a_program_s_open_is_apart_until_a_person_comes),
		TEST(what_comes_with_the_delivery_is_a_gateway),
		TEST(a_click_is_counted_by_its_link_and_is_an_open),
		TEST(many_links_at_once_were_a_program_from_the_first_on),
		TEST(what_a_person_clicked_before_such_a_burst_stays),
		TEST(who_reads_opens_three_links_and_more_later),
		TEST(links_without_a_bit_are_counted_all_the_same),
		TEST(of_whom_is_erased_nothing_is_kept),
		TEST(of_two_subjects_each_has_its_own_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is kept of the sender's delivery log. */
#include "store/audience_fixture.h"

#include "campaign/delivery_note.h"
#include "store/audience_arrival.h"
#include "message/address.h"
#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"

#define SENDER 7
#define CAMPAIGN 3
#define AT_MS (1764547200000ull + 90 * 60000) /* 2025-12-01 01:30 */

static u32 ann;
static u16 weekly;

static u32 add(const char *address)
{
	const struct contact_member member = { weekly, MEMBER_ACTIVE, 1 };
	struct contact contact = { .state = CONTACT_ACTIVE,
				   .created_ms = 1,
				   .address = slice_of(address),
				   .values = SLICE("") };
	char key[ADDRESS_WIRE_MAX];
	struct buf lists;

	buf_init(&lists, 64);
	contact_add_member(&lists, SLICE(""), &member);
	contact.lists = buf_slice(&lists);
	must(contact_add(txn, &contact,
			 (struct slice){ key, address_key_of_wire(key, contact.address) }));
	buf_done(&lists);
	return contact.id;
}

static int set_up(void **state)
{
	struct audience_list list = { .name = SLICE("weekly"), .title = SLICE("Weekly") };

	if (audience_fixture_setup_writing(state) != 0)
		return -1;
	must(audience_list_add(txn, &list));
	weekly = list.id;
	ann = add("Ann@shop.test");
	must(delivery_campaign_put(txn, SENDER, CAMPAIGN));
	return 0;
}

static void keep(enum delivery_outcome outcome, enum smtp_class class, const char *address)
{
	const struct delivery_note note = { .sender = SENDER,
					    .outcome = outcome,
					    .class = class,
					    .at_ms = AT_MS,
					    .day = 20000,
					    .address = slice_of(address),
					    .list = SLICE("weekly"),
					    .site = SLICE("mx.shop.test"),
					    .reply = SLICE("550 5.1.1 no such user") };

	must(delivery_note_keep(txn, &note));
}

static u64 counted(enum campaign_counted what, u64 of)
{
	u64 count;

	must(campaign_count_get(txn, CAMPAIGN, what, of, &count));
	return count;
}

static enum contact_state state_of(u32 id)
{
	struct contact contact;

	must(contact_get(txn, id, &contact));
	return contact.state;
}

static struct activity activity_of(u32 id)
{
	struct activity activity;

	must(activity_get(txn, CAMPAIGN, id, &activity));
	return activity;
}

static struct behaviour behaviour_of(u32 id)
{
	struct behaviour behaviour;

	must(behaviour_get(txn, id, &behaviour));
	return behaviour;
}

static void a_delivery_is_counted_and_known_of_the_contact(void **state)
{
	(void)state;
	keep(DELIVERY_DEFERRED, SMTP_CLASS_GREYLISTED, "Ann@shop.test");
	keep(DELIVERY_DELIVERED, SMTP_CLASS_NONE, "ann@shop.test");
	assert_int_equal(counted(CAMPAIGN_DEFERRED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_DEFERRED_BY, SMTP_CLASS_GREYLISTED), 1);
	assert_int_equal(counted(CAMPAIGN_DELIVERED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_DELIVERED_IN, AT_MS / 3600000), 1);
	assert_int_equal(counted(CAMPAIGN_SITE_DELIVERED, 1), 1);
	assert_true(slice_equal(delivery_site_name(txn, 1), SLICE("mx.shop.test")));
	assert_int_equal(activity_of(ann).of[ACTIVITY_DELIVERED], AT_MS / 1000);
	assert_int_equal(behaviour_of(ann).of[BEHAVIOUR_DELIVERED], 1);
	assert_int_equal(state_of(ann), CONTACT_ACTIVE);
}

static void a_mailbox_that_is_not_there_makes_the_contact_bounced(void **state)
{
	struct history_event event;

	(void)state;
	keep(DELIVERY_FAILED, SMTP_CLASS_BAD_MAILBOX, "Ann@shop.test");
	assert_int_equal(state_of(ann), CONTACT_BOUNCED);
	assert_int_equal(counted(CAMPAIGN_BOUNCED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_BOUNCED_BY, SMTP_CLASS_BAD_MAILBOX), 1);
	assert_int_equal(counted(CAMPAIGN_SITE_BOUNCED, 1), 1);
	must(contact_history_before(txn, ann, UINT64_MAX, 0, &event));
	assert_int_equal(event.kind, HISTORY_BOUNCED);
	assert_true(slice_equal(event.fields[0], SLICE("550 5.1.1 no such user")));
	assert_true(slice_equal(event.fields[1], SLICE("3")));
}

static void a_refusal_of_message_or_sender_leaves_the_contact_alone(void **state)
{
	static const enum smtp_class classes[] = { SMTP_CLASS_CONTENT, SMTP_CLASS_REPUTATION,
						   SMTP_CLASS_MAILBOX_FULL, SMTP_CLASS_NONE };

	(void)state;
	for (size_t i = 0; i < array_count(classes); i++)
		keep(DELIVERY_FAILED, classes[i], "Ann@shop.test");
	assert_int_equal(state_of(ann), CONTACT_ACTIVE);
	assert_int_equal(behaviour_of(ann).of[BEHAVIOUR_BOUNCES], 4);
	keep(DELIVERY_DELIVERED, SMTP_CLASS_NONE, "Ann@shop.test");
	assert_int_equal(behaviour_of(ann).of[BEHAVIOUR_BOUNCES], 0);
}

static void a_complaint_counts_once_and_wins_over_a_bounce(void **state)
{
	(void)state;
	keep(DELIVERY_COMPLAINED, SMTP_CLASS_NONE, "Ann@shop.test");
	keep(DELIVERY_COMPLAINED, SMTP_CLASS_NONE, "Ann@shop.test");
	keep(DELIVERY_BOUNCED, SMTP_CLASS_BAD_MAILBOX, "Ann@shop.test");
	assert_int_equal(state_of(ann), CONTACT_COMPLAINED);
	assert_int_equal(counted(CAMPAIGN_COMPLAINED, 0), 1);
	assert_int_equal(counted(CAMPAIGN_BOUNCED, 0), 1);
}

static void who_unsubscribes_by_mail_leaves_that_list(void **state)
{
	struct contact_member member;
	struct contact contact;

	(void)state;
	keep(DELIVERY_UNSUBSCRIBED, SMTP_CLASS_NONE, "Ann@shop.test");
	must(contact_get(txn, ann, &contact));
	assert_int_equal(contact.state, CONTACT_ACTIVE);
	assert_true(contact_find_member(contact.lists, weekly, &member));
	assert_int_equal(member.state, MEMBER_LEFT);
	assert_int_equal(counted(CAMPAIGN_UNSUBSCRIBED, 0), 1);
}

static void other_mail_and_other_people_change_no_numbers_of_a_campaign(void **state)
{
	struct delivery_note note = { .sender = SENDER + 1,
				      .outcome = DELIVERY_FAILED,
				      .class = SMTP_CLASS_BAD_MAILBOX,
				      .at_ms = AT_MS,
				      .address = SLICE("Ann@shop.test") };

	(void)state;
	keep(DELIVERY_DELIVERED, SMTP_CLASS_NONE, "nobody@shop.test");
	assert_int_equal(counted(CAMPAIGN_DELIVERED, 0), 1);
	/* An order's confirmation: the address is bad all the same. */
	must(delivery_note_keep(txn, &note));
	assert_int_equal(counted(CAMPAIGN_BOUNCED, 0), 0);
	assert_int_equal(state_of(ann), CONTACT_BOUNCED);
}

static u64 arrived(struct slice site, enum arrival_kind kind, enum smtp_class class)
{
	struct arrival at = { .day = 20000 };

	while (arrival_next(txn, &at) == STORE_OK) {
		if (slice_equal(delivery_site_name(txn, at.site), site) && at.kind == kind &&
		    at.class == (u32)class)
			return at.day == 20000 ? at.count : 0;
	}
	return 0;
}

static void all_mail_counts_for_its_day_and_receiver(void **state)
{
	struct delivery_note later = { .sender = SENDER + 1,
				       .outcome = DELIVERY_COMPLAINED,
				       .at_ms = AT_MS,
				       .day = 20000,
				       .address = SLICE("\"a@b\"@SHOP.test") };

	(void)state;
	/* Before mail went to the domain nobody knows whose it is. */
	must(delivery_note_keep(txn, &later));
	assert_int_equal(arrived(SLICE(""), ARRIVAL_COMPLAINED, SMTP_CLASS_NONE), 1);
	keep(DELIVERY_DELIVERED, SMTP_CLASS_NONE, "nobody@shop.test");
	keep(DELIVERY_FAILED, SMTP_CLASS_BAD_MAILBOX, "nobody@shop.test");
	keep(DELIVERY_DEFERRED, SMTP_CLASS_RATE, "nobody@shop.test");
	keep(DELIVERY_DEFERRED, SMTP_CLASS_RATE, "nobody@shop.test");
	keep(DELIVERY_CANCELLED, SMTP_CLASS_NONE, "nobody@shop.test");
	assert_int_equal(arrived(SLICE("mx.shop.test"), ARRIVAL_DELIVERED, SMTP_CLASS_NONE), 1);
	assert_int_equal(arrived(SLICE("mx.shop.test"), ARRIVAL_BOUNCED, SMTP_CLASS_BAD_MAILBOX),
			 1);
	assert_int_equal(arrived(SLICE("mx.shop.test"), ARRIVAL_DEFERRED, SMTP_CLASS_RATE), 2);
	must(delivery_note_keep(txn, &later));
	later.outcome = DELIVERY_BOUNCED;
	later.class = SMTP_CLASS_MAILBOX_FULL;
	must(delivery_note_keep(txn, &later));
	assert_int_equal(arrived(SLICE(""), ARRIVAL_COMPLAINED, SMTP_CLASS_NONE), 1);
	assert_int_equal(arrived(SLICE("mx.shop.test"), ARRIVAL_COMPLAINED, SMTP_CLASS_NONE), 1);
	assert_int_equal(
		arrived(SLICE("mx.shop.test"), ARRIVAL_BOUNCED, SMTP_CLASS_MAILBOX_FULL), 1);
}

static void the_words_of_the_log_are_known(void **state)
{
	(void)state;
	assert_int_equal(delivery_outcome_of(SLICE("delivered")), DELIVERY_DELIVERED);
	assert_int_equal(delivery_outcome_of(SLICE("expired")), DELIVERY_FAILED);
	assert_int_equal(delivery_outcome_of(SLICE("in-doubt")), DELIVERY_OTHER);
	assert_int_equal(delivery_outcome_of(SLICE("auto-reply")), DELIVERY_OTHER);
}

static void of_two_subjects_a_contact_counts_once(void **state)
{
	struct activity activity = { .of[ACTIVITY_VARIANT] = 1 };

	(void)state;
	must(activity_put(txn, CAMPAIGN, ann, &activity));
	keep(DELIVERY_DELIVERED, SMTP_CLASS_NONE, "ann@shop.test");
	keep(DELIVERY_DELIVERED, SMTP_CLASS_NONE, "ann@shop.test"); /* in doubt, and sent again */
	keep(DELIVERY_BOUNCED, SMTP_CLASS_BAD_MAILBOX, "ann@shop.test");
	assert_int_equal(counted(CAMPAIGN_VARIANT_DELIVERED, 1), 1);
	assert_int_equal(counted(CAMPAIGN_VARIANT_BOUNCED, 1), 1);
	assert_int_equal(counted(CAMPAIGN_VARIANT_DELIVERED, 2), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, audience_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_delivery_is_counted_and_known_of_the_contact),
		TEST(a_mailbox_that_is_not_there_makes_the_contact_bounced),
		TEST(a_refusal_of_message_or_sender_leaves_the_contact_alone),
		TEST(a_complaint_counts_once_and_wins_over_a_bounce),
		TEST(who_unsubscribes_by_mail_leaves_that_list),
		TEST(other_mail_and_other_people_change_no_numbers_of_a_campaign),
		TEST(all_mail_counts_for_its_day_and_receiver),
		TEST(of_two_subjects_a_contact_counts_once),
		cmocka_unit_test(the_words_of_the_log_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

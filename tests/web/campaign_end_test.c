/*
 * What campaigns come to: the better of two subjects, what became of each message, and what a restore
 * holds. Against a real sender.
 */
#include "campaign_world.h"

#include "store/audience_attribute.h"

/* The hours are over; of those who were asked with the second subject, all opened. */
static void pass_time(u32 id)
{
	struct audience_campaign campaign;
	struct activity activity;
	struct buf draft;
	u32 contact = 0;

	buf_init(&draft, 65536);
	must(audience_begin(web.txn));
	must(audience_campaign_get(web.txn, id, &campaign));
	buf_add_slice(&draft, campaign.draft);
	campaign.draft = buf_slice(&draft);
	campaign.customer = SLICE("courier.example");
	campaign.reason = SLICE("");
	campaign.started_ms -= 5 * 3600 * 1000;
	must(audience_campaign_put(web.txn, &campaign));
	while (activity_after(web.txn, id, contact, &contact, &activity) == STORE_OK) {
		activity.of[ACTIVITY_FIRST_OPEN] = activity.of[ACTIVITY_VARIANT] ==
						   DRAFT_VARIANT_B;
		must(activity_put(web.txn, id, contact, &activity));
	}
	must(audience_commit(web.txn));
	buf_done(&draft);
}

static u64 of_variant(u32 id, enum campaign_counted what, u32 variant)
{
	u64 count;

	must(audience_begin_read(web.txn));
	must(campaign_count_get(web.txn, id, what, variant, &count));
	audience_abort(web.txn);
	return count;
}

/* The sender is quick: its log is read before it is noted who was handed over. */
static void note_delivery_before_its_time(u32 id)
{
	struct activity activity = { .of[ACTIVITY_DELIVERED] = 1 };

	must(audience_begin(web.txn));
	must(activity_put(web.txn, id, 1, &activity));
	must(audience_commit(web.txn));
}

static void of_two_subjects_the_rest_gets_the_better_one(void **state)
{
	u64 asked[3];
	struct audience_campaign head;
	struct activity activity;
	struct draft draft;
	u64 got[3] = { 0 };
	u32 contact = 0;
	u32 id;

	(void)state;
	add_people(PEOPLE);
	draft = good_draft();
	draft.of[DRAFT_SUBJECT_B] = SLICE("Other news");
	id = schedule(&draft, clock_wall_ms());
	note_delivery_before_its_time(id);
	start_bringer();
	wait_for(id, STATE(RUNNING));
	for (u32 i = 0; i < PATIENCE_MS / 10 && head_of(id).cursor < 1ull << 32; i++)
		usleep(10000);
	assert_int_equal(head_of(id).cursor, 1ull << 32); /* some were asked, the rest waits */
	assert_int_equal(head_of(id).state, AUDIENCE_CAMPAIGN_RUNNING);
	for (u32 i = DRAFT_VARIANT_A; i <= DRAFT_VARIANT_B; i++) {
		asked[i] = of_variant(id, CAMPAIGN_VARIANT_SENT, i);
		assert_true(asked[i] > 0);
	}
	pass_time(id);
	head = wait_for(id, STATE(SENDING));
	assert_true(head.flags & AUDIENCE_CAMPAIGN_WINNER_B);
	/* By what it was decided stays to be read. */
	for (u32 i = DRAFT_VARIANT_A; i <= DRAFT_VARIANT_B; i++) {
		assert_int_equal(of_variant(id, CAMPAIGN_AB_ASKED, i), asked[i]);
		assert_int_equal(of_variant(id, CAMPAIGN_AB_MOVED, i),
				 i == DRAFT_VARIANT_B ? asked[i] : 0);
	}
	assert_int_equal(of_variant(id, CAMPAIGN_VARIANT_DELIVERED, DRAFT_VARIANT_A) +
				 of_variant(id, CAMPAIGN_VARIANT_DELIVERED, DRAFT_VARIANT_B),
			 1);
	assert_each_once(head.sender, PEOPLE);
	assert_noted(id, PEOPLE);
	must(audience_begin_read(web.txn));
	while (activity_after(web.txn, id, contact, &contact, &activity) == STORE_OK)
		got[activity.of[ACTIVITY_VARIANT]]++;
	audience_abort(web.txn);
	assert_int_equal(got[0], 0);
	for (u32 i = DRAFT_VARIANT_A; i <= DRAFT_VARIANT_B; i++)
		assert_int_equal(of_variant(id, CAMPAIGN_VARIANT_SENT, i), got[i]);
	assert_in_range(got[DRAFT_VARIANT_A] * 100 / (got[DRAFT_VARIANT_A] + got[DRAFT_VARIANT_B]),
			7, 13);
}

static void after_a_restore_nothing_begins_before_somebody_says_so(void **state)
{
	struct draft draft;
	u32 id;

	(void)state;
	add_people(10);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	must(audience_begin(web.txn));
	must(audience_hold(web.txn));
	must(audience_commit(web.txn));
	start_bringer();
	usleep(300000);
	assert_int_equal(head_of(id).state, AUDIENCE_CAMPAIGN_SCHEDULED);
	must(audience_begin(web.txn));
	must(audience_release(web.txn));
	must(audience_commit(web.txn));
	bringer_wake(web.bringer);
	wait_for(id, STATE(SENDING));
}

static u64 counted(u32 id, enum campaign_counted what)
{
	u64 count;

	must(audience_begin_read(web.txn));
	must(campaign_count_get(web.txn, id, what, 0, &count));
	audience_abort(web.txn);
	return count;
}

/* Its threads come and go, as a process that dies; each entry counts once. */
static void what_became_of_each_is_counted_once_whoever_ends_in_between(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	struct answer answer;
	u32 id;
	u64 sent;

	(void)state;
	add_people(PEOPLE);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	sent = counted(id, CAMPAIGN_SENT);
	/* It is there before anything happens: who is new begins at the log's end. */
	for (u32 i = 0; i < 200 && counted(id, CAMPAIGN_BOUNCED) + counted(id, CAMPAIGN_CALLED_OFF) <
					   sent; i++) {
		struct error error = { "" };
		struct log_follower *follower =
			log_follower_open(&the.config, web.audience, web.scribe, &error);

		assert_non_null(follower);
		if (i == 0) {
			usleep(300000);
			answer = ask(json_pack("{s:s, s:i}", "command", "campaign.cancel", "id",
					       (int)head.sender));
			assert_int_equal(answer.end, CONTROL_REPLY);
			answer_done(&answer);
		}
		usleep(20000);
		log_follower_close(follower);
	}
	assert_int_equal(counted(id, CAMPAIGN_BOUNCED) + counted(id, CAMPAIGN_CALLED_OFF), sent);
	wait_for(id, STATE(CANCELLED));
}

/* Half of them live in Tokyo, where it is time now, half in New York, where it will be. */
static void add_people_of_two_cities(u32 count)
{
	struct attribute attribute = { .type = ATTRIBUTE_TEXT,
				       .name = SLICE("zone"),
				       .label_ja = SLICE(""),
				       .label_en = SLICE("Zone"),
				       .choices = SLICE("") };

	must(audience_begin(web.txn));
	must(attribute_add(web.txn, &attribute));
	for (u32 i = 1; i <= count; i++) {
		struct contact contact = { .state = CONTACT_ACTIVE,
					   .created_ms = 1,
					   .lists = SLICE("") };
		char address[64];
		struct buf values;

		snprintf(address, sizeof(address), "u%u@d.example", i);
		contact.address = slice_of(address);
		buf_init(&values, 256);
		contact_put_value(&values, attribute.id,
				  i % 2 ? SLICE("Asia/Tokyo") : SLICE("America/New_York"));
		contact.values = buf_slice(&values);
		must(contact_add(web.txn, &contact, slice_of(address)));
		buf_done(&values);
	}
	must(audience_commit(web.txn));
}

static void by_each_contacts_own_clock_the_west_waits(void **state)
{
	struct audience_campaign head;
	struct time_zone tokyo;
	struct clock_date date;
	struct draft draft;
	json_t *status;
	char at[32];
	u32 id;

	(void)state;
	add_people_of_two_cities(100);
	assert_true(time_zone_find(SLICE("Asia/Tokyo"), &tokyo));
	time_zone_local(&tokyo, clock_wall_ms(), &date);
	snprintf(at, sizeof(at), "%04u-%02u-%02u %02u:%02u", date.year, date.month, date.day,
		 date.hour, date.minute);
	draft = good_draft();
	draft.of[DRAFT_LIST] = SLICE("");
	draft.of[DRAFT_AT] = slice_of(at);
	draft.of[DRAFT_ZONE] = SLICE("Asia/Tokyo");
	draft.of[DRAFT_ZONE_ATTRIBUTE] = SLICE("zone");
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	/* 20 quarters of an hour lie between UTC+14 and Tokyo; the next one has not come. */
	for (u32 i = 0; i < PATIENCE_MS / 10 && head_of(id).cursor < 21ull << 32; i++)
		usleep(10000);
	head = head_of(id);
	assert_int_equal(head.cursor, 21ull << 32);
	assert_int_equal(head.state, AUDIENCE_CAMPAIGN_RUNNING);
	assert_int_equal(counted(id, CAMPAIGN_SENT), 50);
	status = status_of(head.sender);
	assert_int_equal(number_of(status, "total"), 50);
	assert_true(json_is_true(json_object_get(status, "open")));
	json_decref(status);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_two_subjects_the_rest_gets_the_better_one),
		TEST(by_each_contacts_own_clock_the_west_waits),
		TEST(after_a_restore_nothing_begins_before_somebody_says_so),
		TEST(what_became_of_each_is_counted_once_whoever_ends_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Step mail on its way to a real sender: each step once for each contact, whatever ends when. */
#include "campaign_world.h"

#include "campaign/delivery_note.h"
#include "campaign/sequence.h"
#include "store/audience_enrolment.h"
#include "store/audience_step_mail.h"

#define FEW 600

static u32 sequence;
static u32 steps[2];

static void pack_step(const char *subject, struct buf *packed)
{
	struct draft draft = good_draft();

	draft.of[DRAFT_SUBJECT] = slice_of(subject);
	buf_init(packed, 65536);
	draft_pack(&draft, packed);
}

static u32 add_step(const char *subject)
{
	struct audience_campaign campaign = { .state = AUDIENCE_CAMPAIGN_STEP,
					      .flags = AUDIENCE_CAMPAIGN_OF_STEP,
					      .created_ms = 1,
					      .customer = SLICE("courier.example"),
					      .reason = SLICE("") };
	struct buf packed;

	pack_step(subject, &packed);
	campaign.draft = buf_slice(&packed);
	must(audience_campaign_add(web.txn, &campaign));
	buf_done(&packed);
	return campaign.id;
}

/* Two steps, both at once; whoever joins the list from now on enters. */
static void add_sequence(void)
{
	struct audience_sequence kept = {
		.state = AUDIENCE_SEQUENCE_RUNNING,
		.start = AUDIENCE_SEQUENCE_BY_LIST,
		.list = 1,
		.looked_contact = UINT32_MAX,
		.step_count = 2,
		.of = { [SEQUENCE_NAME] = SLICE("Welcome") },
	};

	web.list = 1;
	must(audience_begin(web.txn));
	for (u32 i = 0; i < 2; i++) {
		steps[i] = add_step(i == 0 ? "First" : "Second");
		kept.steps[i] = (struct sequence_step){ .id = steps[i],
							.at_minute = SEQUENCE_ANY_TIME };
	}
	must(audience_sequence_put(web.txn, &kept));
	must(audience_commit(web.txn));
	sequence = kept.id;
}

static void set_sequence(enum audience_sequence_state state)
{
	struct audience_sequence kept;

	must(audience_begin(web.txn));
	must(audience_sequence_get(web.txn, sequence, &kept));
	kept.state = state;
	must(audience_sequence_put(web.txn, &kept));
	must(audience_commit(web.txn));
	if (web.bringer)
		bringer_wake(web.bringer);
}

static u64 counted(u32 step, enum campaign_counted what)
{
	u64 count;

	must(audience_begin_read(web.txn));
	must(campaign_count_get(web.txn, step, what, 0, &count));
	audience_abort(web.txn);
	return count;
}

static u64 meant_of(u32 people)
{
	u64 meant = 0;

	for (u32 i = 1; i <= people; i++)
		meant += is_meant(i);
	return meant;
}

static void wait_until_sent(u64 wanted)
{
	for (u32 i = 0; i < PATIENCE_MS / 10; i++) {
		if (counted(steps[0], CAMPAIGN_SENT) >= wanted &&
		    counted(steps[1], CAMPAIGN_SENT) >= wanted)
			break;
		usleep(10000);
	}
	assert_int_equal(counted(steps[0], CAMPAIGN_SENT), wanted);
	assert_int_equal(counted(steps[1], CAMPAIGN_SENT), wanted);
}

/* How many rows the sender has of each person in all its campaigns for the step. */
static u32 count_rows(u32 step, u8 *seen, u32 people)
{
	u32 campaigns = 0;

	for (u32 sender = 1; sender < 20; sender++) {
		struct answer answer;
		u32 of;

		must(audience_begin_read(web.txn));
		must(delivery_campaign_get(web.txn, sender, &of));
		audience_abort(web.txn);
		if (of != step)
			continue;
		campaigns++;
		answer = ask(json_pack("{s:s, s:i, s:i}", "command", "campaign.report", "id",
				       (int)sender, "limit", 100000));
		assert_int_equal(answer.end, CONTROL_REPLY);
		for (size_t i = 0; i < json_array_size(answer.items); i++) {
			unsigned n;

			assert_int_equal(sscanf(text_of(json_array_get(answer.items, i),
							"address"),
						"u%u@", &n),
					 1);
			assert_true(n > 0 && n <= people);
			seen[n]++;
		}
		answer_done(&answer);
	}
	return campaigns;
}

static u32 assert_steps_once(u32 people)
{
	u32 campaigns = 0;

	for (u32 s = 0; s < 2; s++) {
		u8 *seen = calloc(people + 1, 1);

		campaigns += count_rows(steps[s], seen, people);
		for (u32 i = 1; i <= people; i++) {
			if (seen[i] != is_meant(i))
				fail_msg("step %u, person %u: %u", s, i, seen[i]);
		}
		free(seen);
	}
	return campaigns;
}

static void ended_at_any_moment_each_step_goes_to_each_contact_once(void **state)
{
	const u64 meant = meant_of(PEOPLE);

	(void)state;
	add_sequence();
	add_people(PEOPLE);
	while (counted(steps[0], CAMPAIGN_SENT) + counted(steps[1], CAMPAIGN_SENT) < 2 * meant) {
		start_bringer();
		usleep(3000);
		stop_bringer();
	}
	assert_int_equal(assert_steps_once(PEOPLE), 2);
	assert_noted(steps[0], PEOPLE);
	assert_noted(steps[1], PEOPLE);
}

/* It died between the sender's word and its own note: all that it has is the sender's cursor. */
static void what_was_handed_over_and_not_noted_is_not_handed_over_again(void **state)
{
	const u64 meant = meant_of(FEW);
	u64 number = 0;

	(void)state;
	add_sequence();
	add_people(FEW);
	start_bringer();
	wait_until_sent(meant);
	stop_bringer();
	set_state(steps[0], AUDIENCE_CAMPAIGN_STEP, 0, 0);
	must(audience_begin(web.txn));
	for (u32 i = 1; i <= FEW; i++) {
		if (is_meant(i))
			must(step_mail_add(web.txn, steps[0], i));
	}
	must(step_mail_last(web.txn, steps[0], &number));
	assert_int_equal(number, meant);
	must(audience_commit(web.txn));
	start_bringer();
	for (u32 i = 0; i < PATIENCE_MS / 10 && counted(steps[0], CAMPAIGN_SENT) < 2 * meant; i++)
		usleep(10000);
	stop_bringer();
	assert_int_equal(counted(steps[0], CAMPAIGN_SENT), 2 * meant);
	assert_steps_once(FEW);
}

static void a_text_that_was_edited_goes_by_another_campaign_and_nobody_gets_both(void **state)
{
	struct audience_campaign campaign;
	struct buf packed;

	(void)state;
	add_sequence();
	add_people(FEW / 2);
	start_bringer();
	wait_until_sent(meant_of(FEW / 2));
	pack_step("First, and better", &packed);
	must(audience_begin(web.txn));
	must(audience_campaign_get(web.txn, steps[0], &campaign));
	campaign.draft = buf_slice(&packed);
	campaign.customer = SLICE("courier.example");
	campaign.reason = SLICE("");
	must(audience_campaign_put(web.txn, &campaign));
	for (u32 i = FEW / 2 + 1; i <= FEW; i++) {
		const struct contact_member member = { 1, MEMBER_ACTIVE, 1 };
		struct contact contact = { .state = CONTACT_ACTIVE, .values = SLICE("") };
		struct buf lists;
		char address[64];

		snprintf(address, sizeof(address), "u%u@d.example", i);
		buf_init(&lists, 64);
		contact_add_member(&lists, SLICE(""), &member);
		contact.lists = is_meant(i) ? buf_slice(&lists) : SLICE("");
		contact.address = slice_of(address);
		must(contact_add(web.txn, &contact, slice_of(address)));
		buf_done(&lists);
	}
	must(audience_commit(web.txn));
	buf_done(&packed);
	wait_until_sent(meant_of(FEW));
	assert_int_equal(assert_steps_once(FEW), 3);
}

/* Its delivery may be heard of before the handing over is noted; last year's mail was another. */
static void what_is_known_is_about_the_last_mail_of_the_step(void **state)
{
	const u32 now_s = (u32)(clock_wall_ms() / 1000);
	const u32 year_ago_s = now_s - 365 * 86400;
	const struct activity heard = { .of = { [ACTIVITY_DELIVERED] = now_s } };
	const struct activity last_year = { .of = { [ACTIVITY_SENT] = year_ago_s,
						    [ACTIVITY_DELIVERED] = year_ago_s,
						    [ACTIVITY_FIRST_OPEN] = year_ago_s,
						    [ACTIVITY_OPENS] = 3 } };
	struct activity activity;

	(void)state;
	add_sequence();
	must(audience_begin(web.txn));
	must(activity_put(web.txn, steps[0], 1, &heard));
	must(activity_put(web.txn, steps[0], 2, &last_year));
	must(audience_commit(web.txn));
	add_people(10);
	start_bringer();
	wait_until_sent(meant_of(10));
	must(audience_begin_read(web.txn));
	must(activity_get(web.txn, steps[0], 1, &activity));
	assert_int_equal(activity.of[ACTIVITY_DELIVERED], now_s);
	assert_true(activity.of[ACTIVITY_SENT] >= now_s);
	must(activity_get(web.txn, steps[0], 2, &activity));
	assert_true(activity.of[ACTIVITY_SENT] >= now_s);
	assert_int_equal(activity.of[ACTIVITY_DELIVERED], 0);
	assert_int_equal(activity.of[ACTIVITY_FIRST_OPEN], 0);
	assert_int_equal(activity.of[ACTIVITY_OPENS], 0);
	audience_abort(web.txn);
}

static void paused_it_pauses_at_the_sender_and_goes_on_after(void **state)
{
	static const char *const wanted[] = { "paused", "running" };

	(void)state;
	add_sequence();
	add_people(100);
	start_bringer();
	wait_until_sent(meant_of(100));
	for (u32 i = 0; i < 2; i++) {
		bool is_so = false;

		set_sequence(i == 0 ? AUDIENCE_SEQUENCE_PAUSED : AUDIENCE_SEQUENCE_RUNNING);
		for (u32 k = 0; k < PATIENCE_MS / 10 && !is_so; k++) {
			json_t *status = status_of(head_of(steps[0]).sender);

			is_so = strcmp(text_of(status, "state"), wanted[i]) == 0;
			json_decref(status);
			usleep(10000);
		}
		if (!is_so)
			fail_msg("it is not %s", wanted[i]);
	}
}

static void a_text_that_cannot_be_sent_pauses_the_sequence(void **state)
{
	enum audience_sequence_state is = AUDIENCE_SEQUENCE_RUNNING;
	struct audience_sequence kept;
	struct audience_campaign campaign;
	struct buf packed;

	(void)state;
	add_sequence();
	pack_step("For {{nobody}}", &packed);
	must(audience_begin(web.txn));
	must(audience_campaign_get(web.txn, steps[0], &campaign));
	campaign.draft = buf_slice(&packed);
	campaign.customer = SLICE("courier.example");
	campaign.reason = SLICE("");
	must(audience_campaign_put(web.txn, &campaign));
	must(audience_commit(web.txn));
	buf_done(&packed);
	add_people(10);
	start_bringer();
	for (u32 i = 0; i < PATIENCE_MS / 10 && is == AUDIENCE_SEQUENCE_RUNNING; i++) {
		usleep(10000);
		must(audience_begin_read(web.txn));
		must(audience_sequence_get(web.txn, sequence, &kept));
		is = kept.state;
		audience_abort(web.txn);
	}
	assert_int_equal(is, AUDIENCE_SEQUENCE_PAUSED);
	assert_int_equal(counted(steps[0], CAMPAIGN_SENT), 0);
}

static void after_a_restore_nothing_goes_before_somebody_says_so(void **state)
{
	(void)state;
	add_sequence();
	must(audience_begin(web.txn));
	must(audience_hold(web.txn));
	must(audience_commit(web.txn));
	add_people(10);
	start_bringer();
	usleep(300000);
	assert_int_equal(head_of(steps[0]).sender, 0);
	must(audience_begin(web.txn));
	must(audience_release(web.txn));
	must(audience_commit(web.txn));
	bringer_wake(web.bringer);
	wait_until_sent(meant_of(10));
}

#define step_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		step_test(ended_at_any_moment_each_step_goes_to_each_contact_once),
		step_test(what_was_handed_over_and_not_noted_is_not_handed_over_again),
		step_test(a_text_that_was_edited_goes_by_another_campaign_and_nobody_gets_both),
		step_test(what_is_known_is_about_the_last_mail_of_the_step),
		step_test(paused_it_pauses_at_the_sender_and_goes_on_after),
		step_test(a_text_that_cannot_be_sent_pauses_the_sequence),
		step_test(after_a_restore_nothing_goes_before_somebody_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

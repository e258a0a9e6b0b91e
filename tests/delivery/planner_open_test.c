/*
 * Campaigns that are open: rows come while it runs. The planner and its store are real, the worker's
 * part is the test's.
 */
#include "planner_fixture.h"

#include "base/log.h"

#define PEOPLE 300

/* How often each person's mail was delivered. */
static u32 got[PEOPLE];

static int open_fixture(void **state)
{
	static struct fixture f;

	memset(got, 0, sizeof(got));
	fixture_open(&f, "address \"any\" { ehlo = \"mail.a.example\" }", "");
	zone_set("one.test", MX_OK, 3600, "mx.one.test=20.0.0.1");
	zone_set("two.test", MX_OK, 3600, "mx.two.test=20.0.0.2");
	zone_set("none.test", MX_NO_DOMAIN, 3600, "");
	*state = &f;
	return 0;
}

static int close_fixture(void **state)
{
	fixture_close(*state);
	return 0;
}

/* An open campaign that runs, without rows. */
static u32 open_campaign(struct fixture *f)
{
	struct queue_campaign campaign;
	struct planner_intake *intake;

	f->is_open = true;
	intake = campaign_begin(f, &campaign, "open");
	f->is_open = false;
	return campaign_start(f, intake, &campaign);
}

static void address_of(char text[64], u32 person)
{
	static const char *const domains[] = { "one.test", "two.test", "none.test" };

	snprintf(text, 64, "p%u@%s", person, domains[person % array_count(domains)]);
}

/* People after..cursor-1; whether they were taken. */
static bool append(struct fixture *f, u32 id, u32 after, u32 cursor)
{
	static char addresses[PEOPLE][64];
	struct planner_recipient rows[PEOPLE];
	struct planner_batch batch = { .recipients = rows, .after = after, .cursor = cursor };
	struct error error = { "" };
	struct slice none = SLICE("x");
	struct buf values;
	bool taken;

	buf_init(&values, 64);
	row_values_pack(&values, &none, 1);
	for (u32 i = after; i < cursor; i++) {
		address_of(addresses[i], i);
		rows[batch.count++] = (struct planner_recipient){ slice_of(addresses[i]),
								  buf_slice(&values) };
	}
	if (!planner_campaign_append(f->planner, id, &batch, &taken, &error))
		fail_msg("%s", error.text);
	buf_done(&values);
	return taken;
}

static void note_lease(const struct lease *lease)
{
	unsigned person;

	assert_int_equal(sscanf(lease->address.ptr, "p%u@", &person), 1);
	assert_in_range(person, 0, PEOPLE - 1);
	got[person]++;
}

/* All that is out is taken by its receiver. */
static void deliver(struct fixture *f)
{
	struct lease *lease;
	bool any = true;

	while (any) {
		any = false;
		settle(f);
		while ((lease = next_lease(f))) {
			note_lease(lease);
			give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
			any = true;
		}
	}
}

static void close_campaign(struct fixture *f, u32 id)
{
	struct error error = { "" };

	if (!planner_campaign_close(f->planner, id, &error))
		fail_msg("%s", error.text);
}

/* Everyone whose domain takes mail got one, up to this person. */
static void assert_once(u32 people)
{
	for (u32 i = 0; i < people; i++) {
		if (got[i] != (i % 3 == 2 ? 0 : 1))
			fail_msg("person %u got %u", i, got[i]);
	}
}

static void rows_that_come_while_it_runs_are_sent_and_closing_ends_it(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);

	assert_true(append(f, id, 0, 10));
	deliver(f);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_RUNNING);
	assert_int_equal(campaign_of(f, id).finished_ms, 0);
	/* Its lanes have ended by now. */
	assert_true(append(f, id, 10, 200));
	deliver(f);
	assert_once(200);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_RUNNING);
	close_campaign(f, id);
	settle(f);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_DONE);
	assert_int_equal(campaign_of(f, id).total, 200);
	assert_int_equal(campaign_of(f, id).delivered + campaign_of(f, id).failed, 200);
	assert_false(campaign_of(f, id).is_open);
}

static void rows_join_a_lane_that_still_has_some(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);
	u32 lanes;

	for (u32 i = 0; i < 30; i++)
		assert_true(append(f, id, i, i + 1));
	lanes = campaign_of(f, id).domains;
	assert_int_equal(lanes, 3);
	deliver(f);
	assert_once(30);
}

static void a_batch_that_is_brought_again_is_not_taken_twice(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);

	assert_true(append(f, id, 0, 10));
	assert_false(append(f, id, 0, 10));
	assert_false(append(f, id, 5, 20));
	assert_int_equal(campaign_of(f, id).cursor, 10);
	deliver(f);
	assert_once(10);
}

static void after_a_restart_it_goes_on_behind_its_cursor(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);
	u32 at = 0;

	/* The sender dies with rows in its lanes, and with none; those out come back undelivered. */
	for (u32 round = 0; round < 6; round++) {
		assert_true(append(f, id, at, at + 40));
		at += 40;
		if (round % 2)
			deliver(f);
		start_again(f);
		assert_int_equal(campaign_of(f, id).cursor, at);
		assert_true(campaign_of(f, id).is_open);
	}
	deliver(f);
	pass(f, 60);
	deliver(f);
	assert_once(at);
	close_campaign(f, id);
	settle(f);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_DONE);
}

static void it_wants_a_bounded_number_of_rows_and_none_while_it_is_paused(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);
	struct queue_campaign c = campaign_of(f, id);
	u64 wanted = planner_campaign_wanted(f->planner, &c);
	struct error error;

	assert_int_equal(wanted, 20000);
	c.total = 10000;
	assert_int_equal(planner_campaign_wanted(f->planner, &c), 10000);
	c.total = 16000;
	assert_int_equal(planner_campaign_wanted(f->planner, &c), 0);
	c.deferred = 16000;
	assert_int_equal(planner_campaign_wanted(f->planner, &c), 20000);
	c.total = c.deferred = 1999000;
	assert_int_equal(planner_campaign_wanted(f->planner, &c), 1000);
	assert_true(planner_campaign_pause(f->planner, id, &error));
	c = campaign_of(f, id);
	assert_int_equal(planner_campaign_wanted(f->planner, &c), 0);
	assert_true(append(f, id, 0, 10)); /* what is under way is taken all the same */
	settle(f);
	assert_null(next_lease(f));
	assert_true(planner_campaign_resume(f->planner, id, &error));
	deliver(f);
	assert_once(10);
}

static void a_cancelled_one_takes_nothing_more_and_is_over(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);
	struct planner_batch batch = { .after = 10, .cursor = 11 };
	struct error error;
	bool taken = true;

	assert_true(append(f, id, 0, 10));
	planner_sweep_leave(planner_campaign_cancel(f->planner, id, &error));
	assert_false(planner_campaign_append(f->planner, id, &batch, &taken, &error));
	assert_false(taken);
	settle(f);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_CANCELLED);
	assert_int_equal(campaign_of(f, id).cancelled, 10);
	assert_true(campaign_of(f, id).finished_ms > 0);
	close_campaign(f, id); /* whoever brings the rows need not know */
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_CANCELLED);
}

static void one_that_gets_no_rows_at_all_is_done_when_it_is_closed(void **state)
{
	struct fixture *f = *state;
	u32 id = open_campaign(f);

	settle(f);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_RUNNING);
	close_campaign(f, id);
	settle(f);
	assert_int_equal(campaign_of(f, id).state, CAMPAIGN_DONE);
}

static void closed_before_its_start_it_waits_for_it(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign campaign;
	struct planner_intake *intake;
	struct error error = { "" };

	f->is_open = true;
	intake = campaign_begin(f, &campaign, "early");
	f->is_open = false;
	assert_true(planner_intake_finish(intake, &campaign, &error));
	assert_true(append(f, campaign.id, 0, 20));
	close_campaign(f, campaign.id);
	settle(f);
	assert_int_equal(campaign_of(f, campaign.id).state, CAMPAIGN_READY);
	assert_true(planner_campaign_start(f->planner, campaign.id, &error));
	deliver(f);
	assert_once(20);
	assert_int_equal(campaign_of(f, campaign.id).state, CAMPAIGN_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_that_come_while_it_runs_are_sent_and_closing_ends_it),
		TEST(rows_join_a_lane_that_still_has_some),
		TEST(a_batch_that_is_brought_again_is_not_taken_twice),
		TEST(after_a_restart_it_goes_on_behind_its_cursor),
		TEST(it_wants_a_bounded_number_of_rows_and_none_while_it_is_paused),
		TEST(a_cancelled_one_takes_nothing_more_and_is_over),
		TEST(one_that_gets_no_rows_at_all_is_done_when_it_is_closed),
		TEST(closed_before_its_start_it_waits_for_it),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When the planner lends deferred rows again, and when it gives them up. */
#include "planner_fixture.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"
#define HOUR_S 3600ull

static void open_one(struct fixture *f)
{
	fixture_open(f, ANY, "");
	zone_set("x.test", MX_OK, 1000000, "mx.x.test=20.0.0.1");
}

/* The lease that is out is answered 4yz so. */
static void defer(struct fixture *f, u16 code, const char *words)
{
	struct lease *lease = next_lease(f);

	assert_non_null(lease);
	lease->stage = SMTP_STAGE_RCPT;
	lease->code = code;
	lease->host = lease->path->targets[0].address;
	give_back(f, lease, SMTP_VERDICT_TEMPORARY, words);
	settle(f);
}

/* Seconds until a lease is out, which is answered so; at most an hour. */
static u64 seconds_until_lent(struct fixture *f)
{
	u64 seconds = 0;

	while (spsc_is_empty(&f->worker->inbox) && seconds < HOUR_S) {
		pass(f, 1);
		seconds++;
	}
	return seconds;
}

static void a_full_mailbox_waits_by_its_own_schedule(void **state)
{
	static const u64 half_an_hour[] = { 1800 * MS_PER_S };
	struct fixture f;

	(void)state;
	open_one(&f);
	f.config.retry.classes[SMTP_CLASS_MAILBOX_FULL].schedule =
		(struct config_durations){ half_an_hour, 1 };
	send_to(&f, "x.test", 1);
	settle(&f);
	defer(&f, 452, "4.2.2 Mailbox full");
	assert_in_range(seconds_until_lent(&f), 1785, 1800); /* settling takes time, too */
	defer(&f, 451, "4.3.0 Temporary lookup failure");
	assert_in_range(seconds_until_lent(&f), 8, 12);
	fixture_close(&f);
}

static void a_grey_list_that_names_its_time_is_asked_again_after_it(void **state)
{
	struct fixture f;

	(void)state;
	open_one(&f);
	send_to(&f, "x.test", 1);
	settle(&f);
	defer(&f, 451, "4.7.1 Greylisting in action, please come back in 00:04:59");
	assert_in_range(seconds_until_lent(&f), 295, 300);
	fixture_close(&f);
}

static void a_class_that_gives_up_early_expires_only_its_own_rows(void **state)
{
	struct queue_campaign campaign;
	struct fixture f;
	u32 id;

	(void)state;
	open_one(&f);
	f.config.retry.classes[SMTP_CLASS_MAILBOX_FULL].expire_ms = 60 * MS_PER_S;
	id = send_to(&f, "x.test", 1);
	settle(&f);
	for (int i = 0; i < 8; i++) {
		defer(&f, 451, "4.3.0 Temporary lookup failure");
		assert_in_range(seconds_until_lent(&f), 8, 12);
	}
	defer(&f, 452, "4.2.2 Mailbox full");
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.expired, 1);
	assert_int_equal(campaign.deferrals, 8);
	assert_int_equal(campaign.state, CAMPAIGN_DONE);
	fixture_close(&f);
}

/* A campaign of `count` recipients that has to be over in `seconds`. Its id. */
static u32 send_until(struct fixture *f, const char *domain, u32 count, u64 seconds)
{
	struct queue_campaign campaign;
	struct planner_intake *intake;
	char text[300];

	settle(f);
	intake = campaign_begin_until(f, &campaign, domain,
				      planner_deadline_of_wall(f->planner,
							       f->planner->time.wall_ms +
								       seconds * MS_PER_S));
	for (u32 i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "r%u@%s", i, domain);
		add_recipient(intake, text);
	}
	return campaign_start(f, intake, &campaign);
}

static u32 logged_late(struct fixture *f)
{
	struct queue *queue = planner_queue(f->planner);
	struct queue_log_entry entry = { 0 };
	u32 count = 0;

	assert_int_equal(queue_begin(queue), STORE_OK);
	while (queue_log_next(queue, entry.number, &entry) == STORE_OK)
		count += entry.outcome == LOG_EXPIRED &&
			 slice_equal(entry.reply, SLICE("the campaign's deadline is over"));
	queue_abort(queue);
	return count;
}

static void nothing_is_sent_after_the_deadline_wherever_it_waits(void **state)
{
	struct queue_campaign campaign;
	struct fixture f;
	u32 id;

	(void)state;
	open_one(&f);
	id = send_until(&f, "x.test", 300, 100);
	settle(&f);
	/* One is delivered, one deferred, and one with the worker when time is over. */
	give_back(&f, next_lease(&f), SMTP_VERDICT_ACCEPTED, "ok");
	defer(&f, 451, "try later");
	pass(&f, 50);
	assert_int_equal(campaign_of(&f, id).state, CAMPAIGN_RUNNING);
	pass(&f, 52);
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.delivered, 1);
	assert_true(campaign.expired > 0 && campaign.expired < 299);
	/* The deferred one waits for room at its route, where it ends, too. */
	assert_int_equal(answer_all(&f, SMTP_VERDICT_TEMPORARY) + campaign.expired, 298);
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.expired, 299);
	assert_int_equal(campaign.failed, 299);
	assert_int_equal(campaign.deferred, 0);
	assert_int_equal(campaign.state, CAMPAIGN_DONE);
	pass(&f, 600);
	assert_null(next_lease(&f));
	fixture_close(&f);
}

static void a_deadline_goes_by_the_clock_that_nobody_sets(void **state)
{
	struct fixture f;
	u32 id;

	(void)state;
	open_one(&f);
	id = send_until(&f, "x.test", 1, 100);
	settle(&f);
	defer(&f, 451, "try later");
	f.wall_ms += 86400 * MS_PER_S;
	pass(&f, 5);
	assert_int_equal(campaign_of(&f, id).state, CAMPAIGN_RUNNING);
	f.wall_ms -= 10 * 86400 * MS_PER_S;
	pass(&f, 97);
	assert_int_equal(campaign_of(&f, id).expired, 0);
	answer_all(&f, SMTP_VERDICT_TEMPORARY);
	assert_int_equal(campaign_of(&f, id).expired, 1);
	assert_int_equal(campaign_of(&f, id).state, CAMPAIGN_DONE);
	fixture_close(&f);
}

static void a_paused_campaign_expires_too_and_after_a_restart(void **state)
{
	struct queue_campaign campaign;
	struct error error;
	struct fixture f;
	u32 id;

	(void)state;
	open_one(&f);
	zone_set("wait.test", MX_TEMPORARY, 600, "");
	id = send_until(&f, "wait.test", 500, 100);
	settle(&f);
	assert_true(planner_campaign_pause(f.planner, id, &error));
	pass(&f, 90);
	assert_int_equal(campaign_of(&f, id).expired, 0);
	start_again(&f);
	pass(&f, 15);
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.expired, 500);
	assert_int_equal(campaign.state, CAMPAIGN_DONE);
	assert_int_equal(logged_late(&f), 500);
	fixture_close(&f);
}

static void what_is_late_already_is_not_started(void **state)
{
	struct queue_campaign campaign;
	struct planner_intake *intake;
	struct error error;
	struct fixture f;

	(void)state;
	open_one(&f);
	settle(&f);
	assert_int_equal(planner_deadline_of_wall(f.planner, f.planner->time.wall_ms), 0);
	intake = campaign_begin_until(&f, &campaign, "late",
				      planner_deadline_of_wall(f.planner,
							       f.planner->time.wall_ms + 1000));
	add_recipient(intake, "r@x.test");
	assert_true(planner_intake_finish(intake, &campaign, &error));
	assert_int_equal(planner_wall_of_deadline(f.planner, campaign.deadline_ms),
			 f.planner->time.wall_ms + 1000);
	pass(&f, 2);
	assert_false(planner_campaign_start(f.planner, campaign.id, &error));
	assert_string_equal(error.text, "campaign late: its deadline is over");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_mailbox_waits_by_its_own_schedule),
		cmocka_unit_test(a_grey_list_that_names_its_time_is_asked_again_after_it),
		cmocka_unit_test(a_class_that_gives_up_early_expires_only_its_own_rows),
		cmocka_unit_test(nothing_is_sent_after_the_deadline_wherever_it_waits),
		cmocka_unit_test(a_deadline_goes_by_the_clock_that_nobody_sets),
		cmocka_unit_test(a_paused_campaign_expires_too_and_after_a_restart),
		cmocka_unit_test(what_is_late_already_is_not_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

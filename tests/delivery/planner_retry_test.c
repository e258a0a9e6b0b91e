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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_mailbox_waits_by_its_own_schedule),
		cmocka_unit_test(a_grey_list_that_names_its_time_is_asked_again_after_it),
		cmocka_unit_test(a_class_that_gives_up_early_expires_only_its_own_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

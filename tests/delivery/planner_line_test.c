/* Whose turn it is at a route: mail that somebody waits for, and campaigns among themselves. */
#include "planner_fixture.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"

static void open_with(struct fixture *f, const char *site)
{
	char more[512];

	snprintf(more, sizeof(more),
		 "site \"x\" { mx = {\"mx.test\", \"mx2.test\"} adaptive = false %s }\n", site);
	fixture_open(f, ANY, more);
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
}

static u32 send_urgent(struct fixture *f, const char *domain, u32 count)
{
	u32 id;

	f->kind = CAMPAIGN_TRANSACTIONAL;
	id = send_to(f, domain, count);
	f->kind = CAMPAIGN_BULK;
	return id;
}

/* A campaign with `each` recipients at each of `domains` domains ("PREFIX0.test", ...). */
static u32 send_wide(struct fixture *f, const char *prefix, u32 domains, u32 each)
{
	static u32 number;
	struct queue_campaign campaign;
	struct planner_intake *intake;
	char text[64];

	snprintf(text, sizeof(text), "wide-%u", number++);
	intake = campaign_begin(f, &campaign, text);
	for (u32 d = 0; d < domains; d++) {
		for (u32 i = 0; i < each; i++) {
			snprintf(text, sizeof(text), "r%u@%s%u.test", i, prefix, d);
			add_recipient(intake, text);
		}
	}
	return campaign_start(f, intake, &campaign);
}

/* Whatever its name, its mail goes to the one host. */
static void answer_others(const char *domain, struct mx_answer *answer)
{
	(void)domain;
	*answer = (struct mx_answer){ .status = MX_OK, .ttl_s = 86400 * 7 };
	answer_parse(answer, "mx.test=20.0.0.1");
}

/* Leases of the campaign among those that are out there now; they are all taken. */
static u32 take_all(struct fixture *f, u32 id, u32 *others)
{
	struct lease *lease;
	u32 count = 0;

	*others = 0;
	while ((lease = next_lease(f))) {
		count += lease->ref.id.campaign == id;
		*others += lease->ref.id.campaign != id;
		give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	}
	settle(f);
	return count;
}

/* ---- mail that somebody waits for ---- */

static void it_goes_before_bulk_mail_that_waits_already(void **state)
{
	struct fixture f;
	u32 urgent;
	u32 others;

	(void)state;
	open_with(&f, "per-hour = 40");
	send_to(&f, "x.test", 1000);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 40);
	urgent = send_urgent(&f, "x.test", 20);
	pass(&f, 3900);
	assert_int_equal(take_all(&f, urgent, &others), 20);
	assert_int_equal(others, 20);
	fixture_close(&f);
}

static void it_does_not_wait_for_a_place_that_bulk_mail_has(void **state)
{
	struct lease *lease;
	struct fixture f;
	u32 count = 0;
	u32 urgent;

	(void)state;
	open_with(&f, "sessions = 4");
	send_to(&f, "x.test", 5000);
	settle(&f);
	while ((lease = next_lease(&f)))
		count++;
	/* None of these comes back: there is room for no more of them. */
	assert_true(count > 0);
	urgent = send_urgent(&f, "x.test", 5);
	settle(&f);
	for (u32 i = 0; i < 5; i++) {
		lease = next_lease(&f);
		assert_non_null(lease);
		assert_int_equal(lease->ref.id.campaign, urgent);
		assert_true(lease->is_urgent);
	}
	assert_null(next_lease(&f));
	fixture_close(&f);
}

static void its_second_attempts_go_first_as_well(void **state)
{
	struct fixture f;
	struct error error;
	u32 others;
	u32 urgent;

	(void)state;
	open_with(&f, "per-hour = 60");
	urgent = send_urgent(&f, "x.test", 20);
	send_to(&f, "x.test", 20);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_TEMPORARY), 40);
	assert_true(planner_site_suspend(f.planner, SLICE("mx.test"), &error));
	pass(&f, 30);
	assert_int_equal(f.planner->refs_waiting, 40);
	assert_true(planner_site_resume(f.planner, SLICE("mx.test"), &error));
	settle(&f);
	/* What the hour has left: all of them, but for the few turns that bulk mail has. */
	assert_in_range(take_all(&f, urgent, &others), 17, 20);
	assert_in_range(others, 0, 3);
	fixture_close(&f);
}

static void bulk_mail_goes_on_beside_it(void **state)
{
	struct fixture f;
	u32 urgent;
	u32 others;

	(void)state;
	open_with(&f, "per-hour = 80");
	urgent = send_urgent(&f, "x.test", 5000);
	send_to(&f, "x.test", 5000);
	settle(&f);
	assert_in_range(take_all(&f, urgent, &others), 70, 72);
	assert_in_range(others, 8, 10);
	fixture_close(&f);
}

static void bulk_mail_elsewhere_goes_on_beside_it_too(void **state)
{
	struct fixture f;
	u32 others = 0;
	u32 sum = 0;
	u32 bulk;

	(void)state;
	open_with(&f, "sessions = 2000");
	/* Two receivers of what somebody waits for have use for all that can be out at once. */
	zone_set("y.test", MX_OK, 86400 * 7, "mx2.test=20.0.0.2");
	zone_set("z.test", MX_OK, 86400 * 7, "mx3.test=20.0.0.3");
	f.planner->lease_count = 1000;
	send_urgent(&f, "x.test", 6000);
	send_urgent(&f, "y.test", 6000);
	bulk = send_to(&f, "z.test", 6000);
	settle(&f);
	for (u32 i = 0; i < 4; i++)
		sum += take_all(&f, bulk, &others);
	assert_true(others > 0);
	assert_true(sum > 0);
	fixture_close(&f);
}

/* ---- campaigns among themselves ---- */

static void campaigns_of_different_sizes_have_equal_shares_of_a_receiver(void **state)
{
	struct fixture f;
	u32 sent[2] = { 0, 0 };
	u32 big;

	(void)state;
	open_with(&f, "rate = 20");
	big = send_to(&f, "x.test", 20000);
	send_to(&f, "x.test", 1500);
	settle(&f);
	for (u32 i = 0; i < 100; i++) {
		u32 others;

		pass(&f, 1);
		sent[0] += take_all(&f, big, &others);
		sent[1] += others;
	}
	assert_in_range(sent[0] + sent[1], 100, 2100);
	assert_in_range(sent[0], sent[1] - 16, sent[1] + 16);
	fixture_close(&f);
}

static void a_campaign_to_many_domains_of_a_receiver_has_no_more_than_one_to_few(void **state)
{
	struct fixture f;
	u32 sent[2] = { 0, 0 };
	u32 wide;

	(void)state;
	open_with(&f, "rate = 20");
	dns.answer_others = answer_others;
	wide = send_wide(&f, "d", 40, 50);
	send_to(&f, "x.test", 1500);
	pass(&f, 2);
	for (u32 i = 0; i < 100; i++) {
		u32 others;

		pass(&f, 1);
		sent[0] += take_all(&f, wide, &others);
		sent[1] += others;
	}
	assert_in_range(sent[0], sent[1] - 32, sent[1] + 32);
	fixture_close(&f);
}

static void a_campaign_that_comes_later_finds_room_for_its_lanes(void **state)
{
	struct fixture f;
	u32 urgent;
	u32 late;

	(void)state;
	open_with(&f, "sessions = 1");
	dns.answer_others = answer_others;
	/* Far more domains than may be in memory, at a receiver that takes nothing. */
	send_wide(&f, "d", LANES_ACTIVE_MAX + 500, 1);
	pass(&f, 200);
	late = send_wide(&f, "l", 300, 1);
	urgent = send_urgent(&f, "x.test", 3);
	settle(&f);
	assert_int_equal(planner_campaign(f.planner, late)->lanes_active, 300);
	assert_int_equal(planner_campaign(f.planner, urgent)->lanes_active, 1);
	assert_in_range(f.planner->lanes_active, LANES_ACTIVE_MAX / 2, LANES_ACTIVE_MAX);
	fixture_close(&f);
}

/* Each row of two campaigns was put off once, the big one's first, and all of them are due. */
static u32 put_off(struct fixture *f, u32 big, u32 small)
{
	struct error error;
	u32 id;

	send_to(f, "x.test", big);
	settle(f);
	while (answer_all(f, SMTP_VERDICT_TEMPORARY) > 0)
		;
	id = send_to(f, "x.test", small);
	settle(f);
	while (answer_all(f, SMTP_VERDICT_TEMPORARY) > 0)
		;
	assert_true(planner_site_suspend(f->planner, SLICE("mx.test"), &error));
	pass(f, 15);
	return id;
}

static void a_campaigns_retries_do_not_wait_behind_those_of_another(void **state)
{
	struct fixture f;
	struct error error;
	u32 others;
	u32 small;

	(void)state;
	open_with(&f, "sessions = 4");
	small = put_off(&f, 2000, 100);
	assert_int_equal(f.planner->refs_waiting, 2100);
	assert_true(planner_site_resume(f.planner, SLICE("mx.test"), &error));
	settle(&f);
	assert_in_range(take_all(&f, small, &others), 32, 48);
	assert_in_range(others, 32, 48);
	fixture_close(&f);
}

static void a_campaigns_retries_find_a_place_at_a_route_that_is_full_of_anothers(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "sessions = 400");
	put_off(&f, ROUTE_REFS_MAX + 1000, 50);
	assert_int_equal(f.planner->refs_waiting, ROUTE_REFS_MAX + 50);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_before_bulk_mail_that_waits_already),
		cmocka_unit_test(it_does_not_wait_for_a_place_that_bulk_mail_has),
		cmocka_unit_test(its_second_attempts_go_first_as_well),
		cmocka_unit_test(bulk_mail_goes_on_beside_it),
		cmocka_unit_test(bulk_mail_elsewhere_goes_on_beside_it_too),
		cmocka_unit_test(campaigns_of_different_sizes_have_equal_shares_of_a_receiver),
		cmocka_unit_test(
			a_campaign_to_many_domains_of_a_receiver_has_no_more_than_one_to_few),
		cmocka_unit_test(a_campaign_that_comes_later_finds_room_for_its_lanes),
		cmocka_unit_test(a_campaigns_retries_do_not_wait_behind_those_of_another),
		cmocka_unit_test(
			a_campaigns_retries_find_a_place_at_a_route_that_is_full_of_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

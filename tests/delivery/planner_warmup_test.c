/* Source addresses in their warm-up, in a sender: days, restarts, other ways for what is over. */
#include "planner_fixture.h"

#define BLOCKED "your address 192.0.2.1 is on our block list"
#define COLD "address \"20.9.9.1\" { ehlo = \"m1.a.example\" warm-up = true %s }\n"
#define WARM "address \"20.9.9.2\" { ehlo = \"m2.a.example\" }\n"

static void open_with(struct fixture *f, const char *cold, const char *others, const char *site)
{
	char addresses[1024];
	char more[512];

	snprintf(addresses, sizeof(addresses), COLD "%s", cold, others);
	snprintf(more, sizeof(more),
		 "site \"x\" { mx = {\"mx.test\", \"mx2.test\"} adaptive = false %s }\n", site);
	fixture_open(f, addresses, more);
	/* Away from midnight, and the next start goes on from there. */
	f->planner->time.due_ms = f->planner->time.due_ms / 86400000 * 86400000 + 3600000;
	f->planner->noted_ns = 0;
	zone_set("x.test", MX_OK, 86400 * 90, "mx.test=20.0.0.1");
	zone_set("y.test", MX_OK, 86400 * 90, "mx2.test=20.0.0.2");
	zone_set("z.test", MX_OK, 86400 * 90, "other.test=20.0.0.3");
}

/* What is out there by the last number of the source address; all of it is taken. */
static void take_by_source(struct fixture *f, u32 counts[3])
{
	struct lease *lease;

	memset(counts, 0, 3 * sizeof(*counts));
	while ((lease = next_lease(f))) {
		counts[lease->path->source4.ip[3]]++;
		lease->host.family = 4;
		give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	}
	settle(f);
}

/* Through a day in steps of ten minutes; `sums` as above. */
static void live_a_day(struct fixture *f, u32 sums[3])
{
	memset(sums, 0, 3 * sizeof(*sums));
	for (u32 i = 0; i < 144; i++) {
		u32 counts[3];

		/* Several turns: what is over moves in between. */
		for (u32 k = 0; k < 6; k++) {
			f->now_ns += 100 * NS_PER_S;
			f->wall_ms += 100 * MS_PER_S;
			settle(f);
			do {
				take_by_source(f, counts);
				sums[1] += counts[1];
				sums[2] += counts[2];
			} while (counts[1] + counts[2] > 0);
		}
	}
}

static const struct warmup *warmup_of(struct fixture *f, u32 source, const char *rule)
{
	const struct config *config = &f->config;

	for (size_t i = 0; i < config->site_count; i++) {
		if (strcmp(config->sites[i].name, rule) == 0)
			return &f->planner->warmings[source].units[i]->warmup;
	}
	fail_msg("no rule %s", rule);
	return NULL;
}

/* Of the first address. */
static const struct warmup *warmup_at(struct fixture *f, const char *rule)
{
	return warmup_of(f, 0, rule);
}

/* They are not answered any more. */
static void lose_all(struct fixture *f)
{
	while (next_lease(f))
		;
}

/* ---- days ---- */

static void a_new_address_sends_by_its_plan_and_the_rest_waits(void **state)
{
	static const u32 days[] = { 100, 200, 400, 800 };
	struct fixture f;
	u32 sums[3];
	u32 id;

	(void)state;
	open_with(&f, "", "", "warm-up-growth = 200 warm-up-target = 800");
	id = send_to(&f, "x.test", 3000);
	/* What is left of a day whose first hour is over. */
	live_a_day(&f, sums);
	for (size_t i = 1; i < array_count(days); i++) {
		assert_int_equal(warmup_at(&f, "x")->step, i + 1);
		live_a_day(&f, sums);
	}
	live_a_day(&f, sums);
	assert_int_equal(warmup_at(&f, "x")->state, WARMUP_DONE);
	assert_int_equal(campaign_of(&f, id).delivered, 3000);
	/* Waiting was no attempt. */
	assert_int_equal(campaign_of(&f, id).deferrals, 0);
	fixture_close(&f);
}

static void a_day_has_no_more_than_its_plan_also_after_a_crash(void **state)
{
	struct fixture f;
	struct lease *lease;
	u32 lent = 0;

	(void)state;
	open_with(&f, "", "", "warm-up-first = 50");
	send_to(&f, "x.test", 1000);
	settle(&f);
	/* None of these is ever answered. */
	for (u32 hour = 0; hour < 10; hour++) {
		while ((lease = next_lease(&f)))
			lent++;
		pass(&f, 3600);
	}
	assert_int_equal(lent, 50);
	start_again(&f);
	pass(&f, 3600);
	assert_null(next_lease(&f));
	assert_int_equal(warmup_at(&f, "x")->sent, 50);
	assert_int_equal(warmup_at(&f, "x")->step, 1);
	fixture_close(&f);
}

static void a_receiver_is_all_its_sites_and_everybody_else_is_one(void **state)
{
	struct fixture f;
	struct lease *lease;
	u32 at[3] = { 0 };

	(void)state;
	open_with(&f, "", "", "warm-up-first = 20");
	send_to(&f, "x.test", 100);
	send_to(&f, "y.test", 100);
	send_to(&f, "z.test", 100);
	settle(&f);
	while ((lease = next_lease(&f)))
		at[lease->path->targets[0].address.ip[3] - 1]++;
	assert_int_equal(at[0] + at[1], 20);
	assert_int_equal(at[2], 20); /* a first hour of a hundred a day */
	fixture_close(&f);
}

static void a_wall_clock_that_is_set_makes_no_day(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_with(&f, "", "", "warm-up-first = 10");
	send_to(&f, "x.test", 100);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 10);
	f.wall_ms += 40 * 86400000ull;
	pass(&f, 3600);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 0);
	assert_int_equal(warmup_at(&f, "x")->step, 1);
	fixture_close(&f);
}

static void a_share_of_the_day_is_for_mail_that_somebody_waits_for(void **state)
{
	struct fixture f;
	u32 sums[3];
	u32 counts[3];

	(void)state;
	open_with(&f, "", "", "reserve = 20 warm-up-growth = 101");
	send_to(&f, "x.test", 1000);
	for (u32 i = 0; i < 20; i++) {
		pass(&f, 3600);
		take_by_source(&f, counts);
	}
	assert_int_equal(warmup_at(&f, "x")->sent, 80);
	f.kind = CAMPAIGN_TRANSACTIONAL;
	send_to(&f, "x.test", 50);
	settle(&f);
	take_by_source(&f, sums);
	assert_int_equal(sums[1], 20);
	fixture_close(&f);
}

/* The receiver has addresses of both families; mail goes by IPv4 alone. */
static void what_went_by_the_other_family_does_not_count(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_with(&f, "", "address \"2a00:9::2\" { ehlo = \"m6.a.example\" warm-up = true }\n",
		  "warm-up-first = 10");
	zone_set("x.test", MX_OK, 86400 * 90, "mx.test=20.0.0.1,2a00::1");
	send_to(&f, "x.test", 100);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 10);
	assert_int_equal(warmup_of(&f, 0, "x")->sent, 10);
	assert_int_equal(warmup_of(&f, 0, "x")->answers, 10);
	assert_int_equal(warmup_of(&f, 1, "x")->sent, 0);
	fixture_close(&f);
}

static void routes_that_were_only_looked_at_are_forgotten(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "", WARM, "warm-up-first = 1");
	send_to(&f, "x.test", 20);
	for (u32 i = 0; i < 20; i++) {
		settle(&f);
		answer_all(&f, SMTP_VERDICT_ACCEPTED);
		pass(&f, 3);
	}
	assert_int_equal(f.planner->route_count, 2);
	assert_int_equal(f.planner->idle_route_count, 2);
	pass(&f, 2 * 86400);
	assert_int_equal(f.planner->route_count, 0);
	fixture_close(&f);
}

/* ---- bad signals ---- */

static void a_receiver_that_refuses_the_address_stops_its_day(void **state)
{
	struct fixture f;
	struct lease *lease;
	u32 refused = 0;

	(void)state;
	open_with(&f, "warm-up-day = 5", "", "");
	send_to(&f, "x.test", 1000);
	settle(&f);
	assert_int_equal(warmup_at(&f, "x")->step, 5);
	while ((lease = next_lease(&f))) {
		lease->code = 550;
		lease->enhanced[0] = 5;
		lease->enhanced[1] = 7;
		lease->enhanced[2] = 1;
		lease->stage = SMTP_STAGE_DOT;
		lease->host.family = 4;
		give_back(&f, lease, SMTP_VERDICT_PERMANENT, BLOCKED);
		refused++;
	}
	settle(&f);
	assert_in_range(refused, 3, 100);
	assert_int_equal(warmup_at(&f, "x")->state, WARMUP_STOPPED);
	pass(&f, 5 * 3600);
	assert_null(next_lease(&f));
	start_again(&f);
	pass(&f, 3600);
	assert_null(next_lease(&f));
	assert_int_equal(warmup_at(&f, "x")->state, WARMUP_STOPPED);
	pass(&f, 86400);
	assert_non_null(next_lease(&f));
	assert_int_equal(warmup_at(&f, "x")->step, 4);
	fixture_close(&f);
}

static void complaints_hold_the_address_that_most_mail_went_by(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_with(&f, "", "", "warm-up-first = 60");
	send_to(&f, "x.test", 20);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 20);
	/* Nobody of whom is known where his mail goes, and nobody's customer. */
	planner_warmup_complained(f.planner, SLICE("a.example"), SLICE("nowhere.test"));
	planner_warmup_complained(f.planner, SLICE("b.example"), SLICE("x.test"));
	assert_int_equal(warmup_at(&f, "x")->complaints, 0);
	planner_warmup_complained(f.planner, SLICE("a.example"), SLICE("x.test"));
	assert_int_equal(warmup_at(&f, "x")->state, WARMUP_RISING);
	planner_warmup_complained(f.planner, SLICE("a.example"), SLICE("x.test"));
	assert_int_equal(warmup_at(&f, "x")->complaints, 2);
	assert_int_equal(warmup_at(&f, "x")->state, WARMUP_STOPPED);
	settle(&f);
	start_again(&f);
	assert_int_equal(warmup_at(&f, "x")->state, WARMUP_STOPPED);
	fixture_close(&f);
}

static void complaints_about_mail_by_another_address_are_laid_to_that(void **state)
{
	struct fixture f;
	u32 sums[3] = { 0 };

	(void)state;
	open_with(&f, "", WARM, "warm-up-first = 20");
	send_to(&f, "x.test", 2000);
	settle(&f);
	for (u32 i = 0; i < 200; i++) {
		u32 counts[3];

		pass(&f, 1);
		take_by_source(&f, counts);
		sums[1] += counts[1];
		sums[2] += counts[2];
	}
	assert_int_equal(sums[1], 20);
	assert_int_equal(sums[2], 1980);
	for (u32 i = 0; i < 100; i++)
		planner_warmup_complained(f.planner, SLICE("a.example"), SLICE("x.test"));
	/* One, on the average. */
	assert_in_range(warmup_at(&f, "x")->complaints, 0, 6);
	fixture_close(&f);
}

/* ---- other ways ---- */

static void what_is_over_goes_by_other_addresses_and_the_new_one_has_its_share_each_day(void **state)
{
	struct fixture f;
	u32 sums[3];
	u32 id;

	(void)state;
	open_with(&f, "", WARM, "warm-up-growth = 200 rate = 1");
	/* One domain: a single lane, which would stand at one address for ever. */
	id = send_to(&f, "x.test", 20000);
	settle(&f);
	/* Up to an hour past midnight. */
	live_a_day(&f, sums);
	assert_int_equal(warmup_at(&f, "x")->step, 2);
	assert_in_range(sums[1], 100, 140);
	live_a_day(&f, sums);
	assert_int_equal(warmup_at(&f, "x")->step, 3);
	assert_in_range(sums[1], 180, 260);
	assert_true(sums[2] > 500);
	assert_int_equal(campaign_of(&f, id).deferrals, 0);
	fixture_close(&f);
}

static void rows_that_come_again_do_not_wait_for_a_warm_up_either(void **state)
{
	struct fixture f;
	u32 counts[3];
	u32 id;

	(void)state;
	open_with(&f, "", WARM, "warm-up-first = 5");
	id = send_to(&f, "x.test", 40);
	settle(&f);
	for (u32 i = 0; i < 10; i++) {
		answer_all(&f, SMTP_VERDICT_TEMPORARY);
		pass(&f, 3);
	}
	for (u32 i = 0; i < 30; i++) {
		pass(&f, 3);
		take_by_source(&f, counts);
	}
	assert_int_equal(campaign_of(&f, id).delivered, 40);
	assert_in_range(warmup_at(&f, "x")->sent, 1, 5);
	fixture_close(&f);
}

static void a_sender_that_stops_has_nothing_to_move(void **state)
{
	struct fixture f;
	struct lease *lease;

	(void)state;
	open_with(&f, "", WARM, "warm-up-first = 5");
	send_to(&f, "x.test", 100);
	settle(&f);
	lease = next_lease(&f);
	assert_non_null(lease);
	planner_stop(f.planner);
	pass(&f, 10);
	/* It waits for the leases that are out, and not at once again and again. */
	assert_false(planner_is_quiet(f.planner));
	assert_true(planner_wait_ns(f.planner, f.now_ns) > 100 * NS_PER_MS);
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	while (answer_all(&f, SMTP_VERDICT_ACCEPTED) > 0)
		;
	assert_true(planner_is_quiet(f.planner));
	fixture_close(&f);
}

/* ---- orders ---- */

static void must_order(struct fixture *f, enum planner_warmup_action action, u32 step,
		       const char *receiver)
{
	const struct planner_warmup_order order = { .source = SLICE("20.9.9.1"),
						    .action = action,
						    .step = step,
						    .receiver = slice_of(receiver) };
	struct error error = { "" };

	if (!planner_warmup_order(f->planner, &order, &error))
		fail_msg("%s", error.text);
	settle(f);
}

static void orders_count_at_once_and_are_kept(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_with(&f, "", "", "sessions = 50");
	send_to(&f, "x.test", 5000);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 20);
	must_order(&f, PLANNER_WARMUP_START, 10, "");
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 640);
	must_order(&f, PLANNER_WARMUP_SKIP, 0, "x");
	assert_int_equal(warmup_at(&f, "x")->step, 11);
	must_order(&f, PLANNER_WARMUP_PAUSE, 0, "");
	lose_all(&f);
	start_again(&f);
	settle(&f);
	assert_true(f.planner->warmings[0].is_paused);
	assert_int_equal(warmup_at(&f, "x")->step, 11);
	pass(&f, 3600);
	take_by_source(&f, counts);
	assert_true(counts[1] > 0);
	must_order(&f, PLANNER_WARMUP_STOP, 0, "");
	lose_all(&f);
	start_again(&f);
	settle(&f);
	assert_int_equal(f.planner->warming_count, 0);
	do
		take_by_source(&f, counts);
	while (counts[1] > 0);
	assert_int_equal(metric_get(&f.planner->m->rows_committed) > 4000, true);
	fixture_close(&f);
}

static void an_order_that_cannot_be_is_refused(void **state)
{
	const struct planner_warmup_order nobody = { .source = SLICE("192.0.2.77"),
						     .action = PLANNER_WARMUP_START };
	const struct planner_warmup_order off = { .source = SLICE("20.9.9.2"),
						  .action = PLANNER_WARMUP_PAUSE };
	const struct planner_warmup_order nowhere = { .source = SLICE("20.9.9.1"),
						      .action = PLANNER_WARMUP_SKIP,
						      .receiver = SLICE("nowhere") };
	struct fixture f;
	struct error error;

	(void)state;
	open_with(&f, "", WARM, "");
	assert_false(planner_warmup_order(f.planner, &nobody, &error));
	assert_string_equal(error.text, "no customer has the source address \"192.0.2.77\"");
	assert_false(planner_warmup_order(f.planner, &off, &error));
	assert_string_equal(error.text, "20.9.9.2 is in no warm-up");
	assert_false(planner_warmup_order(f.planner, &nowhere, &error));
	assert_string_equal(error.text, "there is no receiver \"nowhere\"");
	assert_true(f.planner->warmings[0].is_on && !f.planner->warmings[0].is_ordered);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_address_sends_by_its_plan_and_the_rest_waits),
		cmocka_unit_test(a_day_has_no_more_than_its_plan_also_after_a_crash),
		cmocka_unit_test(a_receiver_is_all_its_sites_and_everybody_else_is_one),
		cmocka_unit_test(a_wall_clock_that_is_set_makes_no_day),
		cmocka_unit_test(a_share_of_the_day_is_for_mail_that_somebody_waits_for),
		cmocka_unit_test(what_went_by_the_other_family_does_not_count),
		cmocka_unit_test(routes_that_were_only_looked_at_are_forgotten),
		cmocka_unit_test(a_receiver_that_refuses_the_address_stops_its_day),
		cmocka_unit_test(complaints_hold_the_address_that_most_mail_went_by),
		cmocka_unit_test(complaints_about_mail_by_another_address_are_laid_to_that),
		cmocka_unit_test(
			what_is_over_goes_by_other_addresses_and_the_new_one_has_its_share_each_day),
		cmocka_unit_test(rows_that_come_again_do_not_wait_for_a_warm_up_either),
		cmocka_unit_test(a_sender_that_stops_has_nothing_to_move),
		cmocka_unit_test(orders_count_at_once_and_are_kept),
		cmocka_unit_test(an_order_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

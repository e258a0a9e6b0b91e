/* What limits and receivers' answers do to routes: how much is lent, over hours and restarts. */
#include "planner_fixture.h"

#define BLOCKED "your address 192.0.2.1 is on our block list"
#define TOO_FAST "too many messages from your address, slow down"
#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"

static void open_with(struct fixture *f, const char *site)
{
	char more[512];

	snprintf(more, sizeof(more), "site \"x\" { mx = {\"mx.test\"} sessions = 50 %s }\n", site);
	fixture_open(f, ANY, more);
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
}

static void answer(struct fixture *f, struct lease *lease, enum smtp_verdict verdict, u16 code,
		   u16 subject, u16 detail, const char *words)
{
	lease->code = code;
	lease->enhanced[0] = (u16)(code / 100);
	lease->enhanced[1] = subject;
	lease->enhanced[2] = detail;
	lease->stage = SMTP_STAGE_DOT;
	give_back(f, lease, verdict, words);
}

/* Lent and taken during so many seconds. */
static u32 taken_in(struct fixture *f, u64 seconds)
{
	u32 count = 0;

	for (u64 i = 0; i < seconds; i++) {
		pass(f, 1);
		count += answer_all(f, SMTP_VERDICT_ACCEPTED);
	}
	return count;
}

static void no_hour_has_more_than_its_limit_also_after_a_restart(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "per-hour = 30 adaptive = false");
	send_to(&f, "x.test", 100);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 30);
	assert_int_equal(taken_in(&f, 600), 0);
	start_again(&f);
	assert_int_equal(taken_in(&f, 2900), 0);
	assert_int_equal(taken_in(&f, 500), 30);
	fixture_close(&f);
}

static void what_was_lent_before_a_crash_counts(void **state)
{
	struct lease *lease;
	struct fixture f;
	u32 lent = 0;

	(void)state;
	open_with(&f, "per-day = 30 adaptive = false");
	send_to(&f, "x.test", 100);
	settle(&f);
	/* None of these is ever answered. */
	while ((lease = next_lease(&f)))
		lent++;
	assert_int_equal(lent, 30);
	start_again(&f);
	assert_int_equal(taken_in(&f, 3600), 0);
	fixture_close(&f);
}

static void rows_that_come_back_unsent_do_not_use_the_limit_up(void **state)
{
	struct lease *lease;
	struct fixture f;
	u32 count = 0;

	(void)state;
	open_with(&f, "per-hour = 30 adaptive = false");
	send_to(&f, "x.test", 100);
	settle(&f);
	while ((lease = next_lease(&f))) {
		give_back(&f, lease, count < 10 ? SMTP_VERDICT_UNSENT : SMTP_VERDICT_ACCEPTED, "");
		count++;
	}
	assert_int_equal(count, 30);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 10);
	fixture_close(&f);
}

static void a_receiver_that_says_too_fast_has_a_pause_and_then_gets_less(void **state)
{
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_with(&f, "");
	send_to(&f, "x.test", 1000);
	settle(&f);
	/* Slow start: four, then eight. */
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 4);
	settle(&f);
	for (u32 i = 0; i < 8; i++) {
		lease = next_lease(&f);
		assert_non_null(lease);
		answer(&f, lease, SMTP_VERDICT_TEMPORARY, 421, 7, 0, TOO_FAST);
	}
	assert_null(next_lease(&f));
	pass(&f, 4);
	assert_null(next_lease(&f));
	pass(&f, 2);
	assert_non_null(next_lease(&f));
	fixture_close(&f);
}

static void what_was_lent_ahead_is_asked_back_when_the_receiver_wants_less(void **state)
{
	struct lease *first;
	struct lease *second;
	struct fixture f;

	(void)state;
	open_with(&f, "");
	send_to(&f, "x.test", 10);
	settle(&f);
	first = next_lease(&f);
	second = next_lease(&f);
	assert_non_null(second);
	give_back(&f, next_lease(&f), SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_int_equal(path_recalls(second->path), second->recalls);
	answer(&f, first, SMTP_VERDICT_TEMPORARY, 421, 7, 0, TOO_FAST);
	settle(&f);
	/* The worker sees it by this. */
	assert_true(path_recalls(second->path) > second->recalls);
	do
		give_back(&f, second, SMTP_VERDICT_UNSENT, "");
	while ((second = next_lease(&f)));
	pass(&f, 6);
	second = next_lease(&f);
	assert_non_null(second);
	assert_int_equal(path_recalls(second->path), second->recalls);
	assert_int_equal(second->attempts, 0);
	fixture_close(&f);
}

static void a_receiver_that_refuses_us_costs_few_recipients(void **state)
{
	struct planner_route *route;
	struct lease *lease;
	struct fixture f;
	u32 refused = 0;
	u32 id;

	(void)state;
	open_with(&f, "");
	id = send_to(&f, "x.test", 1000);
	for (u32 i = 0; i < 600; i++) {
		pass(&f, 1);
		while ((lease = next_lease(&f))) {
			answer(&f, lease, SMTP_VERDICT_PERMANENT, 550, 7, 1, BLOCKED);
			refused++;
		}
	}
	assert_in_range(refused, 5, 12);
	/* It is not the recipients that were refused. */
	assert_int_equal(campaign_of(&f, id).failed, 0);
	assert_int_equal(campaign_of(&f, id).deferred, refused);
	route = list_entry(f.planner->routes.next, struct planner_route, all);
	assert_int_equal(route->shaper.state, SHAPER_BROKEN);
	assert_string_equal(route->reason, BLOCKED);
	/* After a quarter of an hour one message tries; it is taken, and it goes on. */
	pass(&f, 310);
	lease = next_lease(&f);
	assert_non_null(lease);
	assert_null(next_lease(&f));
	answer(&f, lease, SMTP_VERDICT_ACCEPTED, 250, 0, 0, "ok");
	settle(&f);
	assert_int_equal(taken_in(&f, 120), 999);
	assert_int_equal(campaign_of(&f, id).delivered, 1000);
	fixture_close(&f);
}

static void bad_mailboxes_are_no_reason_to_send_less(void **state)
{
	struct fixture f;
	struct lease *lease;
	u32 count = 0;

	(void)state;
	open_with(&f, "");
	send_to(&f, "x.test", 300);
	for (u32 i = 0; i < 30; i++) {
		pass(&f, 1);
		while ((lease = next_lease(&f))) {
			answer(&f, lease, SMTP_VERDICT_PERMANENT, 550, 1, 1, "no such user");
			count++;
		}
	}
	assert_int_equal(count, 300);
	fixture_close(&f);
}

static u32 lent_now(struct fixture *f)
{
	u32 count = 0;

	settle(f);
	while (next_lease(f))
		count++;
	return count;
}

static void what_an_operator_sets_counts_at_once(void **state)
{
	struct error error = { "" };
	struct fixture f;

	(void)state;
	open_with(&f, "adaptive = false per-day = 5");
	send_to(&f, "x.test", 1000);
	assert_int_equal(lent_now(&f), 5);
	pass(&f, 60);
	assert_null(next_lease(&f));
	assert_true(planner_site_set(f.planner, SLICE("x"), SLICE("per-day=12"), &error));
	assert_int_equal(lent_now(&f), 7);
	/* Of the site itself it counts more than of its rule. */
	assert_true(planner_site_set(f.planner, SLICE("mx.test"), SLICE("per-day=20"), &error));
	assert_int_equal(lent_now(&f), 8);
	assert_true(planner_site_unset(f.planner, SLICE("mx.test"), &error));
	pass(&f, 60);
	assert_null(next_lease(&f));
	fixture_close(&f);
}

static void a_receiver_is_looked_up_by_rule_site_domain_or_exchanger(void **state)
{
	struct planner_site_view view;
	struct error error = { "" };
	struct fixture f;

	(void)state;
	open_with(&f, "rate = 9");
	send_to(&f, "x.test", 1);
	settle(&f);
	assert_true(planner_site_look(f.planner, SLICE("x"), SLICE_NONE, SLICE_NONE, &view, &error));
	assert_int_equal(view.limits.rate_per_s, 9);
	assert_null(view.site);
	assert_true(planner_site_look(f.planner, SLICE("x.test"), SLICE_NONE, SLICE_NONE, &view,
				      &error));
	assert_string_equal(view.rule, "x");
	assert_string_equal(view.site, "mx.test");
	assert_true(planner_site_look(f.planner, SLICE("gmail.com"),
				      SLICE("gmail-smtp-in.l.google.com"), SLICE_NONE, &view,
				      &error));
	assert_string_equal(view.rule, "gmail");
	assert_null(view.site);
	assert_false(planner_site_look(f.planner, SLICE("y.test"), SLICE_NONE, SLICE_NONE, &view,
				       &error));
	assert_string_equal(error.text, "there is no rule, no site and no domain known as "
					"\"y.test\"");
	assert_false(planner_site_set(f.planner, SLICE("y"), SLICE("rate=1"), &error));
	assert_string_equal(error.text, "there is no rule and no site named \"y\"");
	fixture_close(&f);
}

static void who_is_forgiven_starts_anew(void **state)
{
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_with(&f, "");
	send_to(&f, "x.test", 1000);
	for (u32 i = 0; i < 60; i++) {
		pass(&f, 1);
		while ((lease = next_lease(&f)))
			answer(&f, lease, SMTP_VERDICT_PERMANENT, 550, 7, 1, BLOCKED);
	}
	assert_int_equal(lent_now(&f), 0);
	assert_true(planner_site_forgive(f.planner, SLICE("x")));
	assert_int_equal(lent_now(&f), SHAPER_START);
	assert_false(planner_site_forgive(f.planner, SLICE("gmail")));
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_hour_has_more_than_its_limit_also_after_a_restart),
		cmocka_unit_test(what_was_lent_before_a_crash_counts),
		cmocka_unit_test(rows_that_come_back_unsent_do_not_use_the_limit_up),
		cmocka_unit_test(a_receiver_that_says_too_fast_has_a_pause_and_then_gets_less),
		cmocka_unit_test(what_was_lent_ahead_is_asked_back_when_the_receiver_wants_less),
		cmocka_unit_test(a_receiver_that_refuses_us_costs_few_recipients),
		cmocka_unit_test(bad_mailboxes_are_no_reason_to_send_less),
		cmocka_unit_test(what_an_operator_sets_counts_at_once),
		cmocka_unit_test(a_receiver_is_looked_up_by_rule_site_domain_or_exchanger),
		cmocka_unit_test(who_is_forgiven_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

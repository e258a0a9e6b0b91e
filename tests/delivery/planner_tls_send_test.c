/* How reports about TLS reach their places: when, by what way, how often. */
#include "tls_world.h"

static struct lease *must_lend(struct fixture *f)
{
	struct lease *lease;

	settle(f);
	lease = next_lease(f);
	assert_non_null(lease);
	return lease;
}

static void a_report_goes_by_mail_in_the_hours_after_midnight(void **state)
{
	struct message_facts facts;
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", "mailto:tls@reports.test");
	send_one(&f, "x.test", false, TLS_OUTCOME_NO_STARTTLS);
	to_next_day(&f, 0);
	assert_null(next_lease(&f));
	pass(&f, 4 * HOUR_S + 120);
	lease = must_lend(&f);
	assert_memory_equal(lease->address.ptr, "tls@reports.test", lease->address.len);
	message_facts(lease->mailing->message, &facts);
	assert_string_equal(facts.from_domain, "a.example");
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	/* Once. */
	pass(&f, 30 * HOUR_S);
	assert_null(next_lease(&f));
	assert_int_equal(metric_get(&f.planner->m->tls_reports_mailed), 1);
	fixture_close(&f);
}

/* RFC 8460 section 3: whatever the place demands; and what it meets is in no report. */
static void a_report_is_held_back_by_no_policy_and_counted_in_none(void **state)
{
	struct mx_answer *answer;
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", "mailto:tls@reports.test");
	answer = zone_set("reports.test", MX_OK, 600, "mx.reports.test=20.0.0.7");
	answer->hosts[0].dane = DANE_FAILED;
	snprintf(answer->reports_to, sizeof(answer->reports_to), "mailto:tls@reports.test");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	to_next_day(&f, 4);
	pass(&f, 120);
	lease = must_lend(&f);
	assert_memory_equal(lease->address.ptr, "tls@reports.test", lease->address.len);
	assert_int_equal(lease->path->host_tls[0], METRICS_POLICY_OPPORTUNISTIC);
	assert_int_equal(lease->tls_bit, 0);
	/* All else for that domain waits. */
	send_to(&f, "reports.test", 1);
	settle(&f);
	assert_null(next_lease(&f));
	fixture_close(&f);
}

static void a_report_goes_by_https_and_is_tried_again(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", "https://r.test:8443/v1");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	to_next_day(&f, 4);
	pass(&f, 120);
	assert_int_equal(poster.posts, 1);
	assert_string_equal(poster.url, "https://r.test:8443/v1");
	assert_string_equal(poster.host, "r.test");
	assert_int_equal(poster.port, 8443);
	/* gzip */
	assert_true(poster.len > 100 && poster.head[0] == 0x1f && poster.head[1] == 0x8b);
	answer_post(&f, false);
	pass(&f, 500);
	assert_int_equal(poster.posts, 1);
	pass(&f, 200);
	assert_int_equal(poster.posts, 2);
	answer_post(&f, true);
	pass(&f, 30 * HOUR_S);
	assert_int_equal(poster.posts, 2);
	assert_int_equal(metric_get(&f.planner->m->tls_reports_posted), 1);
	fixture_close(&f);
}

static void a_place_that_takes_nothing_for_a_day_is_given_up(void **state)
{
	struct fixture f;
	u32 posts;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", "https://r.test/v1");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	to_next_day(&f, 4);
	for (u32 i = 0; i < 26 * 6; i++) {
		pass(&f, 600);
		if (poster.posts > 0)
			answer_post(&f, false);
	}
	posts = poster.posts;
	/* 10, 20, 40 minutes, then hours. */
	assert_true(posts > 6 && posts < 16);
	assert_int_equal(metric_get(&f.planner->m->tls_reports_failed), 1);
	pass(&f, 6 * HOUR_S);
	assert_int_equal(poster.posts, posts);
	fixture_close(&f);
}

/* One place has it, the other does not yet: the first is not told again, not even by a new start. */
static void each_place_gets_the_report_once(void **state)
{
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", PLACES);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	to_next_day(&f, 4);
	pass(&f, 120);
	lease = must_lend(&f);
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_int_equal(poster.posts, 1);
	answer_post(&f, false);
	start_again(&f);
	pass(&f, 900);
	assert_null(next_lease(&f));
	assert_int_equal(poster.posts, 2);
	answer_post(&f, true);
	pass(&f, 30 * HOUR_S);
	assert_null(next_lease(&f));
	assert_int_equal(poster.posts, 2);
	fixture_close(&f);
}

static void an_operator_need_not_wait_for_the_hour(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", "mailto:tls@reports.test");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	/* Today's is not ready. */
	assert_true(planner_tls_send_now(f.planner));
	pass(&f, 60);
	assert_null(next_lease(&f));
	f.wall_ms += TLS_DAY_MS / 2 + 1000;
	settle(&f);
	assert_true(planner_tls_send_now(f.planner));
	settle(&f);
	assert_non_null(next_lease(&f));
	fixture_close(&f);
}

/* More reports than go at once: they take turns. */
static void many_reports_go_one_after_another(void **state)
{
	struct fixture f;
	u32 count = 0;

	(void)state;
	open_world(&f, "");
	for (u32 i = 0; i < ZONES_MAX - 2; i++) {
		char domain[32];

		snprintf(domain, sizeof(domain), "x%u.test", i);
		set_domain(domain, "mailto:tls@reports.test,mailto:two@reports.test");
		send_one(&f, domain, true, TLS_OUTCOME_UNKNOWN);
	}
	f.wall_ms += TLS_DAY_MS;
	settle(&f);
	assert_true(planner_tls_send_now(f.planner));
	for (u32 i = 0; i < 30; i++) {
		pass(&f, 1);
		count += answer_all(&f, SMTP_VERDICT_ACCEPTED);
	}
	assert_int_equal(count, 2 * (ZONES_MAX - 2));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_goes_by_mail_in_the_hours_after_midnight),
		cmocka_unit_test(a_report_is_held_back_by_no_policy_and_counted_in_none),
		cmocka_unit_test(a_report_goes_by_https_and_is_tried_again),
		cmocka_unit_test(a_place_that_takes_nothing_for_a_day_is_given_up),
		cmocka_unit_test(each_place_gets_the_report_once),
		cmocka_unit_test(an_operator_need_not_wait_for_the_hour),
		cmocka_unit_test(many_reports_go_one_after_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What leases take along of TLS for the domains that want reports about it: each session once for
 * each domain, each failure once for each, and nothing for others.
 */
#include "base/text.h"
#include "delivery/path.h"
#include "delivery/tls_tally.h"
#include "delivery/worker_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct {
	struct path *path;
	struct worker_route route;
	struct worker worker;
	struct metrics_worker metrics;
} world;

static int set_up(void **state)
{
	(void)state;
	world.path = path_make();
	assert_non_null(world.path);
	world.path->target_count = 2;
	for (u32 i = 0; i < 2; i++) {
		assert_true(net_address_parse(&world.path->targets[i].address,
					      i ? SLICE("192.0.2.2") : SLICE("192.0.2.1"), false));
	}
	memset(&world.route, 0, sizeof(world.route));
	memset(&world.metrics, 0, sizeof(world.metrics));
	world.worker.params.metrics = &world.metrics;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	path_give(world.path);
	return 0;
}

/* In the clear. */
static struct session session_to(u16 target, bool wants_tls)
{
	struct session session = { .worker = &world.worker, .route = &world.route,
				   .path = world.path, .target = target, .wants_tls = wants_tls };

	return session;
}

static struct lease lease_of(u8 bit)
{
	return (struct lease){ .tls_bit = bit, .verdict = SMTP_VERDICT_ACCEPTED };
}

static struct lease goes_by(struct session *session, u8 bit)
{
	struct lease lease = lease_of(bit);

	session_report_to(session, &lease);
	return lease;
}

static struct lease goes_back(u8 bit)
{
	struct lease lease = lease_of(bit);

	lease.verdict = SMTP_VERDICT_TEMPORARY;
	worker_route_report_to(&world.route, &lease);
	return lease;
}

static void check_told(struct lease lease, u8 outcome, u16 count)
{
	assert_int_equal(lease.tls_failure.outcome, outcome);
	if (outcome != TLS_OUTCOME_UNKNOWN)
		assert_int_equal(lease.tls_failure.count, count);
}

static void a_session_is_told_once_to_each_domain(void **state)
{
	struct session session = session_to(0, true);

	(void)state;
	session_report_ready(&session, METRICS_POLICY_OPPORTUNISTIC);
	check_told(goes_by(&session, 1), TLS_OUTCOME_NO_STARTTLS, 1);
	check_told(goes_by(&session, 1), TLS_OUTCOME_UNKNOWN, 0);
	check_told(goes_by(&session, 64), TLS_OUTCOME_NO_STARTTLS, 1);
	check_told(goes_by(&session, 64), TLS_OUTCOME_UNKNOWN, 0);
	assert_int_equal(session.tls_told, 1ull << 63 | 1);
}

static void a_session_that_is_as_it_should_be_is_told_as_such(void **state)
{
	struct session session = session_to(0, true);
	struct lease lease;

	(void)state;
	session.tls_outcome = TLS_OUTCOME_OK;
	lease = goes_by(&session, 3);
	assert_true(lease.tls_ok);
	check_told(lease, TLS_OUTCOME_UNKNOWN, 0);
	assert_false(goes_by(&session, 3).tls_ok);
}

static void who_asks_for_nothing_is_told_nothing(void **state)
{
	struct session session = session_to(0, true);

	(void)state;
	session_report_failed(&session, TLS_OUTCOME_EXPIRED, "expired");
	session_report_ready(&session, METRICS_POLICY_OPPORTUNISTIC);
	check_told(goes_by(&session, 0), TLS_OUTCOME_UNKNOWN, 0);
	check_told(goes_back(0), TLS_OUTCOME_UNKNOWN, 0);
	/* The metrics count all. */
	assert_int_equal(world.metrics.tls_outcomes[TLS_OUTCOME_EXPIRED], 1);
	assert_int_equal(world.metrics.tls_outcomes[TLS_OUTCOME_NO_STARTTLS], 1);
	assert_int_equal(session.tls_told, 0);
	assert_int_equal(world.route.tls[0].told, 0);
}

/* It goes by another session, and is told of that. */
static void a_message_that_did_not_leave_tells_nothing(void **state)
{
	struct session session = session_to(0, true);
	struct lease lease = lease_of(1);

	(void)state;
	session_report_ready(&session, METRICS_POLICY_OPPORTUNISTIC);
	lease.verdict = SMTP_VERDICT_UNSENT;
	session_report_to(&session, &lease);
	check_told(lease, TLS_OUTCOME_UNKNOWN, 0);
	assert_int_equal(session.tls_told, 0);
}

/* Where a handshake failed the next session does without: that is one failure, not two. */
static void a_session_in_the_clear_after_a_failure_tells_of_that_alone(void **state)
{
	struct session first = session_to(0, true);
	struct session second = session_to(0, false);

	(void)state;
	session_report_failed(&first, TLS_OUTCOME_VALIDATION, "timed out");
	session_report_ready(&second, METRICS_POLICY_OPPORTUNISTIC);
	check_told(goes_by(&second, 1), TLS_OUTCOME_VALIDATION, 1);
	check_told(goes_by(&second, 1), TLS_OUTCOME_UNKNOWN, 0);
	check_told(goes_by(&second, 2), TLS_OUTCOME_VALIDATION, 1);
	assert_int_equal(world.metrics.tls_outcomes[TLS_OUTCOME_VALIDATION], 1);
	assert_int_equal(world.metrics.tls_outcomes[TLS_OUTCOME_UNKNOWN], 0);
}

static void failures_before_anybody_knows_are_told_together(void **state)
{
	struct session session = session_to(1, true);
	struct lease lease;

	(void)state;
	session_report_failed(&session, TLS_OUTCOME_EXPIRED, "expired");
	session_report_failed(&session, TLS_OUTCOME_EXPIRED, "expired");
	lease = goes_back(1);
	check_told(lease, TLS_OUTCOME_EXPIRED, 2);
	assert_true(net_address_same_host(&lease.tls_failure.host,
					  &world.path->targets[1].address));
	assert_string_equal(lease.tls_failure.reason, "expired");
	check_told(goes_back(1), TLS_OUTCOME_UNKNOWN, 0);
	session_report_failed(&session, TLS_OUTCOME_EXPIRED, "expired");
	check_told(goes_back(1), TLS_OUTCOME_EXPIRED, 1);
}

static void failures_of_different_kinds_and_hosts_go_one_by_one(void **state)
{
	struct session one = session_to(0, true);
	struct session other = session_to(1, true);
	u32 outcomes = 0;

	(void)state;
	session_report_failed(&one, TLS_OUTCOME_EXPIRED, "expired");
	session_report_failed(&other, TLS_OUTCOME_EXPIRED, "expired");
	session_report_failed(&other, TLS_OUTCOME_NO_STARTTLS, "");
	for (u32 i = 0; i < 3; i++)
		outcomes += goes_back(1).tls_failure.outcome;
	assert_int_equal(outcomes, 2 * TLS_OUTCOME_EXPIRED + TLS_OUTCOME_NO_STARTTLS);
	check_told(goes_back(1), TLS_OUTCOME_UNKNOWN, 0);
}

/* There is room for a few kinds: those that are known already go first. */
static void what_is_told_makes_room_for_what_is_not(void **state)
{
	static const u8 kinds[] = { TLS_OUTCOME_EXPIRED, TLS_OUTCOME_NO_STARTTLS,
				    TLS_OUTCOME_VALIDATION, TLS_OUTCOME_NOT_TRUSTED };
	struct session session = session_to(0, true);
	bool seen[TLS_OUTCOMES] = { false };

	(void)state;
	for (u32 i = 0; i < array_count(kinds); i++)
		session_report_failed(&session, kinds[i], "");
	check_told(goes_back(1), TLS_OUTCOME_EXPIRED, 1);
	session_report_failed(&session, TLS_OUTCOME_HOST_MISMATCH, "");
	for (u32 i = 0; i < 4; i++)
		seen[goes_back(1).tls_failure.outcome] = true;
	assert_true(seen[TLS_OUTCOME_HOST_MISMATCH] && seen[TLS_OUTCOME_NO_STARTTLS] &&
		    seen[TLS_OUTCOME_VALIDATION] && seen[TLS_OUTCOME_NOT_TRUSTED]);
}

static void what_a_session_and_its_route_have_to_tell_goes_with_two_leases(void **state)
{
	struct session session = session_to(0, true);

	(void)state;
	session_report_failed(&session, TLS_OUTCOME_EXPIRED, "expired");
	session_report_ready(&session, METRICS_POLICY_OPPORTUNISTIC);
	check_told(goes_by(&session, 1), TLS_OUTCOME_NO_STARTTLS, 1);
	check_told(goes_by(&session, 1), TLS_OUTCOME_EXPIRED, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_session_is_told_once_to_each_domain),
		TEST(a_session_that_is_as_it_should_be_is_told_as_such),
		TEST(who_asks_for_nothing_is_told_nothing),
		TEST(a_message_that_did_not_leave_tells_nothing),
		TEST(a_session_in_the_clear_after_a_failure_tells_of_that_alone),
		TEST(failures_before_anybody_knows_are_told_together),
		TEST(failures_of_different_kinds_and_hosts_go_one_by_one),
		TEST(what_is_told_makes_room_for_what_is_not),
		TEST(what_a_session_and_its_route_have_to_tell_goes_with_two_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What the planner counts of TLS, for whom, over days, starts and clocks that are set.
 */
#include "tls_world.h"

/* ---- counting ---- */

static void what_leases_tell_is_counted_for_domains_that_ask_for_it(void **state)
{
	struct tls_tally tally;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", PLACES);
	set_domain("quiet.test", "");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	send_one(&f, "x.test", true, TLS_OUTCOME_EXPIRED);
	send_one(&f, "quiet.test", true, TLS_OUTCOME_UNKNOWN);
	/* Not one write for each. */
	check_kept(&f, day_of(&f), "x.test", 0, 0);
	pass(&f, 11);
	check_kept(&f, day_of(&f), "x.test", 2, 1);
	check_kept(&f, day_of(&f), "quiet.test", 0, 0);
	assert_true(kept(&f, day_of(&f), "x.test", &tally));
	assert_string_equal(tally.rua, PLACES);
	assert_int_equal(tally.policy_count, 1);
	assert_int_equal(tally.policies[0].type, TLS_POLICY_NONE);
	assert_string_equal(tally.details[0].host, "mx.x.test");
	assert_int_equal(tally.details[0].receiver.family, 4);
	assert_int_equal(tally.details[0].source.family, 0);
	assert_string_equal(tally.details[0].reason, "certificate has expired");
	tls_tally_done(&tally);
	fixture_close(&f);
}

static void nothing_is_asked_or_counted_when_it_is_off(void **state)
{
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_world(&f, "tls-report = false\n");
	set_domain("x.test", PLACES);
	send_to(&f, "x.test", 1);
	settle(&f);
	lease = next_lease(&f);
	assert_non_null(lease);
	assert_int_equal(lease->tls_bit, 0);
	lease->tls_ok = true;
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	pass(&f, 20);
	check_kept(&f, day_of(&f), "x.test", 0, 0);
	fixture_close(&f);
}

static void domains_of_one_site_are_told_apart(void **state)
{
	struct lease *first;
	struct lease *second;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", PLACES);
	set_domain("y.test", PLACES);
	send_to(&f, "x.test", 1);
	settle(&f);
	send_to(&f, "y.test", 1);
	settle(&f);
	first = next_lease(&f);
	second = next_lease(&f);
	assert_non_null(second);
	assert_ptr_equal(first->path, second->path);
	assert_true(first->tls_bit >= 1 && second->tls_bit >= 1);
	assert_int_not_equal(first->tls_bit, second->tls_bit);
	fixture_close(&f);
}

static void a_policy_by_dane_is_reported_with_its_records(void **state)
{
	static const u8 digest[32] = { 0xab };
	const struct dane_record record = { DANE_EE, DANE_PUBLIC_KEY, DANE_SHA256,
					    { (const char *)digest, 32 } };
	struct mx_answer *answer;
	struct tls_tally tally;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	answer = set_domain("x.test", PLACES);
	answer->hosts[0].dane = DANE_USABLE;
	answer->tlsa_used = (u16)dane_record_pack(answer->tlsa, sizeof(answer->tlsa), &record);
	answer->hosts[0].tlsa_len = answer->tlsa_used;
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	pass(&f, 11);
	assert_true(kept(&f, day_of(&f), "x.test", &tally));
	assert_int_equal(tally.policies[0].type, TLS_POLICY_TLSA);
	assert_string_equal(tally.policies[0].strings,
			    "3 1 1 ab00000000000000000000000000000000000000000000000000000000000000\n");
	tls_tally_done(&tally);
	fixture_close(&f);
}

/* No session goes to such a host: each answer of DNS that says so counts. */
static void a_host_without_its_tlsa_records_is_told_of(void **state)
{
	struct mx_answer *answer;
	struct tls_tally tally;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	answer = set_domain("x.test", PLACES);
	answer->hosts[0].dane = DANE_FAILED;
	send_to(&f, "x.test", 1);
	pass(&f, 12);
	assert_true(kept(&f, day_of(&f), "x.test", &tally));
	assert_int_equal(tally.details[0].outcome, TLS_OUTCOME_DNSSEC_INVALID);
	assert_string_equal(tally.details[0].host, "mx.x.test");
	tls_tally_done(&tally);
	fixture_close(&f);
}

static void a_demand_of_the_configuration_is_told_of(void **state)
{
	struct tls_tally tally;
	struct fixture f;

	(void)state;
	open_world(&f, "site \"strict\" { mx = {\"mx.x.test\"} tls = \"dane\" }\n");
	set_domain("x.test", PLACES);
	send_to(&f, "x.test", 1);
	pass(&f, 12);
	assert_true(kept(&f, day_of(&f), "x.test", &tally));
	assert_int_equal(tally.details[0].outcome, TLS_OUTCOME_DANE_REQUIRED);
	tls_tally_done(&tally);
	fixture_close(&f);
}

/* ---- days, starts, clocks ---- */

static void counts_go_on_after_a_new_start(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f, "");
	set_domain("x.test", PLACES);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	/* At once: the end writes what is left. */
	start_again(&f);
	check_kept(&f, day_of(&f), "x.test", 1, 0);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	pass(&f, 11);
	check_kept(&f, day_of(&f), "x.test", 2, 0);
	fixture_close(&f);
}

static void a_new_day_begins_at_midnight(void **state)
{
	u64 day;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	day = day_of(&f);
	set_domain("x.test", "https://unknown.test/");
	to_next_day(&f, 0);
	pass(&f, 2);
	assert_int_equal(day_of(&f), day + 1);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	pass(&f, 11);
	check_kept(&f, day, "x.test", 0, 0);
	check_kept(&f, day + 1, "x.test", 1, 0);
	fixture_close(&f);
}

/* The clock is set over midnight and back: every session is counted, under the day of its moment. */
static void a_clock_that_is_set_loses_and_doubles_nothing(void **state)
{
	u64 day;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	day = day_of(&f);
	set_domain("x.test", "https://unknown.test/");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	f.wall_ms += TLS_DAY_MS;
	settle(&f);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	send_one(&f, "x.test", false, TLS_OUTCOME_NO_STARTTLS);
	f.wall_ms -= TLS_DAY_MS;
	settle(&f);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	pass(&f, 12);
	check_kept(&f, day, "x.test", 2, 0);
	check_kept(&f, day + 1, "x.test", 1, 1);
	fixture_close(&f);
}

static void old_days_are_deleted_and_those_of_a_wrong_clock(void **state)
{
	u64 day;
	struct fixture f;

	(void)state;
	open_world(&f, "");
	day = day_of(&f);
	set_domain("x.test", "https://unknown.test/");
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	pass(&f, 11);
	f.wall_ms += 3 * TLS_DAY_MS;
	pass(&f, 60);
	check_kept(&f, day, "x.test", 0, 0);
	send_one(&f, "x.test", true, TLS_OUTCOME_UNKNOWN);
	pass(&f, 11);
	check_kept(&f, day + 3, "x.test", 1, 0);
	f.wall_ms -= 3 * TLS_DAY_MS;
	pass(&f, 60);
	check_kept(&f, day + 3, "x.test", 0, 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_leases_tell_is_counted_for_domains_that_ask_for_it),
		cmocka_unit_test(nothing_is_asked_or_counted_when_it_is_off),
		cmocka_unit_test(domains_of_one_site_are_told_apart),
		cmocka_unit_test(a_policy_by_dane_is_reported_with_its_records),
		cmocka_unit_test(a_host_without_its_tlsa_records_is_told_of),
		cmocka_unit_test(a_demand_of_the_configuration_is_told_of),
		cmocka_unit_test(counts_go_on_after_a_new_start),
		cmocka_unit_test(a_new_day_begins_at_midnight),
		cmocka_unit_test(a_clock_that_is_set_loses_and_doubles_nothing),
		cmocka_unit_test(old_days_are_deleted_and_those_of_a_wrong_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

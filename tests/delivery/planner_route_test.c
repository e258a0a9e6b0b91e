/* Where lanes and rows go when what DNS says of their domain changes, fails, or comes back. */
#include "planner_fixture.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"

#define check_lease_goes_to(f, want) check_goes_to(f, want, __LINE__)

/* The next lease, which must be for a path whose first host this is. */
static struct lease *check_goes_to(struct fixture *f, const char *want, int line)
{
	struct lease *lease = next_lease(f);

	if (!lease)
		fail_msg("line %d: nothing was lent", line);
	if (strcmp(host_of(lease, 0), want) != 0)
		fail_msg("line %d: lent to %s, not %s", line, host_of(lease, 0), want);
	return lease;
}

static void open_with(struct fixture *f, const char *hosts)
{
	fixture_open(f, ANY, "");
	zone_set("x.test", MX_OK, 100, hosts);
}

/* A campaign of which `lent` rows are out and the others wait in their lane. */
static u32 send_and_hold(struct fixture *f, u32 rows, struct lease **lent, u32 *count)
{
	u32 id = send_to(f, "x.test", rows);
	struct lease *lease;

	*count = 0;
	settle(f);
	while ((lease = next_lease(f)))
		lent[(*count)++] = lease;
	assert_true(*count > 0 && *count < rows);
	return id;
}

static void a_lane_follows_its_domain_and_rows_lent_finish_where_they_are(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	u32 count;
	u32 id;

	(void)state;
	open_with(&f, "old=20.0.0.1");
	id = send_and_hold(&f, 1000, lent, &count);
	for (u32 i = 0; i < count; i++)
		assert_string_equal(host_of(lent[i], 0), "old");
	zone_set("x.test", MX_OK, 100, "new=20.0.0.2");
	pass(&f, 90);
	assert_null(next_lease(&f));
	pass(&f, 20);
	/* The new route has its own room: the old one's leases are still out. */
	give_back(&f, check_lease_goes_to(&f, "new"), SMTP_VERDICT_ACCEPTED, "ok");
	for (u32 i = 0; i < count; i++)
		give_back(&f, lent[i], SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	for (;;) {
		struct lease *lease = next_lease(&f);

		if (!lease)
			break;
		assert_string_equal(host_of(lease, 0), "new");
		give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
		settle(&f);
	}
	assert_int_equal(campaign_of(&f, id).delivered, 1000);
	fixture_close(&f);
}

static void rows_that_wait_at_a_route_follow_too(void **state)
{
	struct fixture f;
	struct error error;
	u32 id;

	(void)state;
	open_with(&f, "old=20.0.0.1");
	id = send_to(&f, "x.test", 20);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_TEMPORARY), 20);
	assert_true(planner_site_suspend(f.planner, SLICE("old"), &error));
	pass(&f, 15);
	assert_null(next_lease(&f));
	assert_int_equal(f.planner->refs_waiting, 20);
	zone_set("x.test", MX_OK, 100, "new=20.0.0.2");
	pass(&f, 100);
	give_back(&f, check_lease_goes_to(&f, "new"), SMTP_VERDICT_ACCEPTED, "ok");
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 19);
	assert_int_equal(campaign_of(&f, id).delivered, 20);
	fixture_close(&f);
}

/* The domain's site as operators see it. */
static void check_site(struct fixture *f, const char *want)
{
	const char *site = planner_site_of_domain(f->planner, SLICE("x.test"));

	assert_non_null(site);
	assert_string_equal(site, want);
}

static void another_order_of_the_same_hosts_is_the_same_site(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	struct path *path;
	char site[256];
	u32 count;

	(void)state;
	open_with(&f, "a/10=20.0.0.1,20.0.0.2 b/10=20.0.0.3 c/20=20.0.0.4");
	send_and_hold(&f, 1000, lent, &count);
	snprintf(site, sizeof(site), "%s", planner_site_of_domain(f.planner, SLICE("x.test")));
	path = lent[0]->path;
	zone_set("x.test", MX_OK, 100, "b/5=20.0.0.3 a/5=20.0.0.2,20.0.0.1 c/90=20.0.0.4");
	pass(&f, 110);
	assert_int_equal(dns.asked, 2);
	check_site(&f, site);
	assert_int_equal(f.planner->route_count, 1);
	give_back(&f, lent[0], SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	lent[0] = next_lease(&f);
	assert_ptr_equal(lent[0]->path, path);
	for (u32 i = 0; i < count; i++)
		give_back(&f, lent[i], SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	fixture_close(&f);
}

static void other_preferences_among_the_same_hosts_are_another_site(void **state)
{
	struct fixture f;
	char site[256];

	(void)state;
	open_with(&f, "a/10=20.0.0.1 b/20=20.0.0.2");
	zone_set("y.test", MX_OK, 100, "b/10=20.0.0.2 a/20=20.0.0.1");
	send_to(&f, "x.test", 1);
	settle(&f);
	snprintf(site, sizeof(site), "%s", planner_site_of_domain(f.planner, SLICE("x.test")));
	send_to(&f, "y.test", 1);
	settle(&f);
	assert_string_not_equal(site, planner_site_of_domain(f.planner, SLICE("y.test")));
	assert_int_equal(check_lease_goes_to(&f, "a")->path->targets[0].address.ip[3], 1);
	assert_int_equal(check_lease_goes_to(&f, "b")->path->targets[0].address.ip[3], 2);
	fixture_close(&f);
}

static void another_address_of_the_same_hosts_is_a_new_path_of_the_same_site(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	struct lease *lease;
	u32 count;

	(void)state;
	open_with(&f, "a=20.0.0.1");
	send_and_hold(&f, 1000, lent, &count);
	zone_set("x.test", MX_OK, 100, "a=20.0.0.9");
	pass(&f, 110);
	check_site(&f, "a");
	assert_int_equal(f.planner->route_count, 1);
	give_back(&f, lent[0], SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	lease = check_lease_goes_to(&f, "a");
	assert_int_equal(lent[1]->path->targets[0].address.ip[3], 1);
	assert_int_equal(lease->path->targets[0].address.ip[3], 9);
	fixture_close(&f);
}

/* ---- asking again ---- */

static void a_domain_is_asked_again_only_while_somebody_wants_it(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	u32 count;

	(void)state;
	open_with(&f, "a=20.0.0.1");
	send_and_hold(&f, 1000, lent, &count);
	assert_int_equal(dns.asked, 1);
	pass(&f, 350);
	assert_int_equal(dns.asked, 4);
	for (u32 i = 0; i < count; i++)
		give_back(&f, lent[i], SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	while (answer_all(&f, SMTP_VERDICT_ACCEPTED) > 0)
		;
	pass(&f, 3500);
	assert_in_range(dns.asked, 4, 5);
	fixture_close(&f);
}

static void the_domain_of_a_paused_campaign_is_asked_before_it_goes_on(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	struct error error;
	u32 count;
	u32 id;

	(void)state;
	open_with(&f, "old=20.0.0.1");
	id = send_and_hold(&f, 1000, lent, &count);
	assert_true(planner_campaign_pause(f.planner, id, &error));
	for (u32 i = 0; i < count; i++)
		give_back(&f, lent[i], SMTP_VERDICT_ACCEPTED, "ok");
	zone_set("x.test", MX_OK, 100, "new=20.0.0.2");
	pass(&f, 5000);
	assert_int_equal(dns.asked, 1);
	dns.is_slow = true;
	assert_true(planner_campaign_resume(f.planner, id, &error));
	settle(&f);
	assert_null(next_lease(&f));
	dns.is_slow = false;
	settle(&f);
	check_lease_goes_to(&f, "new");
	fixture_close(&f);
}

static void dead_domains_are_forgotten_and_not_asked_again(void **state)
{
	struct fixture f;
	u32 id;

	(void)state;
	fixture_open(&f, ANY, "");
	zone_set("null.test", MX_NULL, 100, "");
	id = send_to(&f, "absent.test", 3);
	send_to(&f, "null.test", 3);
	settle(&f);
	assert_int_equal(campaign_of(&f, id).failed, 3);
	assert_int_equal(dns.asked, 2);
	assert_int_equal(f.planner->domains.count, 2);
	pass(&f, 110);
	assert_int_equal(f.planner->domains.count, 0);
	assert_int_equal(f.planner->sites.count, 0);
	assert_int_equal(dns.asked, 2);
	fixture_close(&f);
}

static void a_domain_that_dns_fails_for_is_forgotten_when_its_rows_are_gone(void **state)
{
	struct fixture f;
	struct planner_sweep *order;
	struct error error;
	u32 id;

	(void)state;
	fixture_open(&f, ANY, "");
	zone_set("fails.test", MX_TEMPORARY, 30, "");
	id = send_to(&f, "fails.test", 3);
	settle(&f);
	assert_int_equal(campaign_of(&f, id).deferred, 3);
	order = planner_campaign_cancel(f.planner, id, &error);
	assert_non_null(order);
	planner_sweep_leave(order);
	pass(&f, 120);
	assert_int_equal(f.planner->domains.count, 0);
	fixture_close(&f);
}

static void sites_and_routes_are_forgotten_when_nobody_needs_them(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "a=20.0.0.1");
	send_to(&f, "x.test", 5);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 5);
	pass(&f, 60);
	assert_int_equal(f.planner->route_count, 1);
	pass(&f, 2 * 86400);
	assert_int_equal(f.planner->route_count, 0);
	assert_int_equal(f.planner->domains.count, 0);
	assert_int_equal(f.planner->sites.count, 0);
	fixture_close(&f);
}

/* ---- when DNS fails ---- */

static void a_domain_that_cannot_be_refreshed_keeps_its_answer_for_a_day(void **state)
{
	static const enum mx_status failures[] = { MX_TEMPORARY, MX_BOGUS };

	(void)state;
	for (size_t i = 0; i < array_count(failures); i++) {
		struct lease *lent[1000];
		struct fixture f;
		u32 count;
		u32 id;

		open_with(&f, "a=20.0.0.1");
		id = send_and_hold(&f, 1000, lent, &count);
		zone_set("x.test", failures[i], 30, "");
		pass(&f, 86000);
		assert_int_equal(metric_get(&f.planner->m->dns_stale),
				 metric_get(&f.planner->m->dns_failures));
		/* Backing off: some hundred tries, not thousands. */
		assert_in_range(dns.asked, 50, 200);
		give_back(&f, lent[0], SMTP_VERDICT_ACCEPTED, "ok");
		settle(&f);
		lent[0] = check_lease_goes_to(&f, "a");
		assert_int_equal(campaign_of(&f, id).deferred, 0);
		pass(&f, 3600);
		for (u32 k = 0; k < count; k++)
			give_back(&f, lent[k], SMTP_VERDICT_ACCEPTED, "ok");
		settle(&f);
		assert_null(next_lease(&f));
		assert_true(campaign_of(&f, id).deferrals > 0);
		fixture_close(&f);
	}
}

static void a_refresh_that_comes_at_last_is_taken(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	u32 count;

	(void)state;
	open_with(&f, "old=20.0.0.1");
	send_and_hold(&f, 1000, lent, &count);
	zone_set("x.test", MX_TEMPORARY, 30, "");
	pass(&f, 600);
	assert_null(next_lease(&f));
	zone_set("x.test", MX_OK, 100, "new=20.0.0.2");
	pass(&f, 900);
	check_lease_goes_to(&f, "new");
	fixture_close(&f);
}

static void a_refresh_that_says_no_mail_takes_effect(void **state)
{
	static const struct {
		enum mx_status status;
		u16 code;
	} rows[] = { { MX_NO_DOMAIN, 550 }, { MX_NULL, 556 }, { MX_NO_HOST, 550 } };

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct lease *lent[1000];
		struct fixture f;
		struct queue_log_entry entry = { 0 };
		u32 count;
		u32 id;

		open_with(&f, "a=20.0.0.1");
		id = send_and_hold(&f, 1000, lent, &count);
		zone_set("x.test", rows[i].status, 100, "");
		pass(&f, 110);
		assert_int_equal(campaign_of(&f, id).failed, 1000 - count);
		/* A temporary answer to a row that was lent: it fails when its turn comes again. */
		for (u32 k = 0; k < count; k++)
			give_back(&f, lent[k], SMTP_VERDICT_TEMPORARY, "later");
		pass(&f, 20);
		assert_int_equal(campaign_of(&f, id).failed, 1000);
		assert_int_equal(queue_begin(f.planner->queue), STORE_OK);
		assert_int_equal(queue_log_next(f.planner->queue, 0, &entry), STORE_OK);
		assert_int_equal(entry.code, rows[i].code);
		queue_abort(f.planner->queue);
		fixture_close(&f);
	}
}

static void rows_at_the_route_of_a_domain_that_died_fail_with_it(void **state)
{
	struct fixture f;
	struct error error;
	u32 id;

	(void)state;
	open_with(&f, "a=20.0.0.1");
	id = send_to(&f, "x.test", 20);
	settle(&f);
	answer_all(&f, SMTP_VERDICT_TEMPORARY);
	assert_true(planner_site_suspend(f.planner, SLICE("a"), &error));
	pass(&f, 15);
	assert_int_equal(f.planner->refs_waiting, 20);
	zone_set("x.test", MX_NULL, 100, "");
	pass(&f, 100);
	assert_int_equal(f.planner->refs_waiting, 0);
	assert_int_equal(campaign_of(&f, id).failed, 20);
	fixture_close(&f);
}

/* Rows that one turn settles: what is left shows in the lane. */
static void what_a_dead_domain_has_not_lost_yet_is_saved_when_it_is_mended(void **state)
{
	struct fixture f;
	struct queue_campaign before;
	u32 id;

	(void)state;
	fixture_open(&f, ANY, "");
	zone_set("x.test", MX_NO_DOMAIN, 30, "");
	id = send_to(&f, "x.test", 5000);
	/* Up to the turn that fails the first rows. */
	do {
		f.now_ns += NS_PER_MS;
		f.wall_ms++;
		if (dns.count > 0)
			planner_resolver_ready(f.planner);
		planner_turn(f.planner, f.now_ns, f.wall_ms);
		before = campaign_of(&f, id);
	} while (before.failed == 0);
	assert_in_range(before.failed, 1, 4000);
	zone_set("x.test", MX_OK, 100, "a=20.0.0.1");
	/* The answer's time is over at once: as if there were very many rows. */
	f.now_ns += 31 * NS_PER_S;
	settle(&f);
	assert_true(campaign_of(&f, id).failed < 5000);
	check_lease_goes_to(&f, "a");
	fixture_close(&f);
}

/* ---- answers that are not whole ---- */

static void an_answer_that_lacks_a_host_for_now_leaves_the_site_as_it_is(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	char site[256];
	u32 count;

	(void)state;
	open_with(&f, "a/10=20.0.0.1 b/20=20.0.0.2 c/30=20.0.0.3");
	send_and_hold(&f, 1000, lent, &count);
	snprintf(site, sizeof(site), "%s", planner_site_of_domain(f.planner, SLICE("x.test")));
	zone_set("x.test", MX_OK, 100, "a/10=20.0.0.9 c/30=20.0.0.3")->incomplete = true;
	pass(&f, 110);
	check_site(&f, site);
	give_back(&f, lent[0], SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	lent[0] = check_lease_goes_to(&f, "a");
	assert_int_equal(lent[0]->path->target_count, 3);
	/* What is new is taken. */
	assert_int_equal(lent[0]->path->targets[0].address.ip[3], 9);
	assert_string_equal(host_of(lent[0], 1), "b");
	/* For ever incomplete is believed in the end. */
	pass(&f, 2 * 86400);
	assert_string_not_equal(site, planner_site_of_domain(f.planner, SLICE("x.test")));
	fixture_close(&f);
}

static void an_incomplete_answer_with_a_host_that_is_new_is_another_site(void **state)
{
	struct lease *lent[1000];
	struct fixture f;
	u32 count;

	(void)state;
	open_with(&f, "a/10=20.0.0.1 b/20=20.0.0.2");
	send_and_hold(&f, 1000, lent, &count);
	zone_set("x.test", MX_OK, 100, "z/10=20.0.0.9")->incomplete = true;
	pass(&f, 110);
	check_site(&f, "z");
	fixture_close(&f);
}

static void no_other_set_of_hosts_passes_for_a_site(void **state)
{
	struct fixture f;
	char text[64];

	(void)state;
	fixture_open(&f, ANY, "");
	/* Alike in their first host and their number: only the hash tells them apart. */
	for (u32 i = 0; i < ZONES_MAX; i++) {
		char domain[32];

		snprintf(domain, sizeof(domain), "d%u.test", i);
		snprintf(text, sizeof(text), "a/10=20.0.0.1 b%u/20=20.0.0.2", i);
		zone_set(domain, MX_OK, 100, text);
		send_to(&f, domain, 1);
	}
	settle(&f);
	assert_int_equal(f.planner->sites.count, ZONES_MAX);
	fixture_close(&f);
}

/* ---- families ---- */

static void without_a_source_address_of_the_family_rows_are_deferred_and_expire(void **state)
{
	struct fixture f;
	struct queue_campaign campaign;
	u32 id;

	(void)state;
	fixture_open(&f, "address \"20.9.9.9\" { ehlo = \"mail.a.example\" }", "");
	zone_set("six.test", MX_OK, 100, "a=2a00::1");
	id = send_to(&f, "six.test", 50);
	settle(&f);
	assert_null(next_lease(&f));
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.deferred, 50);
	pass(&f, 5 * 86400 + 3600);
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.expired, 50);
	assert_int_equal(campaign.state, CAMPAIGN_DONE);
	fixture_close(&f);
}

static void rows_that_nobody_can_send_are_deferred_a_quantum_in_a_transaction(void **state)
{
	const u64 quantum = 1000 + 20; /* SHED_LANE_ROWS, and a lane's last share of it */
	struct fixture f;
	u64 before = 0;
	u32 id;

	(void)state;
	fixture_open(&f, "address \"20.9.9.9\" { ehlo = \"mail.a.example\" }", "");
	zone_set("six.test", MX_OK, 100, "a=2a00::1");
	id = send_to(&f, "six.test", 9000);
	for (int turn = 0; turn < 40; turn++) {
		u64 deferred;

		f.now_ns += NS_PER_MS;
		f.wall_ms++;
		if (dns.count > 0)
			planner_resolver_ready(f.planner);
		planner_turn(f.planner, f.now_ns, f.wall_ms);
		deferred = campaign_of(&f, id).deferred;
		assert_in_range(deferred - before, 0, quantum);
		before = deferred;
	}
	assert_int_equal(before, 9000);
	fixture_close(&f);
}

static void only_addresses_of_families_with_a_source_address_are_targets(void **state)
{
	static const struct {
		const char *addresses;
		u32 families; /* bit 4, bit 6 */
	} rows[] = {
		{ "address \"20.9.9.9\" { ehlo = \"m.a.example\" }", 1 << 4 },
		{ "address \"2a00:9::9\" { ehlo = \"m.a.example\" }", 1 << 6 },
		{ "address \"20.9.9.9\" { ehlo = \"m.a.example\" }\n"
		  "address \"2a00:9::9\" { ehlo = \"m6.a.example\" }", 1 << 4 | 1 << 6 },
		{ ANY, 1 << 4 | 1 << 6 },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct fixture f;
		struct lease *lease;
		u32 families = 0;

		fixture_open(&f, rows[i].addresses, "");
		zone_set("x.test", MX_OK, 100, "a=20.0.0.1,2a00::1 b/20=2a00::2,20.0.0.2");
		send_to(&f, "x.test", 1);
		settle(&f);
		lease = check_lease_goes_to(&f, "a");
		for (u32 k = 0; k < lease->path->target_count; k++)
			families |= 1u << lease->path->targets[k].address.family;
		assert_int_equal(families, rows[i].families);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lane_follows_its_domain_and_rows_lent_finish_where_they_are),
		cmocka_unit_test(rows_that_wait_at_a_route_follow_too),
		cmocka_unit_test(another_order_of_the_same_hosts_is_the_same_site),
		cmocka_unit_test(other_preferences_among_the_same_hosts_are_another_site),
		cmocka_unit_test(another_address_of_the_same_hosts_is_a_new_path_of_the_same_site),
		cmocka_unit_test(a_domain_is_asked_again_only_while_somebody_wants_it),
		cmocka_unit_test(the_domain_of_a_paused_campaign_is_asked_before_it_goes_on),
		cmocka_unit_test(dead_domains_are_forgotten_and_not_asked_again),
		cmocka_unit_test(a_domain_that_dns_fails_for_is_forgotten_when_its_rows_are_gone),
		cmocka_unit_test(sites_and_routes_are_forgotten_when_nobody_needs_them),
		cmocka_unit_test(a_domain_that_cannot_be_refreshed_keeps_its_answer_for_a_day),
		cmocka_unit_test(a_refresh_that_comes_at_last_is_taken),
		cmocka_unit_test(a_refresh_that_says_no_mail_takes_effect),
		cmocka_unit_test(rows_at_the_route_of_a_domain_that_died_fail_with_it),
		cmocka_unit_test(what_a_dead_domain_has_not_lost_yet_is_saved_when_it_is_mended),
		cmocka_unit_test(an_answer_that_lacks_a_host_for_now_leaves_the_site_as_it_is),
		cmocka_unit_test(an_incomplete_answer_with_a_host_that_is_new_is_another_site),
		cmocka_unit_test(no_other_set_of_hosts_passes_for_a_site),
		cmocka_unit_test(without_a_source_address_of_the_family_rows_are_deferred_and_expire),
		cmocka_unit_test(
			rows_that_nobody_can_send_are_deferred_a_quantum_in_a_transaction),
		cmocka_unit_test(only_addresses_of_families_with_a_source_address_are_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Routes and paths of domains that demand something of their hosts by DANE. */
#include "planner_fixture.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"

/* What the domain's next lookup finds of its host number `host`; `data` of its one record. */
static void publish(struct mx_answer *answer, u32 host, enum dane_finding finding, const char *data)
{
	const struct dane_record record = { 3, 1, 1, slice_of(data) };
	struct mx_host *to = &answer->hosts[host];

	answer->secure = to->secure = true;
	answer->incomplete |= finding == DANE_FAILED;
	to->dane = (u8)finding;
	if (finding != DANE_USABLE)
		return;
	to->tlsa_first = answer->tlsa_used;
	to->tlsa_len = (u16)dane_record_pack(answer->tlsa + answer->tlsa_used, 1000, &record);
	answer->tlsa_used += to->tlsa_len;
}

/* A domain whose one host, a.mx, has this. */
static void set_domain(const char *domain, enum dane_finding finding, const char *data)
{
	publish(zone_set(domain, MX_OK, 100, "a.mx=20.0.0.1"), 0, finding, data);
}

/* The next lease, as a reader of the domain gets it; its path is the test's to give back. */
static struct path *path_to(struct fixture *f, const char *domain)
{
	struct lease *lease;
	struct path *path;

	send_to(f, domain, 1);
	settle(f);
	lease = next_lease(f);
	if (!lease)
		return NULL;
	path = path_take(lease->path);
	give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(f);
	return path;
}

static void domains_of_one_site_share_what_demands_the_same(void **state)
{
	struct path *paths[4];
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	set_domain("x.test", DANE_USABLE, "one");
	set_domain("same.test", DANE_USABLE, "one");
	set_domain("other.test", DANE_USABLE, "two");
	set_domain("plain.test", DANE_ABSENT, "");
	paths[0] = path_to(&f, "x.test");
	paths[1] = path_to(&f, "same.test");
	paths[2] = path_to(&f, "other.test");
	paths[3] = path_to(&f, "plain.test");
	assert_ptr_equal(paths[0], paths[1]);
	for (u32 i = 1; i < 4; i++) {
		for (u32 k = i + 1; k < 4; k++) {
			assert_string_not_equal(path_text(paths[i], paths[i]->key),
						path_text(paths[k], paths[k]->key));
			assert_true(paths[i]->host_proof[0] != paths[k]->host_proof[0]);
		}
		assert_string_equal(path_text(paths[i], paths[i]->site), "a.mx");
	}
	assert_int_equal(paths[0]->host_tls[0], METRICS_POLICY_DANE);
	assert_int_equal(paths[3]->host_tls[0], METRICS_POLICY_OPPORTUNISTIC);
	assert_int_equal(paths[3]->host_proof[0], 0);
	assert_null(paths[3]->demand);
	for (u32 i = 0; i < 4; i++)
		path_give(paths[i]);
	fixture_close(&f);
}

/* A roll-over: rows in the lane and rows at the route go by the new records. */
static void rows_follow_what_is_published_anew(void **state)
{
	struct fixture f;
	struct error error;
	struct lease *lease;
	u64 before;

	(void)state;
	fixture_open(&f, ANY, "");
	set_domain("x.test", DANE_USABLE, "old");
	send_to(&f, "x.test", 20);
	settle(&f);
	lease = next_lease(&f);
	assert_non_null(lease);
	before = lease->path->host_proof[0];
	give_back(&f, lease, SMTP_VERDICT_TEMPORARY, "no");
	assert_int_equal(answer_all(&f, SMTP_VERDICT_TEMPORARY), 19);
	assert_true(planner_site_suspend(f.planner, SLICE("a.mx"), &error));
	send_to(&f, "x.test", 5);
	pass(&f, 15);
	assert_null(next_lease(&f));
	set_domain("x.test", DANE_USABLE, "new");
	pass(&f, 100);
	assert_true(planner_site_resume(f.planner, SLICE("a.mx"), &error));
	settle(&f);
	for (u32 i = 0; i < 25; i++) {
		lease = next_lease(&f);
		assert_non_null(lease);
		assert_true(lease->path->host_proof[0] != before);
		assert_int_equal(lease->path->host_tls[0], METRICS_POLICY_DANE);
		give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
		settle(&f);
	}
	assert_null(next_lease(&f));
	fixture_close(&f);
}

static void a_host_whose_records_cannot_be_had_is_not_dialled(void **state)
{
	struct mx_answer *answer;
	struct fixture f;
	struct path *path;

	(void)state;
	fixture_open(&f, ANY, "");
	answer = zone_set("x.test", MX_OK, 100, "mx1=20.0.0.1 mx2/20=20.0.0.2");
	publish(answer, 0, DANE_FAILED, "");
	publish(answer, 1, DANE_ABSENT, "");
	path = path_to(&f, "x.test");
	assert_non_null(path);
	assert_int_equal(path->target_count, 1);
	assert_int_equal(path->targets[0].address.ip[3], 2);
	assert_string_equal(path_text(path, path->hosts[path->targets[0].host]), "mx2");
	path_give(path);
	fixture_close(&f);
}

static void where_no_host_may_be_used_rows_wait_and_go_when_one_may(void **state)
{
	struct fixture f;
	u32 id;

	(void)state;
	fixture_open(&f, ANY, "");
	set_domain("x.test", DANE_FAILED, "");
	id = send_to(&f, "x.test", 3);
	settle(&f);
	assert_null(next_lease(&f));
	assert_int_equal(campaign_of(&f, id).deferrals, 3);
	set_domain("x.test", DANE_USABLE, "one");
	pass(&f, 130);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 3);
	assert_int_equal(campaign_of(&f, id).delivered, 3);
	fixture_close(&f);
}

/* Nobody knows which TLSA records a host has whose addresses alone were known before. */
static void a_host_that_an_answer_lacks_is_not_used_unproven(void **state)
{
	struct mx_answer *answer;
	struct fixture f;
	struct path *path;

	(void)state;
	fixture_open(&f, ANY, "");
	answer = zone_set("x.test", MX_OK, 100, "mx1=20.0.0.1 mx2/20=20.0.0.2");
	publish(answer, 0, DANE_USABLE, "one");
	publish(answer, 1, DANE_USABLE, "two");
	path = path_to(&f, "x.test");
	assert_int_equal(path->target_count, 2);
	path_give(path);
	answer = zone_set("x.test", MX_OK, 100, "mx2/20=20.0.0.2");
	publish(answer, 0, DANE_USABLE, "two");
	answer->incomplete = true;
	pass(&f, 200);
	path = path_to(&f, "x.test");
	assert_non_null(path);
	assert_int_equal(path->target_count, 1);
	assert_int_equal(path->targets[0].address.ip[3], 2);
	path_give(path);
	fixture_close(&f);
}

#define NO_WAY METRICS_POLICIES

static void the_configuration_has_the_last_word(void **state)
{
	static const struct {
		const char *tls;
		enum metrics_policy by_finding[4]; /* as enum dane_finding counts */
	} cases[] = {
		{ "opportunistic",
		  { METRICS_POLICY_OPPORTUNISTIC, METRICS_POLICY_UNUSABLE, METRICS_POLICY_DANE,
		    NO_WAY } },
		{ "required",
		  { METRICS_POLICY_REQUIRED, METRICS_POLICY_UNUSABLE, METRICS_POLICY_DANE,
		    NO_WAY } },
		{ "verify",
		  { METRICS_POLICY_VERIFY, METRICS_POLICY_VERIFY, METRICS_POLICY_DANE, NO_WAY } },
		{ "dane", { NO_WAY, NO_WAY, METRICS_POLICY_DANE, NO_WAY } },
		{ "unpublished",
		  { METRICS_POLICY_OPPORTUNISTIC, METRICS_POLICY_OPPORTUNISTIC,
		    METRICS_POLICY_OPPORTUNISTIC, METRICS_POLICY_OPPORTUNISTIC } },
		{ "never",
		  { METRICS_POLICY_NEVER, METRICS_POLICY_NEVER, METRICS_POLICY_NEVER,
		    METRICS_POLICY_NEVER } },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct fixture f;
		char more[64];

		snprintf(more, sizeof(more), "site \"mx\" { mx = {\"*.mx\"} tls = \"%s\" }\n",
			 cases[i].tls);
		fixture_open(&f, ANY, more);
		for (u32 finding = 0; finding < 4; finding++) {
			enum metrics_policy want = cases[i].by_finding[finding];
			struct path *path;
			char domain[16];

			snprintf(domain, sizeof(domain), "x%u.test", finding);
			set_domain(domain, finding, "one");
			path = path_to(&f, domain);
			if ((path ? path->host_tls[0] : NO_WAY) != want)
				fail_msg("%s, finding %u", cases[i].tls, finding);
			path_give(path);
		}
		fixture_close(&f);
	}
}

static void hosts_that_prove_their_own_names_do_not_resume_each_others_sessions(void **state)
{
	struct fixture f;
	struct path *path;

	(void)state;
	fixture_open(&f, ANY, "site \"mx\" { mx = {\"*.mx\"} tls = \"verify\" }\n");
	zone_set("x.test", MX_OK, 100, "one.mx=20.0.0.1 two.mx=20.0.0.1");
	path = path_to(&f, "x.test");
	assert_int_equal(path->host_count, 2);
	assert_true(path->host_proof[0] != 0 && path->host_proof[1] != 0);
	assert_true(path->host_proof[0] != path->host_proof[1]);
	path_give(path);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_of_one_site_share_what_demands_the_same),
		cmocka_unit_test(rows_follow_what_is_published_anew),
		cmocka_unit_test(a_host_whose_records_cannot_be_had_is_not_dialled),
		cmocka_unit_test(where_no_host_may_be_used_rows_wait_and_go_when_one_may),
		cmocka_unit_test(a_host_that_an_answer_lacks_is_not_used_unproven),
		cmocka_unit_test(the_configuration_has_the_last_word),
		cmocka_unit_test(
			hosts_that_prove_their_own_names_do_not_resume_each_others_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

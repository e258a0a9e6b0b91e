/* Limits that routes share, source addresses by kind of mail, and what is kept for whom. */
#include "planner_fixture.h"

#include "delivery/planner_letter.h"

#define TWO                                                                                        \
	"address \"20.9.9.1\" { ehlo = \"m1.a.example\" %s }\n"                                   \
	"address \"20.9.9.2\" { ehlo = \"m2.a.example\" %s }\n"

/* Two source addresses; `first` is said of one of them, `second` of the other. */
static void open_two(struct fixture *f, const char *first, const char *second, const char *pools,
		     const char *site)
{
	char addresses[1024];
	char more[512];

	snprintf(addresses, sizeof(addresses), TWO "%s", first, second, pools);
	snprintf(more, sizeof(more),
		 "site \"x\" { mx = {\"mx.test\"} adaptive = false %s }\n", site);
	fixture_open(f, addresses, more);
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	zone_set("y.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	zone_set("z.test", MX_OK, 86400 * 7, "other.test=20.0.0.2");
}

/* A campaign with `each` rows at x.test and y.test: lanes 1 and 2, so each has its own source. */
static u32 send_both(struct fixture *f, u32 each)
{
	static u32 number;
	struct queue_campaign campaign;
	struct planner_intake *intake;
	char text[64];

	snprintf(text, sizeof(text), "both-%u", number++);
	intake = campaign_begin(f, &campaign, text);
	for (u32 i = 0; i < each; i++) {
		snprintf(text, sizeof(text), "r%u@x.test", i);
		add_recipient(intake, text);
		snprintf(text, sizeof(text), "r%u@y.test", i);
		add_recipient(intake, text);
	}
	return campaign_start(f, intake, &campaign);
}

/* Leases out there by the last number of their source address; all are taken. */
static void take_by_source(struct fixture *f, u32 counts[3])
{
	struct lease *lease;

	memset(counts, 0, 3 * sizeof(*counts));
	while ((lease = next_lease(f))) {
		assert_true(lease->path->has_source4);
		counts[lease->path->source4.ip[3]]++;
		give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	}
	settle(f);
}

/* ---- limits of a site over all source addresses ---- */

static void all_source_addresses_together_keep_to_the_total_of_a_site(void **state)
{
	struct planner_site_view view;
	struct error error;
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "", "", "per-hour = 40 total-per-hour = 60");
	send_both(&f, 1000);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 60);
	assert_true(planner_site_look(f.planner, SLICE("x.test"), SLICE_NONE, SLICE_NONE, &view,
				      &error));
	assert_true(view.has_total);
	assert_int_equal(view.total[1], 60);
	/* Neither has more than its own limit. */
	assert_in_range(counts[1], 20, 40);
	pass(&f, 1800);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 0);
	fixture_close(&f);
}

static void the_total_of_a_site_holds_after_a_crash(void **state)
{
	struct fixture f;
	u32 counts[3];
	u32 lent = 0;

	(void)state;
	open_two(&f, "", "", "", "total-per-day = 50");
	send_both(&f, 1000);
	settle(&f);
	/* None of these is ever answered. */
	while (next_lease(&f))
		lent++;
	assert_int_equal(lent, 50);
	start_again(&f);
	pass(&f, 3600);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 0);
	fixture_close(&f);
}

static void source_addresses_take_turns_at_a_total_rate(void **state)
{
	struct fixture f;
	u32 sum[3] = { 0 };

	(void)state;
	open_two(&f, "", "", "", "total-rate = 1");
	send_both(&f, 1000);
	settle(&f);
	for (u32 i = 0; i < 1000; i++) {
		u32 counts[3];

		f.now_ns += 100 * NS_PER_MS;
		f.wall_ms += 100;
		settle(&f);
		take_by_source(&f, counts);
		sum[1] += counts[1];
		sum[2] += counts[2];
	}
	assert_in_range(sum[1] + sum[2], 95, 125);
	assert_in_range(sum[1], sum[2] - 6, sum[2] + 6);
	fixture_close(&f);
}

static void a_total_that_the_operator_sets_counts_at_once_and_is_taken_back(void **state)
{
	struct fixture f;
	struct error error;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "", "", "");
	send_both(&f, 1000);
	settle(&f);
	assert_true(planner_site_set(f.planner, SLICE("x"), SLICE("total-per-hour=10"), &error));
	take_by_source(&f, counts);
	/* What was lent before is out. */
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 10);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 0);
	assert_true(planner_site_unset(f.planner, SLICE("x"), &error));
	settle(&f);
	take_by_source(&f, counts);
	assert_in_range(counts[1] + counts[2], 100, 200);
	fixture_close(&f);
}

static void routes_with_work_share_the_sessions_of_a_site(void **state)
{
	struct lease *lease;
	struct fixture f;
	u32 sessions[3] = { 0 };

	(void)state;
	open_two(&f, "", "", "", "sessions = 6 total-sessions = 7");
	send_both(&f, 100);
	settle(&f);
	while ((lease = next_lease(&f))) {
		sessions[lease->path->source4.ip[3]] = lease->path->sessions[0];
		give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	}
	assert_in_range(sessions[1], 3, 4);
	assert_int_equal(sessions[1] + sessions[2], 7);
	settle(&f);
	while (answer_all(&f, SMTP_VERDICT_ACCEPTED) > 0)
		;
	/* One by itself has what its own limit allows. */
	send_to(&f, "x.test", 3);
	settle(&f);
	lease = next_lease(&f);
	assert_non_null(lease);
	assert_int_equal(lease->path->sessions[0], 6);
	fixture_close(&f);
}

/* ---- limits of a source address over all sites ---- */

static void a_source_address_keeps_to_its_limit_at_all_sites_together(void **state)
{
	struct fixture f;
	struct lease *lease;
	u32 counts[3];
	u32 sites[2] = { 0 };

	(void)state;
	open_two(&f, "per-hour = 30", "per-hour = 30", "", "");
	send_both(&f, 1000);
	send_to(&f, "z.test", 1000);
	settle(&f);
	while ((lease = next_lease(&f))) {
		sites[strcmp(host_of(lease, 0), "other.test") == 0]++;
		give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	}
	assert_int_equal(sites[0] + sites[1], 60);
	settle(&f);
	start_again(&f);
	pass(&f, 3000);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 0);
	fixture_close(&f);
}

static void rows_that_come_back_unsent_do_not_use_up_what_is_shared(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "per-hour = 12", "", "total-per-hour = 20");
	send_both(&f, 1000);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_UNSENT), 20);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 20);
	fixture_close(&f);
}

/* ---- pools ---- */

#define POOLS                                                                                      \
	"pool \"bulk\" { addresses = {\"20.9.9.1\"} }\n"                                          \
	"pool \"transactional\" { addresses = {\"20.9.9.2\"} }\n"

static void mail_of_a_kind_goes_by_the_addresses_of_its_pool(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "", POOLS, "");
	send_both(&f, 20);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 40);
	f.kind = CAMPAIGN_TRANSACTIONAL;
	send_both(&f, 20);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[2], 40);
	fixture_close(&f);
}

static void on_done(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	(void)wait;
	if (result != LETTER_KEPT)
		fail_msg("%s", sentence);
}

static void letters_go_by_the_pool_of_transactional_mail(void **state)
{
	const struct planner_options options = { .literal = true };
	struct letter_recipient to = { .address = SLICE("r@x.test") };
	struct letter_wait wait = { .done = on_done };
	struct fixture f;
	struct buf packed;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "", POOLS, "");
	buf_init(&packed, 256);
	planner_options_pack(&options, &packed);
	for (u32 i = 0; i < 4; i++) {
		wait.letter = (struct letter){
			.key = (struct slice){ "1234" + i, 1 },
			.customer = SLICE("a.example"),
			.kind = LETTER_SUBMITTED,
			.source = { .whole = SLICE("From: a@a.example\nSubject: s\n\nhello\n"),
				    .options = buf_slice(&packed) },
			.recipients = &to,
			.recipient_count = 1,
		};
		planner_letter_add(f.planner, &wait);
		settle(&f);
	}
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 4);
	buf_done(&packed);
	fixture_close(&f);
}

static void without_pools_all_addresses_are_used_evenly(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "", "", "");
	send_both(&f, 20);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1], 20);
	assert_int_equal(counts[2], 20);
	fixture_close(&f);
}

/* ---- what is kept for mail that somebody waits for ---- */

static void a_share_of_the_limits_is_not_for_bulk_mail(void **state)
{
	struct fixture f;
	u32 counts[3];

	(void)state;
	open_two(&f, "", "", "", "per-hour = 100 total-per-hour = 100 reserve = 20");
	send_to(&f, "x.test", 1000);
	settle(&f);
	for (u32 sum = 0; sum < 80; sum += counts[1] + counts[2]) {
		take_by_source(&f, counts);
		assert_true(counts[1] + counts[2] > 0);
	}
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 0);
	f.kind = CAMPAIGN_TRANSACTIONAL;
	send_to(&f, "x.test", 50);
	settle(&f);
	take_by_source(&f, counts);
	assert_int_equal(counts[1] + counts[2], 20);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_source_addresses_together_keep_to_the_total_of_a_site),
		cmocka_unit_test(the_total_of_a_site_holds_after_a_crash),
		cmocka_unit_test(source_addresses_take_turns_at_a_total_rate),
		cmocka_unit_test(a_total_that_the_operator_sets_counts_at_once_and_is_taken_back),
		cmocka_unit_test(routes_with_work_share_the_sessions_of_a_site),
		cmocka_unit_test(a_source_address_keeps_to_its_limit_at_all_sites_together),
		cmocka_unit_test(rows_that_come_back_unsent_do_not_use_up_what_is_shared),
		cmocka_unit_test(mail_of_a_kind_goes_by_the_addresses_of_its_pool),
		cmocka_unit_test(letters_go_by_the_pool_of_transactional_mail),
		cmocka_unit_test(without_pools_all_addresses_are_used_evenly),
		cmocka_unit_test(a_share_of_the_limits_is_not_for_bulk_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

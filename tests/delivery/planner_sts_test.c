/*
 * MTA-STS policies as the planner sees them: when they are fetched, what waits for that, and how long
 * they count. The fetching is played by the test.
 */
#include "planner_fixture.h"

#include "dns/sts_fetch.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"
#define ENFORCE "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: good.mx\n"
#define DAY_S 86400

/* ---- in the place of dns/sts_fetch.c ---- */

static struct {
	bool opened;
	bool is_full;
	u32 asked;	  /* fetches in all */
	u32 waiting;	  /* of them, not answered */
	u64 cookie;	  /* of the last one */
	char domain[256]; /* likewise */
	u32 addresses;
	bool is_ready;
	struct sts_fetched result;
} fetcher;

struct sts_fetcher *sts_fetcher_open(struct error *error)
{
	(void)error;
	fetcher.opened = true;
	return (struct sts_fetcher *)&fetcher;
}

void sts_fetcher_close(struct sts_fetcher *one)
{
	(void)one;
	fetcher.opened = false;
}

bool sts_fetch(struct sts_fetcher *one, const char *domain, const struct net_address *addresses,
	       u32 address_count, u64 cookie)
{
	(void)one;
	(void)addresses;
	if (fetcher.is_full)
		return false;
	fetcher.asked++;
	fetcher.waiting++;
	fetcher.cookie = cookie;
	fetcher.addresses = address_count;
	snprintf(fetcher.domain, sizeof(fetcher.domain), "%s", domain);
	return true;
}

bool sts_post(struct sts_fetcher *one, const struct sts_post *post, u64 cookie)
{
	(void)one;
	(void)post;
	(void)cookie;
	return false;
}

bool sts_has_fetched(struct sts_fetcher *one)
{
	(void)one;
	return fetcher.is_ready;
}

bool sts_next_fetched(struct sts_fetcher *one, struct sts_fetched *fetched)
{
	(void)one;
	if (!fetcher.is_ready)
		return false;
	*fetched = fetcher.result;
	fetcher.is_ready = false;
	fetcher.waiting--;
	return true;
}

/* The policy that was asked for last is there; NULL: it cannot be had. */
static void fetched(struct fixture *f, const char *body)
{
	assert_int_equal(fetcher.waiting, 1);
	fetcher.result = (struct sts_fetched){ .cookie = fetcher.cookie, .ok = body != NULL };
	if (body)
		assert_true(sts_policy_read(&fetcher.result.policy, slice_of(body)));
	fetcher.is_ready = true;
	settle(f);
}

/* ---- between the planner and its store ---- */

static struct {
	bool is_full;	/* nothing can be written */
	bool is_doomed; /* nothing can be read either, until the transaction is over */
} room;

enum store_result __real_queue_setting_put(struct queue *queue, struct slice name,
					   struct slice value);
enum store_result __wrap_queue_setting_put(struct queue *queue, struct slice name,
					   struct slice value);
enum store_result __real_queue_setting_get(struct queue *queue, struct slice name,
					   struct slice *value);
enum store_result __wrap_queue_setting_get(struct queue *queue, struct slice name,
					   struct slice *value);
enum store_result __real_queue_log_add(struct queue *queue, const struct queue_log_entry *entry);
enum store_result __wrap_queue_log_add(struct queue *queue, const struct queue_log_entry *entry);
void __real_queue_abort(struct queue *queue);
void __wrap_queue_abort(struct queue *queue);

enum store_result __wrap_queue_setting_put(struct queue *queue, struct slice name,
					   struct slice value)
{
	room.is_doomed |= room.is_full;
	return room.is_doomed ? STORE_FULL : __real_queue_setting_put(queue, name, value);
}

enum store_result __wrap_queue_setting_get(struct queue *queue, struct slice name,
					   struct slice *value)
{
	return room.is_doomed ? STORE_FULL : __real_queue_setting_get(queue, name, value);
}

enum store_result __wrap_queue_log_add(struct queue *queue, const struct queue_log_entry *entry)
{
	room.is_doomed |= room.is_full;
	return room.is_doomed ? STORE_FULL : __real_queue_log_add(queue, entry);
}

void __wrap_queue_abort(struct queue *queue)
{
	room.is_doomed = false;
	__real_queue_abort(queue);
}

/* ---- the world ---- */

/* What DNS says of x.test: its one host, and the id of its policy, "" for none. */
static void set_domain(const char *host, const char *id)
{
	char hosts[64];
	struct mx_answer *answer;

	snprintf(hosts, sizeof(hosts), "%s=20.0.0.1", host);
	answer = zone_set("x.test", MX_OK, 100, hosts);
	snprintf(answer->sts_id, sizeof(answer->sts_id), "%s", id);
	answer->sts_address_count = id[0] != '\0';
	answer->sts_addresses[0] = (struct net_address){ .family = 4, .port = 443 };
}

static void open_world(struct fixture *f)
{
	memset(&fetcher, 0, sizeof(fetcher));
	memset(&room, 0, sizeof(room));
	fixture_open(f, ANY, "");
}

/* How the next row's host is talked to; METRICS_POLICIES: it is not. */
static enum metrics_policy policy_now(struct fixture *f)
{
	enum metrics_policy policy = METRICS_POLICIES;
	struct lease *lease = next_lease(f);

	if (lease) {
		policy = lease->path->host_tls[0];
		give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
		settle(f);
	}
	return policy;
}

static enum metrics_policy send_one(struct fixture *f)
{
	send_to(f, "x.test", 1);
	settle(f);
	return policy_now(f);
}

/* ---- tests ---- */

static void mail_waits_for_a_policy_that_is_announced_and_then_goes_by_it(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	assert_int_equal(send_one(&f), METRICS_POLICIES);
	assert_int_equal(fetcher.asked, 1);
	assert_string_equal(fetcher.domain, "x.test");
	assert_int_equal(fetcher.addresses, 1);
	pass(&f, 30);
	assert_null(next_lease(&f));
	fetched(&f, ENFORCE);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	fixture_close(&f);
	assert_false(fetcher.opened);
}

static void a_host_that_the_policy_does_not_name_gets_nothing(void **state)
{
	struct fixture f;
	u32 id;

	(void)state;
	open_world(&f);
	set_domain("bad.mx", "one");
	id = send_to(&f, "x.test", 3);
	settle(&f);
	fetched(&f, ENFORCE);
	assert_null(next_lease(&f));
	assert_int_equal(campaign_of(&f, id).deferred, 3);
	set_domain("good.mx", "one");
	pass(&f, 130);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 3);
	fixture_close(&f);
}

static void a_domain_without_announcement_asks_for_nothing(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "");
	assert_int_equal(send_one(&f), METRICS_POLICY_OPPORTUNISTIC);
	assert_false(fetcher.opened);
	fixture_close(&f);
}

static void without_a_policy_to_be_had_mail_goes_as_ever_and_it_is_tried_again(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("bad.mx", "one");
	assert_int_equal(send_one(&f), METRICS_POLICIES);
	fetched(&f, NULL);
	assert_int_equal(policy_now(&f), METRICS_POLICY_OPPORTUNISTIC);
	pass(&f, 200);
	assert_int_equal(send_one(&f), METRICS_POLICY_OPPORTUNISTIC);
	assert_int_equal(fetcher.asked, 1);
	pass(&f, 200);
	assert_int_equal(send_one(&f), METRICS_POLICIES);
	assert_int_equal(fetcher.asked, 2);
	fetched(&f, ENFORCE);
	assert_null(next_lease(&f));
	fixture_close(&f);
}

static void a_policy_counts_though_it_is_announced_no_more(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	send_one(&f);
	fetched(&f, ENFORCE);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	set_domain("good.mx", "");
	pass(&f, 3600);
	assert_int_equal(send_one(&f), METRICS_POLICY_STS);
	pass(&f, DAY_S);
	assert_int_equal(send_one(&f), METRICS_POLICY_OPPORTUNISTIC);
	assert_int_equal(fetcher.asked, 1);
	fixture_close(&f);
}

static void a_new_id_brings_a_new_policy_and_the_old_one_counts_until_then(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	send_one(&f);
	fetched(&f, ENFORCE);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	set_domain("good.mx", "two");
	pass(&f, 3600);
	assert_int_equal(send_one(&f), METRICS_POLICIES);
	assert_int_equal(fetcher.asked, 2);
	fetched(&f, NULL);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	pass(&f, 3600);
	send_one(&f);
	fetched(&f, "version: STSv1\nmode: none\nmax_age: 86400\n");
	assert_int_equal(policy_now(&f), METRICS_POLICY_OPPORTUNISTIC);
	fixture_close(&f);
}

static void a_policy_is_there_after_a_new_start(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	send_one(&f);
	fetched(&f, ENFORCE);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	start_again(&f);
	set_domain("good.mx", "");
	assert_int_equal(send_one(&f), METRICS_POLICY_STS);
	assert_int_equal(fetcher.asked, 1);
	fixture_close(&f);
}

static void when_nothing_more_can_be_fetched_what_is_known_counts(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	fetcher.is_full = true;
	set_domain("good.mx", "one");
	assert_int_equal(send_one(&f), METRICS_POLICY_OPPORTUNISTIC);
	fetcher.is_full = false;
	pass(&f, 200);
	assert_int_equal(send_one(&f), METRICS_POLICIES);
	fetched(&f, ENFORCE);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	fixture_close(&f);
}

static void a_policy_counts_that_found_no_room_in_the_queue(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	assert_int_equal(send_one(&f), METRICS_POLICIES);
	room.is_full = true;
	fetched(&f, ENFORCE);
	room.is_full = false;
	pass(&f, 5);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	fixture_close(&f);
}

/* A policy that is known is not forgotten by an answer that comes at the wrong moment. */
static void an_answer_waits_while_the_queue_cannot_be_read(void **state)
{
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	send_one(&f);
	fetched(&f, ENFORCE);
	lease = next_lease(&f);
	assert_non_null(lease);
	pass(&f, 200);
	send_to(&f, "x.test", 1);
	dns.is_slow = true;
	settle(&f);
	assert_int_equal(dns.count, 1);
	/* The result finds no room in the transaction that takes the answer up. */
	dns.is_slow = false;
	room.is_full = true;
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	room.is_full = false;
	pass(&f, 10);
	assert_int_equal(policy_now(&f), METRICS_POLICY_STS);
	assert_int_equal(fetcher.asked, 1);
	fixture_close(&f);
}

/* The fetch's cookie is the domain: it must be there when the result comes, or nobody asks. */
static void a_domain_that_nobody_wants_any_more_is_there_for_its_result(void **state)
{
	struct fixture f;
	struct planner_sweep *sweep;
	struct error error;
	u32 id;

	(void)state;
	open_world(&f);
	set_domain("good.mx", "one");
	id = send_to(&f, "x.test", 3);
	settle(&f);
	sweep = planner_campaign_cancel(f.planner, id, &error);
	assert_non_null(sweep);
	planner_sweep_leave(sweep);
	pass(&f, 300);
	fetched(&f, ENFORCE);
	pass(&f, 300);
	assert_int_equal(fetcher.asked, 1);
	fixture_close(&f);
	/* And with a fetch under way at the end. */
	open_world(&f);
	set_domain("good.mx", "one");
	send_to(&f, "x.test", 3);
	settle(&f);
	assert_int_equal(fetcher.waiting, 1);
	fixture_close(&f);
}

static void policies_whose_time_is_over_leave_the_queue(void **state)
{
	struct fixture f;
	struct slice name = SLICE_NONE;
	struct slice value = SLICE_NONE;
	u32 kept = 0;
	char after[300] = "";

	(void)state;
	open_world(&f);
	for (u32 i = 0; i < 40; i++) {
		char domain[32];
		struct mx_answer *answer;

		snprintf(domain, sizeof(domain), "x%u.test", i % 8);
		answer = zone_set(domain, MX_OK, 100, "good.mx=20.0.0.1");
		snprintf(answer->sts_id, sizeof(answer->sts_id), "id%u", i);
		answer->sts_address_count = 1;
		send_to(&f, domain, 1);
		settle(&f);
		if (fetcher.waiting > 0)
			fetched(&f, i < 8 ? "version: STSv1\nmode: none\nmax_age: 60\n" : NULL);
		answer_all(&f, SMTP_VERDICT_ACCEPTED);
		pass(&f, 700);
	}
	assert_int_equal(queue_begin(f.planner->queue), STORE_OK);
	while (queue_setting_next(f.planner->queue, SLICE("sts/"), slice_of(after), &name,
				  &value) == STORE_OK) {
		slice_copy(after, sizeof(after), name);
		kept++;
	}
	queue_abort(f.planner->queue);
	/* The youngest have just been tried. */
	assert_true(kept >= 1 && kept <= 4);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_waits_for_a_policy_that_is_announced_and_then_goes_by_it),
		cmocka_unit_test(a_host_that_the_policy_does_not_name_gets_nothing),
		cmocka_unit_test(a_domain_without_announcement_asks_for_nothing),
		cmocka_unit_test(
			without_a_policy_to_be_had_mail_goes_as_ever_and_it_is_tried_again),
		cmocka_unit_test(a_policy_counts_though_it_is_announced_no_more),
		cmocka_unit_test(a_new_id_brings_a_new_policy_and_the_old_one_counts_until_then),
		cmocka_unit_test(a_policy_is_there_after_a_new_start),
		cmocka_unit_test(when_nothing_more_can_be_fetched_what_is_known_counts),
		cmocka_unit_test(a_policy_counts_that_found_no_room_in_the_queue),
		cmocka_unit_test(an_answer_waits_while_the_queue_cannot_be_read),
		cmocka_unit_test(a_domain_that_nobody_wants_any_more_is_there_for_its_result),
		cmocka_unit_test(policies_whose_time_is_over_leave_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

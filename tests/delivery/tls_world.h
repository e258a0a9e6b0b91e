/*
 * For tests of TLS reports as the planner makes them: the fixture of the planner at noon of some day,
 * with a place for reports by mail and one by HTTPS; the posting is played by the test. Include it in
 * one program each.
 */
#ifndef TESTS_DELIVERY_TLS_WORLD_H
#define TESTS_DELIVERY_TLS_WORLD_H

#include "planner_fixture.h"

#include "delivery/planner_tls.h"
#include "message/message.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"
#define PLACES "mailto:tls@reports.test,https://r.test/v1"
#define HOUR_S 3600

/* ---- in the place of dns/sts_fetch.c ---- */

static struct {
	u32 posts;
	char url[256];
	char host[256];
	u16 port;
	size_t len;
	u8 head[2];
	u64 cookie;
	bool is_answered; /* `ok` is to be taken */
	bool ok;
} poster;

struct sts_fetcher *sts_fetcher_open(struct error *error)
{
	(void)error;
	return (struct sts_fetcher *)&poster;
}

void sts_fetcher_close(struct sts_fetcher *one)
{
	(void)one;
}

bool sts_fetch(struct sts_fetcher *one, const char *domain, const struct net_address *addresses,
	       u32 address_count, u64 cookie)
{
	(void)one, (void)domain, (void)addresses, (void)address_count, (void)cookie;
	return false;
}

bool sts_post(struct sts_fetcher *one, const struct sts_post *post, u64 cookie)
{
	(void)one;
	poster.posts++;
	slice_copy(poster.url, sizeof(poster.url), post->url);
	slice_copy(poster.host, sizeof(poster.host), slice_of(post->host));
	assert_true(post->address_count > 0);
	poster.port = post->addresses[0].port;
	poster.len = post->body.len;
	memcpy(poster.head, post->body.ptr, sizeof(poster.head));
	poster.cookie = cookie;
	return true;
}

bool sts_has_fetched(struct sts_fetcher *one)
{
	(void)one;
	return poster.is_answered;
}

bool sts_next_fetched(struct sts_fetcher *one, struct sts_fetched *fetched)
{
	(void)one;
	if (!poster.is_answered)
		return false;
	poster.is_answered = false;
	*fetched = (struct sts_fetched){ .cookie = poster.cookie, .ok = poster.ok, .why = "no" };
	return true;
}

static inline void answer_post(struct fixture *f, bool ok)
{
	poster.is_answered = true;
	poster.ok = ok;
	settle(f);
}

/* ---- the world ---- */

/* It is noon, of the real day: the planner has begun with that. */
static inline void open_world(struct fixture *f, const char *more)
{
	memset(&poster, 0, sizeof(poster));
	fixture_open(f, ANY, more);
	f->wall_ms = (f->wall_ms / TLS_DAY_MS) * TLS_DAY_MS + TLS_DAY_MS / 2;
	zone_set("reports.test", MX_OK, 600, "mx.reports.test=20.0.0.7");
	zone_set("r.test", MX_OK, 600, "r.test=20.0.0.8");
	settle(f);
}

static inline struct mx_answer *set_domain(const char *domain, const char *places)
{
	struct mx_answer *answer = zone_set(domain, MX_OK, 3600, "mx.x.test=20.0.0.1");

	snprintf(answer->reports_to, sizeof(answer->reports_to), "%s", places);
	return answer;
}

static inline u64 day_of(const struct fixture *f)
{
	return f->wall_ms / TLS_DAY_MS;
}

/* What is kept of a domain's day; false: nothing. */
static inline bool kept(struct fixture *f, u64 day, const char *domain, struct tls_tally *tally)
{
	char name[TLS_NAME_SIZE];
	struct slice value;
	enum store_result result;

	planner_tls_name(name, day, domain);
	assert_int_equal(queue_begin(f->planner->queue), STORE_OK);
	result = queue_setting_get(f->planner->queue, slice_of(name), &value);
	if (result == STORE_OK)
		assert_true(tls_tally_read(tally, value));
	queue_abort(f->planner->queue);
	return result == STORE_OK;
}

static inline void check_kept(struct fixture *f, u64 day, const char *domain, u64 successes, u64 failures)
{
	struct tls_tally tally;
	u64 ok = 0;
	u64 failed = 0;

	if (!kept(f, day, domain, &tally)) {
		if (successes + failures > 0)
			fail_msg("nothing is kept of %s", domain);
		return;
	}
	for (u32 i = 0; i < tally.policy_count; i++) {
		ok += tally.policies[i].successes;
		failed += tls_tally_failures(&tally, i);
	}
	assert_int_equal(ok, successes);
	assert_int_equal(failed, failures);
	tls_tally_done(&tally);
}

static inline void tell_failure(struct lease *lease, u8 outcome, u16 count)
{
	lease->tls_failure = (struct lease_tls){ .outcome = outcome, .count = count,
						 .reason = "certificate has expired" };
	assert_true(net_address_parse(&lease->tls_failure.host, SLICE("20.0.0.1"), false));
}

/* One message goes, and its lease tells this. */
static inline void send_one(struct fixture *f, const char *domain, bool ok, u8 outcome)
{
	struct lease *lease;

	send_to(f, domain, 1);
	settle(f);
	lease = next_lease(f);
	assert_non_null(lease);
	lease->tls_ok = ok;
	if (outcome != TLS_OUTCOME_UNKNOWN)
		tell_failure(lease, outcome, 1);
	give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(f);
}

/* To the given hour of the next day. */
static inline void to_next_day(struct fixture *f, u32 hour)
{
	u64 until_ms = (day_of(f) + 1) * TLS_DAY_MS + hour * HOUR_S * 1000ull;

	pass(f, (until_ms - f->wall_ms) / 1000);
}

#endif

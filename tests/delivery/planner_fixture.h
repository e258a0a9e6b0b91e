/*
 * For tests of the planner: a real one over a real store, with a clock that the test moves, a
 * resolver that answers from a table, and a worker whose part the test plays (its queues are real,
 * its sessions are not opened). Include it in one program each: it takes the place of dns/resolver.c.
 */
#ifndef TESTS_DELIVERY_PLANNER_FIXTURE_H
#define TESTS_DELIVERY_PLANNER_FIXTURE_H

#include "base/clock.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "delivery/planner_parts.h"
#include "delivery/worker_parts.h"
#include "store/row_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the resolver ---- */

#define ZONES_MAX 16
#define QUESTIONS_MAX 64 /* at once, then it takes no more */

struct zone {
	char domain[64];
	struct mx_answer answer;
};

struct question {
	char domain[256];
	u64 cookie;
};

static struct {
	struct zone zones[ZONES_MAX];
	u32 zone_count;
	/* For domains without a zone; NULL: no such domain. */
	void (*answer_others)(const char *domain, struct mx_answer *answer);
	struct question questions[QUESTIONS_MAX];
	u32 first, count;
	u64 asked;
	bool is_slow; /* answers wait until it is quick again */
} dns;

/*
 * "mx1=20.0.0.1,20.0.0.2 mx2/20=2a00::1": hosts by preference (10 unless given), in this order.
 */
static void answer_parse(struct mx_answer *answer, const char *hosts)
{
	struct slice rest = slice_of(hosts);

	while (rest.len > 0) {
		struct slice addresses = slice_split(&rest, ' ');
		struct slice name = slice_split(&addresses, '=');
		struct slice preference = name;
		struct mx_host *host = &answer->hosts[answer->host_count++];

		name = slice_split(&preference, '/');
		host->preference = 10;
		if (preference.len > 0) {
			u32 value;

			assert_true(slice_to_u32(preference, &value));
			host->preference = (u16)value;
		}
		slice_copy(host->name, sizeof(host->name), name);
		host->address_first = (u8)answer->address_count;
		while (addresses.len > 0) {
			struct net_address *a = &answer->addresses[answer->address_count++];

			assert_true(net_address_parse(a, slice_split(&addresses, ','), false));
			a->port = 25;
			host->address_count++;
		}
	}
}

/* What the domain's next lookup finds. */
static inline struct mx_answer *zone_set(const char *domain, enum mx_status status, u32 ttl_s,
				  const char *hosts)
{
	struct zone *zone = NULL;

	for (u32 i = 0; i < dns.zone_count; i++) {
		if (strcmp(dns.zones[i].domain, domain) == 0)
			zone = &dns.zones[i];
	}
	if (!zone) {
		assert_true(dns.zone_count < ZONES_MAX);
		zone = &dns.zones[dns.zone_count++];
		snprintf(zone->domain, sizeof(zone->domain), "%s", domain);
	}
	zone->answer = (struct mx_answer){ .status = status, .ttl_s = ttl_s };
	snprintf(zone->answer.text, sizeof(zone->answer.text), "status %d", status);
	answer_parse(&zone->answer, hosts);
	return &zone->answer;
}

struct mx_resolver *mx_resolver_open(const struct mx_params *params, struct error *error)
{
	(void)params;
	(void)error;
	return (struct mx_resolver *)&dns;
}

void mx_resolver_close(struct mx_resolver *resolver)
{
	(void)resolver;
}

int mx_resolver_fd(const struct mx_resolver *resolver)
{
	(void)resolver;
	return -1;
}

void mx_resolver_process(struct mx_resolver *resolver)
{
	(void)resolver;
}

bool mx_lookup(struct mx_resolver *resolver, struct slice domain, u64 cookie)
{
	struct question *q = &dns.questions[(dns.first + dns.count) % QUESTIONS_MAX];

	(void)resolver;
	if (dns.count == QUESTIONS_MAX)
		return false;
	slice_copy(q->domain, sizeof(q->domain), domain);
	q->cookie = cookie;
	dns.count++;
	dns.asked++;
	return true;
}

bool mx_lookup_addresses(struct mx_resolver *resolver, struct slice host, u64 cookie)
{
	return mx_lookup(resolver, host, cookie);
}

bool mx_next_answer(struct mx_resolver *resolver, u64 *cookie, struct mx_answer *answer)
{
	const struct question *q = &dns.questions[dns.first];

	(void)resolver;
	if (dns.count == 0 || dns.is_slow)
		return false;
	dns.first = (dns.first + 1) % QUESTIONS_MAX;
	dns.count--;
	*cookie = q->cookie;
	*answer = (struct mx_answer){ .status = MX_NO_DOMAIN, .ttl_s = 60 };
	for (u32 i = 0; i < dns.zone_count; i++) {
		if (strcmp(dns.zones[i].domain, q->domain) == 0) {
			*answer = dns.zones[i].answer;
			return true;
		}
	}
	if (dns.answer_others)
		dns.answer_others(q->domain, answer);
	return true;
}

/* ---- the planner and its worker ---- */

struct fixture {
	char dir[64];
	struct config config;
	struct metrics *metrics;
	struct planner *planner;
	struct worker *worker;
	u64 now_ns;
	u64 wall_ms;
	u32 kind; /* enum queue_campaign_kind of those that are made from now on */
	bool is_open; /* likewise */
};

static void ignore(void *context)
{
	(void)context;
}

/* `sections`: all of the configuration but where its data is. */
static inline void fixture_open_config(struct fixture *f, const char *sections)
{
	struct error error = { "" };
	struct worker_params wp = { .sessions_max = 16, .leases_max = 65536, .seed = 1,
				    .notify = ignore };
	struct planner_params pp = { .config = &f->config, .worker_count = 1, .seed = 1 };
	char text[16384];

	memset(&dns, 0, sizeof(dns));
	*f = (struct fixture){ 0 };
	snprintf(f->dir, sizeof(f->dir), "%s/hikyaku-planner-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	assert_in_range(snprintf(text, sizeof(text), "data = \"%s\"\n%s", f->dir, sections), 1,
			sizeof(text) - 1);
	if (!config_parse(&f->config, slice_of(text), "test", &error))
		fail_msg("%s", error.text);
	f->metrics = metrics_open(1);
	pp.metrics = f->metrics;
	wp.metrics = metrics_worker(f->metrics, 0);
	f->planner = planner_open(&pp, &error);
	f->worker = worker_open(&wp, &error);
	if (!f->planner || !f->worker)
		fail_msg("%s", error.text);
	planner_set_workers(f->planner, &f->worker);
	f->now_ns = clock_mono_ns();
	f->wall_ms = clock_wall_ms();
}

/* `addresses`: sections of the customer; `more`: sections of the configuration. */
static inline void fixture_open(struct fixture *f, const char *addresses, const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "queue { map-size-max = \"8G\" commit-interval = 0 durability = \"relaxed\" }\n"
		 "retry { schedule = {\"10s\"} jitter = 0 expire = \"5d\" }\n"
		 "customer \"a.example\" { %s sign = false }\n"
		 "site \"default\" { sessions = 4 reserve = 0 connect-timeout = \"10s\" }\n%s",
		 addresses, more);
	fixture_open_config(f, text);
}

/* Whatever is still out is given up. */
static void fixture_close(struct fixture *f)
{
	for (u32 i = 0; i < f->planner->leases_used; i++)
		path_give(f->planner->leases[i].path);
	planner_close(f->planner);
	worker_close(f->worker);
	metrics_close(f->metrics);
	config_free(&f->config);
	remove_tree(f->dir);
}

/* The sender starts again on what is on the disk. */
static inline void start_again(struct fixture *f)
{
	struct planner_params params = f->planner->params;
	struct error error = { "" };

	for (u32 i = 0; i < f->planner->leases_used; i++)
		path_give(f->planner->leases[i].path);
	planner_close(f->planner);
	f->planner = planner_open(&params, &error);
	if (!f->planner)
		fail_msg("%s", error.text);
}

/* Turns until nothing more comes of it without time passing. */
static inline void settle(struct fixture *f)
{
	for (int i = 0; i < 6; i++) {
		f->now_ns += NS_PER_MS;
		f->wall_ms++;
		if (dns.count > 0 && !dns.is_slow)
			planner_resolver_ready(f->planner);
		planner_turn(f->planner, f->now_ns, f->wall_ms);
	}
}

/* Time passes in small steps, as it does while a sender lives. */
static inline void pass(struct fixture *f, u64 seconds)
{
	u64 step = seconds > 86400 ? 600 : seconds > 3600 ? 60 : 1;

	for (u64 at = 0; at < seconds; at += step) {
		f->now_ns += step * NS_PER_S;
		f->wall_ms += step * MS_PER_S;
		settle(f);
	}
}

/* ---- campaigns ---- */

static inline void add_recipient(struct planner_intake *intake, const char *address)
{
	struct planner_recipient recipient = { .address = slice_of(address) };
	struct error error = { "" };
	struct buf values;
	struct slice none = SLICE("x");

	buf_init(&values, 1024);
	row_values_pack(&values, &none, 1);
	recipient.values = buf_slice(&values);
	if (!planner_intake_add(intake, &recipient, 1, &error))
		fail_msg("%s", error.text);
	buf_done(&values);
}

static struct planner_intake *campaign_begin_until(struct fixture *f,
						   struct queue_campaign *campaign,
						   const char *name, u64 deadline_ms)
{
	struct planner_source source = { .headers = SLICE("From: a@a.example\nSubject: hi\n"),
					 .text = SLICE("hello\n"),
					 .columns = SLICE("name") };
	struct planner_options options = { 0 };
	struct planner_intake *intake;
	struct error error = { "" };
	struct buf packed;

	*campaign = (struct queue_campaign){ .doubt_policy = DOUBT_RESEND,
					     .kind = f->kind,
					     .is_open = f->is_open,
					     .expire_after_ms = 5ull * 86400 * 1000,
					     .deadline_ms = deadline_ms };
	slice_copy(campaign->name, sizeof(campaign->name), slice_of(name));
	snprintf(campaign->customer, sizeof(campaign->customer), "a.example");
	buf_init(&packed, 4096);
	planner_options_pack(&options, &packed);
	source.options = buf_slice(&packed);
	intake = planner_intake_begin(f->planner, campaign, &source, &error);
	buf_done(&packed);
	if (!intake)
		fail_msg("%s", error.text);
	return intake;
}

static inline struct planner_intake *
campaign_begin(struct fixture *f, struct queue_campaign *campaign, const char *name)
{
	return campaign_begin_until(f, campaign, name, 0);
}

static inline u32 campaign_start(struct fixture *f, struct planner_intake *intake,
				 struct queue_campaign *campaign)
{
	struct error error = { "" };

	if (!planner_intake_finish(intake, campaign, &error) ||
	    !planner_campaign_start(f->planner, campaign->id, &error))
		fail_msg("%s", error.text);
	return campaign->id;
}

/* `count` recipients at one domain. Its id. */
static inline u32 send_to(struct fixture *f, const char *domain, u32 count)
{
	static u32 number;
	struct queue_campaign campaign;
	struct planner_intake *intake;
	char text[300];

	snprintf(text, sizeof(text), "campaign-%u", number++);
	intake = campaign_begin(f, &campaign, text);
	for (u32 i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "r%u@%s", i, domain);
		add_recipient(intake, text);
	}
	return campaign_start(f, intake, &campaign);
}

static inline struct queue_campaign campaign_of(struct fixture *f, u32 id)
{
	struct queue_campaign campaign;
	struct error error;
	char text[16];

	snprintf(text, sizeof(text), "%u", id);
	assert_true(planner_campaign_find(f->planner, slice_of(text), &campaign, &error));
	return campaign;
}

/* ---- what the worker is given ---- */

static struct lease *next_lease(struct fixture *f)
{
	return spsc_pop(&f->worker->inbox);
}

static inline const char *host_of(const struct lease *lease, u32 index)
{
	return path_text(lease->path, lease->path->hosts[index]);
}

static void give_back(struct fixture *f, struct lease *lease, enum smtp_verdict verdict,
		      const char *reply)
{
	lease->verdict = verdict;
	lease->reply_len = (u16)strlen(reply);
	memcpy(lease->reply, reply, lease->reply_len);
	assert_true(spsc_push(&f->worker->outbox, lease));
}

/* Every lease out there ends with this verdict; how many there were. */
static inline u32 answer_all(struct fixture *f, enum smtp_verdict verdict)
{
	struct lease *lease;
	u32 count = 0;

	while ((lease = next_lease(f))) {
		give_back(f, lease, verdict, verdict == SMTP_VERDICT_ACCEPTED ? "ok" : "no");
		count++;
	}
	settle(f);
	return count;
}

#endif

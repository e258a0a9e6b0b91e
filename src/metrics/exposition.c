#include "metrics/metrics.h"

#include "base/version.h"
#include "metrics/lines.h"
#include "metrics/metrics_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct page {
	struct buf *out;
	bool openmetrics;
	const struct metrics *metrics;
	struct metrics_route *routes; /* sums by slot */
	u32 route_count;
	u64 used[METRICS_ROUTES_MAX / 64]; /* slots with anything counted */
};

/* ---- lines ---- */

void page_family(struct page *page, const char *name, enum metric_type type, const char *help)
{
	lines_family(page->out, page->openmetrics, name, type, help);
}

static void end_sample(struct page *page, u64 value)
{
	buf_add_char(page->out, ' ');
	buf_add_u64(page->out, value);
	buf_add_char(page->out, '\n');
}

static void add_sample(struct page *page, const char *name, enum metric_type type, u64 value)
{
	lines_sample(page->out, name, type, value);
}

/* A sample with one label. */
void page_labelled(struct page *page, const char *name, enum metric_type type, const char *label,
		   const char *text, u64 value)
{
	lines_labelled(page->out, name, type, label, text, value);
}

const char *const metrics_report_names[METRICS_REPORTS] = {
	[METRICS_REPORT_OTHER] = "other",
	[METRICS_REPORT_NOTHING] = "nothing",
	[METRICS_REPORT_AGAIN] = "again",
	[METRICS_REPORT_FORGED] = "forged",
	[METRICS_REPORT_UNKNOWN] = "unknown",
	[METRICS_REPORT_AUTO_REPLY] = "auto-reply",
	[METRICS_REPORT_BOUNCED] = "bounced",
	[METRICS_REPORT_UNSUBSCRIBED] = "unsubscribed",
	[METRICS_REPORT_COMPLAINED] = "complained",
};

/* ---- by route ---- */

struct route_value {
	const char *text; /* of the label; NULL: the family has none */
	size_t offset;    /* in struct metrics_route */
};

struct route_family {
	const char *name;
	enum metric_type type;
	const char *help;
	const char *label;
	const struct route_value *values;
	u32 value_count;
};

#define ROUTE(member) offsetof(struct metrics_route, member)

static const struct route_value outcomes[] = {
	{ "delivered", ROUTE(delivered) },
	{ "failed", ROUTE(failed) },
	{ "deferred", ROUTE(deferred) },
	{ "in_doubt", ROUTE(in_doubt) },
};
static const struct route_value bytes[] = { { NULL, ROUTE(bytes) } };
static const struct route_value opened[] = { { NULL, ROUTE(sessions_opened) } };
static const struct route_value open_now[] = { { NULL, ROUTE(sessions_open) } };
static const struct route_value failures[] = {
	{ "connect", ROUTE(sessions_failed[METRICS_FAIL_CONNECT]) },
	{ "timeout", ROUTE(sessions_failed[METRICS_FAIL_TIMEOUT]) },
	{ "closed", ROUTE(sessions_failed[METRICS_FAIL_CLOSED]) },
	{ "refused", ROUTE(sessions_failed[METRICS_FAIL_REFUSED]) },
	{ "protocol", ROUTE(sessions_failed[METRICS_FAIL_PROTOCOL]) },
	{ "tls", ROUTE(sessions_failed[METRICS_FAIL_TLS]) },
};
static const struct route_value versions[] = {
	{ "none", ROUTE(tls[METRICS_TLS_NONE]) },
	{ "1.2", ROUTE(tls[METRICS_TLS_12]) },
	{ "1.3", ROUTE(tls[METRICS_TLS_13]) },
};
static const struct route_value resumed[] = { { NULL, ROUTE(tls_resumed) } };

static_assert(array_count(failures) == METRICS_FAILURES, "every reason has a label");
static_assert(array_count(versions) == METRICS_TLS_VERSIONS, "every version has a label");

#define VALUES(array) (array), array_count(array)

static const struct route_family route_families[] = {
	{ "hikyaku_messages", COUNTER, "Attempts to deliver a message, by committed outcome.",
	  "outcome", VALUES(outcomes) },
	{ "hikyaku_message_bytes", COUNTER, "Bytes of messages that were sent to their end.", NULL,
	  VALUES(bytes) },
	{ "hikyaku_sessions_open", GAUGE, "SMTP sessions that are open.", NULL, VALUES(open_now) },
	{ "hikyaku_sessions_opened", COUNTER, "SMTP sessions that became ready for messages.", NULL,
	  VALUES(opened) },
	{ "hikyaku_sessions_failed", COUNTER, "SMTP sessions that failed, by reason.", "reason",
	  VALUES(failures) },
	{ "hikyaku_sessions_tls", COUNTER, "SMTP sessions that became ready, by TLS version.",
	  "version", VALUES(versions) },
	{ "hikyaku_sessions_tls_resumed", COUNTER,
	  "TLS handshakes that resumed an earlier session.", NULL, VALUES(resumed) },
};

static void add_route_sample(struct page *page, const struct route_family *family, u32 slot,
			     const struct route_value *value)
{
	const char *sum = (const char *)&page->routes[slot];

	buf_add_text(page->out, family->name);
	buf_add_text(page->out, lines_suffix(family->type));
	lines_label(page->out, '{', "source", metrics_route_source(page->metrics, slot));
	lines_label(page->out, ',', "site", metrics_route_site(page->metrics, slot));
	if (family->label)
		lines_label(page->out, ',', family->label, value->text);
	buf_add_char(page->out, '}');
	end_sample(page, *(const u64 *)(const void *)(sum + value->offset));
}

static void add_route_family(struct page *page, const struct route_family *family)
{
	page_family(page, family->name, family->type, family->help);
	for (u32 slot = 0; slot < page->route_count; slot++) {
		if (!(page->used[slot / 64] >> (slot % 64) & 1))
			continue;
		for (u32 i = 0; i < family->value_count; i++)
			add_route_sample(page, family, slot, &family->values[i]);
	}
}

static void add_routes(struct page *page)
{
	static const struct metrics_route nothing;

	page->route_count = metrics_route_count(page->metrics);
	page->routes = malloc(page->route_count * sizeof(*page->routes));
	if (!page->routes) {
		page->out->failed = true;
		return;
	}
	for (u32 slot = 0; slot < page->route_count; slot++) {
		metrics_route_sum(page->metrics, slot, &page->routes[slot]);
		if (memcmp(&page->routes[slot], &nothing, sizeof(nothing)) != 0)
			page->used[slot / 64] |= 1ull << (slot % 64);
	}
	for (u32 i = 0; i < array_count(route_families); i++)
		add_route_family(page, &route_families[i]);
	free(page->routes);
}

/* ---- warm-ups ---- */

static const struct {
	const char *name;
	const char *help;
	size_t offset; /* in struct metrics_warmup */
} warmup_families[] = {
	{ "hikyaku_warmup_day", "Day of the plan that a source address is at, at a receiver.",
	  offsetof(struct metrics_warmup, step) },
	{ "hikyaku_warmup_quota", "Messages of this day; 0: the warm-up is done.",
	  offsetof(struct metrics_warmup, quota) },
	{ "hikyaku_warmup_sent", "Messages of this day that were sent.",
	  offsetof(struct metrics_warmup, sent) },
	{ "hikyaku_warmup_held", "1: refusals or complaints hold the warm-up.",
	  offsetof(struct metrics_warmup, is_held) },
	{ "hikyaku_warmup_done", "1: the warm-up is done.",
	  offsetof(struct metrics_warmup, is_done) },
};

static void add_warmups(struct page *page)
{
	const struct metrics_warmup *warmups = metrics_planner(page->metrics)->warmups;
	const u32 count = metrics_route_count(page->metrics);

	for (u32 i = 0; i < array_count(warmup_families); i++) {
		const char *name = warmup_families[i].name;

		page_family(page, name, GAUGE, warmup_families[i].help);
		for (u32 slot = 0; slot < count; slot++) {
			const char *at = (const char *)&warmups[slot] + warmup_families[i].offset;

			if (metric_get(&warmups[slot].step) == 0)
				continue;
			buf_add_text(page->out, name);
			lines_label(page->out, '{', "source",
				  metrics_route_source(page->metrics, slot));
			lines_label(page->out, ',', "receiver",
				  metrics_route_site(page->metrics, slot));
			buf_add_char(page->out, '}');
			end_sample(page, metric_get((const u64 *)(const void *)at));
		}
	}
}

/* ---- by worker, and sums over the workers ---- */

struct word_family {
	const char *name;
	enum metric_type type;
	const char *help;
	size_t offset;
};

#define WORKER(member) offsetof(struct metrics_worker, member)

static const struct word_family worker_families[] = {
	{ "hikyaku_leases_held", GAUGE, "Messages in the hands of a worker.", WORKER(leases_held) },
	{ "hikyaku_ring_turns", COUNTER, "Turns of a worker's loop.", WORKER(ring_turns) },
	{ "hikyaku_ring_completions", COUNTER, "Operations that the kernel completed.",
	  WORKER(ring_completions) },
	{ "hikyaku_ring_submissions", COUNTER, "Operations given to the kernel.",
	  WORKER(ring_submissions) },
	{ "hikyaku_ring_operations_in_flight", GAUGE, "Operations in the hands of the kernel.",
	  WORKER(ring_in_flight) },
	{ "hikyaku_ring_buffers_exhausted", COUNTER,
	  "Receives that were started anew for want of buffers.", WORKER(ring_no_buffers) },
};

static const struct word_family sum_families[] = {
	{ "hikyaku_messages_composed", COUNTER, "Messages composed.", WORKER(messages_composed) },
	{ "hikyaku_signatures", COUNTER, "DKIM signatures made.", WORKER(signatures) },
	{ "hikyaku_signing_rounds", COUNTER,
	  "Times that DKIM signatures were made, of all messages at hand together.",
	  WORKER(signing_rounds) },
	{ "hikyaku_signatures_refused", COUNTER,
	  "Signatures that failed their check and were made again: a faulty processor or memory.",
	  WORKER(signatures_refused) },
	{ "hikyaku_body_bytes_hashed", COUNTER, "Bytes of message bodies that were hashed.",
	  WORKER(body_bytes_hashed) },
	{ "hikyaku_body_bytes_saved", COUNTER,
	  "Bytes of message bodies whose hash was known from an earlier message.",
	  WORKER(body_bytes_saved) },
	{ "hikyaku_values_refused", COUNTER,
	  "Messages not composed because of a recipient's values.", WORKER(bad_values) },
};

static u64 worker_word(const struct page *page, u32 worker, size_t offset)
{
	const char *block = (const char *)metrics_worker(page->metrics, worker);

	return metric_get((const u64 *)(const void *)(block + offset));
}

static void add_workers(struct page *page)
{
	const u32 workers = metrics_worker_count(page->metrics);

	for (u32 i = 0; i < array_count(worker_families); i++) {
		const struct word_family *f = &worker_families[i];

		page_family(page, f->name, f->type, f->help);
		for (u32 w = 0; w < workers; w++) {
			buf_add_format(page->out, "%s%s{worker=\"%u\"}", f->name,
				       lines_suffix(f->type), w);
			end_sample(page, worker_word(page, w, f->offset));
		}
	}
	for (u32 i = 0; i < array_count(sum_families); i++) {
		const struct word_family *f = &sum_families[i];
		u64 sum = 0;

		for (u32 w = 0; w < workers; w++)
			sum += worker_word(page, w, f->offset);
		page_family(page, f->name, f->type, f->help);
		add_sample(page, f->name, f->type, sum);
	}
}

static const char *const policies[METRICS_POLICIES] = {
	[METRICS_POLICY_NEVER] = "never",	[METRICS_POLICY_OPPORTUNISTIC] = "opportunistic",
	[METRICS_POLICY_REQUIRED] = "required", [METRICS_POLICY_UNUSABLE] = "dane-unusable",
	[METRICS_POLICY_DANE] = "dane",		[METRICS_POLICY_VERIFY] = "verify",
	[METRICS_POLICY_STS] = "sts",		[METRICS_POLICY_STS_TESTING] = "sts-testing",
	[METRICS_POLICY_STS_OTHER] = "sts-testing-unlisted-mx",
};
static const char *const securities[METRICS_SECURITIES] = {
	[METRICS_SECURITY_TLS] = "ok",
	[METRICS_SECURITY_PLAIN] = "plaintext",
	[METRICS_SECURITY_NO_STARTTLS] = "no-starttls",
	[METRICS_SECURITY_HANDSHAKE] = "handshake",
	[METRICS_SECURITY_CERTIFICATE] = "certificate",
};

static void add_security_sample(struct page *page, u32 policy, u32 result)
{
	const size_t offset = WORKER(security) +
			      (policy * METRICS_SECURITIES + result) * sizeof(u64);
	u64 sum = 0;

	for (u32 w = 0; w < metrics_worker_count(page->metrics); w++)
		sum += worker_word(page, w, offset);
	buf_add_format(page->out, "hikyaku_tls_sessions%s{policy=\"%s\",result=\"%s\"}",
		       lines_suffix(COUNTER), policies[policy], securities[result]);
	end_sample(page, sum);
}

static void add_security(struct page *page)
{
	page_family(page, "hikyaku_tls_sessions", COUNTER,
		     "SMTP sessions, by what their encryption had to be and what came of it.");
	for (u32 policy = 0; policy < METRICS_POLICIES; policy++) {
		for (u32 result = 0; result < METRICS_SECURITIES; result++)
			add_security_sample(page, policy, result);
	}
}

/* ---- histograms ---- */

struct histogram_family {
	const char *name;
	const char *help;
	size_t offset; /* in struct metrics_worker */
};

static const struct histogram_family histogram_families[] = {
	{ "hikyaku_connect_seconds", "Time from the start of a connection until it stood.",
	  WORKER(connect) },
	{ "hikyaku_banner_seconds",
	  "Time from connection until the session was ready for messages.", WORKER(banner) },
	{ "hikyaku_transaction_seconds",
	  "Time from handing a message to a session to its final reply.", WORKER(transaction) },
	{ "hikyaku_signing_seconds", "Time of signing, per message: its share of the batch.",
	  WORKER(sign) },
};

static void add_histograms(struct page *page)
{
	struct metrics_histogram commit = { 0 };

	for (u32 i = 0; i < array_count(histogram_families); i++) {
		const struct histogram_family *f = &histogram_families[i];
		struct metrics_histogram sum = { 0 };

		for (u32 w = 0; w < metrics_worker_count(page->metrics); w++) {
			const char *block = (const char *)metrics_worker(page->metrics, w);

			metric_sum_histogram(&sum, (const void *)(block + f->offset));
		}
		page_family(page, f->name, HISTOGRAM, f->help);
		lines_histogram(page->out, f->name, NULL, NULL, &sum);
	}
	metric_sum_histogram(&commit, &metrics_planner(page->metrics)->commit);
	page_family(page, "hikyaku_commit_seconds", HISTOGRAM,
		    "Time of a durable commit of the queue.");
	lines_histogram(page->out, "hikyaku_commit_seconds", NULL, NULL, &commit);
}

/* ---- the planner's ---- */

#define PLANNER(member) offsetof(struct metrics_planner, member)

static const struct word_family planner_families[] = {
	{ "hikyaku_commits", COUNTER, "Durable commits of the queue.", PLANNER(commits) },
	{ "hikyaku_rows_committed", COUNTER, "Results committed.", PLANNER(rows_committed) },
	{ "hikyaku_campaigns_running", GAUGE, "Campaigns that are running.",
	  PLANNER(campaigns_running) },
	{ "hikyaku_lmdb_map_bytes", GAUGE, "Size of the queue's memory map.", PLANNER(map_bytes) },
	{ "hikyaku_log_rows", GAUGE, "Entries of the delivery log that are kept.",
	  PLANNER(log_rows) },
	{ "hikyaku_dns_lookups", COUNTER, "Mail hosts asked for in DNS.", PLANNER(dns_lookups) },
	{ "hikyaku_mta_sts_policies_fetched", COUNTER, "MTA-STS policies that were fetched.",
	  PLANNER(sts_fetched) },
	{ "hikyaku_mta_sts_fetches_failed", COUNTER,
	  "MTA-STS policies that are announced and could not be fetched.", PLANNER(sts_failed) },
	{ "hikyaku_tls_reports_mailed", COUNTER,
	  "Reports about TLS that are in the queue as letters, by place.",
	  PLANNER(tls_reports_mailed) },
	{ "hikyaku_tls_reports_posted", COUNTER,
	  "Reports about TLS that were taken over HTTPS, by place.", PLANNER(tls_reports_posted) },
	{ "hikyaku_tls_reports_failed", COUNTER,
	  "Reports about TLS that a place never took.", PLANNER(tls_reports_failed) },
	{ "hikyaku_tls_reports_uncounted", COUNTER,
	  "Results of TLS that found no room in the reports.", PLANNER(tls_uncounted) },
	{ "hikyaku_dns_failures", COUNTER, "Mail hosts asked for in DNS without an answer.",
	  PLANNER(dns_failures) },
	{ "hikyaku_dns_stale", COUNTER,
	  "Failures of DNS that left a domain with the mail hosts that were known.",
	  PLANNER(dns_stale) },
	{ "hikyaku_domains_known", GAUGE, "Recipient domains in memory.", PLANNER(domains_known) },
	{ "hikyaku_sites_known", GAUGE, "Sets of mail hosts in memory.", PLANNER(sites_known) },
	{ "hikyaku_routes_known", GAUGE,
	  "Sets of mail hosts in memory, each with a source address.", PLANNER(routes_known) },
	{ "hikyaku_suppressed_recipients", COUNTER,
	  "Recipients of campaigns that got no mail since their address is suppressed.",
	  PLANNER(suppressed_rows) },
	{ "hikyaku_letters_kept", COUNTER, "Single messages that were accepted, durably.",
	  PLANNER(letters[0]) },
	{ "hikyaku_letters_known", COUNTER,
	  "Single messages that came again, and were accepted already.", PLANNER(letters[1]) },
	{ "hikyaku_letters_refused", COUNTER, "Single messages that cannot be sent as they are.",
	  PLANNER(letters[2]) },
	{ "hikyaku_letters_without_room", COUNTER,
	  "Single messages that the queue had no room for.", PLANNER(letters[3]) },
	{ "hikyaku_forwards_failed", COUNTER,
	  "Messages that came in for people here, and that their mailbox did not take in the end.",
	  PLANNER(forwards_failed) },
	{ "hikyaku_suppression_addresses", GAUGE,
	  "Addresses that are suppressed, were once, or had failures in a row.",
	  PLANNER(suppressed) },
	{ "hikyaku_store_full", COUNTER, "Times that intake or leasing paused for want of room.",
	  PLANNER(store_full) },
	{ "hikyaku_lacks_room", GAUGE, "Whether intake or leasing is paused for want of room now.",
	  PLANNER(lacks_room) },
	{ "hikyaku_recovered_in_doubt", COUNTER,
	  "Messages found in doubt at start: sent, perhaps, before a crash.",
	  PLANNER(recovered_in_doubt) },
	{ "hikyaku_clock_steps", COUNTER,
	  "Times that the wall clock was found to be set, by a second or more.",
	  PLANNER(clock_steps) },
	/* The name that all exporters use. */
	{ "process_start_time_seconds", GAUGE, "Start of the process, in seconds since 1970.",
	  PLANNER(started_s) },
};

static void add_planner(struct page *page)
{
	const struct metrics_planner *p = metrics_planner(page->metrics);

	page_family(page, "hikyaku_queue_rows", GAUGE, "Recipients in the queue, by state.");
	page_labelled(page, "hikyaku_queue_rows", GAUGE, "state", "lane",
		      metric_get(&p->lane_rows));
	page_labelled(page, "hikyaku_queue_rows", GAUGE, "state", "deferred",
		     metric_get(&p->deferred_rows));
	page_labelled(page, "hikyaku_queue_rows", GAUGE, "state", "in_doubt",
		     metric_get(&p->doubt_rows));
	page_labelled(page, "hikyaku_queue_rows", GAUGE, "state", "leased",
		     metric_get(&p->leases_out));

	page_family(page, "hikyaku_replies", COUNTER,
		     "Refusals of messages by receivers, by what they are about.");
	for (u32 i = SMTP_CLASS_UNKNOWN; i < SMTP_CLASS_COUNT; i++)
		page_labelled(page, "hikyaku_replies", COUNTER, "class", smtp_class_name(i),
			     metric_get(&p->replies[i]));

	page_family(page, "hikyaku_reports", COUNTER,
		     "Messages about mail that was sent, by what came of them.");
	for (u32 i = 0; i < METRICS_REPORTS; i++)
		page_labelled(page, "hikyaku_reports", COUNTER, "result", metrics_report_names[i],
			      metric_get(&p->reports[i]));

	page_family(page, "hikyaku_queue_oldest_due_seconds", GAUGE,
		     "Age of the oldest deferred recipient that is due and waits; 0: none.");
	buf_add_text(page->out, "hikyaku_queue_oldest_due_seconds ");
	lines_fraction(page->out, metric_get(&p->oldest_due_ms), 3);
	buf_add_char(page->out, '\n');

	page_family(page, "hikyaku_lmdb_pages", GAUGE, "Pages of the queue, by state.");
	page_labelled(page, "hikyaku_lmdb_pages", GAUGE, "state", "used",
		     metric_get(&p->pages_used));
	page_labelled(page, "hikyaku_lmdb_pages", GAUGE, "state", "free",
		     metric_get(&p->pages_free));

	for (u32 i = 0; i < array_count(planner_families); i++) {
		const struct word_family *f = &planner_families[i];
		const char *word = (const char *)p + f->offset;

		page_family(page, f->name, f->type, f->help);
		add_sample(page, f->name, f->type, metric_get((const u64 *)(const void *)word));
	}
}

void metrics_expose(const struct metrics *metrics, bool openmetrics, struct buf *out)
{
	struct page page = { .out = out, .openmetrics = openmetrics, .metrics = metrics };

	page_family(&page, "hikyaku_build", INFO, "What is running; always 1.");
	page_labelled(&page, "hikyaku_build", INFO, "version", HIKYAKU_VERSION, 1);
	add_routes(&page);
	add_warmups(&page);
	add_workers(&page);
	add_security(&page);
	metrics_add_tls(&page, metrics);
	add_histograms(&page);
	add_planner(&page);
	metrics_add_readers(&page, metrics_planner(metrics));
	if (metrics_textfiles(metrics))
		metrics_add_textfiles(metrics_textfiles(metrics), openmetrics, out);
	if (openmetrics)
		buf_add_text(out, "# EOF\n");
}

/*
 * Counters of the sender. Every thread writes its own block and no other; the scraper adds the
 * blocks up. A writer is never stopped by a reader: single 64-bit words, written by one thread,
 * read by any.
 *
 * Counters by receiver carry the labels `source` (our IP) and `site`. Their number is bounded: the
 * first METRICS_ROUTES_MAX - 1 pairs have a slot each, all later ones share slot 0, "other". A slot
 * is never given to another pair, so that a counter never falls while the process lives.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/buf.h"
#include "base/smtp_class.h"
#include "base/tls_outcome.h"
#include "base/types.h"

#define METRICS_ROUTES_MAX 256
#define METRICS_OTHER 0
#define METRICS_NAME_MAX 255 /* bytes of a label; longer ones are counted under "other" */
#define METRICS_BUCKETS 25   /* powers of two from 64 us up to 537 s, and beyond */
#define METRICS_BUCKET_NS 64000ull

enum metrics_session_failure {
	METRICS_FAIL_CONNECT,
	METRICS_FAIL_TIMEOUT,
	METRICS_FAIL_CLOSED,
	METRICS_FAIL_REFUSED,
	METRICS_FAIL_PROTOCOL,
	METRICS_FAIL_TLS,
	METRICS_FAILURES,
};

/* What came of a report about mail that was sent (delivery/inbound.h). */
enum metrics_report {
	METRICS_REPORT_OTHER,
	METRICS_REPORT_NOTHING,
	METRICS_REPORT_AGAIN,
	METRICS_REPORT_FORGED,
	METRICS_REPORT_UNKNOWN,
	METRICS_REPORT_AUTO_REPLY,
	METRICS_REPORT_BOUNCED,
	METRICS_REPORT_UNSUBSCRIBED,
	METRICS_REPORT_COMPLAINED,
	METRICS_REPORTS,
};
extern const char *const metrics_report_names[METRICS_REPORTS]; /* "other", "auto-reply", ... */

/* How the hosts of a receiver are talked to, and why. */
enum metrics_policy {
	METRICS_POLICY_NEVER,         /* plaintext, by configuration */
	METRICS_POLICY_OPPORTUNISTIC, /* TLS where it is offered and works; any certificate */
	METRICS_POLICY_REQUIRED,      /* TLS by configuration; any certificate */
	METRICS_POLICY_UNUSABLE,      /* TLS by DANE, without a usable record; any certificate */
	METRICS_POLICY_DANE,          /* TLS, the certificate matches a TLSA record */
	METRICS_POLICY_VERIFY,        /* TLS by configuration, the certificate is the host's */
	METRICS_POLICY_STS,           /* likewise, by an MTA-STS policy */
	METRICS_POLICY_STS_TESTING,   /* as opportunistic; what would be refused is counted */
	METRICS_POLICY_STS_OTHER,     /* the same, to a host that the policy does not name */
	METRICS_POLICIES,
};

/* What came of it; a session counts once. */
enum metrics_security {
	METRICS_SECURITY_TLS,         /* TLS, with all that was to be proven */
	METRICS_SECURITY_PLAIN,       /* plaintext, as may be */
	METRICS_SECURITY_NO_STARTTLS, /* a must, and not offered or refused */
	METRICS_SECURITY_HANDSHAKE,   /* failed */
	METRICS_SECURITY_CERTIFICATE, /* did not prove what it had to */
	METRICS_SECURITIES,
};

enum metrics_tls { METRICS_TLS_NONE, METRICS_TLS_12, METRICS_TLS_13, METRICS_TLS_VERSIONS };

/* What came of it that the kernel was to encrypt what a session sends. */
enum metrics_kernel {
	METRICS_KERNEL_ON,
	METRICS_KERNEL_MISSING, /* it knows nothing of TLS; likewise below, the process encrypts */
	METRICS_KERNEL_VERSION, /* not TLS 1.3 */
	METRICS_KERNEL_CIPHER,  /* none that the kernel knows */
	METRICS_KERNEL_KEYS,    /* the receiver had them changed before */
	METRICS_KERNEL_REFUSED, /* the kernel did, in this session */
	METRICS_KERNEL_LEFT,    /* was ON; ended, since the receiver wants new keys */
	METRICS_KERNELS,
};

struct metrics_histogram {
	u64 buckets[METRICS_BUCKETS];
	u64 sum_ns;
	u64 count;
};

/*
 * What one thread did for one (source, site). Workers count sessions and bytes, the planner
 * outcomes: an outcome counts when it is committed.
 */
struct metrics_route {
	u64 delivered;
	u64 failed;
	u64 deferred;
	u64 in_doubt;
	u64 bytes;
	u64 sessions_opened;
	u64 sessions_open;
	u64 sessions_failed[METRICS_FAILURES];
	u64 tls[METRICS_TLS_VERSIONS];
	u64 tls_resumed;
};

/* A source address at a receiver, in its warm-up. */
struct metrics_warmup {
	u64 step;
	u64 quota; /* messages of this day; 0: there is no limit any more */
	u64 sent;
	u64 is_held;
	u64 is_done;
};

/* Blocks begin on a cache line of their own, so that no thread waits for another's writes. */
struct metrics_worker {
	_Alignas(CACHE_LINE) struct metrics_route routes[METRICS_ROUTES_MAX];
	u64 security[METRICS_POLICIES][METRICS_SECURITIES];
	u64 tls_kernel[METRICS_KERNELS]; /* sessions */
	u64 tls_messages[2]; /* sent over TLS to their end: by the process, by the kernel */
	u64 tls_outcomes[TLS_OUTCOMES]; /* sessions; none of TLS_OUTCOME_UNKNOWN */
	struct metrics_histogram connect;
	struct metrics_histogram banner;      /* connected to greeting */
	struct metrics_histogram transaction; /* handed to the session to final reply */
	struct metrics_histogram sign;        /* per message, its share of the batch */
	u64 messages_composed;
	u64 signatures;
	u64 signing_rounds;     /* several signatures are made in one */
	u64 signatures_refused; /* failed their check and were made again */
	u64 body_bytes_hashed;
	u64 body_bytes_saved;
	u64 leases_held;
	u64 ring_turns;
	u64 ring_completions;
	u64 ring_submissions;
	u64 ring_in_flight;
	u64 ring_no_buffers;
	u64 bad_values;
};

/* Somebody who reads behind the delivery log: a webhook. */
#define METRICS_READERS_MAX 32
struct metrics_reader {
	char name[64]; /* of plain characters; changed while is_used is 0 alone */
	u64 is_used;
	u64 waiting;   /* entries that it has not taken */
	u64 posted;    /* as it says */
	u64 failed;    /* likewise */
	u64 lost;      /* entries that were trimmed before */
	u64 suspended; /* 1: it takes none */
};

/* The planner's own. */
struct metrics_planner {
	_Alignas(CACHE_LINE) struct metrics_route routes[METRICS_ROUTES_MAX];
	struct metrics_warmup warmups[METRICS_ROUTES_MAX]; /* by slot: the site is a receiver */
	struct metrics_histogram commit;
	u64 commits;
	u64 rows_committed;
	u64 leases_out;
	u64 lane_rows;
	u64 deferred_rows;
	u64 doubt_rows;
	u64 oldest_due_ms; /* age of the oldest deferred row that is due and waits; 0: none */
	u64 campaigns_running;
	u64 map_bytes;
	u64 pages_used;
	u64 pages_free;
	u64 log_rows;
	u64 reports[METRICS_REPORTS];
	u64 replies[SMTP_CLASS_COUNT]; /* refusals by class; none of SMTP_CLASS_NONE */
	u64 dns_lookups;
	u64 dns_failures;
	u64 dns_stale; /* failures that left a domain with the answer that it had */
	u64 sts_fetched; /* MTA-STS policies */
	u64 sts_failed;  /* that could not be fetched */
	u64 tls_reports_mailed;
	u64 tls_reports_posted;
	u64 tls_reports_failed; /* given up */
	u64 tls_uncounted; /* what came of TLS and found no room in the reports */
	u64 domains_known;
	u64 sites_known;
	u64 routes_known;
	u64 letters[4]; /* brought to the sender, by enum letter_result */
	u64 forwards_failed; /* rows of what came in for people and could not be handed on */
	u64 suppressed_rows; /* recipients that got no mail since their address is suppressed */
	u64 suppressed;      /* addresses known: those, and with failures in a row */
	u64 store_full; /* times that intake or leasing paused for want of room */
	u64 lacks_room; /* 1: it is paused now */
	u64 recovered_in_doubt;
	struct metrics_reader readers[METRICS_READERS_MAX];
	u64 clock_steps; /* times that the wall clock was set, by a second or more */
	u64 started_s; /* wall clock at start, seconds; moves with the clock when that is set */
};

struct metrics;

struct metrics *metrics_open(u32 workers); /* all zero; NULL: no memory */
void metrics_close(struct metrics *metrics);
/*
 * The block that only that thread writes; lives as long as `metrics`. index < metrics_worker_count.
 */
struct metrics_worker *metrics_worker(const struct metrics *metrics, u32 index);
struct metrics_planner *metrics_planner(const struct metrics *metrics);
u32 metrics_worker_count(const struct metrics *metrics);

/*
 * Slot for a pair, the same one for the same pair; METRICS_OTHER when all are taken, when there is
 * no memory or a name is too long. Bytes that are not UTF-8 become U+FFFD, and names that are equal
 * then share a slot. Planner only; may run while another thread exposes.
 */
u32 metrics_route_slot(struct metrics *metrics, const char *source, const char *site);
/*
 * Slots 0 (METRICS_OTHER, named "other") to count - 1 have names; these live as long as `metrics`.
 */
u32 metrics_route_count(const struct metrics *metrics);
const char *metrics_route_site(const struct metrics *metrics, u32 slot);
const char *metrics_route_source(const struct metrics *metrics, u32 slot);
/* Sum over the workers and the planner. */
void metrics_route_sum(const struct metrics *metrics, u32 slot, struct metrics_route *sum);

/* No exposition is longer: give the buffer this maximum. */
#define METRICS_EXPOSITION_MAX (8u << 20)
/*
 * Adds the page to `out`: Prometheus text format 0.0.4, or OpenMetrics 1.0 (families of counters
 * without _total, units, "# EOF"). Routes for which nothing was ever counted are left out. From any
 * thread. out->failed: no memory, or a maximum that is too small.
 */
void metrics_expose(const struct metrics *metrics, bool openmetrics, struct buf *out);

/*
 * Files NAME.prom of this folder (text format 0.0.4) are part of the page from now on. Borrowed;
 * before the first metrics_expose. NULL: none.
 */
void metrics_set_textfiles(struct metrics *metrics, const char *folder);

static inline void metric_add(u64 *counter, u64 n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline void metric_sub(u64 *counter, u64 n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) - n, __ATOMIC_RELAXED);
}

static inline void metric_set(u64 *counter, u64 value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static inline u64 metric_get(const u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Bucket i holds times up to and including 64 us << i; the last one all beyond. */
static inline void metric_observe(struct metrics_histogram *h, u64 ns)
{
	u64 units = ns == 0 ? 0 : (ns - 1) / METRICS_BUCKET_NS;
	u32 bucket = units == 0 ? 0 : 64 - (u32)__builtin_clzll(units);

	if (bucket >= METRICS_BUCKETS)
		bucket = METRICS_BUCKETS - 1;
	metric_add(&h->buckets[bucket], 1);
	metric_add(&h->sum_ns, ns);
	metric_add(&h->count, 1);
}

/* Adds another block's; the count is that of its buckets, see lines_histogram. */
static inline void metric_sum_histogram(struct metrics_histogram *sum,
					const struct metrics_histogram *h)
{
	for (u32 i = 0; i < METRICS_BUCKETS; i++)
		sum->buckets[i] += metric_get(&h->buckets[i]);
	sum->sum_ns += metric_get(&h->sum_ns);
}

#endif

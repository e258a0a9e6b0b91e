/*
 * Where mail for a domain goes: MX selection (RFC 5321 section 5.1, RFC 7505) on top of a
 * validating, caching resolver (libunbound, asynchronous). One resolver per thread that uses it;
 * libunbound adds a thread of its own to each (which needs more than musl's 128 KiB of stack).
 *
 * What it never does: take a DNS failure for "no such domain", fall back to a domain's own address
 * when the MX query failed, or hand out an address that net_address_is_special names and the
 * installation does not allow.
 */
#ifndef DNS_MX_H
#define DNS_MX_H

#include "base/error.h"
#include "base/net_address.h"
#include "base/random.h"
#include "base/types.h"
#include "dns/dane.h"
#include "dns/mta_sts.h"
#include "dns/tlsrpt.h"

#define MX_HOSTS_MAX 16		/* exchangers kept of one domain, best preferences first */
#define MX_ADDRESSES_MAX 32	/* addresses kept over all hosts, shared out evenly */
#define MX_HOST_ADDRESSES_MAX 8 /* addresses considered of one host, of each family */
#define MX_RECORDS_MAX (MX_HOSTS_MAX * 2) /* MX records considered, best preferences first */
#define MX_LOOKUPS_MAX 256		  /* names being looked up at once */
#define MX_WAITERS_MAX 65536	       /* mx_lookup calls not answered yet, and answers not taken */
#define MX_CACHE_NAMES_MAX 65536       /* answers kept... */
#define MX_CACHE_BYTES_MAX (32u << 20) /* ...within this many bytes */
#define MX_TLSA_BYTES_MAX 8192 /* packed TLSA records of all hosts of one domain */
#define MX_STS_ADDRESSES_MAX 4 /* of the host of an MTA-STS policy */
#define MX_TTL_MIN_S 30
#define MX_TTL_MAX_S 86400

struct mx_host {
	char name[256]; /* lower case, no final dot */
	u16 preference;
	u8 address_first; /* into mx_answer.addresses */
	u8 address_count; /* at least 1 */
	bool secure;	  /* MX and address answers were DNSSEC-validated */
	u8 dane;	  /* enum dane_finding; ABSENT unless secure */
	u16 tlsa_first;	  /* into mx_answer.tlsa: what is usable, packed */
	u16 tlsa_len;	  /* more than 0 exactly when USABLE */
	/* TLSA base domain (RFC 7672 section 2.2.3); "": the name; else what is behind CNAMEs. */
	char tlsa_base[256];
};

enum mx_status {
	MX_OK,
	MX_NULL,	   /* RFC 7505: the domain takes no mail; permanent, 5.1.10 */
	MX_NO_DOMAIN,	   /* NXDOMAIN, or not a domain name at all: permanent, 5.1.2 */
	MX_NO_HOST,	   /* neither MX nor address: permanent, 5.4.4 */
	MX_ONLY_FORBIDDEN, /* every address is special or our own: permanent, 5.4.6 */
	MX_TEMPORARY,	   /* SERVFAIL, timeout: retry, 4.4.3 */
	MX_BOGUS,	   /* DNSSEC validation failed: retry, 4.7.5 */
};

struct mx_answer {
	enum mx_status status;
	bool secure;   /* the MX answer (or its absence) was validated */
	bool implicit; /* no MX: the domain's own addresses */
	/* OK, but some query failed: hosts or addresses may be missing; or one is DANE_FAILED. */
	bool incomplete;
	/*
	 * Least TTL seen, within MX_TTL_MIN_S..MX_TTL_MAX_S, or what is left of it, at least 1. A
	 * lookup one second after its end asks the servers anew: libunbound keeps records through
	 * the second in which they expire.
	 */
	u32 ttl_s;
	u32 host_count;
	u32 address_count;
	struct mx_host
		hosts[MX_HOSTS_MAX]; /* by preference; equal ones in another order each time */
	struct net_address addresses[MX_ADDRESSES_MAX]; /* port 25; IPv6 and IPv4 by turns */
	u16 tlsa_used;
	u8 tlsa[MX_TLSA_BYTES_MAX];
	char sts_id[STS_ID_SIZE]; /* an MTA-STS policy is announced by this; "": none is */
	u8 sts_address_count;
	/* Where it is fetched from, port 443; none that is special and not allowed. */
	struct net_address sts_addresses[MX_STS_ADDRESSES_MAX];
	char reports_to[TLSRPT_RUA_SIZE]; /* where reports about TLS are wanted; "": nowhere */
	char text[128]; /* a sentence for logs: "MX of x.test: server failure" */
};

struct mx_params {
	const char *const *forwarders; /* "127.0.0.1@5353"; none: full recursion from the root */
	size_t forwarder_count;
	/* NULL: built-in path /usr/share/dns/root.key if there, else none; "": none at all. */
	const char *trust_anchor_file;
	const char *root_hints_file; /* NULL: built in */
	const char *const
		*trust_anchors; /* further anchors as text (DS or DNSKEY lines); may be none */
	size_t trust_anchor_count;
	/*
	 * "zone 127.0.0.1@5353": for tests and split horizons. Believed without DNSSEC unless one
	 * of the trust_anchors is for that zone or one above it (other than the root's).
	 */
	const char *const *stub_zones;
	size_t stub_zone_count;
	const struct net_range *allowed; /* special ranges that this installation may send to */
	size_t allowed_count;
	const struct net_address *own; /* our own addresses: never mailed to */
	size_t own_count;
	bool ipv4;
	bool ipv6;
	bool mta_sts; /* asks for announcements of MTA-STS policies */
	bool tls_report; /* asks whether reports about TLS are wanted, and where */
	u32 timeout_ms; /* of a whole lookup, then MX_TEMPORARY; 0: 30 s */
	u64 seed;	/* of the order of equal preferences; 0: a random one */
};

struct mx_resolver;

/*
 * Texts of params must live as long as the resolver; its arrays of addresses are copied. NULL with
 * the error set: an option that libunbound refuses.
 */
struct mx_resolver *mx_resolver_open(const struct mx_params *params,
				     struct error *error) MUST_CHECK;
/*
 * Pending lookups end without an answer. Waits for libunbound's thread, but not for ever. NULL is
 * allowed.
 */
void mx_resolver_close(struct mx_resolver *resolver);

/*
 * Readable (level-triggered, an epoll descriptor) when mx_resolver_process has something to do or
 * an answer came straight out of the cache. Then: process, and take answers until there is none.
 */
int mx_resolver_fd(const struct mx_resolver *resolver);
void mx_resolver_process(struct mx_resolver *resolver);

/*
 * Starts a lookup (MX, then the addresses of each host, then the TLSA records of those whose MX
 * and addresses are secure; beside it the announcement of an MTA-STS policy and the addresses of
 * its host; CNAME and loop limits inside). Several
 * lookups of one name at once share the work. `cookie` comes back with the answer. False: too many
 * pending (MX_LOOKUPS_MAX names, MX_WAITERS_MAX calls) or out of memory; ask again later. A text
 * that is no domain name is answered like any other. Case and a final dot do not count.
 */
bool mx_lookup(struct mx_resolver *resolver, struct slice domain, u64 cookie) MUST_CHECK;
/*
 * The addresses of a host itself, for other things than its mail: MX records are not asked for, and
 * the answer is that of a domain without (`implicit`, ports 25). Neither shared nor cached here.
 * False also for a text that is no host's name.
 */
bool mx_lookup_addresses(struct mx_resolver *resolver, struct slice host, u64 cookie) MUST_CHECK;
/* Takes one finished answer; false when there is none. */
bool mx_next_answer(struct mx_resolver *resolver, u64 *cookie, struct mx_answer *answer) MUST_CHECK;

/*
 * One answer, packed to what it needs (some hundred bytes): for keeping. Counted references, one
 * thread. `name` and the time of expiry are the keeper's to choose; time left becomes ttl_s.
 */
struct mx_entry;
/* NULL without memory. The caller holds the first reference. */
struct mx_entry *mx_entry_pack(const char *name, const struct mx_answer *answer,
			       u64 expires_ns) MUST_CHECK;
void mx_entry_unpack(const struct mx_entry *entry, struct mx_answer *answer, u64 now_ns);
struct mx_entry *mx_entry_hold(struct mx_entry *entry); /* one more reference */
void mx_entry_drop(struct mx_entry *entry);		/* one less; NULL is allowed */

/* For metrics: since open. */
struct mx_counters {
	u64 lookups;  /* calls of mx_lookup that were accepted */
	u64 cached;   /* answered from the cache */
	u64 shared;   /* joined a lookup under way */
	u64 queries;  /* handed to libunbound */
	u64 timeouts; /* lookups ended by timeout_ms */
	u64 renewals; /* libunbound had become silent and was opened anew */
	u32 pending;  /* names being looked up */
	u32 names;    /* names in the cache */
	size_t bytes; /* of the cache */
};
void mx_resolver_count(const struct mx_resolver *resolver, struct mx_counters *counters);

/*
 * The pure part, for tests and fuzzing: builds an answer from resource records as they were found.
 * records: MX rdata (preference + name) and per host the addresses and what its TLSA records are;
 * applies null MX, forbidden addresses, implicit MX, order and limits.
 */
struct mx_record {
	u16 preference;
	char name[256]; /* lower case, no final dot; "" or ".": the root */
};
struct mx_found {
	bool nxdomain;
	bool failed; /* SERVFAIL or timeout of the MX query */
	bool bogus;
	bool secure;
	u32 ttl_s; /* least of all answers */
	size_t record_count;
	struct mx_record records[MX_RECORDS_MAX];
	/* Per record; with no records: entry 0 is the domain's. */
	size_t host_address_count[MX_RECORDS_MAX];
	bool host_failed[MX_RECORDS_MAX]; /* that host's address query failed (temporary) */
	bool host_bogus[MX_RECORDS_MAX];  /* ...did not validate; its addresses are not here */
	bool host_secure[MX_RECORDS_MAX]; /* its address answers were validated */
	struct net_address host_addresses[MX_RECORDS_MAX][MX_HOST_ADDRESSES_MAX * 2];
	u8 host_dane[MX_RECORDS_MAX]; /* enum dane_finding */
	u16 host_tlsa_first[MX_RECORDS_MAX]; /* into tlsa; packed */
	u16 host_tlsa_len[MX_RECORDS_MAX];
	char host_tlsa_base[MX_RECORDS_MAX][256]; /* "": the record's name */
	u16 tlsa_used;
	u8 tlsa[MX_TLSA_BYTES_MAX];
	u32 sts_count; /* TXT records about MTA-STS: exactly one announces a policy */
	char sts_id[STS_ID_SIZE];
	u32 sts_address_count;
	struct net_address sts_addresses[MX_STS_ADDRESSES_MAX];
	u32 reports_count; /* TXT records about TLS reports: exactly one asks for them */
	char reports_to[TLSRPT_RUA_SIZE];
};
/*
 * Hosts of equal preference stay in the order of the records. A name that is an IP address, or that
 * no host name can be, is not used; localhost counts as forbidden. One usable address is enough for
 * MX_OK, whatever failed beside it.
 */
void mx_select(const struct mx_found *found, const struct mx_params *params, struct slice domain,
	       struct mx_answer *answer);

/* Another order of equal preferences, and of the addresses of one family within a host. */
void mx_shuffle(struct mx_answer *answer, struct random *random);

#endif

/*
 * Where mail for a domain goes: MX selection (RFC 5321 section 5.1, RFC 7505) on top of a validating,
 * caching resolver (libunbound, asynchronous). One resolver per thread that uses it.
 */
#ifndef DNS_MX_H
#define DNS_MX_H

#include "base/error.h"
#include "base/net_address.h"
#include "base/types.h"

#define MX_HOSTS_MAX 16     /* exchangers kept of one domain, best preferences first */
#define MX_ADDRESSES_MAX 32 /* addresses kept over all hosts */

struct mx_host {
	char name[256];  /* lower case, no final dot */
	u16 preference;
	u8 address_first; /* into mx_answer.addresses */
	u8 address_count;
	bool secure;      /* MX and address answers were DNSSEC-validated */
};

enum mx_status {
	MX_OK,
	MX_NULL,           /* RFC 7505: the domain takes no mail; permanent, 5.1.10 */
	MX_NO_DOMAIN,      /* NXDOMAIN: permanent, 5.1.2 */
	MX_NO_HOST,        /* neither MX nor address: permanent, 5.4.4 */
	MX_ONLY_FORBIDDEN, /* every address is special or our own: permanent, 5.4.6 */
	MX_TEMPORARY,      /* SERVFAIL, timeout: retry, 4.4.3 */
	MX_BOGUS,          /* DNSSEC validation failed: retry, 4.7.5 */
};

struct mx_answer {
	enum mx_status status;
	bool secure;   /* the MX answer was validated */
	bool implicit; /* no MX: the domain's own addresses */
	u32 ttl_s;     /* least TTL seen, 30..86400 */
	u32 host_count;
	u32 address_count;
	struct mx_host hosts[MX_HOSTS_MAX]; /* by preference; shuffled by the caller's sort within one */
	struct net_address addresses[MX_ADDRESSES_MAX]; /* port 25; IPv6 and IPv4 as found */
	char text[128]; /* a sentence for logs: "MX of x.test: server failure" */
};

struct mx_params {
	const char *const *forwarders; /* "127.0.0.1@5353"; none: full recursion from the root */
	size_t forwarder_count;
	const char *trust_anchor_file; /* NULL: built-in path /usr/share/dns/root.key if there, else none */
	const char *root_hints_file;   /* may be NULL */
	const char *const *trust_anchors; /* further anchors as text (DS or DNSKEY lines); may be none */
	size_t trust_anchor_count;
	const char *const *stub_zones; /* "zone 127.0.0.1@5353": for tests and split horizons */
	size_t stub_zone_count;
	const struct net_range *allowed; /* special ranges that this installation may send to */
	size_t allowed_count;
	const struct net_address *own; /* our own addresses: never mailed to */
	size_t own_count;
	bool ipv4;
	bool ipv6;
};

struct mx_resolver;

struct mx_resolver *mx_resolver_open(const struct mx_params *params, struct error *error);
void mx_resolver_close(struct mx_resolver *resolver); /* pending lookups end without an answer */

/* Becomes readable when mx_resolver_process has something to do. */
int mx_resolver_fd(const struct mx_resolver *resolver);
void mx_resolver_process(struct mx_resolver *resolver);

/*
 * Starts a lookup (MX, then the addresses of each host; CNAME and loop limits inside). Several lookups
 * of one name at once share the work. `cookie` comes back with the answer. False: too many pending
 * (256) or out of memory; ask again later.
 */
bool mx_lookup(struct mx_resolver *resolver, struct slice domain, u64 cookie);
/* Takes one finished answer; false when there is none. */
bool mx_next_answer(struct mx_resolver *resolver, u64 *cookie, struct mx_answer *answer);

/*
 * The pure part, for tests and fuzzing: builds an answer from resource records as they were found.
 * records: MX rdata (preference + name) and per host the addresses; applies null MX, forbidden
 * addresses, implicit MX, order and limits.
 */
struct mx_record {
	u16 preference;
	char name[256];
};
struct mx_found {
	bool nxdomain;
	bool failed; /* SERVFAIL or timeout of the MX query */
	bool bogus;
	bool secure;
	u32 ttl_s;
	size_t record_count;
	struct mx_record records[MX_HOSTS_MAX * 2];
	size_t host_address_count[MX_HOSTS_MAX * 2]; /* per record; with no records: entry 0 is the domain's */
	bool host_failed[MX_HOSTS_MAX * 2];          /* that host's address query failed (temporary) */
	struct net_address host_addresses[MX_HOSTS_MAX * 2][8];
};
void mx_select(const struct mx_found *found, const struct mx_params *params, struct slice domain,
	       struct mx_answer *answer);

#endif

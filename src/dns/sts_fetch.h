/*
 * Fetches MTA-STS policies (RFC 8461 section 3.3) over HTTPS on a thread of its own, many at once:
 * nobody waits for it. A policy host that is slow, or says too much, or is not who it should be,
 * harms its own domain alone: within a minute each fetch ends, one way or the other.
 *
 * The same thread posts reports about TLS (RFC 8460 section 5.4), under the same limits.
 */
#ifndef DNS_STS_FETCH_H
#define DNS_STS_FETCH_H

#include "base/error.h"
#include "base/net_address.h"
#include "base/types.h"
#include "dns/mta_sts.h"

#define STS_FETCHES_MAX 16384 /* asked for, and results not taken */
#define STS_FETCH_MS 60000    /* from the moment that it is asked for */

struct sts_fetcher;

/*
 * Certificates are judged by the roots in the file that SSL_CERT_FILE in the environment names, or
 * else by the system's. NULL and a sentence: no thread, or no memory.
 */
struct sts_fetcher *sts_fetcher_open(struct error *error) MUST_CHECK;
/* Breaks off what is under way. NULL is fine. */
void sts_fetcher_close(struct sts_fetcher *fetcher);

/*
 * Asks for the policy of a domain, at these addresses of its policy host, which have one port.
 * False: too many, no address, or no memory.
 */
bool sts_fetch(struct sts_fetcher *fetcher, const char *domain,
	       const struct net_address *addresses, u32 address_count, u64 cookie) MUST_CHECK;

/*
 * Posts a report in the gzip format to a URL at that host, https alone; whoever answers there gets
 * it, for a certificate that is not good is what the report may be about (RFC 8460 section 3).
 * Everything is copied. False: as above.
 */
struct sts_post {
	struct slice url;
	const char *host; /* of the URL */
	const struct net_address *addresses; /* with the URL's port */
	u32 address_count;
	struct slice body;
};
bool sts_post(struct sts_fetcher *fetcher, const struct sts_post *post, u64 cookie) MUST_CHECK;

enum sts_trouble {
	STS_TROUBLE_FETCH,       /* not to be had */
	STS_TROUBLE_POLICY,      /* what was had is none */
	STS_TROUBLE_CERTIFICATE, /* the policy host did not prove who it is */
};

struct sts_fetched {
	u64 cookie;
	bool ok;
	struct sts_policy policy; /* of a fetch, when ok */
	u8 trouble;		  /* else: enum sts_trouble */
	char why[160];		  /* and a sentence */
};
/* Takes a result; false: there is none now. */
bool sts_next_fetched(struct sts_fetcher *fetcher, struct sts_fetched *fetched) MUST_CHECK;
bool sts_has_fetched(struct sts_fetcher *fetcher); /* there is one */

#endif

/*
 * What is demanded of the sessions to the hosts that take a domain's mail, by what the domain
 * publishes: by DANE (RFC 7672), and where that says nothing by MTA-STS (RFC 8461 section 2). It is
 * the recipient domain's and not the host's own, since it stands on that domain's MX answer;
 * domains of one site that demand the same share the site's routes and sessions, others have routes
 * of their own. It never changes once made. Counted references, from any thread.
 */
#ifndef DELIVERY_DEMAND_H
#define DELIVERY_DEMAND_H

#include "base/types.h"
#include "dns/mx.h"

enum demand_level {
	DEMAND_NOTHING, /* TLS where it is offered, any certificate */
	DEMAND_TLS,     /* TLS, any certificate: TLSA records, none usable */
	DEMAND_DANE,    /* TLS, and a certificate that matches one of the TLSA records */
	DEMAND_PKIX,    /* TLS, and a certificate for the host's name by a trusted root */
	DEMAND_WISH,    /* what comes short of that is counted, no more: a policy in testing */
	DEMAND_WISH_OTHER, /* the same, and the policy does not name the host */
	DEMAND_AWAY,    /* the host must not be used: its TLSA records cannot be had */
	DEMAND_OTHER,   /* nor this one: the policy does not name it */
};

struct demand_host {
	const char *name; /* as in the MX answer */
	const char *base; /* TLSA base domain: SNI, and the name in the certificate */
	u8 level;         /* enum demand_level */
	struct slice tlsa; /* packed, see dns/dane.h; in one order, however they were asked for */
	u64 id;           /* of all that is demanded of it, and the name */
};

#define DEMAND_ID_SIZE 17

struct demand {
	_Atomic u32 references;
	char id[DEMAND_ID_SIZE]; /* equal ones demand the same */
	u32 host_count;
	struct demand_host hosts[MX_HOSTS_MAX];
	char bytes[];
};

/*
 * `policy`: the domain's MTA-STS policy, or NULL. False: no memory. *demand is NULL where nothing
 * is demanded of any host.
 */
bool demand_make(struct demand **demand, const struct mx_answer *answer,
		 const struct sts_policy *policy) MUST_CHECK;
struct demand *demand_take(struct demand *demand); /* NULL is fine */
void demand_give(struct demand *demand);           /* NULL is fine */
bool demand_same(const struct demand *a, const struct demand *b); /* either may be NULL */
/* NULL: nothing is demanded of that host. */
const struct demand_host *demand_of(const struct demand *demand, const char *host);

#endif

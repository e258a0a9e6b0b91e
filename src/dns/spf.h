/*
 * SPF (RFC 7208) as a receiver evaluates it, for the check of our own identity. Mechanisms all,
 * ip4, ip6, a, mx, include and the modifier redirect, within the limits of section 4.6.4; what
 * senders of their own domain do not need (macros, exists, ptr) is told as not evaluated instead of
 * guessed.
 */
#ifndef DNS_SPF_H
#define DNS_SPF_H

#include "base/net_address.h"
#include "dns/question.h"

#define SPF_LOOKUPS_MAX 10 /* terms that ask DNS */
#define SPF_RECORD_MAX 4096

enum spf_result {
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_NEUTRAL,
	SPF_NONE,          /* no record */
	SPF_TEMPERROR,     /* DNS does not answer */
	SPF_PERMERROR,     /* the record is wrong */
	SPF_NOT_EVALUATED, /* has a term that is not evaluated here */
};
const char *spf_result_name(enum spf_result result); /* "pass", "softfail", ... */

struct spf {
	struct question_asker *asker;
	u32 timeout_ms; /* of each question */
	u32 lookups;    /* so far; 0 at start */
	char why[300];  /* of what is neither pass nor none: the term, or what is wrong */
};

/* Mail of the domain (as envelope sender or in EHLO) from that address. */
enum spf_result spf_evaluate(struct spf *spf, const char *domain,
			     const struct net_address *address);

/*
 * The domain's one record. NONE: there is none; PERMERROR: several; PASS: here it is, in `record`.
 */
enum spf_result spf_read(struct spf *spf, const char *domain, char record[SPF_RECORD_MAX]);

#endif

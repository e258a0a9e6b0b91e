/*
 * DMARC (RFC 7489) as a receiver sees it: a domain's policy, and whether what SPF or DKIM vouch for
 * belongs to the domain in From. Organisational domains go by the public suffix list that libpsl
 * has built in. Domains are A-labels, in any case, without final dot.
 */
#ifndef DNS_DMARC_H
#define DNS_DMARC_H

#include "dns/question.h"

#define DMARC_RECORD_MAX 2048

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };
const char *dmarc_policy_name(enum dmarc_policy policy); /* "none", ... */

/* When reports of single failures are wanted ("fo"), as bits. */
enum dmarc_failure_option {
	DMARC_FAILURE_ALL = 1,  /* "0": nothing aligned passes; the default */
	DMARC_FAILURE_ANY = 2,  /* "1" */
	DMARC_FAILURE_DKIM = 4, /* "d" */
	DMARC_FAILURE_SPF = 8,  /* "s" */
};

/* A record's tags; slices point into its text. What is not there or malformed has its default. */
struct dmarc_record {
	enum dmarc_policy policy;     /* p */
	enum dmarc_policy subdomains; /* sp, else as p */
	bool is_dkim_strict;          /* adkim=s */
	bool is_spf_strict;           /* aspf=s */
	u32 percent;                  /* pct: 0 to 100 */
	u32 interval_s;               /* ri */
	u32 failure_options;          /* fo */
	struct slice aggregate_to;    /* rua: URIs between commas */
	struct slice failures_to;     /* ruf */
	struct slice ignored;         /* the first tag that is malformed, whole; or empty */
};

/* Why receivers act as if there were no record. */
enum dmarc_fault {
	DMARC_FAULT_TWICE,
	DMARC_FAULT_NO_POLICY,
	DMARC_FAULT_SUBDOMAINS,
	DMARC_FAULTS,
};
const char *dmarc_fault_name(enum dmarc_fault fault); /* "dmarc-twice", ... */
const char *dmarc_fault_text(enum dmarc_fault fault); /* in English */

enum dmarc_reading {
	DMARC_IS_RECORD,
	DMARC_IS_OTHER,  /* does not begin with v=DMARC1: some other text */
	DMARC_IS_BROKEN, /* receivers act as if there were none: *fault says why */
};

/*
 * Section 6.3. Without a valid "p", or with an "sp" that is not, it is "none" if there is an
 * address for reports, and else broken (section 6.6.3). A tag that is there twice breaks it (RFC
 * 6376 section 3.2).
 */
enum dmarc_reading dmarc_read(struct slice text, struct dmarc_record *record,
			      enum dmarc_fault *fault);

enum dmarc_status {
	DMARC_FOUND,
	DMARC_NONE,      /* no record, neither at the domain nor at its organisation's */
	DMARC_SEVERAL,   /* more than one: receivers take none */
	DMARC_BROKEN,    /* see `fault` */
	DMARC_TEMPERROR, /* DNS does not answer */
};

struct dmarc_answer {
	enum dmarc_status status;
	char at[QUESTION_NAME_SIZE]; /* whose record it is, or would be */
	char text[DMARC_RECORD_MAX];
	struct dmarc_record record; /* of FOUND; points into `text` */
	enum dmarc_policy policy;   /* of FOUND: what holds for the domain that was asked about */
	enum dmarc_fault fault;     /* of BROKEN */
};

/* Policy discovery for a From domain (section 6.6.3). */
void dmarc_find(question_source *ask, void *arg, const char *domain, struct dmarc_answer *answer);

/*
 * The organisational domain (section 3.2), lower case: one label below a public suffix, or the
 * domain itself where it is one.
 */
void dmarc_organisation(const char *domain, char organisation[QUESTION_NAME_SIZE]);

/* Section 3.1: the same domain, or (relaxed) of the same organisation. */
bool dmarc_is_aligned(const char *from, const char *vouched, bool is_strict);

#endif

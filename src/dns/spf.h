/*
 * SPF (RFC 7208), whole, as a receiver evaluates it. Asks DNS by a function of the caller's and
 * waits for nothing itself.
 *
 * Where the RFC leaves a choice: a name that is malformed once its macros are expanded matches
 * nothing (section 4.8); void lookups are counted by question, also those for the hosts of "mx" and
 * "ptr", as receivers do; the letter p costs no term of its own; a record of more than
 * SPF_RECORD_MAX - 1 bytes is an error.
 */
#ifndef DNS_SPF_H
#define DNS_SPF_H

#include "base/net_address.h"
#include "dns/question.h"
#include "dns/spf_reason.h"

#define SPF_LOOKUPS_MAX 10 /* terms that ask DNS (section 4.6.4) */
#define SPF_VOIDS_MAX 2    /* questions that find nothing */
#define SPF_HOSTS_MAX 10   /* of one "mx", and names of one address */
#define SPF_RECORD_MAX 4096
#define SPF_EXPLANATION_SIZE 512
#define SPF_TERM_SIZE 201

enum spf_result {
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_NEUTRAL,
	SPF_NONE,      /* no record, or nothing that could have one */
	SPF_TEMPERROR, /* DNS does not answer */
	SPF_PERMERROR, /* a record is wrong, or leads too far */
};
const char *spf_result_name(enum spf_result result); /* "pass", "softfail", ... */

/* Names that belong to the address and are confirmed by their own addresses (section 5.5). */
struct spf_validated {
	bool is_known;
	size_t count;
	char names[SPF_HOSTS_MAX][QUESTION_NAME_SIZE];
};

/* One evaluation; made anew for the next. Texts are the caller's and may be NULL. */
struct spf {
	question_source *ask;
	void *arg;
	struct net_address address; /* of the host that sends; ::ffff:192.0.2.1 is 192.0.2.1 */
	const char *sender;   /* envelope sender; none: it is the EHLO name that is checked */
	const char *helo;     /* EHLO name */
	const char *receiver; /* who evaluates, for explanations; NULL: "unknown" */
	u64 now_s;            /* since 1970, for explanations */

	/* What came of it. */
	u32 lookups;   /* terms that asked DNS */
	u32 voids;     /* questions that found nothing */
	/* What decided, or what is wrong, with its parts; all printable ASCII. */
	char why[400];
	enum spf_reason reason;
	char term[SPF_TERM_SIZE]; /* or the name that it is about; "": none */
	char in[101];             /* the domain whose record has it; "": the sender's own */
	/* What the domain says of a FAIL, printable ASCII, too; "" when it says nothing. */
	char explanation[SPF_EXPLANATION_SIZE];

	/* Its own. */
	struct slice local; /* of the sender; "postmaster" where it has none */
	struct slice sender_domain;
	struct spf_validated validated;
};

/* The sender's domain (the EHLO name's without a sender), against all of its record. */
enum spf_result spf_evaluate(struct spf *spf);

/*
 * A domain's one record, asked by spf->ask. NONE: there is none; PERMERROR: several, or one that is
 * too long; TEMPERROR; PASS: here it is, in `record`. Says why in spf->why otherwise.
 */
enum spf_result spf_read(struct spf *spf, const char *domain, char record[SPF_RECORD_MAX]);

#endif

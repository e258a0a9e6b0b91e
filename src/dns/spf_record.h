/*
 * The text of an SPF record, cut into terms (RFC 7208 sections 4.6.1, 5 and 12). No DNS here.
 */
#ifndef DNS_SPF_RECORD_H
#define DNS_SPF_RECORD_H

#include "base/net_address.h"
#include "base/types.h"
#include "dns/spf_reason.h"

enum spf_kind {
	SPF_TERM_ALL,
	SPF_TERM_INCLUDE,
	SPF_TERM_A,
	SPF_TERM_MX,
	SPF_TERM_PTR,
	SPF_TERM_IP4,
	SPF_TERM_IP6,
	SPF_TERM_EXISTS,
	SPF_TERM_REDIRECT,
	SPF_TERM_EXP,
	SPF_TERM_UNKNOWN, /* a modifier without meaning here */
};

/* Slices point into the record. */
struct spf_term {
	struct slice text; /* the whole term */
	enum spf_kind kind;
	char qualifier;    /* of mechanisms: '+', '-', '~' or '?' */
	struct slice name; /* domain-spec, macros and all; empty: the domain itself */
	struct net_address address; /* of ip4 and ip6 */
	u8 bits4;                   /* prefix lengths; where none is given, 32 and 128 */
	u8 bits6;
};

/* "v=spf1" in any case, alone or with a space behind it (section 4.5). */
bool spf_record_is(struct slice text);

/*
 * The next term of *rest, which begins as what follows "v=spf1": 1; 0 when there is none left; -1
 * when it is malformed: term->text is the culprit and *wrong says what is wrong.
 */
int spf_record_next(struct slice *rest, struct spf_term *term, enum spf_reason *wrong) MUST_CHECK;

/*
 * Whether all terms of a record are well formed, and "redirect" and "exp" are there at most once
 * each. Otherwise *culprit and *wrong say which is not and why.
 */
bool spf_record_check(struct slice record, struct slice *culprit,
		      enum spf_reason *wrong) MUST_CHECK;

#endif

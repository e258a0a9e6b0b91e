/*
 * Why an SPF evaluation ended as it did: the words behind its result, as names for programs and for
 * whoever words them in another language.
 */
#ifndef DNS_SPF_REASON_H
#define DNS_SPF_REASON_H

#include "dns/question.h"

enum spf_reason {
	SPF_REASON_NONE, /* the result says it all */
	SPF_REASON_MATCHED,
	SPF_REASON_NO_TERM,
	SPF_REASON_SEVERAL,
	SPF_REASON_UNREADABLE,
	SPF_REASON_TERMS,
	SPF_REASON_VOIDS,
	SPF_REASON_MX_HOSTS,
	SPF_REASON_INCLUDED,
	SPF_REASON_REDIRECTED,
	SPF_REASON_NAME,
	SPF_REASON_NO_MECHANISM,
	SPF_REASON_NO_QUALIFIER,
	SPF_REASON_VALUE,
	SPF_REASON_COLON,
	SPF_REASON_BEHIND_ALL,
	SPF_REASON_NO_ADDRESS,
	SPF_REASON_ADDRESS,
	SPF_REASON_PREFIX,
	SPF_REASON_NO_DOMAIN,
	SPF_REASON_DOMAIN,
	SPF_REASON_TWICE,
	/* DNS does not answer. */
	SPF_REASON_FAILED,
	SPF_REASON_TIMEOUT,
	SPF_REASON_BOGUS,
	SPF_REASONS,
};

const char *spf_reason_name(enum spf_reason reason); /* "spf-matched"; NONE: NULL */
const char *spf_reason_text(enum spf_reason reason); /* in English, a term may follow; NONE: "" */
/* Of an answer that is none: from QUESTION_FAILED on. */
enum spf_reason spf_reason_of(enum question_status status);

#endif

/*
 * What came of TLS with a receiver's host, in one word: by these the metrics, the operator's view
 * and the reports to other domains (RFC 8460 section 4.3) tell it.
 */
#ifndef BASE_TLS_OUTCOME_H
#define BASE_TLS_OUTCOME_H

#include "base/types.h"

enum tls_outcome {
	TLS_OUTCOME_UNKNOWN, /* nothing is told of it */
	TLS_OUTCOME_OK,
	TLS_OUTCOME_NO_STARTTLS,
	TLS_OUTCOME_HOST_MISMATCH,
	TLS_OUTCOME_EXPIRED,
	TLS_OUTCOME_NOT_TRUSTED,
	TLS_OUTCOME_VALIDATION, /* anything else */
	TLS_OUTCOME_TLSA_INVALID,
	TLS_OUTCOME_DNSSEC_INVALID,
	TLS_OUTCOME_DANE_REQUIRED,
	TLS_OUTCOME_STS_FETCH,
	TLS_OUTCOME_STS_INVALID,
	TLS_OUTCOME_STS_WEBPKI,
	TLS_OUTCOMES,
};
const char *tls_outcome_name(u32 outcome); /* "starttls-not-supported" */

/* UNKNOWN: there is none of that name. */
enum tls_outcome tls_outcome_find(struct slice name);

#endif

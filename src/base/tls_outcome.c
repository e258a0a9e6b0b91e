#include "base/tls_outcome.h"

#include "base/text.h"

static const char *const names[] = {
	[TLS_OUTCOME_UNKNOWN] = "unknown",
	[TLS_OUTCOME_OK] = "ok",
	[TLS_OUTCOME_NO_STARTTLS] = "starttls-not-supported",
	[TLS_OUTCOME_HOST_MISMATCH] = "certificate-host-mismatch",
	[TLS_OUTCOME_EXPIRED] = "certificate-expired",
	[TLS_OUTCOME_NOT_TRUSTED] = "certificate-not-trusted",
	[TLS_OUTCOME_VALIDATION] = "validation-failure",
	[TLS_OUTCOME_TLSA_INVALID] = "tlsa-invalid",
	[TLS_OUTCOME_DNSSEC_INVALID] = "dnssec-invalid",
	[TLS_OUTCOME_DANE_REQUIRED] = "dane-required",
	[TLS_OUTCOME_STS_FETCH] = "sts-policy-fetch-error",
	[TLS_OUTCOME_STS_INVALID] = "sts-policy-invalid",
	[TLS_OUTCOME_STS_WEBPKI] = "sts-webpki-invalid",
};

const char *tls_outcome_name(u32 outcome)
{
	return names[outcome < TLS_OUTCOMES ? outcome : TLS_OUTCOME_UNKNOWN];
}

enum tls_outcome tls_outcome_find(struct slice name)
{
	for (u32 i = 0; i < TLS_OUTCOMES; i++) {
		if (slice_equal(name, slice_of(names[i])))
			return (enum tls_outcome)i;
	}
	return TLS_OUTCOME_UNKNOWN;
}

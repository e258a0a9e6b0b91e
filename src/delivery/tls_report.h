/*
 * The report about one domain and day: JSON as RFC 8460 section 4.4 has it, and the mail that
 * carries it (section 5.3). Pure.
 */
#ifndef DELIVERY_TLS_REPORT_H
#define DELIVERY_TLS_REPORT_H

#include "base/buf.h"
#include "base/types.h"
#include "delivery/tls_tally.h"

#define TLS_DAY_MS (24ull * 3600 * 1000)
#define TLS_REPORT_JSON_MAX (256u << 10)
#define TLS_REPORT_MAIL_MAX (400u << 10)
#define TLS_REPORT_ID_SIZE 640

struct tls_report {
	const char *submitter; /* domain of who reports */
	const char *contact;   /* address */
	const char *domain;    /* that it is about */
	u64 day;               /* since 1970, UTC */
};

/* The same for the same report, however often it is made; goes without angle brackets. */
void tls_report_id(const struct tls_report *report, char out[TLS_REPORT_ID_SIZE]);
/* out->failed: no memory. */
void tls_report_json(const struct tls_report *report, const struct tls_tally *tally,
		     struct buf *out);
/* A whole message, LF at the ends of lines; `json` as above. */
void tls_report_mail(const struct tls_report *report, const char *to, struct slice json,
		     struct buf *out);

#endif

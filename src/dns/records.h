/*
 * The DNS records that a domain has to publish so that its mail is taken: their values, and how a
 * zone file has them.
 */
#ifndef DNS_RECORDS_H
#define DNS_RECORDS_H

#include "base/buf.h"
#include "base/types.h"

/* What the records are made from. Texts are the caller's. */
struct records {
	const char *domain;           /* that mail is sent for */
	const char *hostname;         /* of this machine, and the name in EHLO */
	const char *const *addresses; /* that mail leaves from, without prefix length */
	size_t address_count;
};

/* "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 -all" */
void records_spf(const struct records *records, struct buf *out);
/* "v=DMARC1; p=none; rua=mailto:dmarc@example.jp" */
void records_dmarc(const struct records *records, struct buf *out);

/*
 * A TXT value as strings of a zone file, of at most 255 bytes each (RFC 1035 section 3.3.14):
 * "..." "...". Quotes and backslashes are escaped.
 */
void records_strings(struct buf *out, struct slice value);
/* A TXT record as a line of a zone file, without its end. */
void records_txt(struct buf *out, const char *name, struct slice value);

#endif

/*
 * The DNS records that a domain has to publish so that its mail is taken: where they are written to
 * be read by people, as text for a zone file and as values for a provider's form.
 */
#ifndef CONSOLE_RECORDS_H
#define CONSOLE_RECORDS_H

#include "base/buf.h"
#include "base/types.h"
#include "console/console.h"

#include <stdio.h>

/* What the records are made from. Texts are the caller's. */
struct records {
	const char *domain;   /* that mail is sent for */
	const char *hostname; /* of this machine, and the name in EHLO */
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

/* One record: as a line of a zone file, and name and value for a form. */
void records_print_txt(FILE *out, const char *name, struct slice value);

/* A, AAAA, PTR, SPF, DMARC and MX, with what they are for. DKIM is records_print_txt. */
void records_print(FILE *out, const struct records *records);

#endif

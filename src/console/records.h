/*
 * The DNS records that a domain has to publish so that its mail is taken: where they are written to
 * be read by people, as text for a zone file and as values for a provider's form.
 */
#ifndef CONSOLE_RECORDS_H
#define CONSOLE_RECORDS_H

#include "console/console.h"
#include "dns/records.h"

#include <stdio.h>

/* One record: as a line of a zone file, and name and value for a form. */
void records_print_txt(FILE *out, const char *name, struct slice value);

/* A, AAAA, PTR, SPF, DMARC and MX, with what they are for. DKIM is records_print_txt. */
void records_print(FILE *out, const struct records *records);

#endif

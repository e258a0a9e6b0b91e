/*
 * SMTP TLS reporting (RFC 8460 section 3): the TXT record by which a domain asks for reports, and
 * where they are to go. Bytes in, decisions out.
 */
#ifndef DNS_TLSRPT_H
#define DNS_TLSRPT_H

#include "base/types.h"

#define TLSRPT_TXT_PREFIX "_smtp._tls." /* in front of the domain: where the TXT record is */
#define TLSRPT_URIS_MAX 4    /* kept of a record: the first ones that can be used */
#define TLSRPT_RUA_SIZE 768  /* bytes of all of them, with commas between and a NUL */
#define TLSRPT_TARGET_SIZE 320

enum tlsrpt_txt {
	TLSRPT_TXT_OTHER,  /* not about TLS reports */
	TLSRPT_TXT_BROKEN, /* it is, but names no place that can be used */
	TLSRPT_TXT_GOOD,
};
/*
 * One TXT record, its strings put together. A domain asks for reports when exactly one of its
 * records is not OTHER, and that is GOOD. `rua`: URIs that tlsrpt_uri_next can read, by commas.
 */
enum tlsrpt_txt tlsrpt_txt_read(char rua[TLSRPT_RUA_SIZE], struct slice txt);

enum tlsrpt_kind { TLSRPT_MAILTO = 1, TLSRPT_HTTPS };

struct tlsrpt_uri {
	enum tlsrpt_kind kind;
	struct slice text; /* the whole URI, borrowed */
	u16 port;          /* HTTPS */
	/* MAILTO: the address, decoded, not parsed; HTTPS: the host's name in lower case. */
	char target[TLSRPT_TARGET_SIZE];
};
/* Takes the next URI that can be used off the list; false: there is none. */
bool tlsrpt_uri_next(struct slice *rua, struct tlsrpt_uri *uri) MUST_CHECK;

#endif

/*
 * TLSA records of mail hosts (RFC 6698 section 2.1; RFC 7672): read, judged usable or not, and kept
 * packed. Bytes in, decisions out.
 */
#ifndef DNS_DANE_H
#define DNS_DANE_H

#include "base/types.h"

#define DANE_RECORDS_MAX 16  /* kept of one host: usable ones */
#define DANE_DATA_MAX 2048   /* bytes of association data; a record with more is not usable */
#define DANE_PREFIX "_25._tcp." /* in front of the TLSA base domain (RFC 7672 section 2.2.3) */

enum dane_usage { DANE_PKIX_TA, DANE_PKIX_EE, DANE_TA, DANE_EE };
enum dane_selector { DANE_CERTIFICATE, DANE_PUBLIC_KEY };
enum dane_matching { DANE_WHOLE, DANE_SHA256, DANE_SHA512 };

struct dane_record {
	u8 usage;
	u8 selector;
	u8 matching;
	struct slice data; /* borrowed from what was read */
};

/* What is known of the TLSA records of a host, by DNSSEC. */
enum dane_finding {
	/* There are none, or the answer is not secure: TLS as if DANE were not there. */
	DANE_ABSENT,
	/* There are, but none is usable: TLS is a must, any certificate will do (section 2.2). */
	DANE_UNUSABLE,
	/* Usable ones: TLS is a must, and one of them has to match. */
	DANE_USABLE,
	/* They could not be had, or are bogus: the host must not be used (section 2.2.1). */
	DANE_FAILED,
};

/* TLSA rdata in wire form; false: too short to be one. */
bool dane_record_read(struct dane_record *record, const void *rdata, size_t len) MUST_CHECK;
/*
 * RFC 7672 section 3.1: usages DANE-TA and DANE-EE alone; with a selector and a matching type that
 * are known, and data of the length that goes with it. Whether whole certificates and keys can be
 * read shows at the handshake.
 */
bool dane_record_is_usable(const struct dane_record *record);

/* Packed: one behind another. How many bytes were written; 0: they do not fit. */
size_t dane_record_pack(u8 *to, size_t room, const struct dane_record *record);
/* The next packed record, which borrows from *packed; false: that was all. */
bool dane_record_next(struct slice *packed, struct dane_record *record) MUST_CHECK;

#endif

/*
 * Resource records as zone files write them (RFC 1035 section 5), and the names of their types.
 */
#ifndef DNS_RECORD_TEXT_H
#define DNS_RECORD_TEXT_H

#include "base/buf.h"
#include "base/types.h"

enum record_type {
	RECORD_A = 1,
	RECORD_NS = 2,
	RECORD_CNAME = 5,
	RECORD_SOA = 6,
	RECORD_PTR = 12,
	RECORD_MX = 15,
	RECORD_TXT = 16,
	RECORD_AAAA = 28,
	RECORD_SRV = 33,
	RECORD_DS = 43,
	RECORD_DNSKEY = 48,
	RECORD_TLSA = 52,
	RECORD_CAA = 257,
};

/* 0: no type that is known here. Any case. */
u16 record_type_of(struct slice name);
const char *record_type_name(u16 type); /* "TYPE65280"-like ones are "?" */
/* The names that are known, NULL at the end. */
extern const char *const record_type_names[];

/*
 * Appends the rdata as text. What is malformed, or of a type that is not known here, comes as
 * \# LENGTH HEX (RFC 3597). The text is printable ASCII alone.
 */
void record_text(struct buf *out, u16 type, const u8 *bytes, size_t len);

/* A name in wire form at the start of the bytes, as text without final dot; bytes used, 0: bad. */
size_t record_name(char out[256], const u8 *bytes, size_t len);

/* A TXT's strings put together, as SPF, DKIM and DMARC read them; false: malformed or too long. */
bool record_txt_value(struct buf *out, const u8 *bytes, size_t len) MUST_CHECK;

#endif

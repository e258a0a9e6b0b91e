/*
 * Macro strings of SPF (RFC 7208 section 7): whether they are well formed, and what they become.
 */
#ifndef DNS_SPF_MACRO_H
#define DNS_SPF_MACRO_H

#include "base/buf.h"
#include "base/net_address.h"
#include "base/types.h"

/* Where a macro string stands decides what may be in it. */
enum spf_macro_place {
	SPF_MACRO_DOMAIN,  /* a domain-spec: ends with a top label or a macro (section 7.1) */
	SPF_MACRO_VALUE,   /* of a modifier that nobody knows */
	SPF_MACRO_EXPLAIN, /* an explanation: spaces, and the letters c, r and t, too */
};

/* What the letters stand for. Slices are the caller's. */
struct spf_macro_values {
	struct net_address address; /* i, c, v */
	struct slice local;         /* l, and s together with `sender_domain` */
	struct slice sender_domain; /* o */
	struct slice domain;        /* d: whose record is evaluated */
	struct slice helo;          /* h */
	struct slice validated;     /* p: a validated name of the address, or "unknown" */
	struct slice receiver;      /* r */
	u64 now_s;                  /* t: since 1970 */
};

bool spf_macro_is_valid(struct slice text, enum spf_macro_place place) MUST_CHECK;

/* Whether the letter p is in a valid text: to know what it stands for takes questions. */
bool spf_macro_wants_validated(struct slice text);

/*
 * Appends what a valid text becomes; parts of macros are joined by dots, those of upper case
 * letters escaped as in a URL. The bytes are whatever the sender's address and EHLO had. What does
 * not fit `out` marks it failed.
 */
void spf_macro_expand(struct buf *out, struct slice text, const struct spf_macro_values *values);

#endif

/*
 * Delivery status notifications: what a sender is told of a message that was not delivered, is
 * late, or went on to where nothing more will be heard of it (RFC 3461, 3464; multipart/report by
 * RFC 6522; addresses beyond ASCII by RFC 6533). A notice is read by a person first, so its first
 * part says who, why in the receiver's own words, and what to do; the second is for machines, the
 * third is the message, or its header.
 *
 * Pure: facts in, a whole message out, with CRLF, all of it 7bit. Whatever the texts hold, they
 * begin no field, no part and no line of their own.
 */
#ifndef MESSAGE_NOTICE_H
#define MESSAGE_NOTICE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/smtp_class.h"
#include "base/types.h"

#define NOTICE_ORIGINAL_MAX (256u << 10) /* bytes; of a longer message only the header goes back */
#define NOTICE_TEXT_MAX 1000		 /* bytes of any one text; what is longer is cut */
/* What a notice takes of a buffer at most, per recipient and without what was sent. */
#define NOTICE_OWN_MAX (64u << 10)

enum notice_action { /* RFC 3464 section 2.3.3 */
	NOTICE_FAILED,
	NOTICE_DELAYED,   /* it is still tried */
	NOTICE_DELIVERED,
	NOTICE_RELAYED,   /* handed to a host that does not send notices of success */
	NOTICE_EXPANDED,  /* handed to the members of a list */
};

enum notice_language { NOTICE_ENGLISH, NOTICE_JAPANESE, NOTICE_BOTH /* Japanese first */ };

struct notice_recipient {
	enum notice_action action;
	enum smtp_class class; /* of the refusal: says what can be done */
	bool is_expired;       /* FAILED, but never for good: its time was over */
	u16 status[3];         /* RFC 3463 */
	u16 code;              /* SMTP reply; 0: `text` is no receiver's, but our own words */
	struct slice address;  /* wire form; with octets over 127: UTF-8 */
	struct slice original; /* ORCPT as it came, "rfc822;xtext"; may be empty */
	struct slice host;     /* that took or refused it; empty: none was reached */
	struct slice text;     /* what it said */
	u64 attempt_ms;        /* wall clock of the last attempt; 0: there was none */
	u64 until_ms;          /* DELAYED: tried until then */
};

struct notice {
	const char *host;      /* Reporting-MTA: our name */
	const char *domain;    /* the customer's; From is postmaster there */
	struct slice sender;   /* whom the notice is for, wire form */
	struct slice envid;    /* xtext as it came; may be empty */
	struct slice original; /* the message, or its header block alone; any line ends */
	bool returns_all;      /* RET=FULL: of a failed message, and within NOTICE_ORIGINAL_MAX */
	enum notice_language language;
	u64 arrival_ms;        /* when the message was accepted, wall clock */
	u64 date_ms;           /* of the notice */
	const struct notice_recipient *recipients;
	size_t count;          /* at least 1 */
};

/* Appends the message to `out`. False: it is full, or there is no memory. */
bool notice_write(const struct notice *notice, struct buf *out) MUST_CHECK;

#endif

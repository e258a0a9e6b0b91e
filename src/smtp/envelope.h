/*
 * What stands behind MAIL and RCPT: a path and ESMTP parameters (RFC 5321 section 4.1.1.2 and 3;
 * 1870 SIZE, 3461 DSN, 4954 AUTH, 6152 BODY, 6531 SMTPUTF8). Pure; slices are views of the line.
 */
#ifndef SMTP_ENVELOPE_H
#define SMTP_ENVELOPE_H

#include "base/types.h"
#include "smtp/mailbox.h"

#define SMTP_ENVID_MAX 100 /* RFC 3461 section 4.4 */
#define SMTP_ORCPT_MAX 500 /* section 4.2 */

enum smtp_return { SMTP_RETURN_UNSAID, SMTP_RETURN_FULL, SMTP_RETURN_HEADERS };

enum smtp_notify { /* none of them: NOTIFY was not said */
	SMTP_NOTIFY_NEVER = 1 << 0,
	SMTP_NOTIFY_SUCCESS = 1 << 1,
	SMTP_NOTIFY_FAILURE = 1 << 2,
	SMTP_NOTIFY_DELAY = 1 << 3,
};

struct smtp_mail {
	struct smtp_mailbox from;
	u64 size;               /* bytes that SIZE says; 0: unsaid */
	bool eightbit;          /* BODY=8BITMIME */
	bool utf8;              /* SMTPUTF8 */
	enum smtp_return ret;
	struct slice envid;     /* xtext, checked, not decoded; empty: unsaid */
};

struct smtp_rcpt {
	struct smtp_mailbox to;
	u8 notify;              /* enum smtp_notify */
	struct slice orcpt;     /* "rfc822;" and xtext, checked, not decoded; empty: unsaid */
};

/* Which parameters a session may use. */
struct smtp_offer {
	bool esmtp; /* EHLO was said: parameters may be used at all */
	bool auth;  /* MAIL may have AUTH=, which is checked and means nothing to us */
	bool utf8;  /* of RCPT: MAIL said SMTPUTF8 */
};

/*
 * `argument` is the line behind "MAIL " or "RCPT ", of any bytes, without its CRLF. NULL: good.
 * Else the reply to give, without CRLF: "501 5.5.4 ...".
 */
const char *smtp_mail_read(struct smtp_mail *mail, struct slice argument,
			   const struct smtp_offer *offer) MUST_CHECK;
const char *smtp_rcpt_read(struct smtp_rcpt *rcpt, struct slice argument,
			   const struct smtp_offer *offer) MUST_CHECK;

#endif

/*
 * Paths as they stand in MAIL FROM and RCPT TO (RFC 5321 section 4.1.2 and 4.1.3, RFC 6531 section
 * 3.3): bytes to slices. Pure; nothing is copied, decoded or normalised. `message/address.h` is for
 * what people wrote, this for what a host says.
 *
 * Two liberties. Dots may stand at odd places in a local part without quotes, since old addresses
 * of Japanese carriers have them and their owners unsubscribe by mail. A local part may be longer
 * than 64 octets, as long as the path is within SMTP_PATH_MAX: others' VERP and SRS need it.
 */
#ifndef SMTP_MAILBOX_H
#define SMTP_MAILBOX_H

#include "base/types.h"

#define SMTP_DOMAIN_MAX 255
#define SMTP_LABEL_MAX 63

struct smtp_mailbox {
	struct slice path;   /* local@domain as it came, without < > and source route; empty: <> */
	struct slice local;  /* with its quotes when it has some */
	struct slice domain; /* of an address literal with its [ ]; empty: <> and <postmaster> */
	bool utf8;           /* has octets over 127 (valid UTF-8): needs SMTPUTF8 */
	bool odd_dots;       /* a Dot-string that has to be quoted on the way out */
	bool literal;        /* the domain is [192.0.2.1] or [IPv6:2001:db8::1] */
};

/*
 * Reads the path at the front of *s, from < to >, and moves *s behind it. The null path <> and
 * <postmaster> (any case) are paths, too. A source route is checked and left out (appendix C).
 * False: no such thing stands there; *s is anywhere then.
 */
bool smtp_mailbox_read(struct smtp_mailbox *mailbox, struct slice *s) MUST_CHECK;

/* A host name or address literal, whole slice: what stands behind EHLO or an @. */
bool smtp_domain_is_valid(struct slice s);

#endif

/*
 * What a refusal is about, in one word: the classes that replies of receivers are sorted into
 * (smtp/reply_class.h does it), and what may be concluded from each. The configuration, the
 * delivery log, the metrics and the console all say them by the same names.
 *
 * The numbers are stored in the delivery log: new classes go to the end.
 */
#ifndef BASE_SMTP_CLASS_H
#define BASE_SMTP_CLASS_H

#include "base/types.h"

enum smtp_class {
	SMTP_CLASS_NONE,        /* nothing was refused, or it is not known in which words */
	SMTP_CLASS_UNKNOWN,     /* refused; neither the words nor the code say why */
	SMTP_CLASS_BAD_MAILBOX, /* no such mailbox or domain, or it is closed */
	SMTP_CLASS_MAILBOX_FULL,
	SMTP_CLASS_POLICY,      /* a rule of the receiver's: who may write to whom, and how */
	SMTP_CLASS_CONTENT,     /* spam, malware, size or form of this message */
	SMTP_CLASS_REPUTATION,  /* our address or domain is on a list, or thought badly of */
	SMTP_CLASS_RATE,        /* too much at once: messages, sessions, recipients, complaints */
	SMTP_CLASS_AUTH_FAILURE, /* SPF, DKIM, DMARC, ARC */
	SMTP_CLASS_DNS,         /* a name of ours does not resolve, as a receiver sees it; where no
				   receiver was asked: the recipient's domain has no hosts */
	SMTP_CLASS_GREYLISTED,  /* first contact is put off on principle */
	SMTP_CLASS_TRANSIENT_HOST, /* the host, or the way to it, has trouble of its own */
	SMTP_CLASS_PROTOCOL,    /* commands not understood, out of order, not offered */
	SMTP_CLASS_COUNT,
};

/* In place of an enhanced code's detail: whatever it is. */
#define SMTP_ANY_DETAIL 0xffff

/*
 * "bad-mailbox", for people, labels and files alike; "" for SMTP_CLASS_NONE and numbers that are no
 * class.
 */
const char *smtp_class_name(u32 class);
/* False: no class has that name. */
bool smtp_class_find(struct slice name, enum smtp_class *class) MUST_CHECK;

/*
 * Whom a class is about. Exactly one is true, but for NONE and UNKNOWN none.
 *
 *   recipient  no other recipient is meant: another host or a later hour changes little
 *   message    this message to this recipient: neither the next one nor the route is meant
 *   sender     our address or domain: what else goes there by this route will meet the same
 *   host       the receiver's host: another of its hosts, or a later hour, may do
 */
bool smtp_class_is_about_recipient(enum smtp_class class);
bool smtp_class_is_about_message(enum smtp_class class);
bool smtp_class_is_about_sender(enum smtp_class class);
bool smtp_class_is_about_host(enum smtp_class class);

#endif

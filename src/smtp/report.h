/*
 * What a message that came back means. One entry reads delivery status notifications (RFC 3464,
 * 6533), feedback reports (RFC 5965, 6590, 6591), bounces in free form (qmail's, Exim's, those of
 * carriers and old gateways, in English and Japanese), replies of machines (RFC 3834) and people's
 * wish to get no more. Pure: bytes in, facts out.
 *
 * All of it can be forged. Which row a report is about says the tag of the address that it was sent
 * to (delivery/mailing.h); what stands here says only what is claimed about it, and an address here
 * is never to be believed without such a tag.
 */
#ifndef SMTP_REPORT_H
#define SMTP_REPORT_H

#include "base/arena.h"
#include "base/types.h"

#define REPORT_RECIPIENTS_MAX 64 /* of one report; those behind are counted, not kept */
#define REPORT_TEXT_MAX (64u << 10) /* octets of each text that are looked at */
#define REPORT_DIAGNOSTIC_MAX 1024
#define REPORT_ADDRESS_MAX 320
/* What reading takes of an arena with chunks of this size at most, whatever the message. */
#define REPORT_ARENA_CHUNK (64u << 10)
#define REPORT_ARENA_MAX (1u << 20)

/* Ordered: of several recipients' kinds the highest is the report's. */
enum report_kind {
	REPORT_UNKNOWN,     /* a person's letter, spam, a bounce that cannot be understood */
	REPORT_NOTICE,      /* asks for nothing: delivered, relayed, expanded, read, "not spam" */
	REPORT_AUTO_REPLY,  /* vacation and the like, challenges: no bounce */
	REPORT_DELAYED,     /* still being tried */
	REPORT_SOFT,        /* not delivered, the address may be good: full, policy, expired */
	REPORT_HARD,        /* not delivered, and there is no such address */
	REPORT_UNSUBSCRIBE, /* the recipient wants no more */
	REPORT_COMPLAINT,   /* the recipient called it abuse */
};
const char *report_kind_name(enum report_kind kind); /* "hard", "auto-reply", ... */

/* Why it was not delivered. */
enum report_reason {
	REPORT_REASON_NONE,     /* not said, or not understood */
	REPORT_REASON_MAILBOX,  /* no such mailbox */
	REPORT_REASON_DOMAIN,   /* no such domain, or it takes no mail */
	REPORT_REASON_DISABLED, /* mailbox is closed or asleep */
	REPORT_REASON_FULL,
	REPORT_REASON_SIZE,     /* the message is too large */
	REPORT_REASON_POLICY,   /* refused as spam, by reputation, authentication, a filter */
	REPORT_REASON_EXPIRED,  /* tried for too long */
	REPORT_REASON_SYSTEM,   /* network, loops, a host's own trouble */
};
const char *report_reason_name(enum report_reason reason); /* "mailbox", "full", ... */

enum report_form {
	REPORT_FORM_NONE,
	REPORT_FORM_DSN,      /* RFC 3464 */
	REPORT_FORM_FEEDBACK, /* RFC 5965, or what providers send instead */
	REPORT_FORM_MDN,      /* RFC 8098 */
	REPORT_FORM_QMAIL,    /* QSBMF */
	REPORT_FORM_EXIM,
	REPORT_FORM_TEXT,     /* any other text */
	REPORT_FORM_REPLY,    /* of a machine or a person */
};
const char *report_form_name(enum report_form form); /* "dsn", "feedback", ... */

/*
 * One recipient that the report speaks of. Texts are UTF-8 without control characters; empty when
 * not given.
 */
struct report_recipient {
	struct report_recipient *next;
	enum report_kind kind; /* NOTICE, DELAYED, SOFT, HARD; COMPLAINT or UNSUBSCRIBE */
	enum report_reason reason;
	struct slice address;  /* where it was to go at last: "local@domain", decoded */
	struct slice original; /* where it was sent to (Original-Recipient), if that is said */
	struct slice remote;   /* Remote-MTA: the host that refused */
	struct slice diagnostic; /* the host's words, at most REPORT_DIAGNOSTIC_MAX octets */
	u16 status[3]; /* RFC 3463, of class 2, 4 or 5; zeros when there is none */
	u16 code;      /* SMTP reply code (RFC 5321 section 4.2), or 0 */
};

/* Of the message that was sent, as far as it came back. Views of what the reporter put in. */
struct report_original {
	struct slice headers; /* its header block, for fields of our own: mail_find */
	struct slice message_id; /* "local@domain" without < > */
	struct slice to;         /* its first address */
	struct slice list_unsubscribe; /* as it stands, unfolded */
};

/* RFC 5965 section 3; empty when not given. */
struct report_feedback {
	struct slice type; /* lower case: "abuse", "fraud", "not-spam", ... */
	struct slice user_agent;
	struct slice mail_from; /* Original-Mail-From without < > */
	struct slice source_ip;
	struct slice arrival_date; /* as it stands */
	struct slice reported_domain;
	u32 incidents;    /* 1 when not given */
	bool is_redacted; /* the recipient is hidden (RFC 6590): it says nothing about whom */
};

struct report {
	enum report_kind kind;
	enum report_form form;
	struct report_recipient *recipients; /* first of them, in the report's order */
	u32 recipient_count;                 /* also those that were not kept */
	struct report_original original;
	struct report_feedback feedback; /* FORM_FEEDBACK */
	struct slice reporting_mta;
	struct slice envelope_id;  /* Original-Envelope-Id, without xtext */
	struct slice subject;      /* of the report itself */
	struct slice from;         /* its address */
	bool is_challenge; /* an AUTO_REPLY that wants an answer before it lets mail through */
	bool is_incomplete; /* the arena was full: nothing here is to be used */
};

/*
 * Reads `message` (whole, CRLF or LF line ends) and fills in *out, which views it and `arena`.
 * Returns out->kind; UNKNOWN with is_incomplete when the arena has no room: with REPORT_ARENA_MAX
 * of it, only when there is no memory, and a later reading may do. Time is linear in the message.
 */
enum report_kind report_read(struct slice message, struct report *out, struct arena *arena);

/*
 * Undoes xtext (RFC 3461 section 4). False, with nothing appended, when it is none.
 */
bool report_xtext_decode(struct buf *out, struct slice xtext) MUST_CHECK;

#endif

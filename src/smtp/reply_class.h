/*
 * What a 4yz or 5yz reply is about (base/smtp_class.h), by an ordered table of patterns: the
 * operator's own rows, then those of large providers, of languages, and general ones; the first
 * that matches decides. What no row knows is judged by its enhanced code (RFC 3463, 5248, 7372,
 * 7505), then by its code and step (RFC 5321 section 4.2). Pure: no memory but the stack, no I/O, a
 * few microseconds for a reply that no row knows.
 */
#ifndef SMTP_REPLY_CLASS_H
#define SMTP_REPLY_CLASS_H

#include "base/smtp_class.h"
#include "base/types.h"
#include "smtp/client.h"

#define SMTP_FRAGMENT_MIN 3 /* bytes of a fragment */

/* Whose hosts a row of the built-in table is for. */
enum smtp_provider {
	SMTP_PROVIDER_ANY,
	SMTP_PROVIDER_GOOGLE,
	SMTP_PROVIDER_MICROSOFT,
	SMTP_PROVIDER_YAHOO,
	SMTP_PROVIDER_YAHOO_JAPAN,
	SMTP_PROVIDER_APPLE,
	SMTP_PROVIDER_COMCAST,
	SMTP_PROVIDER_IONOS, /* GMX and web.de, too */
	SMTP_PROVIDER_MAILRU,
	SMTP_PROVIDER_MIMECAST,
	SMTP_PROVIDER_PROOFPOINT,
	SMTP_PROVIDER_CISCO,
	SMTP_PROVIDER_TENCENT,
	SMTP_PROVIDER_NETEASE,
	SMTP_PROVIDER_T_ONLINE,
	SMTP_PROVIDER_DOCOMO,
	SMTP_PROVIDER_KDDI,
	SMTP_PROVIDER_SOFTBANK,
	SMTP_PROVIDER_RAKUTEN,
	SMTP_PROVIDER_JAPAN_ISP, /* OCN, So-net, Biglobe, Nifty, IIJ, ... */
};

/*
 * One row: every condition that it has must hold. Rows of classes that are about a recipient are
 * not read before RCPT. A row borrows all that it points to.
 */
struct smtp_class_row {
	u8 class;    /* enum smtp_class */
	u8 provider; /* enum smtp_provider */
	u16 code;    /* leading digits: 4, 55, 550; 0: whatever it is */
	/* Class 0: 4 and 5. Subject 0: no condition. The detail may be SMTP_ANY_DETAIL. */
	u16 enhanced[3];
	u16 stages; /* 1 << enum smtp_stage each; 0: wherever it was */
	/*
	 * Fragments that the text has in this order, not overlapping: lower case, SP for any run of
	 * white space (also between the lines of a reply), SMTP_FRAGMENT_MIN bytes at least.
	 */
	const char *const *text;
	u32 text_count;
	/* Patterns of the host's name as config_pattern_matches has them; none: any host. */
	u32 mx_count;
	const char *const *mx;
};

struct smtp_class_table {
	const struct smtp_class_row *rows;
	size_t count;
};
extern const struct smtp_class_table smtp_class_providers;
extern const struct smtp_class_table smtp_class_languages;
extern const struct smtp_class_table smtp_class_general;

/*
 * A reply; or what a DSN quotes (Diagnostic-Code, Status), with SMTP_STAGE_DOT, and 450 or 550 by
 * the status's class where no code is quoted.
 */
struct smtp_refusal {
	u16 code; /* 400-599 */
	u16 enhanced[3];
	enum smtp_stage stage;
	struct slice text; /* as in struct smtp_reply; beyond SMTP_REPLY_TEXT_MAX it is not read */
	struct slice mx;   /* the host's name; empty when it is not known */
};

struct smtp_judgement {
	enum smtp_class class; /* never SMTP_CLASS_NONE */
	/* No row knew the words, and what the code says is vague: worth a row. */
	bool guessed;
};

/* `own`: the operator's rows; may have none. */
struct smtp_judgement smtp_classify(const struct smtp_refusal *refusal,
				    const struct smtp_class_table *own);

/* What has not one of the names that the table knows is SMTP_PROVIDER_ANY. */
enum smtp_provider smtp_provider_of(struct slice mx);

#endif

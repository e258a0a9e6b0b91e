/*
 * What the readers of reports share. Private to smtp/report*.c.
 */
#ifndef SMTP_REPORT_PARTS_H
#define SMTP_REPORT_PARTS_H

#include "smtp/mail.h"
#include "smtp/report.h"

/* A slice of a literal, for tables. */
#define PHRASE(literal) { "" literal, sizeof(literal) - 1 }

/* One message being read. */
struct report_reading {
	struct arena *arena;
	struct report *out;
	const struct mail_part *parts; /* the message, then all parts of it */
	struct slice headers;          /* the message's */
	struct slice to;               /* where it was sent to: an address of ours */
	struct slice flat_subject;
	struct slice body; /* report_body's; ptr is NULL before it was asked for */
	struct report_recipient *last;
	bool is_full; /* of the arena */
};

/* Fields of the message itself: as text, as an address, in lower case; empty when not there. */
struct slice report_field_text(struct report_reading *r, struct slice headers, struct slice name);
struct slice report_field_address(struct report_reading *r, struct slice headers,
				  struct slice name);
struct slice report_field_lower(struct report_reading *r, struct slice headers, struct slice name);

/* A structured field's value, at most `max` octets; empty when it is not there or no UTF-8. */
struct slice report_bare(struct report_reading *r, struct slice headers, struct slice name,
			 size_t max);
/* "dns; mx.example" without its type, which may be missing. */
struct slice report_without_type(struct slice value);
/* UTF-8 without control characters. */
bool report_is_text(struct slice s);

/* A text field's value, at most `max` octets of it. */
struct slice report_text(struct report_reading *r, struct slice value, size_t max);

/* The first part of that type behind the message itself or the message; NULL if none. */
const struct mail_part *report_part_of(const struct report_reading *r, struct slice type);

/*
 * What the message says to people, in UTF-8, at most REPORT_TEXT_MAX octets of the source: the
 * first text/plain, or the first text/html where that lacks or is blank. Empty when there is none.
 */
struct slice report_body(struct report_reading *r);

/* A further recipient, or NULL: there are enough, or the arena is full. Counted in any case. */
struct report_recipient *report_add_recipient(struct report_reading *r);

/* Fills in what is known of the message that was sent; `text` starts with its header block. */
void report_take_original(struct report_reading *r, struct slice text);
/* The same from the part that holds it, if there is one. */
void report_find_original(struct report_reading *r);

/*
 * The first address in `text`, at its own place there: *before gets its index. Without < >; octets
 * as they stand. ptr is NULL when there is none.
 */
struct slice report_next_address(struct slice text, size_t *before);

/*
 * Text for looking up words: lower case, white space as single spaces, none between two characters
 * beyond ASCII (Japanese text is broken anywhere). ptr is NULL when the arena is full.
 */
struct slice report_flatten(struct report_reading *r, struct slice text);

/* Text for people: white space as above, letter case kept; at most REPORT_DIAGNOSTIC_MAX. */
struct slice report_one_line(struct report_reading *r, struct slice text);

/* The highest of the recipients' kinds becomes the report's. */
void report_sum_up(struct report_reading *r);

/* ---- report_judge.c ---- */

/*
 * The first status of class `least` or above, and the first reply code of a failure, that stand in
 * flattened text. What is not found stays as it was.
 */
void report_find_status(struct slice flat, u16 least, u16 status[3]);
void report_find_code(struct slice flat, u16 *code);

/*
 * Decides why a recipient failed and sets kind (SOFT or HARD) and reason, from its status, its code
 * and flattened words about it.
 */
void report_judge_failure(struct report_recipient *recipient, struct slice flat);
/* ---- report_words.c ---- */

/* Reasons that flattened words name: bits 1 << enum report_reason, and this one. */
#define REPORT_ABOUT_SENDER (1u << 31)
u32 report_reasons(struct slice flat);
/* Whether the words say why something was not delivered; or at least that it was not. */
bool report_knows_reason(struct slice flat);
bool report_knows_failure(struct slice flat);
bool report_knows_delay(struct slice flat);
bool report_knows_full(struct slice flat);

/* ---- the readers: true when the message is theirs; out->kind is set ---- */

bool report_read_status(struct report_reading *r);   /* RFC 3464 */
bool report_read_feedback(struct report_reading *r); /* RFC 5965 */
bool report_read_bounce(struct report_reading *r);   /* free form */
bool report_read_reply(struct report_reading *r);    /* of machines; unsubscribe */

/* Whether the message has fields that only machines write (RFC 3834). */
bool report_is_machine(struct report_reading *r);
/* A subject that a vacation program gives its replies. */
bool report_is_reply_subject(struct slice flat_subject);

/* Whether one of `count` phrases stands in flattened text. */
bool report_has_phrase(struct slice flat, const struct slice *phrases, size_t count);

#endif

/*
 * Letters: single messages with their recipients that are no campaign. People and programs submit
 * them, or they are ours: notices about letters that failed, reports. Their rows are those of one
 * standing campaign per customer, so that shaping, retries, suppression, leases and recovery are
 * the same as for all mail; only where the content comes from differs (store/queue_letter.h).
 */
#ifndef DELIVERY_LETTER_H
#define DELIVERY_LETTER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "base/types.h"
#include "delivery/planner.h"
#include "store/queue_letter.h"

#define LETTER_RECIPIENTS_MAX 10000
#define LETTER_ORCPT_MAX 500 /* RFC 3461 section 4.2 */

/* NOTIFY of RFC 3461 section 4.1; without any bit: none was given. */
enum letter_notify {
	LETTER_NOTIFY_NEVER = 1,
	LETTER_NOTIFY_SUCCESS = 2,
	LETTER_NOTIFY_FAILURE = 4,
	LETTER_NOTIFY_DELAY = 8,
};

struct letter_recipient {
	struct slice address; /* wire form */
	struct slice values;  /* packed, store/row_values.h: by the source's columns */
	struct slice orcpt;   /* "rfc822;xtext" as it came; may be empty */
	u8 notify;            /* enum letter_notify */
};

/* Texts are borrowed. */
struct letter {
	struct slice key;      /* 1 to LETTER_KEY_MAX bytes; again the same: the same letter */
	struct slice customer; /* its domain is the author's */
	struct slice sender;   /* whom notices go to: "local@domain"; empty: nobody */
	struct slice envid;    /* may be empty */
	struct planner_source source;
	const struct letter_recipient *recipients;
	u32 recipient_count;   /* 1 to LETTER_RECIPIENTS_MAX */
	u64 expire_after_ms;   /* 0: as configured */
	u8 kind;               /* enum letter_kind */
	u8 ret;                /* enum letter_ret */
};

enum letter_result {
	LETTER_KEPT,    /* durable */
	LETTER_KNOWN,   /* its key was there already; nothing was changed */
	LETTER_REFUSED, /* it cannot be sent as it is: the sentence says why */
	LETTER_NO_ROOM, /* not now */
};

/* One who brings a letter and waits until it is kept; his own memory. */
struct letter_wait {
	struct list node;
	struct letter letter;
	/* Called once, by a turn of the planner after its commit; may not add letters itself. */
	void (*done)(struct letter_wait *wait, enum letter_result result, const char *sentence);
	struct row_id id; /* of the letter: {campaign, number, 0}; KEPT and KNOWN */
	bool is_tried;    /* the planner's: in the transaction that is under way */
	u8 result;        /* likewise: of it */
	struct error error;
};

/*
 * Checks the letter (its source is compiled), and keeps it by the next turn. What is wrong with it
 * is said by `done`, too, never before this returns.
 */
void planner_letter_add(struct planner *planner, struct letter_wait *wait);
/* Nobody waits any more. Whether it is kept is not known then. */
void planner_letter_leave(struct planner *planner, struct letter_wait *wait);

/*
 * One of our own about another one, in the transaction that is open: LETTER_NO_ROOM when it or the
 * transaction failed. `id` may be NULL.
 */
enum letter_result planner_letter_put(struct planner *planner, const struct letter *letter,
				      struct row_id *id, struct error *error);

#define LETTER_ROW_LEAST 3 /* bytes in front of the merge values, without an orcpt */

/* What a letter's row carries in front of its packed merge values. */
struct letter_row {
	u8 notify;
	struct slice orcpt;
	size_t size; /* bytes of it */
};
void letter_row_write(struct buf *values, const struct letter_recipient *recipient);
/* False: damaged. */
bool letter_row_read(struct slice values, struct letter_row *row) MUST_CHECK;

void letter_source_pack(struct buf *out, const struct planner_source *source);
/* The content as it was brought; views of `content`, as queue_letter_content_get gives it. */
bool letter_source_unpack(struct slice content, struct planner_source *source) MUST_CHECK;

#endif

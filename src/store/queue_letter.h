/*
 * Letters in the queue environment: single messages with their recipients that are no campaign. A
 * letter has a head here, its content is the blob "letter/N" of the standing campaign that it
 * belongs to, and its recipients are rows of that campaign: {campaign, number of the letter, 1...}.
 * The content goes with the last recipient; the head stays for a while, so that a key that comes
 * again is known.
 *
 * Within a transaction of queue.h, whose rules hold here, too.
 */
#ifndef STORE_QUEUE_LETTER_H
#define STORE_QUEUE_LETTER_H

#include "store/queue.h"

#define LETTER_KEY_MAX 64
#define LETTER_SENDER_MAX 400
#define LETTER_ENVID_MAX 100 /* RFC 3461 section 4.4 */

enum letter_kind { /* values are stored */
	LETTER_SUBMITTED = 1, /* by SMTP or HTTP */
	LETTER_NOTICE = 2,    /* of ours, about a letter; its reverse-path is empty */
	LETTER_REPORT = 3,    /* of ours, for other operators */
	LETTER_FORWARD = 4,   /* came in and is handed on */
};

enum letter_ret { LETTER_RET_NONE, LETTER_RET_FULL, LETTER_RET_HDRS }; /* RFC 3461 section 4.3 */

struct queue_letter {
	u32 campaign;
	u32 number; /* from 1 within the campaign */
	u8 kind;    /* enum letter_kind */
	u8 ret;     /* enum letter_ret */
	bool is_quiet; /* somebody asked for no notices of failure: none about later bounces */
	u32 recipients;
	u32 delivered; /* of them; the others wait while failed + delivered < recipients */
	u32 failed;    /* or expired, or cancelled */
	u64 wall_ms;   /* when it was accepted */
	u64 age_ms;    /* likewise, by the clock that ages are measured with */
	u64 expire_after_ms;
	struct slice key;    /* whoever brought it knows it by this; 1 to LETTER_KEY_MAX bytes */
	struct slice sender; /* whom notices go to: "local@domain"; empty: nobody */
	struct slice envid;  /* xtext as it came; may be empty */
};

static inline bool letter_is_over(const struct queue_letter *letter)
{
	return letter->delivered + letter->failed >= letter->recipients;
}

/* Adds or overwrites the head; its key must be nobody else's. */
enum store_result queue_letter_put(struct queue *queue,
				   const struct queue_letter *letter) MUST_CHECK;
/* Slices live until the next write or the end of the transaction. */
enum store_result queue_letter_get(struct queue *queue, u32 campaign, u32 number,
				   struct queue_letter *letter) MUST_CHECK;
enum store_result queue_letter_find(struct queue *queue, struct slice key,
				    struct queue_letter *letter) MUST_CHECK;
/* The first letter behind (campaign, number). */
enum store_result queue_letter_next(struct queue *queue, u32 campaign, u32 number,
				    struct queue_letter *letter) MUST_CHECK;
/* Head and key; the content and the rows are the caller's to have ended. */
enum store_result queue_letter_delete(struct queue *queue, u32 campaign, u32 number) MUST_CHECK;

/* The content, whatever the caller packed it into. */
enum store_result queue_letter_content_put(struct queue *queue, u32 campaign, u32 number,
					   struct slice content) MUST_CHECK;
enum store_result queue_letter_content_get(struct queue *queue, u32 campaign, u32 number,
					   struct slice *content) MUST_CHECK;
enum store_result queue_letter_content_delete(struct queue *queue, u32 campaign,
					      u32 number) MUST_CHECK;

#endif

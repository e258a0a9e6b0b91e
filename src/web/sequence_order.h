/*
 * What programs and pages want of a sequence, carried out by the scribe: made, changed, started,
 * paused, archived; its steps; one contact that enters or leaves; an event that was told. All with
 * an audit line in the same transaction.
 *
 * A change of a sequence that has begun counts at once: waiting enrolments are looked at anew, and
 * what campaign/sequence.h says of edits is what comes of it.
 */
#ifndef WEB_SEQUENCE_ORDER_H
#define WEB_SEQUENCE_ORDER_H

#include "campaign/sequence_text.h"
#include "store/audience_audit.h"
#include "store/audience_campaign.h"
#include "web/call.h"

enum sequence_act_kind {
	SEQUENCE_CREATE,
	SEQUENCE_CHANGE,
	SEQUENCE_DELETE,
	SEQUENCE_START, /* or goes on */
	SEQUENCE_PAUSE,
	SEQUENCE_ARCHIVE,
	SEQUENCE_STEP_ADD, /* at the end, or in front of `place` */
	SEQUENCE_STEP_CHANGE,
	SEQUENCE_STEP_DELETE,
	SEQUENCE_STEP_MOVE, /* in front of `place` */
	SEQUENCE_ENROL,
	SEQUENCE_LEAVE,
	SEQUENCE_TELL, /* an event */
	SEQUENCE_ACTS,
};

enum sequence_outcome {
	SEQUENCE_IS_DONE,
	SEQUENCE_IS_NOT_THERE,
	SEQUENCE_HAS_NO_STEP,
	SEQUENCE_HAS_NO_CONTACT,
	SEQUENCE_IS_IN_ANOTHER_STATE, /* `state` */
	SEQUENCE_IS_TOO_MANY,
	SEQUENCE_IS_WRONG,   /* `pointer` ("/list", "/steps/7/subject") and `error` */
	SEQUENCE_IS_STOPPED, /* a start: `stops`, and `pointer` and `error` of the first of them */
	SEQUENCE_IS_CHANGED, /* meanwhile: nothing was done */
};

struct sequence_order {
	struct call_order base;
	enum sequence_act_kind kind;
	struct call_author author;
	u32 id;
	u32 step;
	u32 place; /* index from 0; UINT32_MAX: the end */
	u32 contact;
	char key[384 + 1]; /* of the contact's address; "": by id */
	u64 at_ms; /* of an event, or of entering */
	u64 now_ms;
	enum language language; /* of what is to be mended */
	struct sequence_texts texts;
	struct step_texts step_texts;
	char customer[AUDIENCE_CAMPAIGN_CUSTOMER_MAX +
		      1];   /* of From, when that is given or looked at */
	struct arena arena; /* of texts */
	struct buf packed;
	/* Of a start, by sequence_start.h; bits are those of enum mailing_stop. */
	u32 overrides;    /* starts whatever they say... */
	u32 seen_version; /* ... of this version of the sequence; 0: of whichever it is */
	u32 looked_version;
	u32 stops;        /* what speaks against it */
	json_t *findings; /* as mailing_review_json, with the "step" of each */
	json_t *identity; /* what DNS says of the domain; NULL: it was not asked, or that failed */
	u32 overridden;
	char reasons[AUDIT_TEXT_MAX - 32]; /* against it, for the audit */
	/* What became of it: */
	enum sequence_outcome outcome;
	enum audience_sequence_state state;
	u32 wrong_step; /* whose field `pointer` is about; 0: none's */
	u32 entered; /* sequences */
	char pointer[64];
	struct error error;
};

/* NULL: no memory; the call is answered. */
struct sequence_order *sequence_order_new(struct call *call,
					  enum sequence_act_kind kind) MUST_CHECK;
void sequence_order_free(struct sequence_order *order); /* one that was not given */
typedef void sequence_answer(struct call *call, struct call_order *order);
void sequence_order_give(struct sequence_order *order, struct call *call, sequence_answer *answer);
/* Whose mail it is, by the From that is given. False: `pointer` and `error`. */
bool sequence_order_customer(struct sequence_order *order, const struct call *call) MUST_CHECK;

/* The text of a step in what is kept; within a transaction. False: it cannot be read. */
bool sequence_step_draft(struct audience_txn *txn, u32 step, struct audience_campaign *campaign,
			 struct draft *draft) MUST_CHECK;

#endif

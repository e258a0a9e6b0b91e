/*
 * Campaigns to contacts of the audience: the draft, and how far it is. What it counts stands in
 * audience_campaign_count.h, what each contact did in audience_activity.h, its links in
 * audience_campaign_link.h. The sender has a campaign of its own for each that was started;
 * `sender` is that one's id.
 */
#ifndef STORE_AUDIENCE_CAMPAIGN_H
#define STORE_AUDIENCE_CAMPAIGN_H

#include "store/audience.h"

enum audience_campaign_state { /* values are stored */
	AUDIENCE_CAMPAIGN_DRAFT = 1,
	AUDIENCE_CAMPAIGN_SCHEDULED, /* is to start at start_ms; its draft does not change */
	AUDIENCE_CAMPAIGN_RUNNING,   /* its contacts are being brought to the sender */
	AUDIENCE_CAMPAIGN_SENDING,   /* all were; the sender goes on */
	AUDIENCE_CAMPAIGN_PAUSED,    /* by somebody's order, or something is wrong: `reason` */
	AUDIENCE_CAMPAIGN_DONE,
	AUDIENCE_CAMPAIGN_CANCELLED,
	AUDIENCE_CAMPAIGN_STEP, /* the text of a sequence's step (audience_sequence.h) */
	AUDIENCE_CAMPAIGN_STATES,
};
/* "draft", "scheduled", ... */
extern const char *const audience_campaign_state_names[AUDIENCE_CAMPAIGN_STATES];

enum audience_campaign_flag {
	AUDIENCE_CAMPAIGN_BROUGHT = 1,	 /* the sender has all contacts and was told so */
	AUDIENCE_CAMPAIGN_HELD = 2,	 /* the sender pauses: outside of the hours of sending */
	AUDIENCE_CAMPAIGN_WINNER_A = 8,	 /* of two subjects; neither: not decided yet */
	AUDIENCE_CAMPAIGN_WINNER_B = 16,
	AUDIENCE_CAMPAIGN_RESUMES = 4,	 /* somebody said so; the sender is to hear of it */
	AUDIENCE_CAMPAIGN_UNVOUCHED = 128, /* it may begin although DNS does not vouch for it */
	AUDIENCE_CAMPAIGN_OF_STEP = 32,	 /* is or was a step: no campaign that lists show */
	AUDIENCE_CAMPAIGN_STALE = 64,	 /* of a step: the sender has its text of before */
};

#define AUDIENCE_CAMPAIGN_REASON_MAX 500 /* bytes */
#define AUDIENCE_CAMPAIGN_DRAFT_MAX (11u << 20)
#define AUDIENCE_CAMPAIGN_CUSTOMER_MAX 253

/* Slices are views of the record, or of what is to be kept. */
struct audience_campaign {
	u32 id;
	enum audience_campaign_state state;
	u32 flags;
	u32 sender;	/* 0: the sender has none yet */
	u32 last;	/* the greatest contact id when it started: who came later gets nothing */
	u64 created_ms;
	u64 changed_ms; /* of the draft, or of the state */
	u64 start_ms;	/* SCHEDULED: when; later: what its segments take for now */
	u64 started_ms; /* when the sender began; 0: not yet */
	u64 finished_ms;
	u64 cursor;	/* how far the walk is that the sender has confirmed */
	struct slice customer; /* domain of From */
	struct slice reason;   /* why it does not go on; empty: it does */
	struct slice draft;    /* campaign/draft.h */
};

enum store_result audience_campaign_get(struct audience_txn *txn, u32 id,
					struct audience_campaign *campaign) MUST_CHECK;
/* The first one with a greater id, or the last one with a smaller id. */
enum store_result audience_campaign_after(struct audience_txn *txn, u32 id,
					  struct audience_campaign *campaign) MUST_CHECK;
enum store_result audience_campaign_before(struct audience_txn *txn, u32 id,
					   struct audience_campaign *campaign) MUST_CHECK;
/* A new one: gives it its id. Its slices are no views, as with audience_campaign_put. */
enum store_result audience_campaign_add(struct audience_txn *txn,
					struct audience_campaign *campaign) MUST_CHECK;
enum store_result audience_campaign_put(struct audience_txn *txn,
					const struct audience_campaign *campaign) MUST_CHECK;
/* A draft alone, with its links: of what was sent, numbers and activities stay. */
enum store_result audience_campaign_delete(struct audience_txn *txn, u32 id) MUST_CHECK;

#endif

/*
 * Campaigns to contacts of the audience as programs see them: "mailings", since /api/v1/campaigns
 * is what the sender has. A mailing that was started is one of those, too: its member `campaign` is
 * the id there.
 */
#ifndef WEB_MAILING_H
#define WEB_MAILING_H

#include "campaign/draft.h"
#include "store/audience_audit.h"
#include "store/audience_campaign.h"
#include "web/campaign_change.h"
#include "web/call.h"

/* What is shown of one; with its texts, or without. NULL: no memory. */
json_t *mailing_json(const struct audience_campaign *campaign, bool whole) MUST_CHECK;

/* The id of the call's path; 0: the call is answered. */
u32 mailing_id(struct call *call) MUST_CHECK;
/*
 * Begins to read, and finds the one of the path, which the call's key may see. False: the call is
 * answered. Afterwards audience_abort(call->web->reader) is the caller's in both cases.
 */
bool mailing_find(struct call *call, struct audience_campaign *campaign) MUST_CHECK;

/* The same when nothing of it is needed but that it is there; no transaction is left open. */
bool mailing_is_visible(struct call *call) MUST_CHECK;

/* A change that a call waits for. */
struct mailing_order {
	struct call_order base;
	struct campaign_change change;
	struct call_author author;
	const char *action; /* for the audit */
	struct draft draft; /* texts that are given; in the arena */
	u32 given; /* which: bits by draft_field */
	struct arena arena;
	struct buf packed; /* the whole draft that becomes of it */
	struct buf texts; /* kept with one that is scheduled (draft_fill.h); empty: none */
	u64 now_ms;
	u64 start_ms;
	enum audience_campaign_state to;
	char customer[AUDIENCE_CAMPAIGN_CUSTOMER_MAX + 1];
	bool is_wrong; /* the draft cannot be sent: field and error say why */
	enum draft_field field;
	struct error error;
	struct audience_campaign shown; /* as it is after it; no texts */
	/* Of a start, by mailing_start.h: */
	u64 seen_ms;	/* the draft that was looked at; 0: none was */
	u32 overridden; /* enum mailing_stop */
	char reasons[AUDIT_TEXT_MAX - 32]; /* against it, for the audit */
	bool is_stale; /* it was changed meanwhile, and nothing was done */
};

/* NULL: no memory, the call is answered. */
struct mailing_order *mailing_order_new(struct call *call, const char *action) MUST_CHECK;
void mailing_order_free(struct mailing_order *order); /* one that was not given */
/* Answers a call whose order did not come to be, or failed; true: it did, go on. */
bool mailing_order_is_done(struct call *call, const struct mailing_order *order) MUST_CHECK;
/*
 * "schedule", "unschedule", "pause", "resume", "cancel": what is done by it. False: no such word.
 */
bool mailing_order_verb(struct mailing_order *order, const char *word) MUST_CHECK;

/*
 * Sends the draft of the path to the addresses of call->json's `to`, with the values of `contact`;
 * its id is in call->id. Answers in `events`, or at once when something is wrong.
 */
void mailing_test(struct call *call, const struct exchange_events *events);
extern const struct exchange_events api_test_events; /* of a program: 202 with how many */
/* The same of a campaign that need not be kept; within a transaction of the reader. */
void mailing_test_of(struct call *call, const struct audience_campaign *campaign,
		     const struct exchange_events *events);

/* For orders' `apply`, and for the edit of one that changes texts. */
enum store_result mailing_apply_create(struct scribe_order *scribe_order,
				       struct audience_txn *txn) MUST_CHECK;
enum store_result mailing_apply_change(struct scribe_order *scribe_order,
				       struct audience_txn *txn) MUST_CHECK;
enum store_result mailing_apply_delete(struct scribe_order *scribe_order,
				       struct audience_txn *txn) MUST_CHECK;
enum store_result mailing_apply_release(struct scribe_order *scribe_order,
					struct audience_txn *txn) MUST_CHECK;
/* A new draft for those who got the one of `change.id` and have not opened it. */
enum store_result mailing_apply_resend(struct scribe_order *scribe_order,
				       struct audience_txn *txn) MUST_CHECK;
enum store_result mailing_edit_texts(struct campaign_change *change, struct audience_campaign *c,
				     struct audience_txn *txn);

#endif

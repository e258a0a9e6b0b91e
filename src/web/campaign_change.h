/*
 * A change of a campaign's head, as an order to the scribe: given by the thread that brings
 * contacts and by whoever answers calls. It happens only when the campaign is in one of the states
 * that are expected, so that orders that cross each other are told apart.
 */
#ifndef WEB_CAMPAIGN_CHANGE_H
#define WEB_CAMPAIGN_CHANGE_H

#include "store/audience_campaign.h"
#include "web/scribe.h"

struct campaign_change {
	u32 id;
	u32 from; /* states, as bits */
	/*
	 * What is changed; the campaign's slices are copies, which may be replaced by what outlives
	 * the order. It may write to other tables, too.
	 */
	enum store_result (*edit)(struct campaign_change *change, struct audience_campaign *c,
				  struct audience_txn *txn);
	void *context; /* for edit */
	/* What came of it: */
	bool is_there;
	bool is_done;
	enum audience_campaign_state state; /* before it */
};

/* Within a transaction. */
enum store_result campaign_change_apply(struct campaign_change *change,
					struct audience_txn *txn) MUST_CHECK;
/* Waits for it; for threads that may. The store's answer; `error` when that is not STORE_OK. */
enum store_result campaign_change_do(struct campaign_change *change, struct scribe *scribe,
				     struct error *error) MUST_CHECK;

#endif

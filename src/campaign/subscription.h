/*
 * Leaving and coming back: what changes of a contact when its person unsubscribes from a list or
 * from everything, takes that back, or chooses lists. One transaction has all of it: the contact,
 * its history, what the campaign counts, and what the sender has to be told (sender_order.h), so
 * that nobody who is told "done" gets another mail.
 *
 * Leaving everything is the contact's state; its lists stay as they are, so that coming back means
 * those. Who bounced or complained stays that: nothing here makes such an address good again.
 */
#ifndef CAMPAIGN_SUBSCRIPTION_H
#define CAMPAIGN_SUBSCRIPTION_H

#include "store/audience.h"
#include "store/contact_record.h"

/* Who does it, and where. Slices are not views of the store. */
struct subscription_act {
	u32 contact;
	u16 list;     /* 0: everything */
	u32 campaign; /* whose mail led to it; 0: none */
	u64 now_ms;
	struct slice how; /* "one-click", "page", "mail", "preferences", "user mori" */
};

/* *changed: whether anything did. NOT_FOUND: there is no such contact. */
enum store_result subscription_leave(struct audience_txn *txn, const struct subscription_act *act,
				     bool *changed) MUST_CHECK;
/* Of a list: also one that the contact was never in. */
enum store_result subscription_return(struct audience_txn *txn, const struct subscription_act *act,
				      bool *changed) MUST_CHECK;

/*
 * For who changes contacts in another way: what of the change the sender has to be told, state and
 * lists that were left or come back. In the same transaction; slices are no views of the store.
 */
enum store_result subscription_tell(struct audience_txn *txn, const struct contact *before,
				    const struct contact *contact) MUST_CHECK;

#endif

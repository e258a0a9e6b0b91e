/*
 * What the sender's delivery log says of a message, as it is kept: what is known of the contact and
 * the campaign (audience_activity.h, audience_behaviour.h, audience_campaign_count.h), the day and
 * the receiver (audience_arrival.h), and the contact's state. A mailbox that is not there and a
 * complaint change that, whatever mail it was; a refusal that is about the message, the sender or a
 * host does not.
 *
 * An entry is applied in one transaction with the position of the log that was read, so once.
 */
#ifndef CAMPAIGN_DELIVERY_NOTE_H
#define CAMPAIGN_DELIVERY_NOTE_H

#include "base/smtp_class.h"
#include "store/audience.h"

enum delivery_outcome {
	DELIVERY_OTHER, /* tells nothing: held, in doubt, an automatic reply */
	DELIVERY_DELIVERED,
	DELIVERY_FAILED, /* refused for good, or given up after all tries */
	DELIVERY_DEFERRED,
	DELIVERY_CANCELLED,
	DELIVERY_BOUNCED, /* these came back after it was delivered */
	DELIVERY_COMPLAINED,
	DELIVERY_UNSUBSCRIBED,
};
/* By the log's word. */
enum delivery_outcome delivery_outcome_of(struct slice word);

/* Slices are not views of the store. */
struct delivery_note {
	u32 sender; /* campaign of the sender */
	enum delivery_outcome outcome;
	enum smtp_class class;
	u64 at_ms;
	u32 day; /* since 1970, as the clocks of the settings' zone have it */
	struct slice address; /* wire form */
	struct slice list;    /* name; of what was unsubscribed from; empty: everything */
	struct slice site;    /* whose limits counted; may be empty */
	struct slice reply;
};

enum store_result delivery_note_keep(struct audience_txn *txn,
				     const struct delivery_note *note) MUST_CHECK;

/* Which campaign of ours the sender's is; kept when it starts. 0: none. */
enum store_result delivery_campaign_put(struct audience_txn *txn, u32 sender,
					u32 campaign) MUST_CHECK;
enum store_result delivery_campaign_get(struct audience_txn *txn, u32 sender,
					u32 *campaign) MUST_CHECK;

/*
 * What came back later names no receiver: it is the one that mail to the same domain went to, for
 * so many domains.
 */
#define DELIVERY_DOMAINS_MAX 2000

/* The receiver with that number of campaigns' counts and days; "": of all that got none. A view. */
#define DELIVERY_SITES_MAX 300
struct slice delivery_site_name(struct audience_txn *txn, u64 number);

#endif

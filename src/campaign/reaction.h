/*
 * What a reader did, as it is kept: an open or a click changes what is known of contact and
 * campaign (audience_activity.h, audience_behaviour.h, audience_campaign_count.h). By the time of
 * delivery and by the clicks before, more visitors turn out to be programs (campaign/visit.h has
 * the rules); then what was counted for the same burst is taken back.
 *
 * An open again within REACTION_SAME_OPEN_S is the same one, and a click on the same link within
 * REACTION_SAME_CLICK_S. Who clicks has read, so a person's click is an open when there was none.
 */
#ifndef CAMPAIGN_REACTION_H
#define CAMPAIGN_REACTION_H

#include "campaign/visit.h"
#include "store/audience.h"

#define REACTION_SAME_OPEN_S 10
#define REACTION_SAME_CLICK_S 2

struct reaction {
	u32 campaign;
	u32 contact;
	u32 at_s; /* since 1970 */
	u32 link; /* number; 0: an open */
	enum visitor visitor;
};

/* Of a contact that is not there any more nothing is kept. */
enum store_result reaction_keep(struct audience_txn *txn,
				const struct reaction *reaction) MUST_CHECK;

#endif

/*
 * What became of a campaign among the contacts of one segment, as both are now: the campaign's
 * contacts are walked, a few milliseconds in each turn of the thread's ring (segment_count.h).
 */
#ifndef WEB_MAILING_SEGMENT_H
#define WEB_MAILING_SEGMENT_H

#include "store/audience_activity.h"
#include "web/call.h"

/* Contacts; each but the first is some of the delivered, or bounced, ones. */
enum mailing_share {
	MAILING_SHARE_SENT,
	MAILING_SHARE_DELIVERED,
	MAILING_SHARE_BOUNCED,
	MAILING_SHARE_OPENED,
	MAILING_SHARE_CLICKED,
	MAILING_SHARE_UNSUBSCRIBED,
	MAILING_SHARE_COMPLAINED,
	MAILING_SHARES,
};
const char *mailing_share_name(enum mailing_share share); /* "sent", "opened" */

struct mailing_segment {
	u32 campaign;
	u32 segment;
	u64 counts[MAILING_SHARES];
	char name[1024]; /* of the segment */
	void (*told)(struct call *call, const struct mailing_segment *of);
	struct call *call;
};

/*
 * Counts, within the reader's transaction in which the campaign was found; `told` answers. What
 * cannot be counted is answered here: there is no such segment (404), it names what is gone (422),
 * it takes too long (503).
 */
void mailing_segment_count(struct call *call, u32 campaign, u32 segment,
			   void (*told)(struct call *call, const struct mailing_segment *of));

#endif

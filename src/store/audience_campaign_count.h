/*
 * Numbers of a campaign that reports show and that nobody wants to count anew: kept with the
 * transaction that changes what they count.
 */
#ifndef STORE_AUDIENCE_CAMPAIGN_COUNT_H
#define STORE_AUDIENCE_CAMPAIGN_COUNT_H

#include "store/audience.h"

enum campaign_counted {
	CAMPAIGN_RECIPIENTS = 1, /* of all these: of 0, if nothing else is said */
	CAMPAIGN_SENT,
	CAMPAIGN_DELIVERED,
	CAMPAIGN_BOUNCED,  /* for good */
	CAMPAIGN_DEFERRED, /* attempts that are made again */
	CAMPAIGN_SKIPPED,  /* suppressed, unsubscribed meanwhile */
	CAMPAIGN_COMPLAINED,
	CAMPAIGN_UNSUBSCRIBED,
	CAMPAIGN_OPENED, /* contacts; people, not programs */
	CAMPAIGN_OPENS,
	CAMPAIGN_CLICKED, /* contacts */
	CAMPAIGN_CLICKS,
	CAMPAIGN_MACHINE_OPENED, /* contacts of whom nothing but a program's open is known */
	CAMPAIGN_MACHINE_OPENS,
	CAMPAIGN_MACHINE_CLICKS,
	CAMPAIGN_LINK_CLICKED, /* of: number of the link; contacts */
	CAMPAIGN_LINK_CLICKS,  /* of: number of the link */
	CAMPAIGN_OPENS_IN,     /* of: hour since 1970 */
	CAMPAIGN_CLICKS_IN,    /* of: hour since 1970 */
	CAMPAIGN_DELIVERED_IN, /* of: hour since 1970 */
	CAMPAIGN_BOUNCED_BY,   /* of: enum smtp_class */
	CAMPAIGN_DEFERRED_BY,  /* likewise */
	CAMPAIGN_SITE_DELIVERED, /* of: number of the receiver (campaign/delivery_note.h) */
	CAMPAIGN_SITE_BOUNCED,
	CAMPAIGN_CALLED_OFF, /* cancelled before they were sent */
	CAMPAIGN_PASSED_BY,  /* of a step: its condition was not met, or it was too late */
	/* Of two subjects; of: which one the contact got (ACTIVITY_VARIANT). Contacts: */
	CAMPAIGN_VARIANT_SENT,
	CAMPAIGN_VARIANT_DELIVERED,
	CAMPAIGN_VARIANT_BOUNCED,
	CAMPAIGN_VARIANT_OPENED,
	CAMPAIGN_VARIANT_CLICKED,
	/* What decided between them, as it was then: who had been asked, and had done it */
	CAMPAIGN_AB_ASKED,
	CAMPAIGN_AB_MOVED,
};

enum store_result campaign_count_change(struct audience_txn *txn, u32 campaign,
					enum campaign_counted what, u64 of,
					i64 change) MUST_CHECK;
/* 0 when nothing was counted. */
enum store_result campaign_count_get(struct audience_txn *txn, u32 campaign,
				     enum campaign_counted what, u64 of, u64 *count) MUST_CHECK;
/*
 * The first one of the same kind with a greater `of`, or the one of 0 when *of is UINT64_MAX (it
 * becomes the one found). NOT_FOUND: there are no more.
 */
enum store_result campaign_count_next(struct audience_txn *txn, u32 campaign,
				      enum campaign_counted what, u64 *of, u64 *count) MUST_CHECK;

#endif

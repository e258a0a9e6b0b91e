/*
 * What became of a campaign to contacts, as numbers: each has a word, and some are of something (a
 * class of refusals, an hour, a receiver, a link), which is text.
 */
#ifndef WEB_MAILING_REPORT_H
#define WEB_MAILING_REPORT_H

#include "store/audience_campaign_count.h"

struct mailing_number {
	enum campaign_counted kind;
	const char *what; /* "delivered", "bounced_by" */
	bool is_of; /* there are several, each of something */
	struct slice of; /* "bad-mailbox", "2026-12-01T09:00:00.000Z", "mx.example", a URL */
	u64 id; /* what stands for it in the store: number of the link, hour since 1970 */
	u64 count;
};

/* Visits all numbers, those of nothing first; slices are views of the store. */
enum store_result mailing_report(struct audience_txn *txn, u32 campaign,
				 void (*visit)(void *owner, const struct mailing_number *number),
				 void *owner) MUST_CHECK;

#endif

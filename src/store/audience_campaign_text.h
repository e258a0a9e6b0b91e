/*
 * What a campaign that names templates or blocks was when it was scheduled: its texts with all of
 * them in place, packed by who schedules (web/draft_fill.h). Templates that change afterwards do
 * not change it.
 */
#ifndef STORE_AUDIENCE_CAMPAIGN_TEXT_H
#define STORE_AUDIENCE_CAMPAIGN_TEXT_H

#include "store/audience.h"

/* A view. NOT_FOUND: its draft says it all. */
enum store_result campaign_text_get(struct audience_txn *txn, u32 campaign,
				    struct slice *texts) MUST_CHECK;
enum store_result campaign_text_put(struct audience_txn *txn, u32 campaign,
				    struct slice texts) MUST_CHECK;
/* OK also when there is none. */
enum store_result campaign_text_delete(struct audience_txn *txn, u32 campaign) MUST_CHECK;

#endif

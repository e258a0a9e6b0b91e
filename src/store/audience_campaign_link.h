/*
 * The links of a campaign, as its author wrote them: where a click may lead, and nowhere else. Made
 * when the campaign starts (campaign/wrap_links.h), numbered from 1, never changed after.
 */
#ifndef STORE_AUDIENCE_CAMPAIGN_LINK_H
#define STORE_AUDIENCE_CAMPAIGN_LINK_H

#include "store/audience.h"

#define CAMPAIGN_LINKS_MAX 1000
#define CAMPAIGN_LINK_URL_MAX 4096 /* bytes */

/* `url` may hold merge fields ({{...}}). */
enum store_result campaign_link_put(struct audience_txn *txn, u32 campaign, u32 number,
				    struct slice url) MUST_CHECK;
enum store_result campaign_link_get(struct audience_txn *txn, u32 campaign, u32 number,
				    struct slice *url) MUST_CHECK;
/* The first one with a greater number. NOT_FOUND: there are no more. */
enum store_result campaign_link_after(struct audience_txn *txn, u32 campaign, u32 number,
				      u32 *found, struct slice *url) MUST_CHECK;
/* All of the campaign; of a draft that is started anew. */
enum store_result campaign_links_clear(struct audience_txn *txn, u32 campaign) MUST_CHECK;

#endif

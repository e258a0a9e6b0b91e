/* Segments of an audience: names that its attributes and lists have, and segments that it keeps. */
#ifndef CAMPAIGN_SEGMENT_CATALOG_H
#define CAMPAIGN_SEGMENT_CATALOG_H

#include "campaign/segment.h"
#include "store/audience_segment.h"

/* Lives on the caller's stack, within one transaction. */
struct segment_catalog {
	struct audience_txn *txn;
	enum store_result result; /* not OK: the store failed, so names were not found */
	struct segment_names names;
};

void segment_catalog_init(struct segment_catalog *catalog, struct audience_txn *txn);

/*
 * The segment that is kept under the id, ready to be walked (segment_walk.h); it may outlive the
 * transaction. NULL: *result is STORE_NOT_FOUND (there is none), STORE_OK and the problem (an
 * attribute or a list of it is gone, or there is no memory), or the store failed.
 */
struct segment *segment_load(struct audience_txn *txn, u32 id, enum store_result *result,
			     struct segment_problem *problem) MUST_CHECK;

#endif

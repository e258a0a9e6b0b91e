/*
 * What a segment asks besides the contacts' records, out of the audience: for each table where its
 * cursor stands is remembered, so that a walk in order touches every entry once and asks nothing
 * for contacts that have none. Private to segment_walk.c.
 */
#ifndef CAMPAIGN_SEGMENT_FACTS_H
#define CAMPAIGN_SEGMENT_FACTS_H

#include "campaign/segment_run.h"

struct audience_txn;
struct segment_lookup;

/* NULL: no memory. */
struct segment_lookup *segment_lookup_open(const struct segment *segment);
void segment_lookup_close(struct segment_lookup *lookup); /* NULL is fine */

/* In another transaction, or to another place. */
void segment_lookup_begin(struct segment_lookup *lookup, struct audience_txn *txn);
/* False: the store failed since; what was said is not to be relied on. */
bool segment_lookup_is_good(const struct segment_lookup *lookup);

struct segment_facts segment_lookup_facts(struct segment_lookup *lookup);

#endif

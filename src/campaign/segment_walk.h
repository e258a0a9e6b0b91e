/*
 * The contacts of a segment, in ascending order of their ids, out of the audience as it is, at a
 * moment that stays fixed however long the walk takes. The walk goes in *slices*: each within one
 * transaction of the caller's, for as many contacts as may be looked at in it; where it got to is a
 * contact's id, which may be kept on the disk:
 *
 *	walk = segment_walk_open(segment, &clock);
 *	segment_walk_begin(walk, txn, after, 10000);
 *	while ((result = segment_walk_next(walk, &contact)) == SEGMENT_WALK_FOUND)
 *		...
 *	after = segment_walk_after(walk);	(SEGMENT_WALK_PAUSED: there is more behind it)
 *
 * What is asked of other tables (behaviour, activity, members) is read along with the contacts, in
 * order. When all must be on a list or in a campaign, only that index is walked. One thread at a
 * time.
 */
#ifndef CAMPAIGN_SEGMENT_WALK_H
#define CAMPAIGN_SEGMENT_WALK_H

#include "campaign/segment_run.h"
#include "store/audience_contact.h"

struct segment_walk;

enum segment_walk_result {
	SEGMENT_WALK_FOUND,
	SEGMENT_WALK_PAUSED, /* as many were looked at as may be */
	SEGMENT_WALK_ENDED,
	SEGMENT_WALK_FAILED, /* audience_error_text says why */
};

/* NULL: no memory. The segment and the clock's zone outlive it. */
struct segment_walk *segment_walk_open(const struct segment *segment,
				       const struct segment_clock *clock);
void segment_walk_close(struct segment_walk *walk); /* NULL is fine */

/*
 * A slice over contacts with ids greater than `after`; looks at `most` of them. The transaction may
 * write between calls of segment_walk_next, too, and use any function on contacts.
 */
void segment_walk_begin(struct segment_walk *walk, struct audience_txn *txn, u32 after, u32 most);
/* `contact` is a view: valid until the transaction writes or ends. */
enum segment_walk_result segment_walk_next(struct segment_walk *walk,
					   struct contact *contact) MUST_CHECK;
/* The last contact that was looked at; of segment_walk_begin before that. */
u32 segment_walk_after(const struct segment_walk *walk);
/* How many were looked at since segment_walk_open, and about how many there are to look at. */
u64 segment_walk_seen(const struct segment_walk *walk);
u64 segment_walk_total(const struct segment_walk *walk);

/* How many of a sample are in the segment. */
struct segment_sample {
	u32 seen;
	u32 held;
	u64 total; /* contacts that there are */
};
/*
 * Looks at about `size` contacts, wherever they are, instead of a slice: for a first guess. False:
 * as SEGMENT_WALK_FAILED.
 */
bool segment_walk_sample(struct segment_walk *walk, struct audience_txn *txn, u32 size,
			 struct segment_sample *sample) MUST_CHECK;

/* About one contact, within a transaction; false in *good: as SEGMENT_WALK_FAILED. */
bool segment_walk_holds(struct segment_walk *walk, struct audience_txn *txn,
			const struct contact *contact, bool *good) MUST_CHECK;
/* The evaluation behind it, for explaining; within what segment_walk_begin began. */
struct segment_run *segment_walk_run(struct segment_walk *walk);

#endif

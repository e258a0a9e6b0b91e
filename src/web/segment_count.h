/*
 * How many contacts a segment has: counted on the thread of a ring, a few milliseconds in each of
 * its turns, so that nothing else there waits; a guess by a sample is there at once.
 */
#ifndef WEB_SEGMENT_COUNT_H
#define WEB_SEGMENT_COUNT_H

#include "campaign/segment_walk.h"

struct web;
struct segment_count;

struct segment_counted {
	bool is_exact;
	bool has_failed; /* the store could not be read; the numbers are what was known by then */
	u64 count;	 /* of all when exact, else a guess */
	u64 margin; /* a guess is off by more in one of twenty cases; 0 when exact */
	u64 seen;   /* contacts that were looked at */
	u64 total;  /* about how many there are to look at */
};

/* Gets what was counted, once; the count is gone by then. Not from within the beginning. */
typedef void segment_count_done(void *owner, const struct segment_counted *counted);

/*
 * Begins. What is known after `wait_ms` is told, exact or not. Takes the segment, also when it
 * cannot. NULL: no memory.
 */
struct segment_count *segment_count_begin(struct web *web, struct segment *segment,
					  const struct time_zone *zone, u32 wait_ms,
					  segment_count_done *done, void *owner) MUST_CHECK;
/*
 * `each` sees every contact that is found, within the turn's transaction, with the owner as of the
 * beginning; false: the store could not be read. Right behind the beginning; no guess is made then.
 */
void segment_count_visit(struct segment_count *count,
			 bool (*each)(void *owner, struct audience_txn *txn,
				      const struct contact *contact));
/* Nobody wants to know any more. */
void segment_count_drop(struct segment_count *count);

#endif

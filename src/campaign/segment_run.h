/*
 * Evaluating a settled segment at a fixed moment, contact after contact, without allocating. What a
 * contact's record does not have (behaviour, consent) is asked of `facts`, and only when a test
 * needs it. One thread at a time uses a run; the segment may be shared.
 */
#ifndef CAMPAIGN_SEGMENT_RUN_H
#define CAMPAIGN_SEGMENT_RUN_H

#include "campaign/segment.h"
#include "campaign/time_zone.h"
#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/contact_record.h"

/* When, and where days begin and end. The zone outlives the run. */
struct segment_clock {
	u64 now_ms;
	const struct time_zone *zone;
};

/* Contacts come in ascending order of their ids in a walk. What is not known is all zero. */
struct segment_facts {
	void *owner;
	void (*behaviour)(void *owner, u32 contact, struct behaviour *behaviour);
	void (*activity)(void *owner, u32 campaign, u32 contact, struct activity *activity);
	u64 (*consent_ms)(void *owner, u32 contact); /* the last one; 0: there is none */
};

struct segment_run;

/* NULL: no memory. The segment and what is behind `facts` outlive it. */
struct segment_run *segment_run_open(const struct segment *segment,
				     const struct segment_clock *clock,
				     const struct segment_facts *facts);
void segment_run_close(struct segment_run *run); /* NULL is fine */

/* Whether the contact is in the segment. */
bool segment_run_holds(struct segment_run *run, const struct contact *contact) MUST_CHECK;

/*
 * Why: for each node, by its number, whether it holds of the contact; `held` has room for
 * segment->node_count. Returns the root's.
 */
bool segment_run_explain(struct segment_run *run, const struct contact *contact, bool *held);
/*
 * What the contact has of what a test asks for, for people: its value, its state, a time as local
 * "2026-11-30 14:05"; nothing when there is none.
 */
void segment_run_found(struct segment_run *run, const struct segment_node *test,
		       const struct contact *contact, struct buf *out);

#endif

/*
 * A settled segment as a program: a step for each test, with where to go on when it holds and when
 * not. So groups cost nothing, `not` is an exchange of two targets, and most contacts are decided
 * by a step or two: within a group what is cheap to ask comes first. Targets are always lower than
 * the step itself: a program ends.
 */
#ifndef CAMPAIGN_SEGMENT_PROGRAM_H
#define CAMPAIGN_SEGMENT_PROGRAM_H

#include "campaign/segment.h"

#define SEGMENT_HOLDS 0xffffu
#define SEGMENT_FAILS 0xfffeu

struct segment_step {
	const struct segment_node *test;
	u16 yes;
	u16 no;
	u32 states; /* bits by enum contact_state: for SEGMENT_STATE */
	const struct slice *values; /* of text in lower case; those of SEGMENT_IN in order */
	u32 value_count;
};

struct segment_program {
	u16 begin;
	u16 step_count;
	struct segment_step steps[];
};

/* Of a segment whose tests are checked; into its arena. False: no memory. */
bool segment_compile(struct segment *segment) MUST_CHECK;

/*
 * What every contact of the segment has at least: a walk needs to look at no others. By the id of a
 * list or a campaign; `subject` is SEGMENT_MEMBER, LEFT, PENDING, SENT, OPENED or CLICKED.
 */
struct segment_anchor {
	enum segment_subject subject;
	u32 id;
};
/* Up to `max` of them; returns how many there are. */
size_t segment_anchors(const struct segment *segment, struct segment_anchor *anchors, size_t max);

#endif

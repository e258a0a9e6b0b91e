/* What a run consists of. Private to segment_run*.c. */
#ifndef CAMPAIGN_SEGMENT_RUN_PARTS_H
#define CAMPAIGN_SEGMENT_RUN_PARTS_H

#include "campaign/segment_program.h"
#include "campaign/segment_run.h"

/* A time is in it from `from` to `to`, both included: ms of a moment, days of a date. */
struct segment_range {
	i64 from;
	i64 to;
};

struct segment_run {
	const struct segment *segment;
	const struct segment_facts *facts;
	struct segment_clock clock;
	i32 today;
	struct segment_range ranges[SEGMENT_NODES_MAX]; /* by step */
	u32 behaviour_of; /* the contact whose `behaviour` is known; 0: none */
	struct behaviour behaviour;
	char folded[CONTACT_VALUE_MAX > CONTACT_ADDRESS_MAX ? CONTACT_VALUE_MAX :
							      CONTACT_ADDRESS_MAX];
};

/* When what the test asks for was, in ms; 0: it was not. Of subjects that are moments. */
u64 segment_run_moment(struct segment_run *run, const struct segment_node *test,
		       const struct contact *contact);
bool segment_run_test(struct segment_run *run, const struct segment_step *step,
		      const struct contact *contact);

#endif

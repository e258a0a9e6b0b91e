/*
 * The addresses that an import has had: a set of keyed 128-bit hashes, open addressing, growing by
 * doubling. Two different addresses count as one with a probability that can be forgotten (1e-25
 * for ten million). Private to intake.
 */
#ifndef CAMPAIGN_INTAKE_SEEN_H
#define CAMPAIGN_INTAKE_SEEN_H

#include "base/types.h"

struct seen_hash {
	u64 low; /* 0: a free place */
	u64 high;
};

struct seen {
	struct seen_hash *places;
	size_t size; /* power of two, or 0 */
	size_t count;
	u8 secret[16];
};

enum seen_result { SEEN_NEW, SEEN_BEFORE, SEEN_NO_MEMORY };

void seen_init(struct seen *seen); /* takes a random secret; allocates nothing yet */
void seen_done(struct seen *seen);
enum seen_result seen_add(struct seen *seen, struct slice key) MUST_CHECK;

#endif

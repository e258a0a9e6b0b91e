/*
 * A set of 64-bit numbers that are hashes already: in one array, no memory for each. For asking
 * quickly whether a slower place need be looked at.
 */
#ifndef BASE_ID_SET_H
#define BASE_ID_SET_H

#include "base/types.h"

/* Zeroed, it is empty. */
struct id_set {
	u64 *ids;    /* 0: free */
	size_t size; /* power of two or 0 */
	size_t count;
};

void id_set_done(struct id_set *set);
/* One that is there already is no error. False: no memory, nothing was added. */
bool id_set_add(struct id_set *set, u64 id) MUST_CHECK;
bool id_set_has(const struct id_set *set, u64 id);

#endif

/*
 * Randomness of two kinds: `random_bytes` for secrets (getrandom), `struct random` for jitter and
 * for everything that a simulator must be able to repeat from a seed (xoshiro256**).
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/types.h"

struct random {
	u64 s[4];
};

/* Fills with bytes fit for keys; never fails (crashes when the kernel has none to give). */
void random_bytes(void *out, size_t len);

void random_seed(struct random *r, u64 seed);
u64 random_u64(struct random *r);
/* Even in 0 <= x < bound; bound >= 1. */
u64 random_below(struct random *r, u64 bound);
/* value +- percent of it, even; for backoff times. percent 0-100. */
u64 random_jitter(struct random *r, u64 value, u32 percent);

#endif

/*
 * What one run of the machine leaves to the next: randomness, for machines that have none at their
 * start, and the time, for those whose clock has no battery. Both are in one file on the data
 * volume: its content, and the time of its last change.
 */
#ifndef INIT_SEED_H
#define INIT_SEED_H

#include "base/error.h"
#include "base/types.h"

#define SEED_PATH "/data/random-seed"
#define SEED_PERIOD_MS (3600u * 1000)

/*
 * Gives the seed to the kernel and replaces it at once, so that no two starts have the same. A
 * wall clock that lies before the file's time is set to it: *set_ms is that time, else 0. No file
 * is no error.
 */
bool seed_take(const char *path, u64 *set_ms, struct error *error) MUST_CHECK;

/* Makes a new seed, and with it notes the time. */
bool seed_leave(const char *path, struct error *error) MUST_CHECK;

#endif

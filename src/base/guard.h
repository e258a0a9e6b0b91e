/*
 * What keeps guessing of passwords slow, and an account that was stolen cheap. Counts failures by
 * client and by user, and recipients by user; remembers, as keyed hashes, what was right lately, so
 * that a program that signs in for each message costs one hash. No clock, no I/O; memory is fixed:
 * in a full set the entry that was used longest ago makes room.
 *
 * A client with GUARD_CLIENT_FAILURES is not listened to until GUARD_CLIENT_NS have gone by since
 * the last one. A user with GUARD_USER_FAILURES in an hour, from whomever, is not asked about by
 * those whose password is not known to be right: so nobody can lock out who works all day, and a
 * thousand clients guess no faster than one.
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include "base/error.h"
#include "base/types.h"

#define GUARD_CLIENT_FAILURES 10
#define GUARD_CLIENT_NS (600 * 1000000000ull)
#define GUARD_USER_FAILURES 50
#define GUARD_HOUR_NS (3600 * 1000000000ull)
#define GUARD_KNOWN_NS GUARD_HOUR_NS /* since it was used last */
#define GUARD_DELAY_MAX_MS 8000u

struct guard;

struct guard *guard_open(struct error *error) MUST_CHECK;
void guard_close(struct guard *guard); /* NULL is fine */

/* A name and a password, and what is kept of it: another file, another answer. */
struct guard_claim {
	struct slice name;
	struct slice password;
	struct slice kept;
};
bool guard_knows(struct guard *guard, const struct guard_claim *claim, u64 now_ns);
void guard_remember(struct guard *guard, const struct guard_claim *claim, u64 now_ns);

enum guard_verdict { GUARD_ASK, GUARD_CLIENT_LATER, GUARD_USER_LATER };
/* Whether a password that is not known may be asked about. `client`: bytes that name it. */
enum guard_verdict guard_may_ask(struct guard *guard, struct slice client, struct slice name,
				 u64 now_ns);
/* It was wrong; so many milliseconds later that is said. `failures`: of the client by now. */
u32 guard_fail(struct guard *guard, struct slice client, struct slice name, u64 now_ns,
	       u32 *failures);

/* One more recipient of the user's; false: it had `max` (0: no limit) in its hour already. */
bool guard_count(struct guard *guard, struct slice name, u32 max, u64 now_ns);

#endif

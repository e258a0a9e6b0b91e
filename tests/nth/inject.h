/*
 * Makes the n-th thing fail. Linked into the sender that the runs of this room start, and into
 * nothing else: it takes over malloc and its kin (inject_alloc.c), every system call of the process
 * (inject_call.c) and what goes into and comes out of the rings (inject_ring.c).
 *
 * The environment says what is to fail:
 *   NTH         KIND:FIRST:LENGTH:SEED; KIND is alloc, call or ring, or "count" to fail nothing.
 *               Events FIRST to FIRST + LENGTH - 1 of that kind fail; the seed chooses how.
 *   NTH_STATUS  a file of the size of struct inject_status that is there already; it tells what
 *               happened, also behind a kill.
 * Without NTH nothing is taken over.
 */
#ifndef NTH_INJECT_H
#define NTH_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INJECT_FRAMES 40
#define INJECT_TRACE_MAX (1u << 20)

enum inject_kind { INJECT_ALLOC, INJECT_CALL, INJECT_RING, INJECT_KINDS };

/* One event of a counting run. */
struct inject_trace {
	uint64_t site; /* hash of the program counters that led there */
	uint32_t what; /* system call, opcode of the ring, or 0 */
	uint32_t kind;
};

/* Read by `status.py`; change both. */
struct inject_status {
	uint64_t count[INJECT_KINDS]; /* events so far */
	uint64_t failed;	      /* of them, made to fail */
	uint64_t site;		      /* of the first that failed */
	uint32_t what;
	int32_t error; /* errno, or one of INJECT_SHORT... */
	uint32_t depth;
	uint32_t traced; /* events in `trace` */
	uint64_t frames[INJECT_FRAMES];
	struct inject_trace trace[]; /* only when NTH is "count" */
};

/* What is no errno. */
enum { INJECT_SHORT = -1, INJECT_END = -2 };

bool inject_is_on(void);

/*
 * Counts an event. True: it is to fail. `what` is its system call or opcode. Nothing that happens
 * inside this call, or between inject_enter and inject_leave, counts.
 */
bool inject_event(enum inject_kind kind, uint32_t what);

/* Which of `count` ways this failure takes. Only right behind an inject_event that was true. */
uint32_t inject_choice(uint32_t count);

/* Says how it failed. */
void inject_note(int32_t error);

/* This thread's events count (from its start function on), or do so no more. */
void inject_thread(bool counts);

/* This thread is at work for the injector. Returns false when it was already. */
bool inject_enter(void);
void inject_leave(void);

/* The system call itself, which nothing takes over. Returns a negative errno. */
long inject_system_call(long number, long a, long b, long c, long d, long e, long f);

void inject_calls_start(void); /* from now on every system call comes to inject_call.c */

#endif

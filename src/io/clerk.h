/*
 * A thread for what takes long: a password's hash, a message that is compiled. One job after
 * another, so that whoever asks for much (somebody who guesses passwords) uses one core and never
 * the ring's thread; jobs that wait are limited. Opened after signals are blocked (base/role.h).
 */
#ifndef IO_CLERK_H
#define IO_CLERK_H

#include "base/error.h"
#include "base/list.h"
#include "base/types.h"
#include "io/ring.h"

struct clerk;

/* In its owner; its memory stays until `done`. */
struct clerk_job {
	void (*work)(struct clerk_job *job); /* on the clerk's thread, alone with the job */
	void (*done)(struct clerk_job *job); /* on the ring's thread, from clerk_finish */
	/* The clerk's own: */
	struct list node;
};

/* At most `waiting` jobs wait or are worked at. */
struct clerk *clerk_open(struct ring *ring, u32 waiting, struct error *error) MUST_CHECK;
/* No job may wait. NULL is fine. */
void clerk_close(struct clerk *clerk);

/* False: too many wait. */
bool clerk_give(struct clerk *clerk, struct clerk_job *job) MUST_CHECK;
/* Calls `done` of the jobs that are; to be called after each ring_turn, which a job ends. */
void clerk_finish(struct clerk *clerk);
/* Whether jobs wait, are worked at, or have not been told as done. */
bool clerk_is_busy(const struct clerk *clerk);

#endif

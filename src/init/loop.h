/*
 * The event loop of init: descriptors with a callback each, on epoll. Small on purpose: init has a
 * few dozen descriptors and sleeps. Nothing here owns a descriptor.
 */
#ifndef INIT_LOOP_H
#define INIT_LOOP_H

#include "base/types.h"

struct loop_source;
typedef void loop_ready(struct loop_source *source, u32 events); /* EPOLLIN, ... */

/* Lives in its owner's struct; not moved while it is watched. */
struct loop_source {
	loop_ready *ready;
	int fd;
	u32 events;
	bool is_watched;
};

struct loop {
	int epoll_fd;
};

bool loop_open(struct loop *loop) MUST_CHECK; /* false: errno */
void loop_close(struct loop *loop);

/* Watches source->fd for `events` (EPOLLIN, EPOLLOUT), or changes what is watched. False: errno. */
bool loop_watch(struct loop *loop, struct loop_source *source, u32 events) MUST_CHECK;
/* To be called before the descriptor is closed; fine on one that is not watched. */
void loop_forget(struct loop *loop, struct loop_source *source);

/*
 * Waits up to wait_ms for events and calls back. A source that is forgotten by a callback of the
 * same turn is not called any more.
 */
void loop_turn(struct loop *loop, u64 wait_ms);

#endif

#include "init/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

/* One at a time: what the callback of one source forgets cannot be among those already fetched. */
#define EVENTS_A_TURN 64

bool loop_open(struct loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd >= 0;
}

void loop_close(struct loop *loop)
{
	close(loop->epoll_fd);
}

bool loop_watch(struct loop *loop, struct loop_source *source, u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int operation = source->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (source->is_watched && source->events == events)
		return true;
	if (epoll_ctl(loop->epoll_fd, operation, source->fd, &event) < 0)
		return false;
	source->is_watched = true;
	source->events = events;
	return true;
}

void loop_forget(struct loop *loop, struct loop_source *source)
{
	if (!source->is_watched)
		return;
	source->is_watched = false;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

void loop_turn(struct loop *loop, u64 wait_ms)
{
	struct epoll_event event;

	for (u32 i = 0; i < EVENTS_A_TURN; i++) {
		struct loop_source *source;

		if (epoll_wait(loop->epoll_fd, &event, 1,
			       i == 0 ? (int)min_u64(wait_ms, INT_MAX) : 0) <= 0)
			return;
		source = event.data.ptr;
		source->ready(source, event.events);
	}
}

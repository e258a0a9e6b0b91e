/*
 * The ring: every read, write, connect and wait of a loop goes through here, in batches. One ring
 * per thread (SINGLE_ISSUER, DEFER_TASKRUN): the thread that opened it is the only one that submits
 * and reaps; other threads may only call ring_wake.
 *
 * This header is the seam of the simulator: tests/sim links another implementation of it over a
 * seeded virtual network. Everything above it (connections, sessions, workers, planner) runs
 * unchanged there.
 *
 * Rules: an operation lives inside its owner and stays untouched until its `done` was called.
 * Nothing is called back from inside the call that started it: completions run from ring_turn.
 * Sockets are direct descriptors: they never appear among the process's open files, so its limit
 * does not bind.
 */
#ifndef IO_RING_H
#define IO_RING_H

#include "base/error.h"
#include "base/net_address.h"
#include "base/types.h"

#include <sys/socket.h>
#include <sys/uio.h>

struct ring;

struct ring_params {
	u32 entries;     /* submission queue; the completion queue is four times as long */
	u32 files; /* sockets that may be open at once; no more than the limit of open files */
	u32 accepted;    /* of them, for accepted connections */
	u32 buffers;     /* receive buffers, a power of two */
	u32 buffer_size; /* bytes of each */
	/*
	 * Threads of the kernel's that ring_sync may have at once; 0: few, by the number of cores.
	 * A disk takes many syncs in the time of one.
	 */
	u32 syncs;
};

struct ring *ring_open(const struct ring_params *params, struct error *error);
void ring_close(struct ring *ring); /* no operation may be in flight */

/* One operation in flight. `result` as io_uring gives it: >= 0 or a negative errno. */
struct ring_op {
	void (*done)(struct ring_op *op, i32 result);
	struct ring_op *next; /* the ring's own */
};

/* A receive that goes on until it ends (multishot, buffers from the ring's pool). */
struct ring_receive {
	/* Bytes came; they are valid during the call only. */
	void (*bytes)(struct ring_receive *receive, struct slice bytes);
	/* It ended: 0 = the peer closed, else a negative errno. No more calls. */
	void (*end)(struct ring_receive *receive, i32 result);
	/* The ring's own: */
	struct ring_receive *next;
	i32 handle;
	bool stopped;
};

/* Accepts connections until it is stopped. */
struct ring_accept {
	void (*accepted)(struct ring_accept *accept, i32 handle);
	void (*end)(struct ring_accept *accept, i32 result);
	/*
	 * Of a unix socket: `user` is who connected (SO_PEERCRED), during `accepted`. Such handles
	 * are not of those that `accepted` of ring_params counts.
	 */
	bool tells_user;
	u32 user;
	/* The ring's own: */
	int listener;
	bool stopped;
};

/*
 * A TCP socket for a connection to `to`, bound to `from` (an address with port 0) unless NULL.
 * Returns a handle >= 0 or a negative errno (-ENFILE: the table is full).
 */
i32 ring_socket(struct ring *ring, const struct net_address *to, const struct net_address *from);
/*
 * Listening sockets; negative errno on failure. They are ordinary descriptors, which the caller
 * closes: kernels before 6.13 keep whatever a ring's table lets go of until older operations on
 * files of the table have ended, and accepting never ends. An address in use is waited for, three
 * seconds. Unix: mode 0660, a stale socket file is replaced.
 */
int ring_listen(const struct net_address *at);
int ring_listen_unix(const char *path);

/*
 * A connection to a unix socket: a handle, as ring_socket's, or a negative errno at once (-ENOENT
 * and -ECONNREFUSED: nobody listens; -EAGAIN: too many wait there already).
 */
i32 ring_connect_unix(struct ring *ring, const char *path);

void ring_connect(struct ring *ring, struct ring_op *op, i32 handle, const struct net_address *to);
/*
 * Sends from the iovecs (MSG_NOSIGNAL; short sends happen). `message` is caller's memory and must
 * stay until done, as the iovecs and what they point to.
 */
void ring_send(struct ring *ring, struct ring_op *op, i32 handle, struct msghdr *message);
/*
 * setsockopt, by the ring: a handle is no descriptor. `value` stays until done. Kernels before 6.7
 * know nothing of it (-EOPNOTSUPP).
 */
void ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
		     struct slice value);
void ring_receive_start(struct ring *ring, struct ring_receive *receive, i32 handle);
/* It ends soon, by -ECANCELED unless something else was first; what came until then is told. */
void ring_receive_stop(struct ring *ring, struct ring_receive *receive);
/* Handles of accepted connections are the ring's, as those of ring_socket. */
void ring_accept_start(struct ring *ring, struct ring_accept *accept, int listener);
void ring_accept_stop(struct ring *ring, struct ring_accept *accept); /* ends it soon */
/*
 * One connection of a listener that is non-blocking, and whose it is: ordinary system calls, for
 * who has to know the peer before anything else. A handle, as ring_socket's; -EAGAIN: there is none
 * now; -ENFILE: the table is full, and one was closed.
 */
i32 ring_accept_one(struct ring *ring, int listener, struct net_address *peer);
/* fsync of an ordinary descriptor, by a thread of the kernel's. */
void ring_sync(struct ring *ring, struct ring_op *op, int fd);
/* One-shot wait until a foreign descriptor (an ordinary one) is readable. */
void ring_poll(struct ring *ring, struct ring_op *op, int fd);

/* Calls `done` with 0 at the next turn, which then does not wait. */
void ring_later(struct ring *ring, struct ring_op *op);

/* Asks every operation on the handle to end soon; each still has its own `done` or `end`. */
void ring_cancel(struct ring *ring, i32 handle);
void ring_cancel_op(struct ring *ring, struct ring_op *op);
/* Gives the handle back. Operations on it must have ended or been cancelled before. */
void ring_shut(struct ring *ring, i32 handle);

/*
 * Submits what was prepared, waits until something completed, a wake came or `timeout_ns` passed
 * (0: does not wait, UINT64_MAX: no limit), then runs the completions. Returns how many.
 */
u32 ring_turn(struct ring *ring, u64 timeout_ns);

/* From any thread: makes the ring's current or next wait return at once. */
void ring_wake(struct ring *ring);

struct ring_stats {
	u64 turns;
	u64 completions;
	u64 submissions;
	u32 in_flight;      /* operations now */
	u32 open_handles;
	u64 no_buffers;     /* receives that had to be started anew for want of buffers */
};
void ring_stats(const struct ring *ring, struct ring_stats *stats);

#endif

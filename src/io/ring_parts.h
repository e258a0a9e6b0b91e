/*
 * The inside of a ring, shared by ring.c and ring_socket.c only.
 */
#ifndef IO_RING_PARTS_H
#define IO_RING_PARTS_H

#include "io/ring.h"

#include <liburing.h>

struct ring {
	struct io_uring uring;
	struct ring_params params;
	struct ring_stats stats;
	struct io_uring_buf_ring *buffer_ring;
	char *buffers;
	size_t buffers_bytes;
	u32 *free_files;
	u32 free_count;
	u64 *cancelled; /* a bit per handle: nothing may be started anew there */
	bool closes_late; /* the kernel lets go of a closed socket only behind older operations */
	int wake_fd;
	u64 wake_value;
	_Atomic u32 wake_pending;
	/* Receives that ran out of buffers: started again at the next turn, when all are back. */
	struct ring_receive *restarts;
	struct ring_op *later;
	/*
	 * Addresses for connects, beside the submission queue's entries: the kernel copies at
	 * submission.
	 */
	struct sockaddr_storage *connect_to;
};

/*
 * Of an accepted unix connection: who is at the other end, and a handle for it, or a negative errno
 * with `fd` closed.
 */
i32 ring_take_peer(struct ring *ring, struct ring_accept *accept, int fd);
/* The kernel's form of an address; returns its length. */
socklen_t ring_sockaddr(struct sockaddr_storage *ss, const struct net_address *address);

#endif

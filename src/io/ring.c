#include "io/ring_parts.h"

#include "base/check.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What a completion belongs to, in the low bits of user_data (owners are at least 8-aligned). */
enum kind { KIND_OP, KIND_RECEIVE, KIND_ACCEPT, KIND_WAKE, KIND_NONE, KIND_MASK = 7 };

#define BUFFER_GROUP 1
#define SOCKET_SETSOCKOPT 3 /* SOCKET_URING_OP_SETSOCKOPT, which older headers lack */

static u64 tag(const void *owner, enum kind kind)
{
	return (u64)(uintptr_t)owner | (u64)kind;
}

/*
 * Hands over what is prepared; errors that pass (interrupted, completion queue full) are tried
 * again.
 */
static void submit(struct ring *ring)
{
	int n = io_uring_submit(&ring->uring);

	if (n < 0 && n != -EBUSY && n != -EAGAIN && n != -EINTR)
		CRASH("io_uring_submit: %s", strerror(-n));
}

static struct io_uring_sqe *take_sqe(struct ring *ring)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&ring->uring)))
		submit(ring);
	ring->stats.submissions++;
	return sqe;
}

/* Two entries that may be linked: nothing is submitted between them. */
static struct io_uring_sqe *take_sqe_of_two(struct ring *ring)
{
	while (io_uring_sq_space_left(&ring->uring) < 2)
		submit(ring);
	return take_sqe(ring);
}

static void arm_wake(struct ring *ring)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	io_uring_prep_read(sqe, ring->wake_fd, &ring->wake_value, sizeof(ring->wake_value), 0);
	sqe->user_data = tag(NULL, KIND_WAKE);
}

static bool setup_buffers(struct ring *ring, struct error *error)
{
	const struct ring_params *p = &ring->params;
	struct io_uring_buf_reg reg = { .ring_entries = p->buffers, .bgid = BUFFER_GROUP };
	size_t ring_bytes = p->buffers * sizeof(struct io_uring_buf);
	char *memory;
	int ret;

	ring->buffers_bytes = ring_bytes + (size_t)p->buffers * p->buffer_size;
	memory = mmap(NULL, ring->buffers_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return error_set_errno(error, errno, "receive buffers");
	ring->buffer_ring = (struct io_uring_buf_ring *)memory;
	ring->buffers = memory + ring_bytes;
	reg.ring_addr = (u64)(uintptr_t)ring->buffer_ring;
	ret = io_uring_register_buf_ring(&ring->uring, &reg, 0);
	if (ret < 0)
		return error_set_errno(error, -ret,
				       "io_uring: provided buffers (needs Linux 5.19)");
	io_uring_buf_ring_init(ring->buffer_ring);
	for (u32 i = 0; i < p->buffers; i++)
		io_uring_buf_ring_add(ring->buffer_ring, ring->buffers + (size_t)i * p->buffer_size,
				      p->buffer_size, (u16)i, io_uring_buf_ring_mask(p->buffers),
				      (int)i);
	io_uring_buf_ring_advance(ring->buffer_ring, (int)p->buffers);
	return true;
}

/* A kernel that knows no such limit has another one: syncs wait a little longer, that is all. */
static void set_syncs(struct ring *ring)
{
	unsigned int limits[2] = { ring->params.syncs, 0 }; /* of files; 0: of others as it is */

	if (limits[0] > 0)
		(void)!io_uring_register_iowq_max_workers(&ring->uring, limits);
}

/* A table may not be longer than the process may have open files, though its sockets are none. */
static u32 table_limit(u32 want)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return want;
	if (limit.rlim_cur < want && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur < want ? (u32)limit.rlim_cur : want;
}

static bool setup_files(struct ring *ring, struct error *error)
{
	struct ring_params *p = &ring->params;
	int ret;

	p->files = table_limit(p->files);
	ret = io_uring_register_files_sparse(&ring->uring, p->files);
	if (ret < 0)
		return error_set_errno(error, -ret, "io_uring: table of %u sockets", p->files);
	/* The kernel hands out the first part to accepted connections, we the rest. */
	if (p->accepted > 0)
		ret = io_uring_register_file_alloc_range(&ring->uring, 0, p->accepted);
	if (ret < 0)
		return error_set_errno(error, -ret, "io_uring: range for accepted sockets");
	ASSERT(p->accepted < p->files);
	ring->free_files = malloc((p->files - p->accepted) * sizeof(u32) + 1);
	ring->connect_to = malloc(ring->uring.sq.ring_entries * sizeof(*ring->connect_to));
	ring->cancelled = calloc(p->files / 64 + 1, sizeof(u64));
	if (!ring->free_files || !ring->connect_to || !ring->cancelled)
		return error_set(error, "out of memory for the socket table");
	for (u32 i = p->files; i > p->accepted; i--)
		ring->free_files[ring->free_count++] = i - 1;
	return true;
}

/* Before 6.13: tables of files are cleared in the order of the operations that used them. */
static bool kernel_closes_late(void)
{
	struct utsname name;

	return uname(&name) < 0 || strverscmp(name.release, "6.13") < 0;
}

struct ring *ring_open(const struct ring_params *params, struct error *error)
{
	struct io_uring_params up = { .flags = IORING_SETUP_SINGLE_ISSUER |
					       IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
					       IORING_SETUP_SUBMIT_ALL,
				      .cq_entries = params->entries * 4 };
	struct ring *ring = calloc(1, sizeof(*ring));
	int ret;

	if (!ring) {
		error_set(error, "out of memory for a ring");
		return NULL;
	}
	ring->params = *params;
	ring->closes_late = kernel_closes_late();
	ring->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (ring->wake_fd < 0) {
		error_set_errno(error, errno, "eventfd");
		free(ring);
		return NULL;
	}
	ret = io_uring_queue_init_params(params->entries, &ring->uring, &up);
	if (ret < 0) {
		error_set_errno(error, -ret,
				"io_uring_setup (needs Linux 6.1 or newer, and io_uring allowed)");
		close(ring->wake_fd);
		free(ring);
		return NULL;
	}
	if (!setup_buffers(ring, error) || !setup_files(ring, error)) {
		ring_close(ring);
		return NULL;
	}
	set_syncs(ring);
	arm_wake(ring);
	return ring;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	io_uring_queue_exit(&ring->uring);
	if (ring->buffer_ring)
		munmap(ring->buffer_ring, ring->buffers_bytes);
	close(ring->wake_fd);
	free(ring->free_files);
	free(ring->connect_to);
	free(ring->cancelled);
	free(ring);
}

void ring_connect(struct ring *ring, struct ring_op *op, i32 handle, const struct net_address *to)
{
	struct io_uring_sqe *sqe = take_sqe(ring);
	struct sockaddr_storage *ss;
	socklen_t len;

	/* In use as long as the entry: a submission that stops half-way leaves both alone. */
	ss = &ring->connect_to[sqe - ring->uring.sq.sqes];
	len = ring_sockaddr(ss, to);
	io_uring_prep_connect(sqe, handle, (struct sockaddr *)ss, len);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = tag(op, KIND_OP);
	ring->stats.in_flight++;
}

void ring_send(struct ring *ring, struct ring_op *op, i32 handle, struct msghdr *message)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	io_uring_prep_sendmsg(sqe, handle, message, MSG_NOSIGNAL);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = tag(op, KIND_OP);
	ring->stats.in_flight++;
}

/* As <linux/io_uring.h> has it since 6.7: level and name are in the place of the address. */
void ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
		     struct slice value)
{
	struct io_uring_sqe *sqe = take_sqe(ring);
	const i32 which[2] = { level, name };

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, handle, NULL, 0, 0);
	static_assert(sizeof(which) == sizeof(sqe->addr), "both numbers are in its place");
	sqe->cmd_op = SOCKET_SETSOCKOPT;
	memcpy(&sqe->addr, which, sizeof(which));
	sqe->file_index = (u32)value.len;
	sqe->addr3 = (u64)(uintptr_t)value.ptr;
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = tag(op, KIND_OP);
	ring->stats.in_flight++;
}

void ring_receive_start(struct ring *ring, struct ring_receive *receive, i32 handle)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	receive->handle = handle;
	receive->stopped = false;
	io_uring_prep_recv_multishot(sqe, handle, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
	sqe->buf_group = BUFFER_GROUP;
	sqe->user_data = tag(receive, KIND_RECEIVE);
	ring->stats.in_flight++;
}

void ring_receive_stop(struct ring *ring, struct ring_receive *receive)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	receive->stopped = true; /* it may be about to be started again */
	io_uring_prep_cancel64(sqe, tag(receive, KIND_RECEIVE), 0);
	sqe->user_data = tag(NULL, KIND_NONE);
}

void ring_accept_start(struct ring *ring, struct ring_accept *accept, int listener)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	accept->listener = listener;
	accept->stopped = false;
	if (accept->tells_user)
		io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	else
		io_uring_prep_multishot_accept_direct(sqe, listener, NULL, NULL, 0);
	sqe->user_data = tag(accept, KIND_ACCEPT);
	ring->stats.in_flight++;
}

void ring_accept_stop(struct ring *ring, struct ring_accept *accept)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	accept->stopped = true; /* it may be about to be started again */
	io_uring_prep_cancel64(sqe, tag(accept, KIND_ACCEPT), 0);
	sqe->user_data = tag(NULL, KIND_NONE);
}

void ring_sync(struct ring *ring, struct ring_op *op, int fd)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	io_uring_prep_fsync(sqe, fd, 0);
	sqe->user_data = tag(op, KIND_OP);
	ring->stats.in_flight++;
}

void ring_poll(struct ring *ring, struct ring_op *op, int fd)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	io_uring_prep_poll_add(sqe, fd, POLLIN);
	sqe->user_data = tag(op, KIND_OP);
	ring->stats.in_flight++;
}

static bool is_cancelled(const struct ring *ring, i32 handle)
{
	return ring->cancelled[handle / 64] >> (handle % 64) & 1;
}

void ring_cancel(struct ring *ring, i32 handle)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	/*
	 * What is not in the kernel's hands at this moment (a receive that waits for buffers, one
	 * whose last completion is being run) must not be started behind this: nothing would ever
	 * end it.
	 */
	ring->cancelled[handle / 64] |= 1ull << (handle % 64);
	io_uring_prep_cancel_fd(sqe, handle,
				IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD_FIXED);
	sqe->user_data = tag(NULL, KIND_NONE);
}

void ring_later(struct ring *ring, struct ring_op *op)
{
	op->next = ring->later;
	ring->later = op;
}

void ring_cancel_op(struct ring *ring, struct ring_op *op)
{
	struct io_uring_sqe *sqe = take_sqe(ring);

	io_uring_prep_cancel64(sqe, tag(op, KIND_OP), 0);
	sqe->user_data = tag(NULL, KIND_NONE);
}

void ring_shut(struct ring *ring, i32 handle)
{
	struct io_uring_sqe *sqe;

	if (ring->closes_late) {
		/* Else the peer would not hear of it while an older connection still receives. */
		sqe = take_sqe_of_two(ring);
		io_uring_prep_shutdown(sqe, handle, SHUT_RDWR);
		sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
		sqe->user_data = tag(NULL, KIND_NONE);
	}
	sqe = take_sqe(ring);
	io_uring_prep_close_direct(sqe, (unsigned)handle);
	/* The handle's number rides along, so that it is free again only when it really is. */
	sqe->user_data = (u64)(u32)handle << 3 | KIND_NONE | 1ull << 63;
}

static void give_buffer_back(struct ring *ring, u32 id)
{
	const struct ring_params *p = &ring->params;

	io_uring_buf_ring_add(ring->buffer_ring, ring->buffers + (size_t)id * p->buffer_size,
			      p->buffer_size, (u16)id, io_uring_buf_ring_mask(p->buffers), 0);
	io_uring_buf_ring_advance(ring->buffer_ring, 1);
}

static void complete_receive(struct ring *ring, struct ring_receive *receive,
			     const struct io_uring_cqe *cqe)
{
	i32 result = cqe->res;
	bool more = cqe->flags & IORING_CQE_F_MORE;

	if (!more)
		ring->stats.in_flight--;
	if (result == -ENOBUFS) {
		ring->stats.no_buffers++;
		receive->next = ring->restarts;
		ring->restarts = receive;
		return;
	}
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		u32 id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

		if (result > 0)
			receive->bytes(
				receive,
				(struct slice){ ring->buffers +
							(size_t)id * ring->params.buffer_size,
						(size_t)result });
		give_buffer_back(ring, id);
	}
	if (more)
		return;
	if (result > 0 && (receive->stopped || is_cancelled(ring, receive->handle)))
		receive->end(receive, -ECANCELED);
	else if (result > 0)
		ring_receive_start(ring, receive, receive->handle);
	else
		receive->end(receive, result);
}

static void complete_accept(struct ring *ring, struct ring_accept *accept,
			    const struct io_uring_cqe *cqe)
{
	bool more = cqe->flags & IORING_CQE_F_MORE;
	i32 result = cqe->res;

	if (result >= 0 && accept->tells_user)
		result = ring_take_peer(ring, accept, result);
	else if (result >= 0)
		ring->stats.open_handles++;
	if (result >= 0)
		accept->accepted(accept, result);
	if (more)
		return;
	ring->stats.in_flight--;
	if (result < 0 && result != -ECONNABORTED && result != -EINTR)
		accept->end(accept, result);
	else if (accept->stopped)
		accept->end(accept, -ECANCELED);
	else
		ring_accept_start(ring, accept, accept->listener);
}

static void complete_none(struct ring *ring, u64 user_data)
{
	u32 index;

	if (!(user_data >> 63))
		return;
	index = (u32)(user_data >> 3 & 0xffffffff);
	ring->stats.open_handles--;
	ring->cancelled[index / 64] &= ~(1ull << (index % 64));
	if (index >= ring->params.accepted)
		ring->free_files[ring->free_count++] = index;
}

static void complete(struct ring *ring, const struct io_uring_cqe *cqe)
{
	void *owner = (void *)(uintptr_t)(cqe->user_data & ~(u64)KIND_MASK);
	struct ring_op *op = owner;

	ring->stats.completions++;
	switch (cqe->user_data & KIND_MASK) {
	case KIND_OP:
		ring->stats.in_flight--;
		op->done(op, cqe->res);
		break;
	case KIND_RECEIVE:
		complete_receive(ring, owner, cqe);
		break;
	case KIND_ACCEPT:
		complete_accept(ring, owner, cqe);
		break;
	case KIND_WAKE:
		/*
		 * Reads what it clears: whoever found a wake pending and wrote nothing to the
		 * descriptor is seen with all that it did before. A store would promise that on
		 * no machine but by its luck.
		 */
		atomic_exchange(&ring->wake_pending, 0);
		arm_wake(ring);
		break;
	default:
		complete_none(ring, cqe->user_data);
	}
}

static void submit_and_wait(struct ring *ring, u64 timeout_ns)
{
	struct __kernel_timespec ts = { .tv_sec = (i64)(timeout_ns / 1000000000),
					.tv_nsec = (i64)(timeout_ns % 1000000000) };
	struct io_uring_cqe *cqe;
	int ret;

	if (timeout_ns == 0)
		ret = io_uring_submit_and_get_events(&ring->uring);
	else
		ret = io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1,
						       timeout_ns == UINT64_MAX ? NULL : &ts, NULL);
	if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EBUSY && ret != -EAGAIN)
		CRASH("io_uring_enter: %s", strerror(-ret));
}

/* True when there was one: the turn must not wait then. */
static bool restart_receives(struct ring *ring)
{
	struct ring_receive *receive = ring->restarts;
	bool any = receive != NULL;

	ring->restarts = NULL;
	while (receive) {
		struct ring_receive *next = receive->next;

		if (receive->stopped || is_cancelled(ring, receive->handle))
			receive->end(receive, -ECANCELED);
		else
			ring_receive_start(ring, receive, receive->handle);
		receive = next;
	}
	return any;
}

static bool run_later(struct ring *ring)
{
	struct ring_op *op = ring->later;
	bool any = op != NULL;

	ring->later = NULL;
	while (op) {
		struct ring_op *next = op->next;

		op->done(op, 0);
		op = next;
	}
	return any;
}

u32 ring_turn(struct ring *ring, u64 timeout_ns)
{
	struct io_uring_cqe *cqe;
	u32 count = 0;
	u32 ready;
	bool busy = restart_receives(ring);

	busy |= run_later(ring);
	if (busy || ring->later || io_uring_cq_ready(&ring->uring) > 0)
		timeout_ns = 0;
	submit_and_wait(ring, timeout_ns);
	/*
	 * Only what is there now, so that a turn ends; each is copied, since callbacks may submit.
	 */
	for (ready = io_uring_cq_ready(&ring->uring); ready > 0; ready--) {
		struct io_uring_cqe copy;

		if (io_uring_peek_cqe(&ring->uring, &cqe) != 0)
			break;
		copy = *cqe;
		io_uring_cqe_seen(&ring->uring, cqe);
		complete(ring, &copy);
		count++;
	}
	ring->stats.turns++;
	return count;
}

void ring_wake(struct ring *ring)
{
	u64 one = 1;
	ssize_t written;

	if (atomic_exchange(&ring->wake_pending, 1))
		return;
	do {
		written = write(ring->wake_fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
	if (written < 0 && errno != EAGAIN)
		CRASH("eventfd write: %s", strerror(errno));
}

void ring_stats(const struct ring *ring, struct ring_stats *stats)
{
	*stats = ring->stats;
}

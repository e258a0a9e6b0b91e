/*
 * The ring, below src/io/ring.c: what it submits and what completes. A request that is to fail goes
 * to the kernel as a no-op and its completion is rewritten; a send that is to be short is cut before
 * it goes. A multishot request that is to end in the middle is cancelled, and its last completion
 * says something else than that it was cancelled.
 */
#include "nth/inject.h"

#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/socket.h>

#define FAULTS_MAX 64
#define IOV_MAX_KEPT 1024

/* The rewriting of a completion that is still to come. */
struct fault {
	struct io_uring *ring; /* NULL: free */
	uint64_t user_data;
	int32_t result;
	bool when_cancelled; /* only the completion that says so */
};

/* A ring belongs to one thread. */
static _Thread_local struct fault faults[FAULTS_MAX];
static _Thread_local struct io_uring *seen_ring;
static _Thread_local unsigned seen; /* completions looked at, as the kernel counts them */
static _Thread_local struct msghdr short_message;
static _Thread_local struct iovec short_iov[IOV_MAX_KEPT];

static void plan_fault(struct io_uring *ring, uint64_t user_data, int32_t result, bool cancelled)
{
	for (size_t i = 0; i < FAULTS_MAX; i++) {
		if (faults[i].ring)
			continue;
		faults[i] = (struct fault){ ring, user_data, result, cancelled };
		return;
	}
}

/* ---- requests ---- */

struct rule {
	uint8_t opcode;
	int16_t errors[6];
};

static const struct rule rules[] = {
	{ IORING_OP_CONNECT, { ECONNREFUSED, ETIMEDOUT, EADDRNOTAVAIL, ENOMEM, ENETUNREACH, EINTR } },
	{ IORING_OP_SENDMSG, { INJECT_SHORT, EPIPE, ECONNRESET, ENOMEM, ENOBUFS, EINTR } },
	{ IORING_OP_RECV, { ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT, INJECT_END, EINTR } },
	{ IORING_OP_ACCEPT, { EMFILE, ENFILE, ECONNABORTED, ENOMEM, EINTR } },
	{ IORING_OP_POLL_ADD, { ENOMEM, ECANCELED } },
	{ IORING_OP_READ, { EINTR, EAGAIN, ECANCELED } },
	{ IORING_OP_CLOSE, { EIO, EINTR } },
};

static const struct rule *rule_of(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].opcode == opcode)
			return &rules[i];
	}
	return NULL;
}

static int choose_error(const struct rule *rule)
{
	uint32_t count = 0;

	while (count < 6 && rule->errors[count])
		count++;
	return rule->errors[inject_choice(count)];
}

/* The first half of the bytes, at least one. */
static void cut_send(struct io_uring_sqe *sqe)
{
	const struct msghdr *whole = (const struct msghdr *)(uintptr_t)sqe->addr;
	size_t left = 0;

	if (whole->msg_iovlen > IOV_MAX_KEPT)
		return;
	for (size_t i = 0; i < whole->msg_iovlen; i++)
		left += whole->msg_iov[i].iov_len;
	left = left > 1 ? left / 2 : left;
	short_message = *whole;
	short_message.msg_iov = short_iov;
	short_message.msg_iovlen = 0;
	for (size_t i = 0; i < whole->msg_iovlen && left > 0; i++) {
		struct iovec iov = whole->msg_iov[i];

		iov.iov_len = iov.iov_len < left ? iov.iov_len : left;
		left -= iov.iov_len;
		short_iov[short_message.msg_iovlen++] = iov;
	}
	sqe->addr = (uint64_t)(uintptr_t)&short_message;
}

static void fail_request(struct io_uring *ring, struct io_uring_sqe *sqe, const struct rule *rule)
{
	int error = choose_error(rule);
	uint64_t user_data = sqe->user_data;

	inject_note(error);
	if (error == INJECT_SHORT) {
		cut_send(sqe);
		return;
	}
	plan_fault(ring, user_data, error == INJECT_END ? 0 : -error, false);
	/* A descriptor is closed whatever the answer says. */
	if (sqe->opcode == IORING_OP_CLOSE)
		return;
	io_uring_prep_nop(sqe);
	sqe->user_data = user_data;
}

static void look_at_requests(struct io_uring *ring)
{
	struct io_uring_sq *sq = &ring->sq;

	for (unsigned i = sq->sqe_head; i != sq->sqe_tail; i++) {
		struct io_uring_sqe *sqe = &sq->sqes[i & sq->ring_mask];
		const struct rule *rule = rule_of(sqe->opcode);

		if (rule && inject_event(INJECT_RING, sqe->opcode))
			fail_request(ring, sqe, rule);
	}
}

/* ---- completions ---- */

#define KIND_NONE 4 /* of ring.c: a completion that belongs to nobody */

/* Shows up in traces as an opcode that there is not. */
#define WHAT_MORE 0x100

/* ring.c's own number of a kind stands in the low bits of user_data: receive or accept. */
static void end_multishot(struct io_uring *ring, const struct io_uring_cqe *cqe)
{
	static const int16_t errors[] = { ECONNRESET, ENOBUFS, ENOMEM, INJECT_END, ETIMEDOUT };
	static const int16_t accept_errors[] = { EMFILE, ENFILE, ENOMEM, ECONNABORTED };
	bool is_accept = (cqe->user_data & 7) == 2;
	int error = is_accept ? accept_errors[inject_choice(4)] : errors[inject_choice(5)];
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		return;
	inject_note(error);
	io_uring_prep_cancel64(sqe, cqe->user_data, 0);
	sqe->user_data = KIND_NONE;
	plan_fault(ring, cqe->user_data, error == INJECT_END ? 0 : -error, true);
}

static void rewrite(struct io_uring *ring, struct io_uring_cqe *cqe)
{
	for (size_t i = 0; i < FAULTS_MAX; i++) {
		struct fault *fault = &faults[i];

		if (fault->ring != ring || fault->user_data != cqe->user_data ||
		    (fault->when_cancelled && cqe->res != -ECANCELED))
			continue;
		cqe->res = fault->result;
		cqe->flags = 0;
		fault->ring = NULL;
		return;
	}
}

static void look_at_completions(struct io_uring *ring)
{
	struct io_uring_cq *cq = &ring->cq;
	unsigned head = *cq->khead;
	unsigned tail = __atomic_load_n(cq->ktail, __ATOMIC_ACQUIRE);

	if (seen_ring != ring || (int)(head - seen) > 0)
		seen = head;
	seen_ring = ring;
	for (; seen != tail; seen++) {
		struct io_uring_cqe *cqe = &cq->cqes[seen & cq->ring_mask];

		rewrite(ring, cqe);
		if ((cqe->flags & IORING_CQE_F_MORE) && inject_event(INJECT_RING, WHAT_MORE))
			end_multishot(ring, cqe);
	}
}

/* ---- what ring.c calls ---- */

int __real_io_uring_submit(struct io_uring *ring);
int __real_io_uring_submit_and_get_events(struct io_uring *ring);
int __real_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
					    unsigned wait, struct __kernel_timespec *ts,
					    sigset_t *mask);
int __wrap_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
					    unsigned wait, struct __kernel_timespec *ts,
					    sigset_t *mask);

int __wrap_io_uring_submit(struct io_uring *ring)
{
	int ret;

	if (inject_is_on())
		look_at_requests(ring);
	ret = __real_io_uring_submit(ring);
	if (inject_is_on())
		look_at_completions(ring);
	return ret;
}

int __wrap_io_uring_submit_and_get_events(struct io_uring *ring)
{
	int ret;

	if (inject_is_on())
		look_at_requests(ring);
	ret = __real_io_uring_submit_and_get_events(ring);
	if (inject_is_on())
		look_at_completions(ring);
	return ret;
}

int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
					    unsigned wait, struct __kernel_timespec *ts,
					    sigset_t *mask)
{
	int ret;

	if (inject_is_on())
		look_at_requests(ring);
	ret = __real_io_uring_submit_and_wait_timeout(ring, cqe, wait, ts, mask);
	if (inject_is_on())
		look_at_completions(ring);
	return ret;
}

/*
 * The sockets of one process on one ring. Connections are direct descriptors: they live in the
 * ring's own table and do not count as open files; a session's index in `table` is its descriptor.
 *
 * A turn: reap all completions (sessions only queue replies), write the ledger, send the replies.
 */
#include "sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define SQ_ENTRIES 4096
#define CQ_ENTRIES 65536
#define POOL_GROUP 1
#define POOL_BUFFERS 128	/* a power of two; few and large: they stay in the cache */
#define POOL_BUFFER_BYTES 32768
#define TABLE_MAX 65536
#define WHEEL_SLOTS 4096	/* of one millisecond; a power of two */

enum op { OP_ACCEPT, OP_RECEIVE, OP_SEND, OP_CLOSE, OP_STOP, OP_OTHER };

static struct io_uring_sqe *take_sqe(struct sink *sink)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&sink->ring);

	if (!sqe) {
		io_uring_submit(&sink->ring);
		sqe = io_uring_get_sqe(&sink->ring);
		if (!sqe)
			sink_fail("the submission queue stays full");
	}
	return sqe;
}

static uint64_t tag(enum op op, uint32_t index)
{
	return (uint64_t)index << 8 | op;
}

static void arm_accept(struct sink *sink, uint32_t index)
{
	struct io_uring_sqe *sqe = take_sqe(sink);

	io_uring_prep_multishot_accept_direct(sqe, sink->listeners[index], NULL, NULL, 0);
	io_uring_sqe_set_data64(sqe, tag(OP_ACCEPT, index));
}

static void arm_receive(struct session *s)
{
	struct io_uring_sqe *sqe = take_sqe(s->sink);

	io_uring_prep_recv_multishot(sqe, (int)s->slot, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
	sqe->buf_group = POOL_GROUP;
	io_uring_sqe_set_data64(sqe, tag(OP_RECEIVE, s->slot));
	s->receiving = true;
}

static void cancel(struct session *s, enum op op)
{
	struct io_uring_sqe *sqe = take_sqe(s->sink);

	io_uring_prep_cancel64(sqe, tag(op, s->slot), 0);
	io_uring_sqe_set_data64(sqe, tag(OP_OTHER, 0));
}

void session_touch(struct session *s)
{
	struct sink *sink = s->sink;

	if (s->dirty)
		return;
	s->dirty = true;
	s->next_dirty = NULL;
	if (sink->dirty_last)
		sink->dirty_last->next_dirty = s;
	else
		sink->dirty_first = s;
	sink->dirty_last = s;
}

static void wheel_put(struct session *s, uint64_t at_ms)
{
	struct session **slot = &s->sink->wheel[at_ms & (WHEEL_SLOTS - 1)];

	s->next_timed = *slot;
	*slot = s;
	if (!s->timed)
		s->sink->timed_count++;
	s->timed = true;
}

static void due_add(struct session *s, uint64_t at_ms, size_t bytes)
{
	if (s->due_count == s->due_cap) {
		unsigned cap = s->due_cap ? 2 * s->due_cap : 8;
		struct sink_due *dues = malloc(cap * sizeof(*dues));

		if (!dues)
			sink_fail("out of memory");
		for (unsigned i = 0; i < s->due_count; i++)
			dues[i] = s->dues[(s->due_first + i) % s->due_cap];
		free(s->dues);
		s->dues = dues;
		s->due_cap = cap;
		s->due_first = 0;
	}
	s->dues[(s->due_first + s->due_count++) % s->due_cap] = (struct sink_due){ at_ms, bytes };
}

/* The reply leaves at `at_ms` or after. */
static void reply_at(struct session *s, const void *text, size_t len, uint64_t at_ms)
{
	sink_buf_add(&s->out, text, len);
	/* Replies keep their order: none leaves before the one in front of it. */
	if (s->due_count) {
		uint64_t before = s->dues[(s->due_first + s->due_count - 1) % s->due_cap].at_ms;

		at_ms = at_ms < before ? before : at_ms;
	}
	due_add(s, at_ms, len);
	if (!s->timed)
		wheel_put(s, at_ms > s->sink->wheel_ms ? at_ms : s->sink->wheel_ms + 1);
}

void session_reply_after(struct session *s, const void *text, size_t len, unsigned min_ms,
	unsigned max_ms)
{
	uint64_t at_ms = s->sink->now_us / 1000;

	if (at_ms < s->busy_until_ms)
		at_ms = s->busy_until_ms;
	at_ms += min_ms + sink_random(s->sink) % (max_ms - min_ms + 1);
	s->busy_until_ms = at_ms;
	reply_at(s, text, len, at_ms);
}

void session_reply(struct session *s, const void *text, size_t len)
{
	const struct sink_options *o = s->sink->options;

	if (s->provider) {
		session_reply_after(s, text, len, s->provider->delay_min_ms,
			s->provider->delay_max_ms);
	} else if (o->delay_max_ms) {
		reply_at(s, text, len, s->sink->now_us / 1000 + o->delay_min_ms +
			sink_random(s->sink) % (o->delay_max_ms - o->delay_min_ms + 1));
	} else {
		sink_buf_add(&s->out, text, len);
		s->ready = s->out.len;
		session_touch(s);
	}
}

void session_close(struct session *s, enum sink_closing how)
{
	if (s->closing < how)
		s->closing = how;
	session_touch(s);
}

/* Releases the replies whose time has come. */
static void on_due(struct session *s)
{
	uint64_t now_ms = s->sink->now_us / 1000;

	while (s->due_count && s->dues[s->due_first].at_ms <= now_ms) {
		s->ready += s->dues[s->due_first].bytes;
		s->due_first = (s->due_first + 1) % s->due_cap;
		s->due_count--;
	}
	if (s->due_count) {
		uint64_t at_ms = s->dues[s->due_first].at_ms;

		wheel_put(s, at_ms > s->sink->wheel_ms ? at_ms : s->sink->wheel_ms + 1);
	} else {
		s->timed = false;
		s->sink->timed_count--;
	}
	session_touch(s);
}

static void wheel_turn(struct sink *sink)
{
	uint64_t now_ms = sink->now_us / 1000;

	if (!sink->timed_count) {
		sink->wheel_ms = now_ms;
		return;
	}
	while (sink->wheel_ms < now_ms) {
		struct session **slot = &sink->wheel[++sink->wheel_ms & (WHEEL_SLOTS - 1)];
		struct session *s = *slot;

		*slot = NULL;
		while (s) {
			struct session *next = s->next_timed;

			on_due(s);
			s = next;
		}
	}
}

static void session_free(struct session *s)
{
	record_save_drop(s);
	provider_leave(s);
	sink_buf_free(&s->out);
	sink_buf_free(&s->fly);
	sink_buf_free(&s->line);
	sink_buf_free(&s->sender);
	sink_buf_free(&s->rcpts);
	text_free(&s->text);
	SSL_free(s->ssl);
	free(s->dues);
	free(s);
}

static void on_accept(struct sink *sink, const struct io_uring_cqe *cqe, uint32_t listener)
{
	struct session *s;
	int64_t open, most;

	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		/* A full table (ENFILE) lasts until a session ends. */
		if (cqe->res >= 0 || cqe->res == -ECONNABORTED || cqe->res == -EAGAIN)
			arm_accept(sink, listener);
		else if (cqe->res == -ENFILE || cqe->res == -EMFILE)
			sink->accept_stalled = true;
		else
			sink_fail("accept: %s", strerror(-cqe->res));
	}
	if (cqe->res < 0)
		return;
	s = calloc(1, sizeof(*s));
	if (!s || (unsigned)cqe->res >= sink->table_size || sink->table[cqe->res])
		sink_fail("no room for a session");
	s->sink = sink;
	s->slot = (uint32_t)cqe->res;
	s->number = ++sink->sessions_made;
	s->text.save_fd = -1;
	sink->table[s->slot] = s;
	sink_count(&sink->stats->connections, 1);
	open = __atomic_add_fetch(&sink->shared->open, 1, __ATOMIC_RELAXED);
	most = __atomic_load_n(&sink->shared->open_max, __ATOMIC_RELAXED);
	while (open > most && !__atomic_compare_exchange_n(&sink->shared->open_max, &most, open,
	    true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	arm_receive(s);
	smtp_greet(s, listener);
}

static void on_end(struct session *s, enum sink_closing how)
{
	if (s->closing == CLOSING_NO && (s->phase != PHASE_COMMAND || s->chunking))
		sink_count(&s->sink->stats->unfinished, 1);
	if (s->closing == CLOSING_DRAIN && s->half_closed)
		how = CLOSING_NOW;
	session_close(s, how);
}

static void on_receive(struct session *s, const struct io_uring_cqe *cqe)
{
	struct sink *sink = s->sink;

	if (!(cqe->flags & IORING_CQE_F_MORE))
		s->receiving = false;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		uint8_t *bytes = sink->pool_bytes + (size_t)id * POOL_BUFFER_BYTES;

		if (cqe->res > 0 && s->closing == CLOSING_NO) {
			if (!s->ssl)
				smtp_feed(s, bytes, (size_t)cqe->res);
			else if (!tls_feed(s, bytes, (size_t)cqe->res))
				on_end(s, CLOSING_SENT);
		}
		io_uring_buf_ring_add(sink->pool, bytes, POOL_BUFFER_BYTES, (unsigned short)id,
			io_uring_buf_ring_mask(POOL_BUFFERS), 0);
		io_uring_buf_ring_advance(sink->pool, 1);
	}
	if (s->receiving)
		return;
	if (cqe->res > 0 || cqe->res == -ENOBUFS)
		sink->starving[sink->starving_count++] = s;
	else
		on_end(s, cqe->res == 0 ? CLOSING_SENT : CLOSING_NOW);
}

static void on_send(struct session *s, int result)
{
	s->sending = false;
	if (result <= 0) {
		session_close(s, CLOSING_NOW);
		return;
	}
	s->fly_done += (size_t)result;
	session_touch(s);
}

static void on_closed(struct session *s)
{
	struct sink *sink = s->sink;

	sink->table[s->slot] = NULL;
	session_free(s);
	__atomic_sub_fetch(&sink->shared->open, 1, __ATOMIC_RELAXED);
	if (sink->accept_stalled) {
		sink->accept_stalled = false;
		for (unsigned i = 0; i < sink->options->listen_count; i++)
			arm_accept(sink, i);
	}
}

/* Ends what is in flight, then the descriptor; the session lives until its slot is free. */
static void end_session(struct session *s)
{
	struct io_uring_sqe *sqe;

	if (s->receiving && !s->receive_cancelled) {
		s->receive_cancelled = true;
		cancel(s, OP_RECEIVE);
	}
	if (s->sending && !s->send_cancelled) {
		s->send_cancelled = true;
		cancel(s, OP_SEND);
	}
	if (s->receiving || s->sending || s->timed || s->close_sent)
		return;
	s->close_sent = true;
	if (s->sink->closes_late) {
		/* Else the client would not hear of it while an older one is still there. */
		if (io_uring_sq_space_left(&s->sink->ring) < 2)
			io_uring_submit(&s->sink->ring);
		sqe = take_sqe(s->sink);
		io_uring_prep_shutdown(sqe, (int)s->slot, SHUT_RDWR);
		sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
		io_uring_sqe_set_data64(sqe, tag(OP_OTHER, 0));
	}
	sqe = take_sqe(s->sink);
	io_uring_prep_close_direct(sqe, s->slot);
	io_uring_sqe_set_data64(sqe, tag(OP_CLOSE, s->slot));
}

/* All that is to be said is said; `closing` says how to part. */
static void after_last_word(struct session *s)
{
	struct io_uring_sqe *sqe;

	if (s->closing == CLOSING_SENT || (s->closing == CLOSING_DRAIN && !s->receiving)) {
		s->closing = CLOSING_NOW;
		end_session(s);
	} else if (s->closing == CLOSING_DRAIN && !s->half_closed) {
		/* Closing with input unread would send a reset and may lose the reply. */
		s->half_closed = true;
		sqe = take_sqe(s->sink);
		io_uring_prep_shutdown(sqe, (int)s->slot, SHUT_WR);
		sqe->flags |= IOSQE_FIXED_FILE;
		io_uring_sqe_set_data64(sqe, tag(OP_OTHER, 0));
	}
}

/* Sends what is ready, or goes on with the end of the session. */
static void push(struct session *s)
{
	struct io_uring_sqe *sqe;

	s->dirty = false;
	if (s->closing == CLOSING_NOW) {
		end_session(s);
		return;
	}
	if (s->sending)
		return;
	if (s->fly_done == s->fly.len) {
		size_t n = s->ready;

		s->fly.len = s->fly_done = 0;
		if (s->plain_left && n > s->plain_left)
			n = s->plain_left;
		if (!s->ssl || s->plain_left)
			sink_buf_add(&s->fly, s->out.data, n);
		else if (!tls_take(s, s->out.data, n, &s->fly)) {
			s->closing = CLOSING_NOW;
			end_session(s);
			return;
		}
		sink_buf_drop(&s->out, n);
		s->ready -= n;
		s->plain_left -= s->plain_left ? n : 0;
	}
	if (s->fly_done < s->fly.len) {
		sqe = take_sqe(s->sink);
		io_uring_prep_send(sqe, (int)s->slot, s->fly.data + s->fly_done,
			s->fly.len - s->fly_done, MSG_NOSIGNAL);
		sqe->flags |= IOSQE_FIXED_FILE;
		io_uring_sqe_set_data64(sqe, tag(OP_SEND, s->slot));
		s->sending = true;
	} else if (!s->out.len) {
		after_last_word(s);
	}
}

static void on_completion(struct sink *sink, const struct io_uring_cqe *cqe)
{
	uint32_t index = (uint32_t)(cqe->user_data >> 8);

	switch ((enum op)(cqe->user_data & 0xff)) {
	case OP_ACCEPT:
		on_accept(sink, cqe, index);
		break;
	case OP_RECEIVE:
		on_receive(sink->table[index], cqe);
		break;
	case OP_SEND:
		on_send(sink->table[index], cqe->res);
		break;
	case OP_CLOSE:
		on_closed(sink->table[index]);
		break;
	case OP_STOP:
		sink->stopped = true;
		break;
	case OP_OTHER:
		break;
	}
}

static void read_clocks(struct sink *sink)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	sink->now_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	clock_gettime(CLOCK_REALTIME, &t);
	sink->now_epoch_ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void turn(struct sink *sink)
{
	struct __kernel_timespec tick = { .tv_nsec = 1000000 };
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	int r;

	r = io_uring_submit_and_wait_timeout(&sink->ring, &cqe, 1,
		sink->timed_count ? &tick : NULL, NULL);
	if (r < 0 && r != -ETIME && r != -EINTR && r != -EBUSY && r != -EAGAIN)
		sink_fail("io_uring_enter: %s", strerror(-r));
	read_clocks(sink);
	io_uring_for_each_cqe(&sink->ring, head, cqe) {
		on_completion(sink, cqe);
		seen++;
	}
	io_uring_cq_advance(&sink->ring, seen);
	wheel_turn(sink);
	record_flush(sink);
	while (sink->starving_count) {
		struct session *s = sink->starving[--sink->starving_count];

		if (s->closing == CLOSING_NOW)
			session_touch(s);
		else
			arm_receive(s);
	}
	while (sink->dirty_first) {
		struct session *s = sink->dirty_first;

		sink->dirty_first = s->next_dirty;
		if (!sink->dirty_first)
			sink->dirty_last = NULL;
		push(s);
	}
}

static void make_pool(struct sink *sink)
{
	struct io_uring_buf_reg reg = { .ring_entries = POOL_BUFFERS, .bgid = POOL_GROUP };
	size_t ring_bytes = POOL_BUFFERS * sizeof(struct io_uring_buf);
	int mask = io_uring_buf_ring_mask(POOL_BUFFERS);
	int r;

	if (posix_memalign((void **)&sink->pool, 4096, ring_bytes) ||
	    posix_memalign((void **)&sink->pool_bytes, 4096, POOL_BUFFERS * POOL_BUFFER_BYTES))
		sink_fail("out of memory");
	reg.ring_addr = (uint64_t)(uintptr_t)sink->pool;
	r = io_uring_register_buf_ring(&sink->ring, &reg, 0);
	if (r < 0)
		sink_fail("buffer ring: %s", strerror(-r));
	io_uring_buf_ring_init(sink->pool);
	for (int i = 0; i < POOL_BUFFERS; i++)
		io_uring_buf_ring_add(sink->pool, sink->pool_bytes + (size_t)i * POOL_BUFFER_BYTES,
			POOL_BUFFER_BYTES, (unsigned short)i, mask, i);
	io_uring_buf_ring_advance(sink->pool, POOL_BUFFERS);
}

static void make_table(struct sink *sink)
{
	struct rlimit files;
	int r;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	sink->table_size = files.rlim_max < TABLE_MAX ? (unsigned)files.rlim_max : TABLE_MAX;
	sink->table = calloc(sink->table_size, sizeof(*sink->table));
	sink->starving = calloc(sink->table_size, sizeof(*sink->starving));
	sink->wheel = calloc(WHEEL_SLOTS, sizeof(*sink->wheel));
	if (!sink->table || !sink->starving || !sink->wheel)
		sink_fail("out of memory");
	r = io_uring_register_files_sparse(&sink->ring, sink->table_size);
	if (r < 0)
		sink_fail("table of files: %s", strerror(-r));
}

/* Before 6.13: tables of files are cleared in the order of the operations that used them. */
static bool kernel_closes_late(void)
{
	struct utsname name;

	return uname(&name) < 0 || strverscmp(name.release, "6.13") < 0;
}

void sink_ring_run(struct sink *sink)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
		.cq_entries = CQ_ENTRIES,
	};
	struct io_uring_sqe *sqe;
	int r = io_uring_queue_init_params(SQ_ENTRIES, &sink->ring, &params);

	if (r < 0)
		sink_fail("io_uring_setup: %s", strerror(-r));
	sink->closes_late = kernel_closes_late();
	make_table(sink);
	make_pool(sink);
	read_clocks(sink);
	sink->wheel_ms = sink->now_us / 1000;
	for (unsigned i = 0; i < sink->options->listen_count; i++)
		arm_accept(sink, i);
	sqe = take_sqe(sink);
	io_uring_prep_poll_add(sqe, sink->stop_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, tag(OP_STOP, 0));
	while (!sink->stopped)
		turn(sink);
}

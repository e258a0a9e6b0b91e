#include "io/loopback.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static const struct ring_params usual = { .entries = 64, .files = 64, .accepted = 16, .buffers = 16,
					  .buffer_size = 1024 };

struct op {
	struct ring_op op;
	i32 result;
	u32 calls;
};

static void on_done(struct ring_op *op, i32 result)
{
	struct op *o = container_of(op, struct op, op);

	o->result = result;
	o->calls++;
}

struct receiver {
	struct ring_receive receive;
	struct ring *ring;
	size_t bytes;
	u8 sum; /* of all bytes, so that order and content count */
	bool ended;
	i32 result;
	i32 cancels; /* a handle to cancel when bytes come; -1: none */
};

static void on_bytes(struct ring_receive *receive, struct slice bytes)
{
	struct receiver *r = container_of(receive, struct receiver, receive);

	assert_false(r->ended);
	for (size_t i = 0; i < bytes.len; i++)
		r->sum = (u8)(r->sum * 31 + (u8)bytes.ptr[i]);
	r->bytes += bytes.len;
	if (r->cancels >= 0)
		ring_cancel(r->ring, r->cancels);
	r->cancels = -1;
}

static void on_end(struct ring_receive *receive, i32 result)
{
	struct receiver *r = container_of(receive, struct receiver, receive);

	assert_false(r->ended);
	r->ended = true;
	r->result = result;
}

static void receiver_init(struct receiver *r, struct ring *ring)
{
	*r = (struct receiver){ .ring = ring, .cancels = -1,
				.receive = { .bytes = on_bytes, .end = on_end } };
}

/* Connects to a listening socket of the host's; *fd is the other side. */
static i32 connect_pair(struct ring *ring, int listener, const struct net_address *at, int *fd)
{
	struct op connect = { .op.done = on_done };
	i32 handle = ring_socket(ring, at, NULL);

	assert_true(handle >= 0);
	ring_connect(ring, &connect.op, handle, at);
	assert_int_equal(connect.calls, 0);
	turn_until(ring, connect.calls);
	assert_int_equal(connect.result, 0);
	*fd = accept(listener, NULL, NULL);
	assert_true(*fd >= 0);
	return handle;
}

static void a_connection_carries_bytes_both_ways(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	struct receiver r;
	struct op send_op = { .op.done = on_done };
	struct iovec iov[2] = { { (void *)"hel", 3 }, { (void *)"lo", 2 } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	struct net_address at;
	int listener = loopback_listen(&at);
	char text[8] = "";
	int fd;
	i32 handle = connect_pair(ring, listener, &at, &fd);

	(void)state;
	receiver_init(&r, ring);
	ring_receive_start(ring, &r.receive, handle);
	ring_send(ring, &send_op.op, handle, &message);
	turn_until(ring, send_op.calls);
	assert_int_equal(send_op.result, 5);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_WAITALL | MSG_DONTWAIT), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(send(fd, "answer", 6, 0), 6);
	turn_until(ring, r.bytes == 6);
	close(fd);
	turn_until(ring, r.ended);
	assert_int_equal(r.result, 0);
	ring_shut(ring, handle);
	close(listener);
	loopback_ring_close(ring);
}

static void a_refused_connection_says_so(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	struct net_address nobody = loopback_free();
	struct op connect = { .op.done = on_done };
	i32 handle = ring_socket(ring, &nobody, NULL);

	(void)state;
	ring_connect(ring, &connect.op, handle, &nobody);
	turn_until(ring, connect.calls);
	assert_int_equal(connect.result, -ECONNREFUSED);
	ring_shut(ring, handle);
	loopback_ring_close(ring);
}

static void a_source_address_is_used_or_refused(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	const struct net_address from = { .family = 4, .ip = { 127, 0, 0, 77 } };
	const struct net_address foreign = { .family = 4, .ip = { 192, 0, 2, 1 } };
	struct op connect = { .op.done = on_done };
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	struct net_address at;
	int listener = loopback_listen(&at);
	i32 handle = ring_socket(ring, &at, &from);
	int fd;

	(void)state;
	assert_int_equal(ring_socket(ring, &at, &foreign), -EADDRNOTAVAIL);
	ring_connect(ring, &connect.op, handle, &at);
	turn_until(ring, connect.calls);
	fd = accept(listener, (struct sockaddr *)&peer, &len);
	assert_int_equal(ntohl(peer.sin_addr.s_addr), 0x7f00004d);
	close(fd);
	ring_shut(ring, handle);
	close(listener);
	loopback_ring_close(ring);
}

/* More connects in one turn than the queue has entries: each goes where it was sent. */
static void many_connects_at_once_keep_their_addresses(void **state)
{
	enum { COUNT = 40, PORTS = 8 };
	const struct ring_params small = { .entries = 8, .files = COUNT, .accepted = 0, .buffers = 2,
					   .buffer_size = 256 };
	struct ring *ring = loopback_ring(&small);
	struct op connects[COUNT];
	i32 handles[COUNT];
	int listeners[PORTS];
	struct net_address at[PORTS];
	u32 accepted;

	(void)state;
	for (u32 i = 0; i < PORTS; i++)
		listeners[i] = loopback_listen(&at[i]);
	for (u32 i = 0; i < COUNT; i++) {
		connects[i] = (struct op){ .op.done = on_done };
		handles[i] = ring_socket(ring, &at[i % PORTS], NULL);
		ring_connect(ring, &connects[i].op, handles[i], &at[i % PORTS]);
	}
	for (u32 i = 0; i < COUNT; i++) {
		turn_until(ring, connects[i].calls);
		assert_int_equal(connects[i].result, 0);
		ring_shut(ring, handles[i]);
	}
	for (u32 i = 0; i < PORTS; i++) {
		for (accepted = 0; accepted < COUNT / PORTS; accepted++)
			close(accept4(listeners[i], NULL, NULL, SOCK_NONBLOCK));
		close(listeners[i]);
	}
	loopback_ring_close(ring);
}

static void the_table_of_sockets_has_an_end(void **state)
{
	const struct ring_params small = { .entries = 8, .files = 5, .accepted = 2, .buffers = 2,
					   .buffer_size = 256 };
	struct ring *ring = loopback_ring(&small);
	struct net_address nobody = loopback_free();
	i32 handles[3];

	(void)state;
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < 3; i++) {
			handles[i] = ring_socket(ring, &nobody, NULL);
			assert_true(handles[i] >= 2 && handles[i] < 5);
		}
		assert_int_equal(ring_socket(ring, &nobody, NULL), -ENFILE);
		for (u32 i = 0; i < 3; i++)
			ring_shut(ring, handles[i]);
		ring_turn(ring, 0);
	}
	loopback_ring_close(ring);
}

static void a_stream_longer_than_all_buffers_arrives_whole(void **state)
{
	const struct ring_params small = { .entries = 16, .files = 8, .accepted = 0, .buffers = 2,
					   .buffer_size = 256 };
	struct ring *ring = loopback_ring(&small);
	struct ring_stats stats;
	struct receiver r;
	struct net_address at;
	int listener = loopback_listen(&at);
	char bytes[3001];
	u8 sum = 0;
	size_t sent = 0;
	int fd;
	i32 handle = connect_pair(ring, listener, &at, &fd);

	(void)state;
	receiver_init(&r, ring);
	ring_receive_start(ring, &r.receive, handle);
	for (u32 round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			bytes[i] = (char)(round + i * 7);
			sum = (u8)(sum * 31 + (u8)bytes[i]);
		}
		assert_int_equal(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		sent += sizeof(bytes);
		turn_until(ring, r.bytes == sent);
	}
	assert_int_equal(r.sum, sum);
	ring_stats(ring, &stats);
	assert_true(stats.no_buffers > 0);
	loopback_reset(fd);
	turn_until(ring, r.ended);
	assert_int_equal(r.result, -ECONNRESET);
	ring_shut(ring, handle);
	close(listener);
	loopback_ring_close(ring);
}

static void cancel_ends_everything_on_a_handle(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	static char bulk[8 << 20];
	struct receiver r;
	struct op send_op = { .op.done = on_done };
	struct iovec iov = { bulk, sizeof(bulk) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct net_address at;
	int listener = loopback_listen(&at);
	int fd;
	i32 handle = connect_pair(ring, listener, &at, &fd);

	(void)state;
	receiver_init(&r, ring);
	ring_receive_start(ring, &r.receive, handle);
	/* Sends until the peer, which does not read, has no room. */
	for (u32 calls = 1;; calls++) {
		ring_send(ring, &send_op.op, handle, &message);
		for (u32 i = 0; i < 20 && send_op.calls < calls; i++)
			ring_turn(ring, TURN_NS);
		if (send_op.calls < calls)
			break;
		assert_true(send_op.result > 0);
	}
	ring_cancel(ring, handle);
	turn_until(ring, r.ended);
	send_op.calls = 0;
	assert_int_equal(r.result, -ECANCELED);
	assert_true(send_op.result == -ECANCELED || send_op.result > 0);
	ring_shut(ring, handle);
	close(fd);
	close(listener);
	loopback_ring_close(ring);
}

/*
 * Both have bytes, there is one buffer: the first gets it, the second ends for want of one in the
 * same turn. Cancelled from the first's callback, the second must end, not start anew behind that.
 */
static void a_receive_without_buffers_can_be_cancelled(void **state)
{
	const struct ring_params one = { .entries = 16, .files = 8, .accepted = 0, .buffers = 1,
					 .buffer_size = 256 };
	struct ring *ring = loopback_ring(&one);
	struct receiver r[2];
	struct net_address at;
	int listener = loopback_listen(&at);
	int fds[2];
	i32 handles[2];

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		handles[i] = connect_pair(ring, listener, &at, &fds[i]);
		receiver_init(&r[i], ring);
		assert_int_equal(send(fds[i], "x", 1, 0), 1);
	}
	r[0].cancels = handles[1];
	for (u32 i = 0; i < 2; i++)
		ring_receive_start(ring, &r[i].receive, handles[i]);
	turn_until(ring, r[1].ended);
	assert_int_equal(r[1].bytes, 0);
	assert_int_equal(r[0].bytes, 1);
	ring_cancel(ring, handles[0]);
	turn_until(ring, r[0].ended);
	for (u32 i = 0; i < 2; i++) {
		ring_shut(ring, handles[i]);
		close(fds[i]);
	}
	close(listener);
	loopback_ring_close(ring);
}

static void a_handle_that_was_cancelled_serves_again(void **state)
{
	const struct ring_params one = { .entries = 16, .files = 1, .accepted = 0, .buffers = 1,
					 .buffer_size = 256 };
	struct ring *ring = loopback_ring(&one);
	struct net_address at;
	int listener = loopback_listen(&at);
	static const char text[700];

	(void)state;
	for (u32 round = 0; round < 3; round++) {
		struct receiver r;
		int fd;
		i32 handle = connect_pair(ring, listener, &at, &fd);

		receiver_init(&r, ring);
		ring_receive_start(ring, &r.receive, handle);
		/* Needs new starts for want of buffers, which a mark left behind would prevent. */
		assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
		turn_until(ring, r.bytes == sizeof(text));
		assert_false(r.ended);
		ring_cancel(ring, handle);
		turn_until(ring, r.ended);
		ring_shut(ring, handle);
		loopback_handles_end(ring);
		close(fd);
	}
	close(listener);
	loopback_ring_close(ring);
}

static void a_foreign_descriptor_is_waited_for_once(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	struct op poll = { .op.done = on_done };
	struct op gone = { .op.done = on_done };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	ring_poll(ring, &poll.op, ends[0]);
	ring_poll(ring, &gone.op, ends[0]);
	ring_turn(ring, 0);
	assert_int_equal(poll.calls, 0);
	ring_cancel_op(ring, &gone.op);
	turn_until(ring, gone.calls);
	assert_int_equal(gone.result, -ECANCELED);
	assert_int_equal(write(ends[1], "xx", 2), 2);
	turn_until(ring, poll.calls);
	ring_turn(ring, 0);
	assert_int_equal(poll.calls, 1);
	close(ends[0]);
	close(ends[1]);
	loopback_ring_close(ring);
}

static void later_runs_at_the_next_turn_which_does_not_wait(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	struct op a = { .op.done = on_done, .result = -1 };
	struct op b = { .op.done = on_done, .result = -1 };

	(void)state;
	ring_later(ring, &a.op);
	ring_later(ring, &b.op);
	assert_int_equal(a.calls, 0);
	ring_turn(ring, UINT64_MAX); /* would never end if it waited */
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(a.result, 0);
	ring_turn(ring, 0);
	assert_int_equal(a.calls, 1);
	loopback_ring_close(ring);
}

static void a_wait_ends_with_its_time(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	u64 start = clock_mono_ns();

	(void)state;
	assert_int_equal(ring_turn(ring, 3000000), 0);
	assert_true(clock_mono_ns() - start >= 3000000);
	loopback_ring_close(ring);
}

static void *wake_it(void *argument)
{
	ring_wake(argument);
	return NULL;
}

static void a_wake_ends_the_wait_or_the_next_one(void **state)
{
	struct ring *ring = loopback_ring(&usual);
	pthread_t thread;

	(void)state;
	for (u32 i = 0; i < 200; i++) {
		assert_int_equal(pthread_create(&thread, NULL, wake_it, ring), 0);
		ring_turn(ring, UINT64_MAX); /* a wake that is lost hangs here */
		pthread_join(thread, NULL);
	}
	/* Any number of wakes is one. */
	for (u32 i = 0; i < 5; i++)
		ring_wake(ring);
	ring_turn(ring, UINT64_MAX);
	assert_int_equal(ring_turn(ring, 0), 0);
	loopback_ring_close(ring);
}

/* Callbacks that submit more than the queue holds, while completions wait. */
struct repeater {
	struct op op;
	struct ring *ring;
	int fd;
	u32 left;
};

static void on_repeat(struct ring_op *op, i32 result)
{
	struct repeater *r = container_of(op, struct repeater, op.op);

	assert_true(result > 0);
	if (r->left-- > 1)
		ring_poll(r->ring, &r->op.op, r->fd);
}

static void callbacks_may_submit_beyond_the_queue(void **state)
{
	enum { COUNT = 300 };
	const struct ring_params tiny = { .entries = 4, .files = 4, .accepted = 0, .buffers = 2,
					  .buffer_size = 256 };
	struct ring *ring = loopback_ring(&tiny);
	static struct repeater repeaters[COUNT];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	for (u32 i = 0; i < COUNT; i++) {
		repeaters[i] = (struct repeater){ .op.op.done = on_repeat, .ring = ring,
						  .fd = ends[0], .left = 20 };
		ring_poll(ring, &repeaters[i].op.op, ends[0]);
	}
	for (u32 i = 0; i < COUNT; i++)
		turn_until(ring, repeaters[i].left == 0);
	close(ends[0]);
	close(ends[1]);
	loopback_ring_close(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_carries_bytes_both_ways),
		cmocka_unit_test(a_refused_connection_says_so),
		cmocka_unit_test(a_source_address_is_used_or_refused),
		cmocka_unit_test(many_connects_at_once_keep_their_addresses),
		cmocka_unit_test(the_table_of_sockets_has_an_end),
		cmocka_unit_test(a_stream_longer_than_all_buffers_arrives_whole),
		cmocka_unit_test(cancel_ends_everything_on_a_handle),
		cmocka_unit_test(a_receive_without_buffers_can_be_cancelled),
		cmocka_unit_test(a_handle_that_was_cancelled_serves_again),
		cmocka_unit_test(a_foreign_descriptor_is_waited_for_once),
		cmocka_unit_test(later_runs_at_the_next_turn_which_does_not_wait),
		cmocka_unit_test(a_wait_ends_with_its_time),
		cmocka_unit_test(a_wake_ends_the_wait_or_the_next_one),
		cmocka_unit_test(callbacks_may_submit_beyond_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

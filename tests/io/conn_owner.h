/* The owner of a connection in tests: what it was told, and in which order things must come. */
#ifndef TESTS_IO_CONN_OWNER_H
#define TESTS_IO_CONN_OWNER_H

#include "io/loopback.h"

#include "base/buf.h"
#include "base/text.h"
#include "io/conn.h"

static const struct ring_params params = { .entries = 64, .files = 32, .accepted = 8, .buffers = 8,
					   .buffer_size = 2048 };

struct owner {
	struct conn conn;
	struct buf heard;
	i32 connected; /* 1: not told yet */
	i32 sent;      /* 0: not told yet */
	i32 end;
	u32 ends;
	u32 sends; /* `sent`, how often */
	u32 tls_ends;
	bool tls_ok;
	bool may_send; /* was told so, or could when the handshake ended */
	bool closed;
	bool closes_at_bytes;
	bool took_nothing; /* as of the last `sent` */
};

static struct owner *owner_of(struct conn *conn)
{
	return container_of(conn, struct owner, conn);
}

static void on_connected(struct conn *conn, i32 result)
{
	owner_of(conn)->connected = result;
}

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct owner *o = owner_of(conn);

	assert_int_equal(o->ends, 0);
	buf_add_slice(&o->heard, bytes);
	if (o->closes_at_bytes)
		conn_close(conn);
}

static void on_sent(struct conn *conn, i32 result)
{
	owner_of(conn)->sent = result;
	owner_of(conn)->sends++;
	owner_of(conn)->took_nothing = conn_took_nothing(conn);
	owner_of(conn)->may_send |= conn_may_send(conn);
}

static void on_tls_ended(struct conn *conn, bool ok)
{
	owner_of(conn)->tls_ends++;
	owner_of(conn)->tls_ok = ok;
	owner_of(conn)->may_send = conn_may_send(conn);
}

static void on_ended(struct conn *conn, i32 result)
{
	owner_of(conn)->ends++;
	owner_of(conn)->end = result;
}

static void on_closed(struct conn *conn)
{
	assert_false(owner_of(conn)->closed);
	owner_of(conn)->closed = true;
}

static const struct conn_events events = { .connected = on_connected, .bytes = on_bytes,
					   .sent = on_sent, .tls_ended = on_tls_ended,
					   .ended = on_ended, .closed = on_closed };

static void owner_init(struct owner *o, struct ring *ring)
{
	*o = (struct owner){ .connected = 1 };
	buf_init(&o->heard, 8u << 20);
	conn_init(&o->conn, ring, &events);
}

static void owner_close(struct owner *o, struct ring *ring)
{
	conn_close(&o->conn);
	conn_close(&o->conn);
	assert_false(o->closed);
	turn_until(ring, o->closed);
	ring_turn(ring, 0); /* hands the close itself to the kernel */
	buf_done(&o->heard);
}

static inline void dial(struct owner *o, struct ring *ring, const struct net_address *at)
{
	owner_init(o, ring);
	assert_int_equal(conn_dial(&o->conn, at, NULL), 0);
	assert_false(conn_may_send(&o->conn));
	turn_until(ring, o->connected != 1);
}

static inline void send_all(struct owner *o, struct ring *ring, const char *bytes, size_t len)
{
	while (len > 0) {
		struct iovec iov[2] = { { (void *)bytes, len / 3 },
					{ (void *)(bytes + len / 3), len - len / 3 } };

		assert_true(conn_may_send(&o->conn));
		o->sent = 0;
		conn_send(&o->conn, iov, 2);
		assert_false(conn_may_send(&o->conn));
		turn_until(ring, o->sent != 0);
		assert_true(o->sent > 0 && (size_t)o->sent <= len);
		bytes += o->sent;
		len -= (size_t)o->sent;
	}
}

/* Nobody reads there: short sends until the kernel takes no more, and one that is under way. */
static inline void send_until_stuck(struct owner *o, struct ring *ring, struct iovec *iov)
{
	u32 sends;

	do {
		sends = o->sends;
		conn_send(&o->conn, iov, 1);
		for (u32 turn = 0; turn < 50 && o->sends == sends; turn++)
			ring_turn(ring, TURN_NS);
	} while (o->sends > sends && o->sent > 0);
	assert_int_equal(o->sends, sends);
}

#endif

#include "io/conn.h"

#include "base/check.h"
#include "base/text.h"

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define TLS_CHUNK (64 * 1024)
#ifndef SOL_TLS
#define SOL_TLS 282
#endif

enum { TLS_OFF, TLS_SHAKING, TLS_ON };

static void flush_tls(struct conn *conn);
static void be_late(struct conn *conn);

/* It is being tried whether the kernel encrypts: who does is not known for a moment. */
static bool is_joining(const struct conn *conn)
{
	return conn->kernel == CONN_KERNEL_ENABLING || conn->kernel == CONN_KERNEL_KEYING;
}

static void close_if_quiet(struct conn *conn)
{
	if (!conn->closing || conn->connecting || conn->sending || conn->receiving ||
	    conn->late_pending || is_joining(conn))
		return;
	if (conn->handle >= 0)
		ring_shut(conn->ring, conn->handle);
	conn->handle = -1;
	tls_close(conn->tls);
	conn->tls = NULL;
	conn->closing = false;
	conn->events->closed(conn);
}

static void receive_on(struct conn *conn)
{
	conn->receiving = true;
	ring_receive_start(conn->ring, &conn->receive, conn->handle);
}

static void on_connect(struct ring_op *op, i32 result)
{
	struct conn *conn = container_of(op, struct conn, connect);

	conn->connecting = false;
	if (conn->closing) {
		close_if_quiet(conn);
		return;
	}
	if (result == 0)
		receive_on(conn);
	conn->events->connected(conn, result);
}

/* Tells the owner once that this is over; a handshake under way has an event of its own for it. */
static void end(struct conn *conn, i32 result)
{
	bool shaking = conn->tls_state == TLS_SHAKING;

	if (conn->has_ended || conn->closing)
		return;
	conn->has_ended = true;
	conn->tls_state = shaking ? TLS_OFF : conn->tls_state;
	if (shaking)
		conn->events->tls_ended(conn, false);
	else
		conn->events->ended(conn, result);
}

/* Tells the owner once how the handshake came out. */
static void continue_handshake(struct conn *conn)
{
	enum tls_result result = tls_handshake(conn->tls);

	flush_tls(conn);
	if (result == TLS_AGAIN)
		return;
	conn->tls_state = result == TLS_OK ? TLS_ON : TLS_OFF;
	conn->events->tls_ended(conn, result == TLS_OK);
}

static void read_plaintext(struct conn *conn)
{
	char plain[4096];
	size_t got;
	enum tls_result result;

	while (!conn->closing && !conn->has_ended) {
		result = tls_read(conn->tls, plain, sizeof(plain), &got);
		if (result == TLS_AGAIN)
			break;
		if (result != TLS_OK) {
			end(conn, result == TLS_ENDED ? 0 : -EPROTO);
			return;
		}
		conn->events->bytes(conn, (struct slice){ plain, got });
	}
	conn->mute = conn->kernel == CONN_KERNEL_ON && tls_owes_keys(conn->tls);
	if (!conn->closing)
		flush_tls(conn); /* key updates and the like */
}

static void on_bytes(struct ring_receive *receive, struct slice bytes)
{
	struct conn *conn = container_of(receive, struct conn, receive);

	if (conn->closing || conn->has_ended)
		return;
	if (!conn->tls) {
		conn->events->bytes(conn, bytes);
		return;
	}
	tls_feed(conn->tls, bytes);
	if (conn->tls_state == TLS_SHAKING)
		continue_handshake(conn);
	/* Behind the end of the handshake there may be plaintext in the same packet. */
	if (conn->tls_state == TLS_ON && !conn->closing)
		read_plaintext(conn);
	tls_feed(conn->tls, (struct slice){ 0 }); /* the rest, if it was over: the ring's again */
}

static void on_receive_end(struct ring_receive *receive, i32 result)
{
	struct conn *conn = container_of(receive, struct conn, receive);

	conn->receiving = false;
	if (conn->closing) {
		close_if_quiet(conn);
		return;
	}
	if (result != -ECANCELED)
		end(conn, result);
	else if (!conn->paused)
		receive_on(conn); /* resumed before it had ended */
}

/* A TLS send ends when all its ciphertext is gone; then the plaintext counts as sent. */
static void on_cipher_sent(struct conn *conn, i32 result)
{
	u32 plain = conn->plain_bytes;
	bool own = conn->flushing;

	if (result > 0) {
		tls_sent(conn->tls, (size_t)result);
		if (conn->cipher_iov.iov_len > (size_t)result) {
			flush_tls(conn);
			if (conn->sending || conn->late_pending)
				return;
			/* The connection has ended: the rest cannot go. */
			result = -EPIPE;
		}
	}
	conn->plain_bytes = 0;
	conn->flushing = false;
	/* Ciphertext that could not go stays; it must not go later, when the owner has given up. */
	if (plain > 0 && result <= 0)
		conn->has_ended = true;
	if (plain > 0)
		conn->events->sent(conn, result > 0 ? (i32)plain : result);
	else if (own && result <= 0)
		end(conn, result);
	if (!conn->closing && conn->tls && !conn->sending)
		flush_tls(conn);
	/* The owner, who could not send meanwhile, would else never learn that it may now. */
	if (own && result > 0 && conn_may_send(conn))
		conn->events->sent(conn, 0);
}

static void on_send(struct ring_op *op, i32 result)
{
	struct conn *conn = container_of(op, struct conn, send);

	conn->sending = false;
	conn->moved = conn->moved || result > 0;
	if (conn->closing) {
		close_if_quiet(conn);
		return;
	}
	if (result == 0)
		result = -EPIPE;
	if (conn->tls && conn->kernel != CONN_KERNEL_ON)
		on_cipher_sent(conn, result);
	else
		conn->events->sent(conn, result);
}

/* The keys for the kernel and KEYING, or why there are none. */
static enum conn_kernel take_keys(struct conn *conn, struct slice *keys)
{
	switch (tls_hand_over(conn->tls, keys)) {
	case TLS_HANDOVER_READY:
		return CONN_KERNEL_KEYING;
	case TLS_HANDOVER_VERSION:
		return CONN_KERNEL_VERSION;
	case TLS_HANDOVER_CIPHER:
		return CONN_KERNEL_CIPHER;
	case TLS_HANDOVER_LACKING:
		return CONN_KERNEL_MISSING;
	default:
		return CONN_KERNEL_KEYS;
	}
}

/* Sockets take the protocol while they are connected (-ENOTCONN); they never give it back. */
static void on_enabled(struct conn *conn, i32 result)
{
	struct slice keys;

	if (result == 0) {
		conn->kernel = (u8)take_keys(conn, &keys);
		if (conn->kernel == CONN_KERNEL_KEYING)
			ring_set_option(conn->ring, &conn->option, conn->handle, SOL_TLS, TLS_TX,
					keys);
		return;
	}
	conn->kernel = CONN_KERNEL_REFUSED;
	if (result != -ENOTCONN) {
		conn->kernel = CONN_KERNEL_MISSING;
		tls_kernel_lacks(conn->tls);
	}
}

/*
 * A socket that has the protocol and no keys sends what it is given: OpenSSL goes on there as if
 * nothing had been.
 */
static void on_option(struct ring_op *op, i32 result)
{
	struct conn *conn = container_of(op, struct conn, option);

	if (conn->closing) {
		conn->kernel = CONN_KERNEL_REFUSED;
		close_if_quiet(conn);
		return;
	}
	if (conn->kernel == CONN_KERNEL_ENABLING)
		on_enabled(conn, result);
	else
		conn->kernel = result == 0 ? CONN_KERNEL_ON : CONN_KERNEL_REFUSED;
	if (is_joining(conn))
		return;
	tls_handed_over(conn->tls);
	conn->mute = conn->kernel == CONN_KERNEL_ON && tls_owes_keys(conn->tls);
	flush_tls(conn); /* what OpenSSL had to say meanwhile, if it goes on */
	if (!conn->sending && !conn->has_ended)
		conn->events->sent(conn, 0);
}

bool conn_encrypt_in_kernel(struct conn *conn)
{
	struct slice keys;

	ASSERT(conn_may_send(conn) && conn->tls && conn->kernel == CONN_KERNEL_UNASKED);
	conn->kernel = (u8)take_keys(conn, &keys);
	if (conn->kernel != CONN_KERNEL_KEYING) {
		tls_handed_over(conn->tls);
		return false;
	}
	conn->kernel = CONN_KERNEL_ENABLING;
	ring_set_option(conn->ring, &conn->option, conn->handle, IPPROTO_TCP, TCP_ULP,
			slice_of("tls"));
	return true;
}

enum conn_kernel conn_kernel(const struct conn *conn)
{
	return (enum conn_kernel)conn->kernel;
}

bool conn_is_mute(const struct conn *conn)
{
	return conn->mute;
}

/* What must not be told inside the call that caused it. */
static void on_late(struct ring_op *op, i32 result)
{
	struct conn *conn = container_of(op, struct conn, late);

	(void)result;
	conn->late_pending = false;
	if (conn->closing) {
		close_if_quiet(conn);
	} else if (conn->plain_bytes > 0) {
		conn->plain_bytes = 0;
		conn->has_ended = true;
		conn->events->sent(conn, -EPROTO);
	} else {
		end(conn, -EPROTO);
	}
}

static void be_late(struct conn *conn)
{
	if (!conn->late_pending)
		ring_later(conn->ring, &conn->late);
	conn->late_pending = true;
}

void conn_init(struct conn *conn, struct ring *ring, const struct conn_events *events)
{
	*conn = (struct conn){ .events = events, .ring = ring, .handle = -1 };
	conn->connect.done = on_connect;
	conn->send.done = on_send;
	conn->late.done = on_late;
	conn->option.done = on_option;
	conn->receive.bytes = on_bytes;
	conn->receive.end = on_receive_end;
}

i32 conn_dial(struct conn *conn, const struct net_address *to, const struct net_address *from)
{
	i32 handle = ring_socket(conn->ring, to, from);

	if (handle < 0)
		return handle;
	conn->handle = handle;
	conn->connecting = true;
	ring_connect(conn->ring, &conn->connect, handle, to);
	return 0;
}

void conn_adopt(struct conn *conn, i32 handle)
{
	conn->handle = handle;
	receive_on(conn);
}

void conn_pause(struct conn *conn)
{
	if (!conn->paused && conn->receiving && !conn->closing)
		ring_receive_stop(conn->ring, &conn->receive);
	conn->paused = true;
}

void conn_resume(struct conn *conn)
{
	if (conn->paused && !conn->receiving && !conn->closing && !conn->has_ended)
		receive_on(conn);
	conn->paused = false;
}

bool conn_may_send(const struct conn *conn)
{
	return conn->handle >= 0 && !conn->connecting && !conn->sending && !conn->closing &&
	       !conn->mute && !is_joining(conn) && !conn->has_ended && !conn->late_pending &&
	       conn->tls_state != TLS_SHAKING &&
	       (!conn->tls || conn->tls_state == TLS_ON);
}

static void start_send(struct conn *conn, struct iovec *iov, u32 count)
{
	conn->message = (struct msghdr){ .msg_iov = iov, .msg_iovlen = count };
	conn->sending = true;
	ring_send(conn->ring, &conn->send, conn->handle, &conn->message);
}

/*
 * Sends ciphertext that waits, unless some is under way already. Where the kernel encrypts there is
 * none but an alert, about a peer that is being left.
 */
static void flush_tls(struct conn *conn)
{
	struct slice cipher;

	if (conn->sending || conn->closing || conn->has_ended || conn->late_pending ||
	    is_joining(conn) || conn->kernel == CONN_KERNEL_ON)
		return;
	if (tls_cannot_send(conn->tls)) {
		be_late(conn);
		return;
	}
	cipher = tls_output(conn->tls);
	if (cipher.len == 0)
		return;
	conn->flushing = conn->plain_bytes == 0;
	conn->cipher_iov = (struct iovec){ (char *)cipher.ptr, cipher.len };
	start_send(conn, &conn->cipher_iov, 1);
}

void conn_send(struct conn *conn, struct iovec *iov, u32 count)
{
	enum tls_result result;
	size_t taken;

	ASSERT(conn_may_send(conn));
	conn->moved = false;
	if (!conn->tls || conn->kernel == CONN_KERNEL_ON) {
		start_send(conn, iov, count);
		return;
	}
	result = tls_write(conn->tls, iov, count, TLS_CHUNK, &taken);
	conn->plain_bytes = (u32)taken;
	if (result == TLS_OK)
		flush_tls(conn);
	else
		be_late(conn);
}

void conn_stop_sending(struct conn *conn)
{
	if (conn->sending && !conn->closing)
		ring_cancel_op(conn->ring, &conn->send);
}

bool conn_took_nothing(const struct conn *conn)
{
	return !conn->moved;
}

bool conn_start_tls(struct conn *conn, struct tls_context *context, const struct tls_peer *peer)
{
	ASSERT(!conn->sending && !conn->tls);
	conn->tls = tls_open(context, peer);
	if (!conn->tls)
		return false;
	if (tls_handshake(conn->tls) == TLS_FAILED)
		return false;
	conn->tls_state = TLS_SHAKING;
	flush_tls(conn);
	return true;
}

bool conn_accept_tls(struct conn *conn, struct tls_context *context, struct slice early)
{
	enum tls_result result = TLS_AGAIN;

	ASSERT(!conn->sending && !conn->tls);
	conn->tls = tls_accept(context);
	if (!conn->tls)
		return false;
	conn->tls_state = TLS_SHAKING;
	if (early.len > 0) {
		tls_feed(conn->tls, early);
		/* The client has a word to say behind this: only a failure ends here. */
		result = tls_handshake(conn->tls);
		tls_feed(conn->tls, SLICE_NONE);
		flush_tls(conn);
	}
	if (result != TLS_AGAIN)
		be_late(conn);
	return true;
}

const char *conn_why(const struct conn *conn)
{
	return conn->tls ? tls_why(conn->tls) : "no TLS";
}

void conn_close(struct conn *conn)
{
	if (conn->closing)
		return;
	conn->closing = true;
	if (conn->connecting || conn->sending || conn->receiving)
		ring_cancel(conn->ring, conn->handle);
	else
		be_late(conn);
}

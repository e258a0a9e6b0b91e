/*
 * The virtual network: connections as two byte streams, cut at any place, delayed, reset, half-closed.
 * Bytes that the sender's kernel took are on their way also when the sender dies.
 */
#include "sim.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

static u64 soon(const struct sim_conn *conn)
{
	const u64 us = receiver_host(conn)->latency_us;

	return world->mono_ns + (us / 2 + sim_below(us)) * 1000;
}

static void free_if_over(struct sim_conn *conn)
{
	if (!conn->client_open && !conn->server_open && !conn->dialing)
		conn->used = false;
}

static u32 slot_of(const struct sim_conn *conn)
{
	return (u32)(conn - world->conns);
}

/* ---- the sender's side ---- */

i32 net_dial(const struct net_address *to, const struct net_address *from)
{
	for (u32 i = 0; i < SIM_CONNS_MAX; i++) {
		struct sim_conn *conn = &world->conns[i];

		if (conn->used)
			continue;
		memset(conn, 0, offsetof(struct sim_conn, held));
		conn->used = true;
		conn->client_open = true;
		conn->site = to->ip[2];
		conn->host = to->ip[3];
		conn->source = from ? from->ip[3] : 0;
		conn->recipient = -1;
		conn->active_ns = world->mono_ns;
		conn->connect_at = conn->input_at = conn->output_at = UINT64_MAX;
		sim_trace("dial", i, (u64)conn->site << 8 | conn->host);
		return (i32)i;
	}
	return -ENFILE;
}

void net_connect(u32 slot)
{
	struct sim_conn *conn = &world->conns[slot];
	const struct sim_host *host = receiver_host(conn);

	conn->dialing = true;
	conn->started = true;
	check_session_limits();
	conn->connect_at = soon(conn);
	if (sim_chance(host->never_answers))
		conn->connect_at = UINT64_MAX;
	else if (sim_chance(host->refuses))
		conn->connect_result = -ECONNREFUSED;
}

i32 net_send(u32 slot, const struct msghdr *message)
{
	struct sim_conn *conn = &world->conns[slot];
	u32 room = SIM_C2S_MAX - conn->c2s_len;
	u32 taken = 0;

	conn->active_ns = world->mono_ns;
	if (!conn->server_open && sim_below(2))
		return -EPIPE;
	if (sim_chance(10) && room > 0)
		room = 1 + (u32)sim_below(room);
	for (size_t i = 0; i < message->msg_iovlen; i++) {
		const struct iovec *iov = &message->msg_iov[i];
		u32 len = (u32)min_size(iov->iov_len, room - taken);

		/* What comes behind the receiver's close is taken and lost, as by a real kernel. */
		if (conn->server_open)
			memcpy(conn->c2s + conn->c2s_len + taken, iov->iov_base, len);
		taken += len;
	}
	if (!conn->server_open)
		return (i32)taken;
	conn->c2s_len += taken;
	if (taken > 0 && conn->input_at == UINT64_MAX && !conn->silent)
		conn->input_at = soon(conn);
	sim_trace("send", slot, taken);
	return (i32)taken;
}

void net_client_closed(u32 slot)
{
	struct sim_conn *conn = &world->conns[slot];
	const u32 unseen = conn->c2s_len - conn->c2s_seen;

	sim_trace("closed", slot, conn->c2s_len);
	conn->client_open = false;
	conn->dialing = false;
	conn->client_fin = true;
	/* A close with unread replies is a reset, and that overtakes what the receiver did not read. */
	if (unseen > 0 && sim_chance(30))
		conn->c2s_len = conn->c2s_seen + (u32)sim_below(unseen);
	if (conn->server_open && conn->input_at == UINT64_MAX)
		conn->input_at = soon(conn);
	free_if_over(conn);
}

void net_sender_died(void)
{
	for (u32 i = 0; i < SIM_CONNS_MAX; i++) {
		if (world->conns[i].used && world->conns[i].client_open)
			net_client_closed(i);
	}
}

/* ---- the receiver's side ---- */

void net_consume(struct sim_conn *conn, u32 bytes)
{
	conn->c2s_len -= bytes;
	conn->c2s_seen -= bytes;
	memmove(conn->c2s, conn->c2s + bytes, conn->c2s_len);
	conn->active_ns = world->mono_ns;
	if (conn->client_open)
		ring_sim_may_send(slot_of(conn));
}

void net_say(struct sim_conn *conn, const char *text, size_t len)
{
	/* Behind its own end a receiver says no more, even if it goes on to read. */
	if (conn->mute)
		return;
	if (conn->s2c_len + len > SIM_S2C_MAX)
		sim_fail("a receiver's replies are not read: %u bytes wait", conn->s2c_len);
	memcpy(conn->s2c + conn->s2c_len, text, len);
	conn->s2c_len += (u32)len;
	if (conn->output_at == UINT64_MAX)
		conn->output_at = soon(conn);
}

void net_server_ends(struct sim_conn *conn, enum sim_after how)
{
	if (how == AFTER_NOTHING)
		return;
	sim_trace("ends", slot_of(conn), how);
	conn->end_due = !conn->mute;
	conn->mute = true;
	conn->end_result = how == AFTER_RESET ? -ECONNRESET : 0;
	if (how == AFTER_RESET)
		conn->s2c_len = (u32)sim_below(conn->s2c_len + 1);
	conn->server_open = how == AFTER_HALF_CLOSE;
	conn->output_at = soon(conn);
	if (!conn->server_open) {
		conn->c2s_len = conn->c2s_seen = 0;
		conn->input_at = UINT64_MAX;
		if (conn->client_open)
			ring_sim_may_send(slot_of(conn));
	}
}

/* ---- events ---- */

static void connected(struct sim_conn *conn)
{
	conn->dialing = false;
	conn->connect_at = UINT64_MAX;
	conn->active_ns = world->mono_ns;
	sim_trace("connected", slot_of(conn), (u64)-conn->connect_result);
	if (conn->connect_result == 0) {
		conn->server_open = true;
		receiver_start(conn);
	}
	ring_sim_connected(slot_of(conn), conn->connect_result);
}

static void hear(struct sim_conn *conn)
{
	u32 unseen = conn->c2s_len - conn->c2s_seen;

	conn->input_at = UINT64_MAX;
	if (unseen > 0)
		conn->c2s_seen += sim_below(4) ? unseen : 1 + (u32)sim_below(unseen);
	if (!conn->silent)
		receiver_run(conn);
	if (!conn->server_open) {
		free_if_over(conn);
		return;
	}
	if (conn->held_at && !conn->silent)
		conn->input_at = conn->held_at;
	else if (conn->c2s_len > conn->c2s_seen && !conn->silent)
		conn->input_at = soon(conn);
	else if (conn->client_fin) {
		conn->server_open = false;
		free_if_over(conn);
	}
}

static void deliver(struct sim_conn *conn)
{
	const u32 slot = slot_of(conn);
	u32 len;

	conn->output_at = UINT64_MAX;
	if (!ring_sim_receives(slot)) {
		conn->output_at = world->mono_ns + NS_PER_MS;
		return;
	}
	if (conn->s2c_len > 0) {
		len = sim_below(3) ? conn->s2c_len : 1 + (u32)sim_below(conn->s2c_len);
		len = min_u32(len, 2048);
		ring_sim_bytes(slot, conn->s2c, len);
		conn->s2c_len -= len;
		memmove(conn->s2c, conn->s2c + len, conn->s2c_len);
	} else if (conn->end_due) {
		conn->end_due = false;
		ring_sim_ended(slot, conn->end_result);
		return;
	}
	if (conn->s2c_len > 0 || conn->end_due)
		conn->output_at = soon(conn);
}

void net_advance(void)
{
	for (u32 i = 0; i < SIM_CONNS_MAX; i++) {
		struct sim_conn *conn = &world->conns[i];

		if (conn->used && conn->dialing && conn->connect_at <= world->mono_ns)
			connected(conn);
		if (conn->used && conn->server_open && conn->input_at <= world->mono_ns)
			hear(conn);
		if (conn->used && conn->client_open && conn->output_at <= world->mono_ns)
			deliver(conn);
	}
}

u64 net_next(void)
{
	u64 next = UINT64_MAX;

	for (u32 i = 0; i < SIM_CONNS_MAX; i++) {
		const struct sim_conn *conn = &world->conns[i];

		if (!conn->used)
			continue;
		if (conn->dialing)
			next = min_u64(next, conn->connect_at);
		if (conn->server_open)
			next = min_u64(next, conn->input_at);
		if (conn->client_open)
			next = min_u64(next, conn->output_at);
	}
	return next;
}

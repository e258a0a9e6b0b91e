/*
 * io/ring.h over the virtual network. As with the real one, what is started is acted upon by the next
 * turn, completions are queued and run from ring_turn, a cancelled operation still has its own end. A
 * turn never waits: one with nothing to do leaves word until when, and the simulator moves the clock.
 */
#include "io/ring.h"

#include "sim.h"

#include "base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { START_CONNECT, START_SEND, START_RECEIVE, START_STOP, START_CANCEL, START_CANCEL_OP, START_SHUT,
	    START_OPTION,
	    DONE_OP, DONE_BYTES, DONE_END };

/* Something started, or something that completed. */
struct item {
	struct item *next;
	enum kind kind;
	u32 slot;
	void *owner;
	struct msghdr *message;
	i32 result;
	char bytes[];
};

struct items {
	struct item *first;
	struct item *last;
};

struct ring {
	struct items started;
	struct items done;
	struct ring_op *later;
	struct ring_stats stats;
	bool woken;
	bool idle;
	u64 wake_at;
};

/* What is in the kernel's hands of one connection. */
static struct side {
	struct ring *ring;
	struct ring_op *connect;
	struct ring_op *send;
	struct msghdr *message;
	struct ring_receive *receive;
	bool cancelled;
	bool shut;
} sides[SIM_CONNS_MAX];

static struct ring *last_opened;

static struct item *make(enum kind kind, u32 slot, void *owner, const char *bytes, u32 len)
{
	struct item *item = malloc(sizeof(*item) + len);

	ASSERT(item);
	*item = (struct item){ .kind = kind, .slot = slot, .owner = owner, .result = (i32)len };
	if (len > 0)
		memcpy(item->bytes, bytes, len);
	return item;
}

static void add(struct items *items, struct item *item)
{
	if (items->last)
		items->last->next = item;
	else
		items->first = item;
	items->last = item;
}

static struct item *take(struct items *items)
{
	struct item *item = items->first;

	if (item)
		items->first = item->next;
	if (!items->first)
		items->last = NULL;
	return item;
}

struct ring *ring_open(const struct ring_params *params, struct error *error)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	(void)params;
	(void)error;
	ASSERT(ring);
	last_opened = ring;
	return ring;
}

struct ring *ring_sim_last_opened(void)
{
	return last_opened;
}

i32 ring_socket(struct ring *ring, const struct net_address *to, const struct net_address *from)
{
	i32 slot;

	sim_step();
	slot = net_dial(to, from);
	if (slot < 0)
		return slot;
	sides[slot] = (struct side){ .ring = ring };
	ring->stats.open_handles++;
	return slot;
}

static void start(struct ring *ring, enum kind kind, i32 handle, void *owner, struct msghdr *message)
{
	struct item *item;

	sim_step();
	ASSERT(handle >= 0 && handle < SIM_CONNS_MAX && sides[handle].ring == ring);
	ASSERT(!sides[handle].shut);
	item = make(kind, (u32)handle, owner, NULL, 0);
	item->message = message;
	add(&ring->started, item);
}

void ring_connect(struct ring *ring, struct ring_op *op, i32 handle, const struct net_address *to)
{
	(void)to;
	ring->stats.in_flight++;
	start(ring, START_CONNECT, handle, op, NULL);
}

void ring_send(struct ring *ring, struct ring_op *op, i32 handle, struct msghdr *message)
{
	ring->stats.in_flight++;
	start(ring, START_SEND, handle, op, message);
}

/* This world's kernel is one that knows nothing of it. */
void ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
		     struct slice value)
{
	(void)level;
	(void)name;
	(void)value;
	ring->stats.in_flight++;
	start(ring, START_OPTION, handle, op, NULL);
}

void ring_receive_start(struct ring *ring, struct ring_receive *receive, i32 handle)
{
	ring->stats.in_flight++;
	receive->handle = handle;
	start(ring, START_RECEIVE, handle, receive, NULL);
}

void ring_receive_stop(struct ring *ring, struct ring_receive *receive)
{
	start(ring, START_STOP, receive->handle, receive, NULL);
}

void ring_cancel(struct ring *ring, i32 handle)
{
	start(ring, START_CANCEL, handle, NULL, NULL);
}

void ring_cancel_op(struct ring *ring, struct ring_op *op)
{
	sim_step();
	add(&ring->started, make(START_CANCEL_OP, 0, op, NULL, 0));
}

void ring_shut(struct ring *ring, i32 handle)
{
	start(ring, START_SHUT, handle, NULL, NULL);
	sides[handle].shut = true;
}

void ring_later(struct ring *ring, struct ring_op *op)
{
	op->next = ring->later;
	ring->later = op;
}

/* ---- what the network tells ---- */

static void op_done(struct side *side, struct ring_op **op, i32 result)
{
	struct item *item = make(DONE_OP, 0, *op, NULL, 0);

	item->result = result;
	add(&side->ring->done, item);
	*op = NULL;
}

void ring_sim_connected(u32 slot, i32 result)
{
	if (sides[slot].connect)
		op_done(&sides[slot], &sides[slot].connect, result);
}

bool ring_sim_receives(u32 slot)
{
	return sides[slot].receive != NULL;
}

void ring_sim_bytes(u32 slot, const char *bytes, u32 len)
{
	add(&sides[slot].ring->done, make(DONE_BYTES, slot, sides[slot].receive, bytes, len));
}

void ring_sim_ended(u32 slot, i32 result)
{
	struct side *side = &sides[slot];
	struct item *item = make(DONE_END, slot, side->receive, NULL, 0);

	item->result = result;
	add(&side->ring->done, item);
	side->receive = NULL;
}

void ring_sim_may_send(u32 slot)
{
	struct side *side = &sides[slot];
	i32 result;

	if (!side->send)
		return;
	result = net_send(slot, side->message);
	if (result != 0)
		op_done(side, &side->send, result);
}

/* ---- turns ---- */

static void cancel(u32 slot)
{
	struct side *side = &sides[slot];

	side->cancelled = true;
	if (side->connect)
		op_done(side, &side->connect, -ECANCELED);
	if (side->send)
		op_done(side, &side->send, -ECANCELED);
	if (side->receive)
		ring_sim_ended(slot, -ECANCELED);
}

/* A send; it may have ended meanwhile. */
static void cancel_op(const struct ring_op *op)
{
	for (u32 i = 0; i < SIM_CONNS_MAX; i++) {
		if (sides[i].send == op)
			op_done(&sides[i], &sides[i].send, -ECANCELED);
	}
}

static void receive(u32 slot, struct ring_receive *owner)
{
	sides[slot].receive = owner;
	if (sides[slot].cancelled)
		ring_sim_ended(slot, -ECANCELED);
}

static void act(struct ring *ring, const struct item *item)
{
	struct side *side = &sides[item->slot];
	struct ring_op *option = item->owner;

	switch (item->kind) {
	case START_CONNECT:
		side->connect = item->owner;
		net_connect(item->slot);
		break;
	case START_SEND:
		ASSERT(!side->send);
		side->send = item->owner;
		side->message = item->message;
		ring_sim_may_send(item->slot);
		break;
	case START_RECEIVE:
		receive(item->slot, item->owner);
		break;
	case START_STOP:
		if (side->receive)
			ring_sim_ended(item->slot, -ECANCELED);
		break;
	case START_CANCEL:
		cancel(item->slot);
		break;
	case START_OPTION:
		op_done(side, &option, -EOPNOTSUPP);
		break;
	case START_CANCEL_OP:
		cancel_op(item->owner);
		break;
	default:
		if (side->connect || side->send || side->receive)
			sim_fail("a socket was closed with operations in flight");
		side->ring = NULL;
		ring->stats.open_handles--;
		net_client_closed(item->slot);
	}
}

static void act_on_started(struct ring *ring)
{
	struct item *item;

	while ((item = take(&ring->started))) {
		act(ring, item);
		free(item);
	}
}

static void complete(struct ring *ring, const struct item *item)
{
	struct ring_receive *receiver = item->owner;
	struct ring_op *op = item->owner;

	if (item->kind != DONE_BYTES)
		ring->stats.in_flight--;
	if (item->kind == DONE_OP)
		op->done(op, item->result);
	else if (item->kind == DONE_BYTES)
		receiver->bytes(receiver, (struct slice){ item->bytes, (size_t)item->result });
	else
		receiver->end(receiver, item->result);
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

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	act_on_started(ring);
	if (ring->stats.in_flight > 0 || ring->stats.open_handles > 0)
		sim_fail("a ring was closed with %u operations in flight, %u sockets open",
			 ring->stats.in_flight, ring->stats.open_handles);
	free(ring);
}

u32 ring_turn(struct ring *ring, u64 timeout_ns)
{
	struct items done;
	struct item *item;
	bool busy = run_later(ring);
	u32 count = 0;

	busy |= ring->started.first != NULL || ring->woken || ring->later;
	ring->woken = false;
	act_on_started(ring);
	/* Some of what is there: the rest is met by the next turn. */
	done = ring->done;
	while (done.first && (count == 0 || sim_below(8) > 0)) {
		item = take(&done);
		ring->done = done;
		complete(ring, item);
		done = ring->done;
		free(item);
		count++;
	}
	ring->idle = !busy && count == 0 && !ring->done.first && timeout_ns > 0;
	ring->wake_at = timeout_ns == UINT64_MAX ? UINT64_MAX : world->mono_ns + timeout_ns;
	ring->stats.turns++;
	ring->stats.completions += count;
	return count;
}

bool ring_sim_is_idle(const struct ring *ring, u64 *wake_at)
{
	*wake_at = ring->wake_at;
	return ring->idle && !ring->woken && !ring->done.first && !ring->started.first && !ring->later;
}

void ring_wake(struct ring *ring)
{
	ring->woken = true;
}

void ring_stats(const struct ring *ring, struct ring_stats *stats)
{
	*stats = ring->stats;
}

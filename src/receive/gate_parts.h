/*
 * Between gate.c (listeners, limits, addresses) and visitor.c (one connection). Nobody else
 * includes this.
 */
#ifndef RECEIVE_GATE_PARTS_H
#define RECEIVE_GATE_PARTS_H

#include "base/list.h"
#include "base/map.h"
#include "base/net_address.h"
#include "io/conn.h"
#include "receive/gate.h"
#include "smtp/server.h"

/* What the limit per client is about: an IPv4 address, or the first half of an IPv6 address. */
#define CLIENT_KEY_SIZE 9

struct gate_client {
	u8 key[CLIENT_KEY_SIZE]; /* family and address */
	u32 visitors;
};

/* What a listener's clients come for. */
enum gate_door { GATE_MX, GATE_SUBMISSION, GATE_SUBMISSION_TLS, GATE_SUBMISSION_CLEAR, GATE_DOORS };

struct gate_listener {
	struct gate *gate;
	enum gate_door door;
	struct ring_op op;
	struct timer again; /* polls again, when there was no room for a connection */
	int fd;
	bool polling;
};

struct gate {
	struct gate_params params;
	struct smtp_server_params servers[GATE_DOORS];
	struct gate_listener listeners[GATE_DOORS * CONFIG_LIST_MAX];
	u32 listener_count;
	struct map clients; /* key -> struct gate_client */
	struct list visitors;
	u32 visitor_count;
	u64 held; /* bytes of memory for what visitors hold */
	bool leaving;
};

/* gate.c */
/* Whether mail for that mailbox is ours. */
bool gate_takes(const struct gate *gate, const struct smtp_mailbox *to);
/* A visitor of that client is gone. */
void gate_forget(struct gate *gate, struct gate_client *client);

/* visitor.c: owns the handle from here on, and frees itself. False: no memory; the handle stays. */
bool visitor_enter(struct gate *gate, enum gate_door door, i32 handle,
		   const struct net_address *peer, struct gate_client *client) MUST_CHECK;
struct visitor;
struct visitor *visitor_of(struct list *node);
void visitor_leave(struct visitor *visitor);
void visitor_break_off(struct visitor *visitor);

#endif

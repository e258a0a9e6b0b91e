/*
 * Where mail comes in: listens, and holds the connections of all clients on one ring. How many
 * there may be in all, and of one client (an IPv4 address, an IPv6 /64), is limited; who is beyond
 * is closed without a word, since a word costs what the limit is there to save.
 *
 * Mail is taken for the customers of the configuration only, and there for the addresses that this
 * product makes or a host has to have: envelope senders (the customer's `bounce` prefix, alone or
 * with "-..." behind it), unsubscribe addresses, postmaster and abuse. Nothing is relayed
 * but what users hand in at the doors that are for them: submission.h.
 */
#ifndef RECEIVE_GATE_H
#define RECEIVE_GATE_H

#include "base/config.h"
#include "base/error.h"
#include "io/ring.h"
#include "io/timer.h"
#include "io/tls.h"
#include "receive/meter.h"
#include "receive/reader.h"
#include "receive/spool.h"
#include "receive/submission.h"

struct gate;

struct gate_params {
	struct ring *ring; /* its files: 2 more than config->receive.connections */
	struct timer_wheel *wheel;
	struct spool *spool;
	struct submission *submission; /* NULL: there is none */
	struct tls_context *tls; /* a server's */
	struct meter *meter;
	struct reader *reader; /* of the spool */
	const struct config *config;
};

struct gate *gate_open(const struct gate_params *params, struct error *error) MUST_CHECK;
/* No more clients; those that are there hear 421 behind the message that they are at. */
void gate_leave(struct gate *gate);
bool gate_is_empty(const struct gate *gate);
/*
 * Breaks off what is under way, turns the ring until nothing of it is in flight, and frees. NULL is
 * fine.
 */
void gate_close(struct gate *gate);

#endif

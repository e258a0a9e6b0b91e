/*
 * The receiver of the self-test: takes one message from one SMTP client at a time, on loopback,
 * without extensions. Blocking, with a deadline for everything.
 */
#ifndef SEND_SELFTEST_SINK_H
#define SEND_SELFTEST_SINK_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

/* A listening socket at `at` ("127.0.0.1:2599"); -1 and a sentence. */
int selftest_sink_open(const char *at, struct error *error) MUST_CHECK;

/*
 * Waits for a message until the deadline (monotonic) and keeps it in wire form, without
 * dot-stuffing. It is accepted with 250. False: none came, or the client broke off.
 */
bool selftest_sink_take(int listener, struct buf *message, u64 deadline_ns,
			struct error *error) MUST_CHECK;

#endif

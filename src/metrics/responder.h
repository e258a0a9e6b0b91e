/*
 * A small HTTP/1.1 server on the ring for scrapers: GET and HEAD of /metrics (the exposition, in
 * OpenMetrics when Accept prefers it) and of /healthz ("ok"). One answer per connection, then it is
 * closed. For the admin address: there is no TLS and nobody is asked who they are.
 *
 * Bounds: RESPONDER_CLIENTS_MAX connections (more are closed at once), a head of HTTP_HEAD_MAX
 * bytes within 10 s, an answer that is read within 30 s, RESPONDER_BYTES_MAX of answers under way
 * (beyond: 503). A client that ends its side before it has read a long answer may get only the
 * first part.
 *
 * It runs in the thread of the ring: the caller's loop turns the ring and advances the wheel. The
 * ring's `accepted` should leave RESPONDER_CLIENTS_MAX sockets, and `files` two more.
 */
#ifndef METRICS_RESPONDER_H
#define METRICS_RESPONDER_H

#include "base/error.h"
#include "base/net_address.h"
#include "io/ring.h"
#include "io/timer.h"
#include "metrics/metrics.h"

#define RESPONDER_CLIENTS_MAX 64
#define RESPONDER_BYTES_MAX (2 * METRICS_EXPOSITION_MAX)

struct metrics_responder;

/* Listens at once. NULL with `error` set when the address cannot be had or there is no memory. */
struct metrics_responder *metrics_responder_open(struct ring *ring, struct timer_wheel *wheel,
						 const struct net_address *at,
						 const struct metrics *metrics,
						 struct error *error) MUST_CHECK;
/*
 * The same for the page of another role: `expose` adds it to a buffer with a maximum of
 * METRICS_EXPOSITION_MAX, as metrics_expose does, from the thread of the ring.
 */
struct metrics_responder *metrics_responder_open_for(
	struct ring *ring, struct timer_wheel *wheel, const struct net_address *at,
	void (*expose)(const void *of, bool openmetrics, struct buf *out), const void *of,
	struct error *error) MUST_CHECK;
/*
 * Breaks off what is under way, turns the ring until nothing of it is in flight, and frees. Not to
 * be called from a completion. NULL is fine.
 */
void metrics_responder_close(struct metrics_responder *responder);

#endif

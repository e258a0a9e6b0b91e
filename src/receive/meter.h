/*
 * Counters of the role that takes mail in, and its page of metrics. Each word is written by one
 * thread, the ring's or the reader's, and read by any (metrics/metrics.h).
 */
#ifndef RECEIVE_METER_H
#define RECEIVE_METER_H

#include "base/buf.h"
#include "base/types.h"
#include "receive/forward.h"

enum meter_refusal {
	METER_NO_PLACE,     /* a connection beyond the limits */
	METER_NO_ROOM,      /* a message, or its beginning: the spool or the disk is full */
	METER_NO_RECIPIENT, /* a recipient that is not ours */
	METER_DISK,         /* a message that could not be made durable */
	METER_REFUSALS,
};

struct meter {
	/* The ring's thread: */
	u64 connections; /* since the start */
	u64 open;        /* now */
	u64 refused[METER_REFUSALS];
	u64 messages;    /* durable */
	u64 bytes;       /* of them */
	/* The reader's: */
	_Alignas(CACHE_LINE) u64 kinds[REPORT_COMPLAINT + 1]; /* messages read */
	u64 forwarded;
	u64 not_forwarded[FORWARD_TOO_MANY + 1]; /* by enum forward_verdict */
	u64 bad;         /* files that cannot be read, or that the sender refuses */
	u64 spool_files; /* as counted last */
	u64 spool_bytes;
	u64 spool_oldest_ms;
	u64 waits;       /* 1: the sender is away, or has no room */
};

/* The page, as metrics_responder_open_for calls it. */
void meter_expose(const void *meter, bool openmetrics, struct buf *out);

#endif

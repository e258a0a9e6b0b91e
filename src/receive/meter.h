/*
 * Counters of the role that takes mail in, and its page of metrics. Each word is written by one
 * thread, the ring's, the reader's or the handover's, and read by any (metrics/metrics.h).
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

enum meter_sign_in {
	METER_SIGNED_IN,
	METER_WRONG,  /* name or password */
	METER_LATER,  /* not asked about: too many failures before, or too many at once */
	METER_SIGN_INS,
};

struct meter {
	/* The ring's thread: */
	u64 connections; /* since the start */
	u64 open;        /* now */
	u64 refused[METER_REFUSALS];
	u64 messages;    /* durable, those that users handed in among them */
	u64 bytes;       /* of them */
	u64 sign_ins[METER_SIGN_INS];
	u64 submitted;         /* messages that users handed in */
	u64 submitted_refused; /* for what they are, or whom they say they are from */
	/* The reader's: */
	_Alignas(CACHE_LINE) u64 kinds[REPORT_COMPLAINT + 1]; /* messages read */
	u64 forwarded;
	u64 not_forwarded[FORWARD_TOO_MANY + 1]; /* by enum forward_verdict */
	u64 bad;         /* files that cannot be read, or that the sender refuses */
	u64 spool_files; /* as counted last */
	u64 spool_bytes;
	u64 spool_oldest_ms;
	u64 waits;       /* 1: the sender is away, or has no room */
	/* Of what brings to the sender what users handed in (handover.h): */
	_Alignas(CACHE_LINE) u64 handed_over;
	u64 handover_bad;   /* the sender refuses them for good */
	u64 handover_waits; /* 1: the sender is away, or has no room */
};

/* The page, as metrics_responder_open_for calls it. */
void meter_expose(const void *meter, bool openmetrics, struct buf *out);

#endif

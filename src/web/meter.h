/*
 * Counters of the role `web`, and its page of metrics. Each word is written by one thread and read
 * by any (metrics/metrics.h): a block for each worker, one for the scribe.
 */
#ifndef WEB_METER_H
#define WEB_METER_H

#include "metrics/metrics.h"
#include "base/config.h"
#include "store/audience.h"

#define METER_WORKERS_MAX 16

/* What was asked for, by where it is. */
enum meter_kind {
	METER_API,
	METER_ADMIN,
	METER_OPEN,	   /* a picture that tells of an open */
	METER_CLICK,	   /* a link */
	METER_IMAGE,	   /* of a mail */
	METER_UNSUBSCRIBE, /* and preferences */
	METER_FORM,
	METER_OTHER, /* archive, what is not there */
	METER_KINDS,
};

struct meter_worker {
	_Alignas(CACHE_LINE) u64 answers[METER_KINDS][5]; /* by the status's first digit */
	struct metrics_histogram times[METER_KINDS];	  /* from connection to answer */
	u64 reactions_kept;    /* opens and clicks */
	u64 reactions_dropped; /* too many at once, or no room */
	u64 turned_away; /* connections: too many at once, or no memory */
	u64 open;	 /* now */
};

struct meter_scribe {
	_Alignas(CACHE_LINE) u64 orders;
	u64 failed; /* of them: no room, or the store is broken */
	struct metrics_histogram commit; /* of one transaction, applying included */
};

struct meter {
	struct meter_worker workers[METER_WORKERS_MAX];
	struct meter_scribe scribe;
	u32 worker_count;
	struct audience *audience;
	struct audience_txn *reader; /* of the thread that shows the page */
	const struct config *config; /* whose customers' identity is shown */
};

/* By the path ("/t/c/..."), query included or not. */
enum meter_kind web_meter_kind_of(struct slice target);

/* The page, as metrics_responder_open_for calls it, on the thread of `reader`. */
void web_meter_expose(const void *meter, bool openmetrics, struct buf *out);

#endif

/*
 * What became of mail, by day and receiver: kept for ARRIVAL_DAYS, for the page that shows how mail
 * arrives. All mail counts, of campaigns and of programs.
 */
#ifndef STORE_AUDIENCE_ARRIVAL_H
#define STORE_AUDIENCE_ARRIVAL_H

#include "store/audience.h"

#define ARRIVAL_DAYS 400

enum arrival_kind { /* values are stored */
	ARRIVAL_DELIVERED = 1,
	ARRIVAL_BOUNCED,    /* refused for good, at once or later */
	ARRIVAL_DEFERRED,   /* attempts that are made again */
	ARRIVAL_COMPLAINED,
	ARRIVAL_KINDS,
};

struct arrival {
	u32 day;  /* since 1970 */
	u32 site; /* number of the receiver (campaign/delivery_note.h) */
	enum arrival_kind kind;
	u32 class; /* enum smtp_class, of bounces and deferrals; else 0 */
	u64 count;
};

/* Adds arrival->count. */
enum store_result arrival_add(struct audience_txn *txn, const struct arrival *arrival) MUST_CHECK;
/*
 * The one behind *arrival, in order of day, site, kind and class; a day and zeros: the first one of
 * that day or later. NOT_FOUND: there are no more.
 */
enum store_result arrival_next(struct audience_txn *txn, struct arrival *arrival) MUST_CHECK;
/* Removes some of those that are ARRIVAL_DAYS old on that day; they are gone after a few calls. */
enum store_result arrival_sweep(struct audience_txn *txn, u32 today) MUST_CHECK;

#endif

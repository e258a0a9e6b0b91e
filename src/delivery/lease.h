/*
 * A lease: one row that the planner lent to a worker. It travels to the worker through one queue
 * and back through another; whoever holds it owns it. Its journal slot has the same index, so that
 * what the worker notes there survives a crash of the process.
 */
#ifndef DELIVERY_LEASE_H
#define DELIVERY_LEASE_H

#include "base/list.h"
#include "base/types.h"
#include "delivery/path.h"
#include "smtp/client.h"
#include "store/journal.h"
#include "store/queue.h"

#include <string.h>

#define LEASE_REPLY_MAX 200
#define LEASE_TLS_BITS 64

/* What came of TLS with a host, to be counted for the lease's domain. */
struct lease_tls {
	u8 outcome; /* enum tls_outcome; UNKNOWN: nothing */
	u16 count;
	struct net_address host;
	const char *reason; /* a constant; "": none */
};

struct mailing; /* a campaign as workers see it: mailing.h */
struct draft;
struct planner_letter;

/*
 * Rows are copied out of the store in blocks; a block is free again when all its leases are back.
 */
struct lease_block;

struct lease {
	struct list node; /* the holder's */
	u32 index;        /* of the lease and of its journal slot */
	u32 worker;
	struct journal_slot *slot;
	struct lease_block *block;
	const struct mailing *mailing;
	struct path *path; /* one reference */
	u32 recalls;       /* of the path, before it was lent */
	struct planner_route *route; /* the planner's own */
	struct planner_letter *letter; /* likewise; NULL: a row of a campaign */
	struct draft *draft; /* composed and signed ahead; the worker's own, mostly NULL */
	u64 batch;         /* number of the lease record that names it */

	/* The row. */
	struct row_ref ref;
	struct slice address;
	struct slice values;
	size_t values_head; /* bytes of them that are not merge values */
	u64 date_ms;
	u64 since_ms;          /* its age counts from here, by the sender's own clock */
	u32 attempts;
	u32 flags;             /* enum row_flag */
	bool is_urgent;        /* somebody waits for it: goes before those that are not */
	struct net_address same_host; /* family 0: none; else where the first copy may be */

	/* What became of it, set by the worker. */
	enum smtp_verdict verdict;
	enum smtp_stage stage;
	enum smtp_failure failure; /* why the session ended, when that decided it */
	u8 action;                 /* enum outcome_action; the planner's own */
	bool site_failed;          /* no address of the path could be reached or would talk */
	u8 returns;                /* times it came back to the ready list unsent */
	u16 code;
	u16 enhanced[3];
	u32 elapsed_ms;
	u32 bytes;                 /* of the message, when all of it went out; else 0 */
	u8 tls;                    /* enum log_tls, and why so: */
	u8 tls_policy;             /* enum log_policy */
	bool tls_proven;           /* the peer proved what that asks for */
	struct net_address host;   /* family 0: never reached one */
	u8 reply_class;            /* enum smtp_class; the planner's own */
	bool reply_guessed;        /* no pattern knew the words; likewise */
	/*
	 * Its domain wants reports about TLS, and goes by this number from 1 to LEASE_TLS_BITS
	 * among those of a session; 0: it does not. What the lease tells of TLS, once for each
	 * session and domain:
	 */
	u8 tls_bit;
	bool tls_ok;               /* of the session that it went by */
	struct lease_tls tls_failure;
	u16 reply_len;
	char reply[LEASE_REPLY_MAX];
};

/* What was said, or is to be shown, of its verdict; cut at LEASE_REPLY_MAX. */
static inline void lease_set_reply(struct lease *lease, struct slice text)
{
	lease->reply_len = (u16)min_size(text.len, LEASE_REPLY_MAX);
	if (lease->reply_len > 0)
		memcpy(lease->reply, text.ptr, lease->reply_len);
}

#endif

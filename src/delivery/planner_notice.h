/*
 * Notices to senders of letters (message/notice.h), for planner*.c only. What became of a row is
 * noted while the transaction is filled, and told by letters of our own that the same transaction
 * keeps: so each is told once, whatever crashes. Rows of one letter that meet the same fate in one
 * transaction are told of together. Nobody is told about notices, reports, forwarded mail, or mail
 * without a sender; and of campaigns the delivery log tells.
 */
#ifndef DELIVERY_PLANNER_NOTICE_H
#define DELIVERY_PLANNER_NOTICE_H

#include "delivery/planner_parts.h"

/* What a row met. Texts are borrowed for the call. */
struct planner_fate {
	const struct row_id *id;
	struct slice address;
	struct slice values;        /* as stored: letter_row_read */
	enum outcome_action action; /* DEFER: the row is late, see planner_notice_is_late */
	u64 since_ms;               /* of the row, by the clock of ages */
	enum smtp_class class;
	u16 code;                   /* of a receiver; 0: text is our own */
	u16 enhanced[3];
	struct slice host;          /* empty: none was reached */
	struct slice text;
};
/*
 * Reads the store, writes nothing. False: the transaction failed. A forwarded letter's failure is
 * told nobody by mail; it is counted and logged with the transaction.
 */
bool planner_notice_fate(struct planner *planner, const struct planner_campaign *campaign,
			 const struct planner_fate *fate) MUST_CHECK;

/*
 * A row that was delivered came back: its wishes are gone with it, so nobody is told when any
 * recipient of the letter had said that he need not be. `fate` without `values`.
 */
bool planner_notice_bounce(struct planner *planner, const struct planner_campaign *campaign,
			   const struct planner_fate *fate) MUST_CHECK;

/*
 * Whether the sender is to be told now that a row which is deferred is late. *within_ms: it has to
 * be tried again at the latest then, so that he is told in time; UINT64_MAX: that does not matter.
 */
bool planner_notice_is_late(struct planner *planner, const struct planner_campaign *campaign,
			    const struct row_id *id, struct slice values, u32 flags,
			    u64 *within_ms);

/* What the transaction noted becomes letters: rows that were read before end by that. */
void planner_notices_write(struct planner *planner);
void planner_notices_drop(struct planner *planner); /* a transaction begins */
void planner_notices_free(struct planner *planner);

#endif

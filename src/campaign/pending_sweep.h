/*
 * Contacts who were asked to confirm and never did: after so many days all that is kept of them
 * goes, as nobody agreed to its being kept. They are not among those who asked to be forgotten, so
 * whoever signs up again is a new contact.
 *
 * Finding them is reading, by whatever thread; erasing looks again, within the transaction that
 * writes.
 */
#ifndef CAMPAIGN_PENDING_SWEEP_H
#define CAMPAIGN_PENDING_SWEEP_H

#include "store/audience_contact.h"

#define PENDING_SWEEP_MAX 500 /* contacts found, and erased, at once */

struct pending_sweep {
	u64 before_ms; /* who was neither made nor changed since then goes */
	u32 after;     /* where the walk is: a contact's id; 0 at first */
	u32 ids[PENDING_SWEEP_MAX];
	u32 count;
};

/*
 * The next ones, out of at most `most` that are looked at. NOT_FOUND: that was all, those of this
 * time are there.
 */
enum store_result pending_sweep_find(struct pending_sweep *sweep, struct audience_txn *txn,
				     u32 most) MUST_CHECK;
/* Erases those that were found and still wait; *erased: how many, with a line of the audit log. */
enum store_result pending_sweep_erase(const struct pending_sweep *sweep, struct audience_txn *txn,
				      u64 now_ms, u32 *erased) MUST_CHECK;

#endif

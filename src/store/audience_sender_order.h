/*
 * What the sender still has to be told: addresses that it must not, or may again, write to, and
 * mails that ask for a confirmation. Kept by the transaction that changes the contact, and told in
 * order (web/teller.h), whenever the sender is there; so neither a crash of ours nor the sender's
 * absence loses an unsubscription.
 */
#ifndef STORE_AUDIENCE_SENDER_ORDER_H
#define STORE_AUDIENCE_SENDER_ORDER_H

#include "store/audience.h"

enum sender_order_kind {
	SENDER_SUPPRESSES = 1,
	SENDER_RELEASES,  /* not suppressed any more */
	SENDER_CONFIRMS,  /* a mail that asks for the confirmation of a form */
	SENDER_DATA,	  /* one that leads to all that is kept of the contact */
	SENDER_READDRESS, /* one to another address, which the contact wants to have */
};

/* Slices are views, or what is to be kept. */
struct sender_order {
	enum sender_order_kind kind;
	u32 form;    /* of a confirmation; else 0 */
	u32 contact; /* the same */
	u64 at_ms;   /* the same: when it was asked for */
	struct slice list; /* name; empty: all bulk mail. Of a mail: "ja" or "en" */
	struct slice address; /* wire form */
};

enum store_result sender_order_add(struct audience_txn *txn,
				   const struct sender_order *order) MUST_CHECK;
/* The first one with a greater number; numbers are from 1. NOT_FOUND: there are no more. */
enum store_result sender_order_after(struct audience_txn *txn, u64 number, u64 *found,
				     struct sender_order *order) MUST_CHECK;
/* Number of the one that was added last, of those that are still there; 0: there are none. */
enum store_result sender_order_last(struct audience_txn *txn, u64 *number) MUST_CHECK;
/* All up to that number. */
enum store_result sender_orders_delete(struct audience_txn *txn, u64 last) MUST_CHECK;

#endif

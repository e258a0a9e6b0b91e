/*
 * What the sender still has to be told: addresses that it must not, or may again, write to. Kept by
 * the transaction that changes the contact, and told in order (web/teller.h), whenever the sender
 * is there; so neither a crash of ours nor the sender's absence loses an unsubscription.
 */
#ifndef STORE_AUDIENCE_SENDER_ORDER_H
#define STORE_AUDIENCE_SENDER_ORDER_H

#include "store/audience.h"

/* Slices are views, or what is to be kept. */
struct sender_order {
	bool suppresses; /* or not any more */
	struct slice list; /* name; empty: all bulk mail */
	struct slice address; /* wire form */
};

enum store_result sender_order_add(struct audience_txn *txn,
				   const struct sender_order *order) MUST_CHECK;
/* The first one with a greater number; numbers are from 1. NOT_FOUND: there are no more. */
enum store_result sender_order_after(struct audience_txn *txn, u64 number, u64 *found,
				     struct sender_order *order) MUST_CHECK;
/* All up to that number. */
enum store_result sender_orders_delete(struct audience_txn *txn, u64 last) MUST_CHECK;

#endif

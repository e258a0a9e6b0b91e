/*
 * After a backup was brought back nobody knows what was sent since it was made: what would begin by
 * itself (campaigns at a time, steps) is held until a person says that it may go on.
 */
#ifndef STORE_AUDIENCE_HOLD_H
#define STORE_AUDIENCE_HOLD_H

#include "store/audience.h"

/* `held`: also within a transaction that only reads. */
enum store_result audience_is_held(struct audience_txn *txn, bool *held) MUST_CHECK;
enum store_result audience_hold(struct audience_txn *txn) MUST_CHECK;
enum store_result audience_release(struct audience_txn *txn) MUST_CHECK;

#endif

/* The inside of orders about sequences, shared by web/sequence_order*.c only. */
#ifndef WEB_SEQUENCE_ORDER_PARTS_H
#define WEB_SEQUENCE_ORDER_PARTS_H

#include "web/sequence_order.h"

/* False always: `why` NULL: the order's error says it. */
bool sequence_wrong(struct sequence_order *order, const char *pointer, const char *why);
/* That it could run as it is, its texts and all. */
bool sequence_try(struct sequence_order *order, struct audience_txn *txn,
		  const struct audience_sequence *s) MUST_CHECK;

/* ---- sequence_order_step.c ---- */

/* The order's change to the steps of `s`, which is not kept yet; a new one gets its campaign. */
enum store_result sequence_change_steps(struct sequence_order *order, struct audience_txn *txn,
					struct audience_sequence *s) MUST_CHECK;
/* Nothing more of it is sent; what it counts stays. */
enum store_result sequence_end_step(struct sequence_order *order, struct audience_txn *txn,
				    u32 step) MUST_CHECK;
enum store_result sequence_enrol(struct sequence_order *order, struct audience_txn *txn,
				 const struct audience_sequence *s) MUST_CHECK;
enum store_result sequence_leave(struct sequence_order *order, struct audience_txn *txn,
				 const struct audience_sequence *s) MUST_CHECK;
enum store_result sequence_tell(struct sequence_order *order,
				struct audience_txn *txn) MUST_CHECK;

#endif

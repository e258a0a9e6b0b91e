/* Sequences as programs see them. */
#ifndef WEB_SEQUENCE_JSON_H
#define WEB_SEQUENCE_JSON_H

#include "store/audience_enrolment.h"
#include "web/sequence_order.h"

/* Within a transaction; with the steps' texts, or without. NULL: no memory. */
json_t *sequence_json(struct audience_txn *txn, const struct audience_sequence *sequence,
		      bool whole) MUST_CHECK;
json_t *sequence_step_json(struct audience_txn *txn, const struct sequence_step *step,
			   bool whole) MUST_CHECK;
json_t *enrolment_json(const struct audience_enrolment *enrolment) MUST_CHECK;
/* Those of a contact, each with the sequence's name; within a transaction. */
json_t *enrolments_json(struct audience_txn *txn, u32 contact) MUST_CHECK;
/* "waiting", "through", "left" */
const char *enrolment_state_name(enum sequence_state state);

/*
 * Begins to read, and finds the sequence of the path, which the call's key may see. False: the call
 * is answered. Afterwards audience_abort(call->web->reader) is the caller's in both cases.
 */
bool sequence_find(struct call *call, struct audience_sequence *sequence) MUST_CHECK;
bool sequence_may_see(const struct call *call, const struct audience_sequence *sequence);

/* An order about it. NULL: the call is answered. */
struct sequence_order *sequence_order_of_path(struct call *call,
					      enum sequence_act_kind kind) MUST_CHECK;

#endif

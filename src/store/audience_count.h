/*
 * Numbers that pages show and that nobody wants to count anew each time: contacts by state, members
 * of lists by state, who is in a sequence. Kept with the transaction that changes what they count.
 */
#ifndef STORE_AUDIENCE_COUNT_H
#define STORE_AUDIENCE_COUNT_H

#include "store/audience.h"

enum audience_counted {
	COUNTED_CONTACTS = 1, /* of: enum contact_state */
	COUNTED_MEMBERS,      /* of: the list's id times 8, plus enum member_state */
	COUNTED_ENROLMENTS,   /* of: the sequence's id times 8, plus enum sequence_state */
	COUNTED_WAITING,      /* of: the step that an enrolment waits for */
};

/* Adds `change`; the record is written with the commit. */
enum store_result audience_count_change(struct audience_txn *txn, enum audience_counted what,
					u32 of, i64 change) MUST_CHECK;
/* 0 when nothing was counted. */
enum store_result audience_count_get(struct audience_txn *txn, enum audience_counted what, u32 of,
				     u64 *count) MUST_CHECK;

#endif

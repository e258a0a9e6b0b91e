/*
 * Steps that are to go to contacts: decided in the transaction that moves the enrolment on, taken
 * out by the one that notes what the sender has. Numbers of a step rise for ever, so one of them is
 * the cursor up to which the sender has them (audience_campaign.h `cursor`).
 */
#ifndef STORE_AUDIENCE_STEP_MAIL_H
#define STORE_AUDIENCE_STEP_MAIL_H

#include "store/audience.h"

struct step_mail {
	u64 number; /* from 1 */
	u32 contact;
};

/* Behind the others of that step (its campaign's id). */
enum store_result step_mail_add(struct audience_txn *txn, u32 step, u32 contact) MUST_CHECK;
/* The first one with a greater number. NOT_FOUND: there are no more. */
enum store_result step_mail_after(struct audience_txn *txn, u32 step, u64 number,
				  struct step_mail *mail) MUST_CHECK;
/* The last one that was added and is there. */
enum store_result step_mail_last(struct audience_txn *txn, u32 step, u64 *number) MUST_CHECK;
enum store_result step_mail_delete(struct audience_txn *txn, u32 step, u64 number) MUST_CHECK;

#endif

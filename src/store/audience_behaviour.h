/*
 * What a contact did with all that it got, whatever the campaign: for segments ("opened within 90
 * days") and for leaving alone whom mail no longer interests. Times are seconds since 1970, 0:
 * never.
 */
#ifndef STORE_AUDIENCE_BEHAVIOUR_H
#define STORE_AUDIENCE_BEHAVIOUR_H

#include "store/audience.h"

enum behaviour_field {
	BEHAVIOUR_LAST_SENT,
	BEHAVIOUR_LAST_DELIVERED,
	BEHAVIOUR_LAST_OPEN, /* of a person, like all here but what is said to be a machine's */
	BEHAVIOUR_LAST_CLICK,
	BEHAVIOUR_LAST_BOUNCE,
	BEHAVIOUR_SENT, /* numbers */
	BEHAVIOUR_DELIVERED,
	BEHAVIOUR_OPENS,
	BEHAVIOUR_CLICKS,
	BEHAVIOUR_BOUNCES, /* since the last delivery */
	BEHAVIOUR_LAST_MACHINE_OPEN,
	BEHAVIOUR_CAMPAIGNS_OPENED, /* numbers */
	BEHAVIOUR_CAMPAIGNS_CLICKED,
	BEHAVIOUR_FIELDS,
};

struct behaviour {
	u32 of[BEHAVIOUR_FIELDS];
};

/* Zeros and STORE_OK when nothing is known. */
enum store_result behaviour_get(struct audience_txn *txn, u32 contact,
				struct behaviour *behaviour) MUST_CHECK;
enum store_result behaviour_put(struct audience_txn *txn, u32 contact,
				const struct behaviour *behaviour) MUST_CHECK;
/* A mail to the contact was handed to the sender. */
enum store_result behaviour_note_sent(struct audience_txn *txn, u32 contact, u32 now_s) MUST_CHECK;
/* The first one with a greater contact id. NOT_FOUND: there are no more. */
enum store_result behaviour_after(struct audience_txn *txn, u32 contact, u32 *found,
				  struct behaviour *behaviour) MUST_CHECK;

#endif

/*
 * What one contact did with the mail of one campaign. Who reads opens and clicks (web/track.h) and
 * who reads the delivery log write it; segments and reports read it. Times are seconds since 1970,
 * 0: never. What a program fetched by itself is counted apart: it says nothing about a person.
 */
#ifndef STORE_AUDIENCE_ACTIVITY_H
#define STORE_AUDIENCE_ACTIVITY_H

#include "store/audience.h"

enum activity_field {
	ACTIVITY_SENT, /* handed to the sender */
	ACTIVITY_DELIVERED,
	ACTIVITY_BOUNCED,
	ACTIVITY_FIRST_OPEN, /* of a person */
	ACTIVITY_LAST_OPEN,
	ACTIVITY_OPENS, /* number */
	ACTIVITY_FIRST_CLICK,
	ACTIVITY_LAST_CLICK,
	ACTIVITY_CLICKS, /* number */
	ACTIVITY_LINKS,	 /* bits: links 1 to 32 of the campaign that a person clicked */
	ACTIVITY_LINKS_MORE, /* 33 to 64 */
	ACTIVITY_UNSUBSCRIBED,
	ACTIVITY_COMPLAINED,
	ACTIVITY_MACHINE_OPENS,	 /* number */
	ACTIVITY_MACHINE_CLICKS, /* number */
	/* The last burst of clicks, by which scanners are told from people (campaign/reaction.c) */
	ACTIVITY_BURST,	       /* when it began */
	ACTIVITY_BURST_LINKS,  /* bits: links 1 to 32 */
	ACTIVITY_BURST_NEW,    /* bits: those that were not clicked before */
	ACTIVITY_BURST_CLICKS, /* number that was taken for a person's */
	ACTIVITY_BURST_BEFORE, /* the contact's last click before it, of any campaign */
	ACTIVITY_VARIANT,     /* of a campaign with several: which one it got; from 1 */
	ACTIVITY_FIELDS,
};

struct activity {
	u32 of[ACTIVITY_FIELDS];
};

/* Zeros and STORE_OK when nothing is known. */
enum store_result activity_get(struct audience_txn *txn, u32 campaign, u32 contact,
			       struct activity *activity) MUST_CHECK;
enum store_result activity_put(struct audience_txn *txn, u32 campaign, u32 contact,
			       const struct activity *activity) MUST_CHECK;
/* The campaign's first one with a greater contact id. NOT_FOUND: there are no more. */
enum store_result activity_after(struct audience_txn *txn, u32 campaign, u32 contact, u32 *found,
				 struct activity *activity) MUST_CHECK;
/* Whether link `number` (from 1) was clicked; of those above 64 it is not known. */
bool activity_has_link(const struct activity *activity, u32 number);
void activity_add_link(struct activity *activity, u32 number);

#endif

/*
 * The planner's own side of letters (letter.h): for planner*.c only.
 */
#ifndef DELIVERY_PLANNER_LETTER_H
#define DELIVERY_PLANNER_LETTER_H

#include "delivery/letter.h"
#include "delivery/planner_parts.h"

#define LETTER_KEEP_MS (24 * 3600 * 1000ull) /* the head of a letter that is over */

/* A letter in memory, compiled. */
struct planner_letter {
	struct list node; /* of planner->idle_letters while nothing of it is out */
	u32 ids[2];       /* campaign, number: its key */
	u32 leases;
	u8 kind; /* enum letter_kind */
	struct mailing *mailing;
};

enum planner_letter_found {
	PLANNER_LETTER_FOUND, /* `letter` is held by the caller */
	PLANNER_LETTER_GONE,  /* no row of it can ever be sent: `error` says why */
	PLANNER_LETTER_LATER, /* no memory, or the store failed */
};
/* The letter of a row that is about to be lent; reads the store, writes nothing. */
enum planner_letter_found planner_letter_take(struct planner *planner,
					      struct planner_campaign *campaign, u32 number,
					      struct planner_letter **letter, struct error *error);
void planner_letter_give(struct planner *planner, struct planner_letter *letter);
/*
 * Within a transaction: it is a report of ours, which goes whatever its receiver demands of TLS,
 * for that may be what it is about (RFC 8460 section 3).
 */
bool planner_letter_is_report(struct planner *planner, const struct planner_campaign *campaign,
			      u32 number);

/* Within the turn's transaction: those that wait are kept. */
void planner_letters_take(struct planner *planner);
/* It came to be, or not: who waited is told. */
void planner_letters_committed(struct planner *planner, bool ok);

/* No transaction will come to be: they are told so. */
void planner_letters_refuse(struct planner *planner);

/* How long a row of the campaign is tried: its letter may have a time of its own. */
u64 planner_expire_after(struct planner *planner, const struct planner_campaign *campaign,
			 const struct row_id *id);
/* Within a transaction: a row of a letter is final. With the last one the content goes. */
bool planner_letter_row_over(struct planner *planner, const struct row_id *id,
			     enum outcome_action action) MUST_CHECK;
/* Within a transaction of its own: heads that nobody needs any more, among `limit`. */
bool planner_letters_trim(struct planner *planner, u32 limit);
void planner_letters_free(struct planner *planner);

#endif

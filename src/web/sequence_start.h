/*
 * What stops a sequence's start is what stops a campaign's (mailing_start.h): what must be mended
 * in the mail of any of its steps by its review, and a domain that DNS does not vouch for. Who may
 * start it may do so all the same, naming what he overrides; that is in the audit log, with the
 * reasons.
 */
#ifndef WEB_SEQUENCE_START_H
#define WEB_SEQUENCE_START_H

#include "web/sequence_order.h"

/* Words of enum mailing_stop with commas between, "findings,identity". False: another word. */
bool sequence_start_read(struct slice words, u32 *overrides) MUST_CHECK;
/* The same, written; `out` has room for all of them. */
#define SEQUENCE_START_WORDS 32
void sequence_start_write(u32 overrides, char out[SEQUENCE_START_WORDS]);

/*
 * Gives a start's order once nothing stops it that its `overrides` do not name; else `answer` has
 * it: SEQUENCE_IS_STOPPED. DNS is asked anew first when what is known is a day old, or bad, as for
 * a campaign. Takes the order.
 */
void sequence_start_give(struct sequence_order *order, struct call *call, sequence_answer *answer);

#endif

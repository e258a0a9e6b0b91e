/*
 * A change of the suppressed addresses, which are the sender's, as a line of the audit log: that it
 * was done, by whom and when. No address: the log outlives people's wish to be forgotten.
 */
#ifndef WEB_SUPPRESSION_NOTE_H
#define WEB_SUPPRESSION_NOTE_H

#include "web/call.h"

/*
 * Gives the order to write it, for what the sender has done already. `answer` as of struct
 * call_order; when there is no memory the call is answered with that.
 */
void suppression_note_give(struct call *call, bool adds,
			   void (*answer)(struct call *call, struct call_order *order));

#endif

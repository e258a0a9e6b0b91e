/*
 * Which rows of a batch have an address that the sender has on its list of suppressed ones: asked
 * over the control socket, a thousand addresses at a time, on the job's thread.
 */
#ifndef WEB_IMPORT_SUPPRESSED_H
#define WEB_IMPORT_SUPPRESSED_H

#include "web/asker.h"
#include "web/import_batch.h"

/*
 * What the sender was still to be told when this was first asked (zero then) has to be told before
 * its list means anything: somebody may have come back a moment ago. Begins and ends reading.
 */
struct import_untold {
	u64 last; /* number of the order that was the last one then */
	u64 first;
};
bool import_untold_is_told(struct import_untold *untold, struct audience_txn *reader) MUST_CHECK;

/*
 * Sets `suppressed` of all rows. False and a sentence: the sender could not be asked; nothing of
 * the batch is to be written before it could.
 */
bool import_suppressed_ask(struct asker *asker, struct import_batch *batch,
			   struct error *error) MUST_CHECK;

#endif

/*
 * A published key record (RFC 6376 section 3.6.1) beside the one that belongs to our key: whether a
 * verifier would take our signatures by it. Texts are whole TXT values, strings joined.
 */
#ifndef DKIM_RECORD_H
#define DKIM_RECORD_H

#include "base/types.h"

enum dkim_fault {
	DKIM_FAULT_NONE,
	DKIM_FAULT_TWICE,
	DKIM_FAULT_VERSION,
	DKIM_FAULT_NO_KEY,
	DKIM_FAULT_REVOKED,
	DKIM_FAULT_OTHER_KEY,
	DKIM_FAULT_ALGORITHM,
	DKIM_FAULT_HASH,
	DKIM_FAULT_SERVICE,
	DKIM_FAULTS,
};
const char *dkim_fault_name(enum dkim_fault fault); /* "dkim-twice"; NONE: NULL */
const char *dkim_fault_text(enum dkim_fault fault); /* in English, no final stop; NONE: NULL */

/*
 * What keeps verifiers from taking a signature of ours. `ours` is what dkim_key_record makes,
 * `theirs` whatever strangers may have published.
 */
enum dkim_fault dkim_record_fault(struct slice ours, struct slice theirs);

/* t=y: the domain only tries DKIM out, and its mail is treated as if it were not signed. */
bool dkim_record_is_on_trial(struct slice theirs);

#endif

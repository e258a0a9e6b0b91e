/*
 * A published key record (RFC 6376 section 3.6.1) beside the one that belongs to our key: whether a
 * verifier would take our signatures by it. Texts are whole TXT values, strings joined.
 */
#ifndef DKIM_RECORD_H
#define DKIM_RECORD_H

#include "base/types.h"

/*
 * What keeps verifiers from taking a signature of ours, as a sentence without a final stop; NULL:
 * nothing. `ours` is what dkim_key_record makes, `theirs` whatever strangers may have published.
 */
const char *dkim_record_fault(struct slice ours, struct slice theirs);

/* t=y: the domain only tries DKIM out, and its mail is treated as if it were not signed. */
bool dkim_record_is_on_trial(struct slice theirs);

#endif

/*
 * The preheader: the words that inboxes show behind the subject. It is hidden text at the top of
 * the HTML, filled up with characters that take no room, so that what stands first in the letter
 * does not follow it there.
 */
#ifndef MESSAGE_PREHEADER_H
#define MESSAGE_PREHEADER_H

#include "base/buf.h"

/*
 * Appends the HTML with the preheader in it: behind the body's tag, or where the body would begin.
 * `text` is plain text, with merge fields and conditions if need be; all else of the HTML stays as
 * it is. False: `out` is full, or memory.
 */
bool preheader_add(struct slice html, struct slice text, struct buf *out) MUST_CHECK;

/* Whether hidden text stands in front of all that is seen. */
bool preheader_is_there(struct slice html);

#endif

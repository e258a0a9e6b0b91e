/*
 * The link of a campaign as one contact's click leads to it: merge fields get that contact's
 * values, percent-encoded, as they would have been in the mail. Values come from the store at the
 * time of the click. Nothing that a request brings takes part, and no field may stand in the scheme
 * or host, so a click leads to the hosts that the campaign's author wrote and to no other.
 */
#ifndef CAMPAIGN_LINK_FILL_H
#define CAMPAIGN_LINK_FILL_H

#include "base/buf.h"
#include "base/types.h"

#define LINK_FILLED_MAX 8192 /* bytes of what becomes of it */

/*
 * Whether clicks on this URL can be counted: http or https, no field before the path, and no other
 * tags of the template language than `{{name}}` with the filters default, trim, url and raw.
 */
bool link_is_fillable(struct slice url) MUST_CHECK;

struct link_values {
	void *owner;
	/* The value of a name; SLICE_NONE: there is none. Valid until the next call. */
	struct slice (*find)(void *owner, struct slice name);
};

/*
 * Appends a URL that can stand in a header field: ASCII without blanks and control bytes. False: it
 * is not fillable, or the buffer is full.
 */
bool link_fill(struct slice url, const struct link_values *values, struct buf *out) MUST_CHECK;

#endif

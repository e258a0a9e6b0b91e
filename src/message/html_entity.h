/*
 * Character references of HTML: `&amp;`, `&#39;`, `&#x3042;`, and the names that people write in
 * newsletters. Others stay as they are written.
 */
#ifndef MESSAGE_HTML_ENTITY_H
#define MESSAGE_HTML_ENTITY_H

#include "base/buf.h"

/*
 * Reads the reference at the front of `text`: its length, or 0 when there is none or it is unknown.
 * *code is never NUL nor a surrogate: what stands for no character gives U+FFFD. The final `;` may
 * be missing behind a number and behind amp, lt, gt and quot, as browsers have it.
 */
size_t html_entity_take(struct slice text, u32 *code);

/* What stands for it between tags and within quotes of either kind; NULL: it stands for itself. */
const char *html_escape_of(char c);

/*
 * Appends text or an attribute's value with its references decoded; tags of the template language
 * stay as they are. A brace that a reference stands for comes out as %7B or %7D, so that it cannot
 * begin a tag: for URLs.
 */
void html_url_decode(struct buf *out, struct slice value);

/*
 * Appends a URL as the value of an attribute in quotes (`quote`): `&`, `<`, `>` and the quote as
 * references, tags of the template language as they are.
 */
void html_url_encode(struct buf *out, struct slice url, char quote);

#endif

/*
 * url() in CSS, as it stands in a style element or attribute (whose quotes may be references). Seen
 * are addresses of plain characters alone, A-Z a-z 0-9 / : . _ -, with quotes or without; one with
 * escapes, and what stands in comments and strings, is passed over. What is plain can take the
 * place of what is plain: it ends neither string nor url(), attribute nor element.
 */
#ifndef MESSAGE_CSS_URL_H
#define MESSAGE_CSS_URL_H

#include "base/types.h"

/* Takes CSS up to behind the next address off *rest; *url is a view of it. False: no other. */
bool css_url_next(struct slice *rest, struct slice *url);
/* Whether the text has only characters that may stand in place of such an address. */
bool css_url_is_plain(struct slice text);

#endif

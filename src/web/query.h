/* Texts of a call's query (page.h, call_query) that have a longest length. */
#ifndef WEB_QUERY_H
#define WEB_QUERY_H

#include "web/call.h"

/*
 * The value of a name into `out` with a NUL; "" when it is not there. False: it does not fit; the
 * call is answered.
 */
bool web_query_text(struct call *call, const char *name, char *out, size_t size) MUST_CHECK;

#endif

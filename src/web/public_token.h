/*
 * What the calls of mail's readers have in common: the token of the path, who asks, the answers
 * that tell nothing.
 */
#ifndef WEB_PUBLIC_TOKEN_H
#define WEB_PUBLIC_TOKEN_H

#include "campaign/link_token.h"
#include "campaign/visit.h"
#include "web/call.h"

/* The token in call->argument. False: it is none for this purpose; the call is not answered. */
bool public_token_read(const struct call *call, enum link_purpose purpose,
		       struct link_token *token) MUST_CHECK;
/* The request, as visit.h judges it. */
struct visit public_visit(const struct call *call);
/* "HTTP_..." or another name of SCGI's head; empty when the request does not say. */
struct slice public_says(const struct call *call, const char *name);

#endif

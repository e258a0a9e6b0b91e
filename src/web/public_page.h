/*
 * Pages for readers of mail: what those of unsubscribing, preferences and forms have in common.
 */
#ifndef WEB_PUBLIC_PAGE_H
#define WEB_PUBLIC_PAGE_H

#include "web/page.h"
#include "web/public_token.h"

/* The one page for every token that is none, whatever is wrong with it. */
void public_refuse_token(struct call *call);
/*
 * An address that the reader knows and a stranger does not learn: "m***@example.jp". Into `out` of
 * PUBLIC_MASK_MAX bytes.
 */
#define PUBLIC_MASK_MAX 300
struct slice public_mask(char out[PUBLIC_MASK_MAX], struct slice address);
/*
 * The form in call->body, when that is urlencoded; an empty one for any other body, which is what
 * mail programs send.
 */
bool public_read_form(const struct call *call, struct form *form) MUST_CHECK;
/* A token of ours for a link of a page; a NUL at its end. */
struct public_token {
	char text[LINK_TOKEN_MAX + 1];
};
struct slice public_token_make(const struct call *call, const struct link_token *token,
			       struct public_token *out);

#endif

/* What DNS says of a domain, in pages: rows of a result of web/identity.h. */
#ifndef WEB_PAGE_IDENTITY_H
#define WEB_PAGE_IDENTITY_H

#include "web/page.h"

#include <jansson.h>

/* What a check found; and what to do about it, with the record to copy. */
void page_identity_found(struct page *page, const json_t *check);
void page_identity_to_do(struct page *page, const json_t *check);

/*
 * A card that says why mail of the domain does not start: what failed of SPF and DKIM, or that DNS
 * could not be asked. `result` may be NULL.
 */
void page_identity_stops(struct page *page, const json_t *result, struct slice domain);

#endif

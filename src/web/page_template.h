/* What the pages about templates share. */
#ifndef WEB_PAGE_TEMPLATE_H
#define WEB_PAGE_TEMPLATE_H

#include "web/page.h"
#include "web/template_call.h"

/* By kind; [0] is all of them. */
extern const struct words page_template_kinds[AUDIENCE_TEMPLATE_KINDS];
extern const struct words page_language_words[LANGUAGES];
extern const struct words page_templates_title;

/* For answers of orders: goes on to `format` with what the order found, unless it was done. */
bool page_template_is_done(struct call *call, const struct template_order *order) MUST_CHECK;

#endif

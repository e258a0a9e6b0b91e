/* What pages of imports have in common. */
#ifndef WEB_PAGE_IMPORT_H
#define WEB_PAGE_IMPORT_H

#include "web/import_json.h"
#include "web/page.h"

extern const struct words page_import_states[IMPORT_STATES];
void page_import_state(struct page *page, enum import_state state);

/* The form in which the columns and rules of an import are said: page_import_plan.c. */
void page_import_plan_show(struct page *page, struct call *call, const struct import *import,
			   const struct nouns *nouns);

#endif

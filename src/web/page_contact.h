/* What pages that show contacts have in common. */
#ifndef WEB_PAGE_CONTACT_H
#define WEB_PAGE_CONTACT_H

#include "store/contact_record.h"
#include "web/page.h"

extern const struct words page_contact_states[CONTACT_COMPLAINED + 1];
/* The state in a word, with its colour. */
void page_contact_state(struct page *page, enum contact_state state);

#endif

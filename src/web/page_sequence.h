/* What the pages about step mail have in common. */
#ifndef WEB_PAGE_SEQUENCE_H
#define WEB_PAGE_SEQUENCE_H

#include "web/page.h"
#include "web/sequence_json.h"
#include "web/sequence_order.h"

/* "Step mail", for crumbs; and the name of a field, with what may stand in it. */
extern const struct words page_sequence_title;
extern const struct words page_enrolment_states[SEQUENCE_LEFT + 1];

/* "3 days later at 09:00, mon-fri": when a step goes. */
void page_step_when(struct page *page, const struct audience_sequence *sequence,
		    const struct sequence_step *step);
/* The subject of a step in what is kept, or a dash. */
void page_step_subject(struct page *page, u32 step);

/* After an order that is not about a form's fields: back to the sequence, with what came of it. */
void page_sequence_answer(struct call *call, struct call_order *base);
/* The same for what is no error of a field. True: it was done, or a field is wrong. */
bool page_sequence_is_well(struct call *call, const struct sequence_order *order) MUST_CHECK;

/* The sequences that the contact is in, within the page and a transaction. */
void page_contact_sequences(struct page *page, u32 contact);

#endif

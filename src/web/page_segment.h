/* What the pages of segments share. */
#ifndef WEB_PAGE_SEGMENT_H
#define WEB_PAGE_SEGMENT_H

#include "web/page.h"
#include "web/segment_count.h"
#include "web/segment_rows.h"

/* "12,345", or "about 12,300 (±400)" as long as it is not counted. */
void page_segment_counted(struct page *page, const struct segment_counted *counted);

extern const struct words page_state_words[]; /* by enum contact_state */

/* ---- the form: page_segment_row.c ---- */

/* The fields of one row, with what is wrong with it; "": nothing. */
void page_segment_row(struct page *page, const struct segment_row *row, u32 index,
		      struct slice error);
/* What may be added, and the button for it (do=add). Within a transaction. */
void page_segment_choices(struct page *page, struct audience_txn *txn);

#endif

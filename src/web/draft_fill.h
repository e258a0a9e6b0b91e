/*
 * Drafts that name what is kept elsewhere: a template in place of texts (DRAFT_TEMPLATE), and
 * blocks in texts. Filled, a draft says all of it itself; what does so can be kept
 * (audience_campaign_text.h), and is then what it was, whatever becomes of templates.
 */
#ifndef WEB_DRAFT_FILL_H
#define WEB_DRAFT_FILL_H

#include "base/arena.h"
#include "campaign/draft.h"
#include "store/audience.h"

#define DRAFT_FILL_ARENA_MAX (128u << 20)

/* Whether there is anything to fill in. */
bool draft_is_open(const struct draft *draft);

/*
 * Puts everything in its place, within a transaction that only reads meanwhile; new texts are in
 * the arena. A template also gives subject and preheader to a draft that has none. Anyone who sends
 * mail to contacts calls this before issue_make. False: the field, and a sentence with the names of
 * templates and blocks; the draft is as it was.
 */
bool draft_fill(struct draft *draft, struct audience_txn *txn, struct arena *arena,
		enum draft_field *field, struct error *error) MUST_CHECK;

/* Keeps the texts of a filled draft; and puts kept ones into a draft, copied into the arena. */
void draft_texts_pack(const struct draft *draft, struct buf *out);
bool draft_texts_unpack(struct slice packed, struct arena *arena, struct draft *draft) MUST_CHECK;

#endif

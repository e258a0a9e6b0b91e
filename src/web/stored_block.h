/*
 * Blocks for texts that are sent (`{{>name}}`, message/README.md): those that are kept as templates
 * of their own, and `sender`, who sends as the settings have it, unless a block of that name is
 * kept. A block that has no text of its own has one made of its HTML; one that has no HTML stands
 * in HTML as its text is.
 */
#ifndef WEB_STORED_BLOCK_H
#define WEB_STORED_BLOCK_H

#include "base/arena.h"
#include "message/message.h"
#include "store/audience_template.h"

/* The block of who sends: name, postal address, where inquiries go. */
#define STORED_BLOCK_SENDER "sender"

struct stored_blocks {
	struct message_blocks blocks; /* for message_compile and the like */
	struct audience_txn *txn;
	struct arena *arena; /* for what is made */
	/* One that is to be kept, in place of what is; SLICE_NONE: none. */
	struct slice instead;
	struct slice instead_html;
	struct slice instead_text;
};

/* Within a transaction, which only reads as long as the blocks are in use. */
void stored_blocks_init(struct stored_blocks *blocks, struct audience_txn *txn,
			struct arena *arena);

/* Whether a text has blocks at all; and whether it has the one of that name. */
bool stored_blocks_are_in(struct slice text);
bool stored_block_is_in(struct slice text, struct slice name);

/*
 * The text with its blocks in place, in the arena; of one without blocks the text itself.
 * message_blocks_expand has what is refused.
 */
bool stored_blocks_expand(struct stored_blocks *blocks, const char *name, struct slice text,
			  bool html, struct slice *out, struct error *error) MUST_CHECK;

#endif

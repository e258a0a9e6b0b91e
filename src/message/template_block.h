/*
 * Blocks: `{{>name}}` replaced by the block's text before a template is parsed, so that what
 * follows sees one text, with a table of which piece came from where.
 */
#ifndef MESSAGE_TEMPLATE_BLOCK_H
#define MESSAGE_TEMPLATE_BLOCK_H

#include "message/template.h"

#define TEMPLATE_BLOCK_DEPTH_MAX 8
#define TEMPLATE_BLOCKS_MAX 1000
#define TEMPLATE_ORIGINS_MAX (2 * TEMPLATE_BLOCKS_MAX)

struct template_blocks {
	const struct message_blocks *blocks;
	struct arena *arena; /* for the names of blocks */
	bool html;
	struct buf *out;
	struct buf *origins; /* of struct template_origin; room for TEMPLATE_ORIGINS_MAX */
	struct error *error;
	u32 depth;
	const char *names[TEMPLATE_BLOCK_DEPTH_MAX]; /* of those that are open */
	u32 count;
};

/*
 * Appends the text. A line end at a block's end is left out: the line goes on behind the tag.
 */
bool template_blocks_expand(struct template_blocks *b, const struct template_source *source);

#endif

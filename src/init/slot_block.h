/*
 * GRUB's environment block: 1024 bytes that begin with a line "# GRUB Environment Block\n", then
 * lines NAME=VALUE, then '#' up to the end. GRUB reads it, and writes it in place, so it never
 * changes its size. Nothing here reads or writes a file.
 */
#ifndef INIT_SLOT_BLOCK_H
#define INIT_SLOT_BLOCK_H

#include "base/types.h"

#define SLOT_BLOCK_SIZE 1024

struct slot_block {
	char bytes[SLOT_BLOCK_SIZE];
};

/* Whether it is such a block at all: the first line, and nothing but '#' behind the last one. */
bool slot_block_is_sound(const struct slot_block *block);

/* The value as it stands there, borrowed; SLICE_NONE when there is no such line. */
struct slice slot_block_get(const struct slot_block *block, struct slice name);

/*
 * Sets a value, in its line or in a new last one; others stay as they are. The block must be sound,
 * the value of letters, digits and "._-", or empty. False, with nothing changed: no room.
 */
bool slot_block_set(struct slot_block *block, struct slice name, struct slice value) MUST_CHECK;

#endif

#include "init/slot_block.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>

#define FIRST_LINE SLICE("# GRUB Environment Block\n")

/* Bytes up to the end of the last line; 0 when it is no sound block. */
static size_t text_length(const struct slot_block *block)
{
	size_t len = SLOT_BLOCK_SIZE;

	if (memcmp(block->bytes, FIRST_LINE.ptr, FIRST_LINE.len) != 0)
		return 0;
	while (block->bytes[len - 1] == '#')
		len--;
	return block->bytes[len - 1] == '\n' ? len : 0;
}

bool slot_block_is_sound(const struct slot_block *block)
{
	return text_length(block) > 0;
}

struct slice slot_block_get(const struct slot_block *block, struct slice name)
{
	struct slice rest = { block->bytes, text_length(block) };

	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');

		if (line.len > name.len && line.ptr[name.len] == '=' &&
		    slice_has_prefix(line, name))
			return slice_from(line, name.len + 1);
	}
	return SLICE_NONE;
}

static bool is_plain(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool slot_block_set(struct slot_block *block, struct slice name, struct slice value)
{
	struct slice old = slot_block_get(block, name);
	size_t len = text_length(block);
	size_t at = old.ptr ? (size_t)(old.ptr - block->bytes) : len + name.len + 1;
	size_t tail = old.ptr ? len - at - old.len : 1; /* the line feed, and what follows */
	size_t end = at + value.len + tail;

	ASSERT(len > 0 && name.len > 0 && is_plain(value));
	if (end > SLOT_BLOCK_SIZE)
		return false;
	if (old.ptr) {
		memmove(block->bytes + at + value.len, old.ptr + old.len, tail);
	} else {
		memcpy(block->bytes + len, name.ptr, name.len);
		block->bytes[at - 1] = '=';
		block->bytes[end - 1] = '\n';
	}
	if (value.len > 0)
		memcpy(block->bytes + at, value.ptr, value.len);
	memset(block->bytes + end, '#', SLOT_BLOCK_SIZE - end);
	return true;
}

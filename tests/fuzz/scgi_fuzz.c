/*
 * Any bytes as an SCGI request: whole and in pieces they come to the same end, and what is accepted
 * has every name once.
 */
#include "base/check.h"
#include "base/text.h"
#include "web/scgi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum scgi_result feed_in_pieces(struct scgi_head *head, struct slice text, size_t *used)
{
	enum scgi_result result = SCGI_MORE;
	size_t part;

	*used = 0;
	while (*used < text.len && result == SCGI_MORE) {
		size_t len = min_size((u8)text.ptr[*used] % 7 + 1, text.len - *used);

		result = scgi_head_feed(head, slice_first(slice_from(text, *used), len), &part);
		ASSERT(part == len || result != SCGI_MORE);
		*used += part;
	}
	return result;
}

static void check_ready(const struct scgi_head *head)
{
	ASSERT(head->pair_count >= 2 && head->pair_count <= SCGI_PAIRS_MAX);
	for (u32 i = 0; i < head->pair_count; i++) {
		const struct scgi_pair *pair = &head->pairs[i];

		ASSERT(pair->name.len > 0 && slice_find_char(pair->name, '\0') < 0);
		ASSERT(slice_find_char(pair->value, '\0') < 0);
		ASSERT(scgi_head_find(head, pair->name).ptr == pair->value.ptr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	static struct scgi_head whole;
	static struct scgi_head pieces;
	enum scgi_result result;
	size_t used;
	size_t pieces_used;

	scgi_head_init(&whole);
	scgi_head_init(&pieces);
	result = scgi_head_feed(&whole, text, &used);
	ASSERT(feed_in_pieces(&pieces, text, &pieces_used) == result);
	ASSERT(used <= size);
	if (result == SCGI_READY) {
		ASSERT(used == pieces_used && whole.content_length == pieces.content_length);
		check_ready(&whole);
	}
	scgi_head_done(&whole);
	scgi_head_done(&pieces);
	return 0;
}

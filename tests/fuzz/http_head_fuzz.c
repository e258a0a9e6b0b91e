/*
 * Any bytes as a request head: whole and in pieces they come to the same end, and what is accepted
 * can be taken for one request only.
 */
#include "base/check.h"
#include "base/text.h"
#include "metrics/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces as long as the bytes of the input say. */
static enum http_head_result feed_in_pieces(struct http_head *head, struct slice text, size_t *used)
{
	enum http_head_result result = HTTP_HEAD_MORE;
	size_t part;

	*used = 0;
	while (*used < text.len && result == HTTP_HEAD_MORE) {
		size_t len = min_size((u8)text.ptr[*used] % 7 + 1, text.len - *used);

		result = http_head_feed(head, slice_first(slice_from(text, *used), len), &part);
		ASSERT(part == len || result != HTTP_HEAD_MORE);
		*used += part;
	}
	return result;
}

static void check_accepted(const struct http_head *head, struct slice text)
{
	i64 blank = slice_find(text, SLICE("\r\n\r\n"));

	/* It ends at the first empty line, and nowhere else. */
	ASSERT(blank >= 0 && (size_t)blank + 4 == text.len);
	ASSERT(head->path.len > 0 && head->path.len < text.len);
	ASSERT(slice_find_char(head->path, '?') < 0 && slice_find_char(head->path, ' ') < 0);
	ASSERT(head->method == HTTP_OTHER || head->path.ptr[0] == '/');
	for (size_t i = 0; i < text.len; i++) {
		ASSERT(text.ptr[i] != '\0');
		ASSERT((text.ptr[i] == '\n') == (i > 0 && text.ptr[i - 1] == '\r'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	static struct http_head whole;
	static struct http_head pieces;
	enum http_head_result result;
	size_t used;
	size_t pieces_used;

	http_head_init(&whole);
	http_head_init(&pieces);
	result = http_head_feed(&whole, text, &used);
	ASSERT(feed_in_pieces(&pieces, text, &pieces_used) == result && pieces_used == used);
	ASSERT(whole.status == pieces.status && whole.openmetrics == pieces.openmetrics);
	ASSERT(used <= size && used <= HTTP_HEAD_MAX + 1);
	if (result == HTTP_HEAD_DONE) {
		ASSERT(slice_equal(whole.path, pieces.path) && whole.method == pieces.method);
		check_accepted(&whole, slice_first(text, used));
	} else if (result == HTTP_HEAD_REFUSED) {
		ASSERT(whole.status == 400 || whole.status == 431 || whole.status == 505);
	} else {
		ASSERT(used == size && whole.status == 0);
	}
	return 0;
}

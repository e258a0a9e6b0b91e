#include "web/scgi.h"

#include "base/text.h"

#define DIGITS_MAX 5 /* of SCGI_HEAD_MAX */

void scgi_head_init(struct scgi_head *head)
{
	*head = (struct scgi_head){ 0 };
	/* The comma that ends the netstring is kept with it. */
	buf_init(&head->bytes, SCGI_HEAD_MAX + 1);
}

void scgi_head_done(struct scgi_head *head)
{
	buf_done(&head->bytes);
}

struct slice scgi_head_find(const struct scgi_head *head, struct slice name)
{
	for (u32 i = 0; i < head->pair_count; i++) {
		if (slice_equal(head->pairs[i].name, name))
			return head->pairs[i].value;
	}
	return SLICE_NONE;
}

/* The netstring's length, without zeros in front, and its colon. */
static enum scgi_result take_length(struct scgi_head *head, char c)
{
	if (c == ':' && head->digits > 0) {
		head->in_content = true;
		return head->announced <= SCGI_HEAD_MAX ? SCGI_MORE : SCGI_BAD;
	}
	if (!ascii_is_digit(c) || head->digits == DIGITS_MAX ||
	    (head->digits > 0 && head->announced == 0))
		return SCGI_BAD;
	head->announced = head->announced * 10 + (u32)(c - '0');
	head->digits++;
	return SCGI_MORE;
}

static bool take_text(struct slice *rest, struct slice *text)
{
	i64 end = slice_find_char(*rest, '\0');

	if (end < 0)
		return false;
	*text = slice_first(*rest, (size_t)end);
	*rest = slice_from(*rest, (size_t)end + 1);
	return true;
}

static bool read_pairs(struct scgi_head *head, struct slice rest)
{
	struct scgi_pair pair;

	while (rest.len > 0) {
		if (head->pair_count == SCGI_PAIRS_MAX || !take_text(&rest, &pair.name) ||
		    !take_text(&rest, &pair.value) || pair.name.len == 0 ||
		    scgi_head_find(head, pair.name).ptr)
			return false;
		head->pairs[head->pair_count++] = pair;
	}
	return head->pair_count > 0 &&
	       slice_equal(head->pairs[0].name, SLICE("CONTENT_LENGTH")) &&
	       slice_to_u64(head->pairs[0].value, &head->content_length) &&
	       slice_equal(scgi_head_find(head, SLICE("SCGI")), SLICE("1"));
}

static enum scgi_result take_content(struct scgi_head *head, struct slice bytes, size_t *used)
{
	size_t lacks = head->announced + 1 - head->bytes.len;
	size_t len = min_size(lacks, bytes.len);

	buf_add(&head->bytes, bytes.ptr, len);
	if (head->bytes.failed)
		return SCGI_NO_MEMORY;
	*used += len;
	if (len < lacks)
		return SCGI_MORE;
	if (head->bytes.ptr[head->announced] != ',' ||
	    !read_pairs(head, slice_first(buf_slice(&head->bytes), head->announced)))
		return SCGI_BAD;
	return SCGI_READY;
}

enum scgi_result scgi_head_feed(struct scgi_head *head, struct slice bytes, size_t *used)
{
	enum scgi_result result = SCGI_MORE;

	*used = 0;
	while (!head->in_content && *used < bytes.len && result == SCGI_MORE)
		result = take_length(head, bytes.ptr[(*used)++]);
	if (result == SCGI_MORE && *used < bytes.len)
		result = take_content(head, slice_from(bytes, *used), used);
	return result;
}

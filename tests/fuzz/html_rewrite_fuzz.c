/*
 * HTML of others, the first byte choosing what is replaced. Tokens put together are the text; without
 * a change every byte stays; what was put in is what the next reader finds, in the same number. The
 * plain text made of it has no broken tag of the template language when the HTML has none; a review
 * points into it.
 */
#include "base/check.h"
#include "base/text.h"
#include "message/html_rewrite.h"
#include "message/html_text.h"
#include "message/preheader.h"
#include "message/review.h"
#include "message/html_walk.h"
#include "message/template_tag.h"

#define OUT_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct counter {
	struct slice with;
	u32 every; /* the n-th URL is replaced; 0: none */
	u32 seen;
	u32 replaced;
	u32 found; /* URLs that are what was put in */
};

static bool count(void *owner, const struct html_link *link, struct slice *replacement,
		  struct error *error)
{
	struct counter *c = owner;

	(void)error;
	ASSERT(link->line > 0 && link->tag.len > 0);
	c->seen++;
	c->found += slice_equal(link->url, c->with);
	if (c->every && c->seen % c->every == 0) {
		c->replaced++;
		*replacement = c->with;
	}
	return true;
}

static void check_tokens(struct slice text)
{
	struct html_walk walk;
	struct html_token token;
	const char *at = text.ptr;

	html_walk_init(&walk, text);
	while (html_walk_next(&walk, &token)) {
		ASSERT(token.whole.ptr == at && token.whole.len > 0);
		at += token.whole.len;
	}
	ASSERT(at == text.ptr + text.len);
}

/* A brace pair that begins no tag: such templates do not compile; new quotes can give it an end. */
static bool has_broken_tag(struct slice text)
{
	while (text.len > 0) {
		size_t tag = template_tag_length(text);

		if (tag == 0 && slice_has_prefix(text, SLICE("{{")))
			return true;
		text = slice_from(text, tag > 0 ? tag : 1);
	}
	return false;
}

/* Findings lie within the text, those that must be mended first. */
static void check_review(struct slice text)
{
	static const struct slice columns[] = { SLICE("name"), SLICE("leave") };
	const struct review_input input = {
		.subject = SLICE("s"),
		.html = text,
		.text = text,
		.columns = columns,
		.column_count = array_count(columns),
		.charset = text.len & 1 ? MESSAGE_ISO_2022_JP : MESSAGE_UTF8,
		.unsubscribe_fields = &columns[1],
		.unsubscribe_field_count = 1,
		.sender_name = SLICE("a"),
	};
	struct review review;
	struct arena arena;
	struct error error;
	u32 lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';
	arena_init(&arena, 64u << 10, 64u << 20);
	ASSERT(review_message(&input, &arena, &review, &error));
	for (u32 i = 0; i < review.count; i++) {
		ASSERT(review.findings[i].line <= lines);
		ASSERT(i == 0 || review.findings[i - 1].severity <= review.findings[i].severity);
	}
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	/* None of them can be what stood there: no author has the word. The last is for CSS, too. */
	static const struct slice with[] = { SLICE("https://t.test/xyzzy?a=1&b='\"<>"),
					     SLICE("cid:xyzzy{{name|default:\"&\"}}"),
					     SLICE("https://t.test/xyzzy") };
	struct slice text = slice_from((struct slice){ (const char *)data, size }, 1);
	struct counter first = { 0 };
	struct counter second = { 0 };
	struct html_links links = { .owner = &first, .replace = count };
	struct error error;
	struct buf out;

	if (size < 2 || slice_find(text, SLICE("xyzzy")) >= 0)
		return 0;
	check_tokens(text);
	if (has_broken_tag(text))
		return 0;
	buf_init(&out, OUT_MAX);
	ASSERT(html_text_make(text, &out));
	ASSERT(!has_broken_tag(buf_slice(&out)));
	buf_reset(&out);
	ASSERT(preheader_add(text, SLICE("{{name}} &"), &out));
	ASSERT(out.len > text.len);
	buf_reset(&out);
	check_review(text);
	if (data[0] & 8)
		links.replace_in_css = count;
	first.with = second.with = with[data[0] & 8 ? 2 : data[0] & 1];
	first.every = data[0] >> 1 & 3;
	ASSERT(html_links_rewrite(text, &links, &out, &error));
	if (first.replaced == 0)
		ASSERT(slice_equal(buf_slice(&out), text));
	links.owner = &second;
	ASSERT(html_links_rewrite(buf_slice(&out), &links, NULL, &error));
	ASSERT(second.seen == first.seen && second.found == first.replaced);
	buf_done(&out);
	return 0;
}

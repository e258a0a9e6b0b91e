#include "campaign/wrap_links.h"

#include "base/text.h"
#include "campaign/link_fill.h"
#include "campaign/link_token.h"
#include "message/html_rewrite.h"
#include "message/html_walk.h"
#include "message/template_tag.h"

#include <string.h>

#define ARENA_CHUNK (16u << 10)
#define ARENA_MAX (8u << 20)
#define REPLACEMENT_MAX 1024
#define BASE_MAX 512
#define PIXEL                                                                                      \
	"<img src=\"%.*s/t/o/{{" LINK_FIELD_TRACK "}}\" width=\"1\" height=\"1\" alt=\"\" "        \
	"style=\"display:block;border:0;width:1px;height:1px\">"

bool wrap_links_init(struct wrap_links *wrap, struct slice base, struct error *error)
{
	memset(wrap, 0, sizeof(*wrap));
	arena_init(&wrap->arena, ARENA_CHUNK, ARENA_MAX);
	map_init(&wrap->known);
	wrap->base = base;
	if (base.len <= BASE_MAX && link_is_fillable(base) &&
	    slice_find_char(base, '{') < 0 && base.ptr[base.len - 1] != '/')
		return true;
	return error_set(error, "%.*s cannot stand before links", SLICE_FMT(base));
}

void wrap_links_done(struct wrap_links *wrap)
{
	map_done(&wrap->known);
	arena_done(&wrap->arena);
}

/* ---- the table ---- */

static bool is_http(struct slice url)
{
	return slice_has_prefix_nocase(url, SLICE("http://")) ||
	       slice_has_prefix_nocase(url, SLICE("https://"));
}

static bool is_ours(const struct wrap_links *wrap, struct slice url)
{
	static const char *const paths[] = { "/u/", "/p/", "/v/", "/t/", "/f/confirm/" };

	if (slice_find(url, SLICE("{{hk_")) >= 0)
		return true;
	if (!slice_has_prefix_nocase(url, wrap->base))
		return false;
	for (size_t i = 0; i < array_count(paths); i++) {
		if (slice_has_prefix(slice_from(url, wrap->base.len), slice_of(paths[i])))
			return true;
	}
	return false;
}

static bool ends_with(struct slice s, struct slice end)
{
	return s.len >= end.len && slice_equal(slice_from(s, s.len - end.len), end);
}

bool wrap_links_know(struct wrap_links *wrap, struct slice url, struct error *error)
{
	struct slice copy;

	if (wrap->count == WRAP_LINKS_MAX)
		return error_set(error, "more than %d different links", WRAP_LINKS_MAX);
	copy = arena_copy(&wrap->arena, url);
	if (!copy.ptr || !map_add(&wrap->known, copy, &wrap->urls[wrap->count]))
		return error_set(error, "no memory for the table of links");
	wrap->urls[wrap->count++] = copy;
	return true;
}

/* Its number; 0: it stays as it is. False: no room. */
static bool number_of(struct wrap_links *wrap, struct slice url, bool in_loop, u32 *number,
		      struct error *error)
{
	const struct slice *known;

	*number = 0;
	if (!is_http(url))
		return true;
	/* An item of a loop is not known any more when somebody clicks. */
	if (in_loop && slice_find(url, SLICE("{{")) >= 0) {
		wrap->left++;
		return true;
	}
	if (url.len > WRAP_URL_MAX || is_ours(wrap, url) || ends_with(url, SLICE("#notrack")) ||
	    !link_is_fillable(url)) {
		wrap->left++;
		return true;
	}
	known = map_find(&wrap->known, url);
	if (known) {
		*number = (u32)(known - wrap->urls) + 1;
		return true;
	}
	if (!wrap_links_know(wrap, url, error))
		return false;
	*number = wrap->count;
	return true;
}

static void add_link(const struct wrap_links *wrap, u32 number, struct buf *out)
{
	buf_add_format(out, "%.*s/t/c/{{" LINK_FIELD_TRACK "}}/%u", SLICE_FMT(wrap->base), number);
}

/* ---- HTML ---- */

struct html_job {
	struct wrap_links *wrap;
	struct buf link;
};

static bool replace(void *owner, const struct html_link *link, struct slice *replacement,
		    struct error *error)
{
	struct html_job *job = owner;
	u32 number;

	if (link->kind != HTML_LINK_ANCHOR)
		return true;
	if (!number_of(job->wrap, link->url, link->in_loop, &number, error))
		return error_prefix(error, "line %u", link->line);
	if (number == 0)
		return true;
	buf_reset(&job->link);
	add_link(job->wrap, number, &job->link);
	*replacement = buf_slice(&job->link);
	return !job->link.failed || error_set(error, "no memory for links");
}

/* In front of the last </body>, or behind everything. */
static size_t pixel_place(struct slice html)
{
	struct html_walk walk;
	struct html_token token;
	size_t place = html.len;

	html_walk_init(&walk, html);
	while (html_walk_next(&walk, &token)) {
		if (token.kind == HTML_TOKEN_CLOSE && slice_equal_nocase(token.name, SLICE("body")))
			place = (size_t)(token.whole.ptr - html.ptr);
	}
	return place;
}

static bool wrap_anchors(struct wrap_links *wrap, struct slice html, struct buf *out,
			 struct error *error)
{
	struct html_job job = { .wrap = wrap };
	const struct html_links links = { .owner = &job, .replace = replace };
	bool is_done;

	if (!wrap->clicks) {
		buf_add_slice(out, html);
		return true;
	}
	buf_init(&job.link, REPLACEMENT_MAX);
	is_done = html_links_rewrite(html, &links, out, error);
	buf_done(&job.link);
	return is_done;
}

bool wrap_links_html(struct wrap_links *wrap, struct slice html, struct buf *out,
		     struct error *error)
{
	size_t place = wrap->opens ? pixel_place(html) : html.len;

	if (!wrap_anchors(wrap, slice_first(html, place), out, error))
		return false;
	if (wrap->opens)
		buf_add_format(out, PIXEL, SLICE_FMT(wrap->base));
	if (!wrap_anchors(wrap, slice_from(html, place), out, error))
		return false;
	return !out->failed || error_set(error, "no memory for the HTML part");
}

/* ---- text ---- */

/*
 * A URL in a text ends at white space, at quotes and angle brackets, and at what is not ASCII:
 * Japanese follows without a blank. Tags of the template language belong to it as wholes.
 */
static size_t url_length(struct slice text)
{
	size_t at = 0;

	while (at < text.len) {
		size_t tag = template_tag_length(slice_from(text, at));
		char c = text.ptr[at];

		if (tag == 0 && ((u8)c <= ' ' || (u8)c >= 0x7f || strchr("<>\"`{}|\\^", c)))
			break;
		at += tag > 0 ? tag : 1;
	}
	return at;
}

/* Without what ends the sentence or the bracket around it. */
static size_t without_tail(struct slice url)
{
	while (url.len > 0) {
		char last = url.ptr[url.len - 1];
		bool closes = last == ')' && slice_find_char(url, '(') < 0;

		if (!closes && !strchr(".,;:!?'*_~]", last))
			break;
		url.len--;
	}
	return url.len;
}

bool wrap_links_text(struct wrap_links *wrap, struct slice text, struct buf *out,
		     struct error *error)
{
	size_t from = 0;
	u32 loops = 0;

	for (size_t at = 0; wrap->clicks && at < text.len;) {
		struct slice rest = slice_from(text, at);
		size_t tag = template_tag_length(rest);
		struct slice url;
		u32 number;

		loops += slice_has_prefix(rest, SLICE("{{#each"));
		loops -= loops > 0 && slice_has_prefix(rest, SLICE("{{/each"));
		if (tag > 0 || (rest.ptr[0] != 'h' && rest.ptr[0] != 'H') || !is_http(rest)) {
			at += tag > 0 ? tag : 1;
			continue;
		}
		url = slice_first(rest, url_length(rest));
		url.len = without_tail(url);
		if (!number_of(wrap, url, loops > 0, &number, error))
			return false;
		if (number > 0) {
			buf_add(out, text.ptr + from, at - from);
			add_link(wrap, number, out);
			from = at + url.len;
		}
		at += url.len > 0 ? url.len : 1;
	}
	buf_add_slice(out, slice_from(text, from));
	return !out->failed || error_set(error, "no memory for the text part");
}

#include "message/html_rewrite.h"

#include "base/text.h"
#include "message/css_url.h"
#include "message/html_entity.h"
#include "message/html_walk.h"
#include "message/template_tag.h"

#define URL_MAX (64u << 20) /* images stand in data: URLs, too */

/* The first row that fits counts; an empty tag fits all. */
static const struct place {
	const char *tag;
	const char *attribute;
	u8 kind;
	bool candidates; /* several URLs with widths: srcset */
} places[] = {
	{ "a", "href", HTML_LINK_ANCHOR, false },
	{ "area", "href", HTML_LINK_ANCHOR, false },
	{ "link", "href", HTML_LINK_SHEET, false },
	{ "", "href", HTML_LINK_OTHER, false },
	{ "img", "src", HTML_LINK_IMAGE, false },
	{ "source", "src", HTML_LINK_IMAGE, false },
	{ "input", "src", HTML_LINK_IMAGE, false },
	{ "script", "src", HTML_LINK_OTHER, false },
	{ "", "src", HTML_LINK_OTHER, false },
	{ "", "srcset", HTML_LINK_IMAGE, true },
	{ "", "background", HTML_LINK_IMAGE, false },
	{ "", "poster", HTML_LINK_IMAGE, false },
	{ "", "action", HTML_LINK_FORM, false },
	{ "", "formaction", HTML_LINK_FORM, false },
	{ "object", "data", HTML_LINK_OTHER, false },
	{ "", "cite", HTML_LINK_OTHER, false },
	{ "", "longdesc", HTML_LINK_OTHER, false },
};

struct rewriter {
	const struct html_links *links;
	struct html_walk walk;
	struct buf *out;
	u32 loops;        /* around what is read */
	const char *kept; /* everything in front of it is in `out` */
	struct buf url;   /* decoded */
	struct buf value; /* a new srcset */
	struct error *error;
};

static const struct place *find_place(struct slice tag, struct slice attribute)
{
	for (size_t i = 0; i < array_count(places); i++) {
		if (slice_equal_nocase(attribute, slice_of(places[i].attribute)) &&
		    (!places[i].tag[0] || slice_equal_nocase(tag, slice_of(places[i].tag))))
			return &places[i];
	}
	return NULL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && is_space(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* Asks about one URL; *replacement has no ptr when it stays. */
static bool ask(struct rewriter *r, enum html_link_kind kind, const struct html_token *token,
		struct slice url, struct slice *replacement)
{
	struct html_link link = { .kind = kind,
				  .url = trim(url),
				  .line = html_walk_line(&r->walk, token->whole.ptr),
				  .tag = token->name,
				  .in_loop = r->loops > 0 };

	*replacement = SLICE_NONE;
	return r->links->replace(r->links->owner, &link, replacement, r->error);
}

static void keep_up_to(struct rewriter *r, const char *end)
{
	if (r->out)
		buf_add(r->out, r->kept, (size_t)(end - r->kept));
	r->kept = end;
}

/* Writes a new value in place of the one that stands there. */
static void put(struct rewriter *r, const struct html_attribute *attribute, struct slice value)
{
	char quote = attribute->quote ? attribute->quote : '"';

	keep_up_to(r, attribute->written.ptr);
	if (r->out) {
		buf_add_char(r->out, quote);
		html_url_encode(r->out, value, quote);
		buf_add_char(r->out, quote);
	}
	r->kept = attribute->written.ptr + attribute->written.len;
}

/* Bytes to pass over at once: a tag of the template language, or one byte. */
static size_t step(struct slice text)
{
	size_t tag = template_tag_length(text);

	return tag > 0 ? tag : 1;
}

/* `a.png 1x, b.png 2x`: URLs end at white space, candidates at a comma behind it. */
static bool rewrite_candidates(struct rewriter *r, const struct html_token *token,
			       const struct html_attribute *attribute, enum html_link_kind kind)
{
	struct slice rest = buf_slice(&r->url);
	bool changed = false;

	buf_reset(&r->value);
	while (rest.len > 0) {
		struct slice replacement;
		size_t lead = 0;
		size_t len;

		while (lead < rest.len && (is_space(rest.ptr[lead]) || rest.ptr[lead] == ','))
			lead++;
		buf_add(&r->value, rest.ptr, lead);
		rest = slice_from(rest, lead);
		for (len = 0; len < rest.len && !is_space(rest.ptr[len]);)
			len += step(slice_from(rest, len));
		while (len > 0 && rest.ptr[len - 1] == ',')
			len--;
		if (len == 0)
			break;
		if (!ask(r, kind, token, slice_first(rest, len), &replacement))
			return false;
		changed |= replacement.ptr != NULL;
		buf_add_slice(&r->value, replacement.ptr ? replacement : slice_first(rest, len));
		rest = slice_from(rest, len);
		for (len = 0; len < rest.len && rest.ptr[len] != ',';)
			len += step(slice_from(rest, len));
		buf_add(&r->value, rest.ptr, len);
		rest = slice_from(rest, len);
	}
	if (changed && !r->value.failed)
		put(r, attribute, buf_slice(&r->value));
	return true;
}

static bool rewrite_css(struct rewriter *r, const struct html_token *token, struct slice css)
{
	struct html_link link = { .kind = HTML_LINK_STYLE,
				  .line = html_walk_line(&r->walk, token->whole.ptr),
				  .tag = token->name,
				  .in_loop = r->loops > 0 };

	while (css_url_next(&css, &link.url)) {
		struct slice replacement = SLICE_NONE;

		/* Style elements are long; of a tag its beginning is told. */
		if (token->kind != HTML_TOKEN_OPEN)
			link.line = html_walk_line(&r->walk, link.url.ptr);
		if (!r->links->replace_in_css(r->links->owner, &link, &replacement, r->error))
			return false;
		if (!replacement.ptr || !css_url_is_plain(replacement))
			continue;
		keep_up_to(r, link.url.ptr);
		if (r->out)
			buf_add_slice(r->out, replacement);
		r->kept = link.url.ptr + link.url.len;
	}
	return true;
}

static bool rewrite_attribute(struct rewriter *r, const struct html_token *token,
			      const struct html_attribute *attribute)
{
	const struct place *place = find_place(token->name, attribute->name);
	struct slice replacement;

	if (r->links->replace_in_css && attribute->written.ptr &&
	    slice_equal_nocase(attribute->name, SLICE("style")))
		return rewrite_css(r, token, attribute->value);
	if (!place || !attribute->written.ptr)
		return true;
	buf_reset(&r->url);
	html_url_decode(&r->url, attribute->value);
	if (r->url.no_memory)
		return error_set(r->error, "out of memory");
	if (r->url.failed)
		return error_set(r->error, "line %u: a URL is over %u bytes",
				 html_walk_line(&r->walk, token->whole.ptr), URL_MAX);
	if (place->candidates)
		return rewrite_candidates(r, token, attribute, place->kind);
	if (!ask(r, place->kind, token, buf_slice(&r->url), &replacement))
		return false;
	if (replacement.ptr)
		put(r, attribute, replacement);
	return true;
}

static bool rewrite(struct rewriter *r)
{
	struct html_token token;
	struct html_attribute attribute;
	bool in_style = false;

	while (html_walk_next(&r->walk, &token)) {
		struct slice rest = token.attributes;

		if (token.kind == HTML_TOKEN_TEMPLATE) {
			r->loops += slice_has_prefix(token.whole, SLICE("{{#each"));
			r->loops -= r->loops > 0 &&
				    slice_has_prefix(token.whole, SLICE("{{/each"));
		}
		if (token.kind == HTML_TOKEN_RAW && in_style && r->links->replace_in_css &&
		    !rewrite_css(r, &token, token.whole))
			return false;
		if (token.kind == HTML_TOKEN_OPEN || token.kind == HTML_TOKEN_CLOSE)
			in_style = token.kind == HTML_TOKEN_OPEN &&
				   slice_equal_nocase(token.name, SLICE("style"));
		while (html_attribute_next(&rest, &attribute)) {
			if (!rewrite_attribute(r, &token, &attribute))
				return false;
		}
	}
	keep_up_to(r, r->walk.html.ptr + r->walk.html.len);
	if (r->value.failed || (r->out && r->out->failed))
		return error_set(r->error,
				 r->value.no_memory || (r->out && r->out->no_memory)
					 ? "out of memory"
					 : "the HTML text would be too big");
	return true;
}

bool html_links_rewrite(struct slice html, const struct html_links *links, struct buf *out,
			struct error *error)
{
	struct rewriter r = { .links = links, .out = out, .kept = html.ptr, .error = error };
	bool done;

	if (html.len == 0)
		return true;
	html_walk_init(&r.walk, html);
	buf_init(&r.url, URL_MAX);
	buf_init(&r.value, 2 * URL_MAX);
	done = rewrite(&r);
	buf_done(&r.url);
	buf_done(&r.value);
	return done;
}

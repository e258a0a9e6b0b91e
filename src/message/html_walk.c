#include "message/html_walk.h"

#include "base/text.h"
#include "message/template_tag.h"

/* Elements whose content is no markup. */
static const struct slice raw_elements[] = { SLICE("script"),	SLICE("style"), SLICE("title"),
					     SLICE("textarea"), SLICE("xmp") };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void html_walk_init(struct html_walk *walk, struct slice html)
{
	*walk = (struct html_walk){ .html = html };
}

/* Bytes to pass over at once: a tag of the template language, or one byte. */
static size_t step(struct slice text)
{
	size_t len = text.ptr[0] == '{' ? template_tag_length(text) : 0;

	return len > 0 ? len : 1;
}

/* Behind the value at the front; *attribute gets it. */
static size_t take_value(struct slice text, struct html_attribute *attribute)
{
	size_t at = 0;

	if (text.len == 0 || text.ptr[0] == '>')
		return 0;
	if (text.ptr[0] == '"' || text.ptr[0] == '\'') {
		attribute->quote = text.ptr[0];
		at = 1;
	}
	while (at < text.len) {
		char c = text.ptr[at];

		if (attribute->quote ? c == attribute->quote : is_space(c) || c == '>')
			break;
		at += step(slice_from(text, at));
	}
	attribute->value = attribute->quote ? (struct slice){ text.ptr + 1, at - 1 }
					    : slice_first(text, at);
	at += attribute->quote && at < text.len;
	attribute->written = slice_first(text, at);
	return at;
}

/* Length of the attribute at the front, whose first byte is none of space, `/` and `>`. */
static size_t take_attribute(struct slice text, struct html_attribute *attribute)
{
	size_t at = 0;
	size_t behind;

	*attribute = (struct html_attribute){ 0 };
	do {
		at += step(slice_from(text, at));
	} while (at < text.len && !is_space(text.ptr[at]) && text.ptr[at] != '/' &&
		 text.ptr[at] != '>' && text.ptr[at] != '=');
	attribute->name = slice_first(text, at);
	behind = at;
	while (behind < text.len && is_space(text.ptr[behind]))
		behind++;
	if (behind == text.len || text.ptr[behind] != '=')
		return at;
	behind++;
	while (behind < text.len && is_space(text.ptr[behind]))
		behind++;
	return behind + take_value(slice_from(text, behind), attribute);
}

/* What stands between attributes: white space, slashes, and tags of the template language. */
static size_t skip_between(struct slice text)
{
	size_t at = 0;

	while (at < text.len) {
		size_t tag = template_tag_length(slice_from(text, at));

		if (tag == 0 && !is_space(text.ptr[at]) && text.ptr[at] != '/')
			break;
		at += tag > 0 ? tag : 1;
	}
	return at;
}

bool html_attribute_next(struct slice *rest, struct html_attribute *attribute)
{
	*rest = slice_from(*rest, skip_between(*rest));
	if (rest->len == 0 || rest->ptr[0] == '>')
		return false;
	*rest = slice_from(*rest, take_attribute(*rest, attribute));
	return true;
}

struct slice html_attribute_find(const struct html_token *token, struct slice name)
{
	struct slice rest = token->attributes;
	struct html_attribute attribute;

	while (html_attribute_next(&rest, &attribute)) {
		if (slice_equal_nocase(attribute.name, name))
			return attribute.value.ptr ? attribute.value : SLICE("");
	}
	return SLICE_NONE;
}

/* At `<` and a letter. Without a `>` all the rest is one tag, of which browsers show nothing. */
static void take_open(struct html_walk *walk, struct slice rest, struct html_token *token)
{
	struct slice behind;
	struct html_attribute attribute;
	size_t at = 1;

	while (at < rest.len && !is_space(rest.ptr[at]) && rest.ptr[at] != '/' &&
	       rest.ptr[at] != '>')
		at += step(slice_from(rest, at));
	token->kind = HTML_TOKEN_OPEN;
	token->name = (struct slice){ rest.ptr + 1, at - 1 };
	behind = slice_from(rest, at);
	while (html_attribute_next(&behind, &attribute))
		;
	token->attributes = (struct slice){ rest.ptr + at, rest.len - at - behind.len };
	token->whole = slice_first(rest, rest.len - behind.len + (behind.len > 0));
	for (size_t i = 0; i < array_count(raw_elements); i++) {
		if (slice_equal_nocase(token->name, raw_elements[i]))
			walk->raw = raw_elements[i];
	}
}

/* Up to and with the first `end`, template tags passed over; all when it does not come. */
static size_t up_to(struct slice text, size_t from, struct slice end)
{
	while (from < text.len && !slice_has_prefix(slice_from(text, from), end))
		from += step(slice_from(text, from));
	return min_size(from + end.len, text.len);
}

static void take_close(struct slice rest, struct html_token *token)
{
	size_t at = 2;

	while (at < rest.len && !is_space(rest.ptr[at]) && rest.ptr[at] != '/' &&
	       rest.ptr[at] != '>')
		at++;
	token->kind = HTML_TOKEN_CLOSE;
	token->name = (struct slice){ rest.ptr + 2, at - 2 };
	token->whole = slice_first(rest, up_to(rest, at, SLICE(">")));
}

static void take_comment(struct slice rest, struct html_token *token)
{
	size_t len;

	token->kind = HTML_TOKEN_COMMENT;
	if (!slice_has_prefix(rest, SLICE("<!--")))
		len = up_to(rest, 2, SLICE(">"));
	else if (slice_has_prefix(rest, SLICE("<!-->")))
		len = 5;
	else if (slice_has_prefix(rest, SLICE("<!--->")))
		len = 6;
	else
		len = up_to(rest, 4, SLICE("-->"));
	token->whole = slice_first(rest, len);
}

/* Text up to the end tag of the element that is open. */
static void take_raw(struct html_walk *walk, struct slice rest, struct html_token *token)
{
	size_t at = 0;

	while (at < rest.len && !(slice_has_prefix(slice_from(rest, at), SLICE("</")) &&
				  slice_has_prefix_nocase(slice_from(rest, at + 2), walk->raw)))
		at += step(slice_from(rest, at));
	token->kind = HTML_TOKEN_RAW;
	token->name = walk->raw;
	token->whole = slice_first(rest, at);
	walk->raw = SLICE_NONE;
}

/* Whether `<` begins markup here, and not "a < b". */
static bool is_markup(struct slice rest)
{
	char next = rest.len > 1 ? rest.ptr[1] : '\0';

	return rest.ptr[0] == '<' &&
	       (ascii_is_alpha(next) || next == '!' || next == '?' ||
		(next == '/' && rest.len > 2 && ascii_is_alpha(rest.ptr[2])));
}

static void take_text(struct slice rest, struct html_token *token)
{
	size_t at = 0;

	while (at < rest.len && !is_markup(slice_from(rest, at))) {
		size_t tag = rest.ptr[at] == '{' ? template_tag_length(slice_from(rest, at)) : 0;

		if (tag > 4)
			break;
		at += tag > 0 ? tag : 1;
	}
	token->kind = HTML_TOKEN_TEXT;
	token->whole = slice_first(rest, at);
}

bool html_walk_next(struct html_walk *walk, struct html_token *token)
{
	struct slice rest = slice_from(walk->html, walk->at);
	size_t tag;

	*token = (struct html_token){ 0 };
	if (rest.len == 0)
		return false;
	tag = template_tag_length(rest);
	if (walk->raw.ptr) {
		take_raw(walk, rest, token);
		if (token->whole.len == 0)
			return html_walk_next(walk, token);
	} else if (tag > 4) {
		token->kind = HTML_TOKEN_TEMPLATE;
		token->whole = slice_first(rest, tag);
	} else if (!is_markup(rest)) {
		take_text(rest, token);
	} else if (rest.ptr[1] == '!' || rest.ptr[1] == '?') {
		take_comment(rest, token);
	} else if (rest.ptr[1] == '/') {
		take_close(rest, token);
	} else {
		take_open(walk, rest, token);
	}
	walk->at += token->whole.len;
	return true;
}

u32 html_walk_line(struct html_walk *walk, const char *byte)
{
	size_t offset = (size_t)(byte - walk->html.ptr);

	for (; walk->counted < offset; walk->counted++)
		walk->lines += walk->html.ptr[walk->counted] == '\n';
	return walk->lines + 1;
}

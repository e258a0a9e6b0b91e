#include "message/preheader.h"

#include "base/text.h"
#include "message/html_entity.h"
#include "message/html_text.h"
#include "message/html_walk.h"

/* Inboxes show up to about 140 characters. */
#define FILLERS 100
/* A figure space that breaks nothing, and a joiner that is not seen; as references: any charset. */
#define FILLER "&#847;&#8199;&#65279; "

static const char opening[] =
	"<div style=\"display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;"
	"font-size:1px;line-height:1px;mso-hide:all\">";

/* What may stand in front of a body. */
static bool is_of_head(struct slice name)
{
	static const struct slice names[] = { SLICE("html"), SLICE("head"), SLICE("meta"),
					      SLICE("link"), SLICE("base"), SLICE("title"),
					      SLICE("style"), SLICE("script") };

	for (size_t i = 0; i < array_count(names); i++) {
		if (slice_equal_nocase(name, names[i]))
			return true;
	}
	return false;
}

static bool is_white(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] > ' ')
			return false;
	}
	return true;
}

/* Offset behind the body's tag; else behind the head, or a declaration, or 0. */
static size_t find_place(struct slice html)
{
	struct html_walk walk;
	struct html_token token;
	size_t place = 0;
	bool in_head = false;

	html_walk_init(&walk, html);
	while (html_walk_next(&walk, &token)) {
		bool opens = token.kind == HTML_TOKEN_OPEN;

		if (opens && slice_equal_nocase(token.name, SLICE("body")))
			return walk.at;
		if (token.kind == HTML_TOKEN_TEMPLATE ||
		    (opens && !in_head && !is_of_head(token.name)) ||
		    (token.kind == HTML_TOKEN_TEXT && !in_head && !is_white(token.whole)))
			break;
		in_head |= opens && slice_equal_nocase(token.name, SLICE("head"));
		in_head &= token.kind != HTML_TOKEN_CLOSE ||
			   !slice_equal_nocase(token.name, SLICE("head"));
		if (!in_head && token.kind != HTML_TOKEN_TEXT)
			place = walk.at;
	}
	return place;
}

bool preheader_add(struct slice html, struct slice text, struct buf *out)
{
	size_t place = find_place(html);

	buf_add(out, html.ptr, place);
	buf_add_text(out, opening);
	html_url_encode(out, text, '"');
	for (u32 i = 0; i < FILLERS; i++)
		buf_add_text(out, FILLER);
	buf_add_text(out, "</div>");
	buf_add_slice(out, slice_from(html, place));
	return !out->failed;
}

bool preheader_is_there(struct slice html)
{
	struct html_walk walk;
	struct html_token token;
	bool in_head = false;

	html_walk_init(&walk, html);
	while (html_walk_next(&walk, &token)) {
		bool is_head = slice_equal_nocase(token.name, SLICE("head"));

		if (token.kind == HTML_TOKEN_OPEN && !in_head && html_text_is_hidden(&token))
			return true;
		if (token.kind == HTML_TOKEN_TEMPLATE ||
		    (token.kind == HTML_TOKEN_TEXT && !in_head && !is_white(token.whole)) ||
		    (token.kind == HTML_TOKEN_OPEN &&
		     slice_equal_nocase(token.name, SLICE("img"))))
			return false;
		in_head = (in_head || (is_head && token.kind == HTML_TOKEN_OPEN)) &&
			  !(is_head && token.kind == HTML_TOKEN_CLOSE);
	}
	return false;
}

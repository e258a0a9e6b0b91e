#include "message/html.h"

#include "base/text.h"

#include <string.h>

void html_init(struct html *html)
{
	*html = (struct html){ .state = HTML_TEXT };
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static void word_start(struct html *html)
{
	html->word_len = 0;
	html->word[0] = '\0';
}

static void word_add(struct html *html, char c)
{
	if (html->word_len + 1u < sizeof(html->word)) {
		html->word[html->word_len++] = ascii_lower(c);
		html->word[html->word_len] = '\0';
	}
}

static bool last_is(const struct html *html, const char *text)
{
	size_t len = strlen(text);

	return memcmp(html->last + sizeof(html->last) - len, text, len) == 0;
}

static bool attribute_is_url(const char *name)
{
	static const char *const names[] = { "href",       "src",      "action",
					     "background", "cite",     "formaction",
					     "poster",     "longdesc", "srcset" };

	for (size_t i = 0; i < array_count(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void close_tag(struct html *html)
{
	bool script = strcmp(html->tag, "script") == 0 || strcmp(html->tag, "style") == 0;

	html->state = script ? HTML_SCRIPT : HTML_TEXT;
	memset(html->last, 0, sizeof(html->last));
}

static void feed_tag_open(struct html *html, char c)
{
	word_start(html);
	if (ascii_is_alpha(c)) {
		html->state = HTML_TAG_NAME;
		word_add(html, c);
	} else if (c == '!' || c == '/' || c == '?') {
		html->state = HTML_CLOSING;
		memset(html->last, 0, sizeof(html->last));
	} else {
		html->state = HTML_TEXT;
	}
}

/* Between `<!` or `</` and `>`; `<!--` turns into a comment. */
static void feed_closing(struct html *html, char c)
{
	if (c == '>')
		close_tag(html);
	else if (last_is(html, "<!--"))
		html->state = HTML_COMMENT;
}

static void feed_comment(struct html *html)
{
	/* What a conditional comment holds is HTML for the one program that it is meant for. */
	if (last_is(html, "-->") || last_is(html, "]>"))
		html->state = HTML_TEXT;
}

static void feed_tag(struct html *html, char c)
{
	if (c == '>') {
		close_tag(html);
	} else if (is_space(c) || c == '/') {
		if (html->state == HTML_TAG_NAME)
			memcpy(html->tag, html->word, sizeof(html->tag));
		if (html->state != HTML_NAME || !is_space(c))
			html->state = HTML_IN_TAG;
	} else if (c == '=' && html->state == HTML_NAME) {
		html->url = attribute_is_url(html->word);
		html->query = false;
		html->begun = false;
		html->state = HTML_BEFORE_VALUE;
	} else {
		if (html->state == HTML_IN_TAG ||
		    (html->state == HTML_NAME && is_space(html->last[6]))) {
			word_start(html);
			html->state = HTML_NAME;
		}
		word_add(html, c);
		if (html->state == HTML_TAG_NAME)
			memcpy(html->tag, html->word, sizeof(html->tag));
	}
}

static void feed_value(struct html *html, char c)
{
	if (html->state == HTML_BEFORE_VALUE) {
		if (c == '"' || c == '\'') {
			html->quote = c;
			html->state = HTML_VALUE;
		} else if (c == '>') {
			close_tag(html);
		} else if (!is_space(c)) {
			html->state = HTML_BARE_VALUE;
		}
	} else if (html->state == HTML_VALUE) {
		if (c == html->quote)
			html->state = HTML_IN_TAG;
		html->query |= c == '?' || c == '#';
		html->begun |= !is_space(c);
	} else if (c == '>') {
		close_tag(html);
	} else if (is_space(c)) {
		html->state = HTML_IN_TAG;
	}
}

static void feed_char(struct html *html, char c)
{
	memmove(html->last, html->last + 1, sizeof(html->last) - 1);
	html->last[sizeof(html->last) - 1] = ascii_lower(c);
	switch (html->state) {
	case HTML_TEXT:
		if (c == '<') {
			html->state = HTML_TAG_OPEN;
			memset(html->tag, 0, sizeof(html->tag));
		}
		break;
	case HTML_TAG_OPEN:
		feed_tag_open(html, c);
		if (c == '!')
			memcpy(html->last + 6, "<!", 2);
		break;
	case HTML_COMMENT:
		feed_comment(html);
		break;
	case HTML_CLOSING:
		feed_closing(html, c);
		break;
	case HTML_TAG_NAME:
	case HTML_IN_TAG:
	case HTML_NAME:
		feed_tag(html, c);
		break;
	case HTML_BEFORE_VALUE:
	case HTML_VALUE:
	case HTML_BARE_VALUE:
		feed_value(html, c);
		break;
	case HTML_SCRIPT:
		if (last_is(html, "</script") || last_is(html, "</style")) {
			memset(html->tag, 0, sizeof(html->tag));
			html->state = HTML_CLOSING;
		}
		break;
	}
}

void html_feed(struct html *html, struct slice literal)
{
	for (size_t i = 0; i < literal.len; i++)
		feed_char(html, literal.ptr[i]);
}

enum html_place html_place(const struct html *html, const char **why)
{
	switch (html->state) {
	case HTML_TEXT:
	case HTML_COMMENT:
		return HTML_PLACE_TEXT;
	case HTML_VALUE:
		if (html->url && html->query)
			return HTML_PLACE_QUERY;
		return html->url && !html->begun ? HTML_PLACE_URL : HTML_PLACE_ATTRIBUTE;
	case HTML_BEFORE_VALUE:
	case HTML_BARE_VALUE:
		*why = "a field in an attribute needs quotes around the attribute's value";
		break;
	case HTML_SCRIPT:
		*why = "fields cannot stand inside script or style";
		break;
	default:
		*why = "fields cannot stand inside a tag, outside an attribute's value";
		break;
	}
	return HTML_PLACE_REFUSED;
}

void html_value(struct html *html)
{
	html->begun = true;
}

bool html_turn(struct html *html, const char **why)
{
	char last = html->last[sizeof(html->last) - 1];

	*why = NULL;
	switch (html->state) {
	case HTML_COMMENT:
		if (last == '-' || last == ']')
			*why = "a condition or loop cannot stand at a comment's end: put a space "
			       "in front";
		break;
	case HTML_SCRIPT:
		if (memchr(html->last, '<', sizeof(html->last)))
			*why = "a condition or loop cannot stand behind a < in script or style";
		break;
	case HTML_TAG_OPEN:
	case HTML_TAG_NAME:
	case HTML_CLOSING:
		*why = "a condition or loop cannot stand in a tag's name: put a space in front";
		break;
	case HTML_NAME: /* an attribute without a value; whatever follows begins another one */
		html->state = HTML_IN_TAG;
		break;
	default:
		break;
	}
	memset(html->last, 0, sizeof(html->last));
	word_start(html);
	return !*why;
}

static bool same_but_for_url(const struct html *a, const struct html *b)
{
	if (a->state != b->state)
		return false;
	switch (a->state) {
	case HTML_TEXT:
	case HTML_COMMENT:
		return true;
	case HTML_VALUE:
		return a->quote == b->quote && a->url == b->url && strcmp(a->tag, b->tag) == 0;
	case HTML_BEFORE_VALUE:
		return a->url == b->url && strcmp(a->tag, b->tag) == 0;
	default:
		return strcmp(a->tag, b->tag) == 0;
	}
}

bool html_same(const struct html *a, const struct html *b)
{
	return same_but_for_url(a, b) && (a->state != HTML_VALUE || a->query == b->query);
}

bool html_join(struct html *html, const struct html *other)
{
	/* Behind a ? on one of the ways percent-encoding is right, on the other it does no harm. */
	html->query |= other->query;
	html->begun &= other->begun;
	return same_but_for_url(html, other);
}

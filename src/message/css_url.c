#include "message/css_url.h"

#include "base/text.h"
#include "message/template_tag.h"

#include <string.h>

static bool is_name(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' || (u8)c >= 0x80;
}

static bool is_plain(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("/:._-", c));
}

bool css_url_is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_plain(text.ptr[i]))
			return false;
	}
	return true;
}

static void skip_space(struct slice *rest)
{
	while (rest->len > 0 && rest->ptr[0] != '\0' && strchr(" \t\r\n\f", rest->ptr[0]))
		*rest = slice_from(*rest, 1);
}

/* A quote at the front, or its reference; len 0: there is none. */
static struct slice quote_at(struct slice text)
{
	static const struct slice quotes[] = { SLICE("\""),    SLICE("'"),     SLICE("&quot;"),
					       SLICE("&#34;"), SLICE("&#39;"), SLICE("&apos;") };

	for (size_t i = 0; i < array_count(quotes); i++) {
		if (slice_has_prefix(text, quotes[i]))
			return quotes[i];
	}
	return SLICE("");
}

/* Behind `url(`: false when it is no plain address to its end; *rest goes on behind it. */
static bool take(struct slice *rest, struct slice *url)
{
	struct slice at = *rest;
	struct slice quote;

	skip_space(&at);
	quote = quote_at(at);
	at = slice_from(at, quote.len);
	*url = slice_first(at, 0);
	while (url->len < at.len && is_plain(at.ptr[url->len]))
		url->len++;
	at = slice_from(at, url->len);
	if (!slice_has_prefix(at, quote))
		return false;
	at = slice_from(at, quote.len);
	skip_space(&at);
	if (url->len == 0 || !slice_has_prefix(at, SLICE(")")))
		return false;
	*rest = at;
	return true;
}

/* Bytes of what is passed over as a whole: a tag of the template language, a comment, a string. */
static size_t whole_at(struct slice text)
{
	struct slice quote = quote_at(text);
	size_t len = template_tag_length(text);
	i64 end;

	if (len > 0)
		return len;
	if (slice_has_prefix(text, SLICE("/*"))) {
		end = slice_find(slice_from(text, 2), SLICE("*/"));
		return end < 0 ? text.len : (size_t)end + 4;
	}
	if (text.ptr[0] == '\\')
		return text.len < 2 ? text.len : 2;
	if (quote.len == 0)
		return 0;
	/* A string that is not closed ends with its line. */
	for (len = quote.len; len < text.len && text.ptr[len] != '\n'; len++) {
		if (slice_has_prefix(slice_from(text, len), quote))
			return len + quote.len;
		len += text.ptr[len] == '\\' && len + 1 < text.len;
	}
	return len;
}

bool css_url_next(struct slice *rest, struct slice *url)
{
	bool in_name = false;

	while (rest->len > 0) {
		size_t whole = whole_at(*rest);

		if (whole == 0 && !in_name && slice_has_prefix_nocase(*rest, SLICE("url("))) {
			*rest = slice_from(*rest, 4);
			if (take(rest, url))
				return true;
			continue;
		}
		in_name = whole > 0 ? rest->ptr[0] == '\\' : is_name(rest->ptr[0]);
		*rest = slice_from(*rest, whole > 0 ? whole : 1);
	}
	return false;
}

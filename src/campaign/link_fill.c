#include "campaign/link_fill.h"

#include "base/text.h"
#include "message/template_tag.h"

#include <string.h>

#define FILTERS_MAX 8

struct field {
	struct slice name;
	struct slice fallback; /* as written between its quotes */
	bool trims;
};

static bool is_filter(struct slice text, const char *name)
{
	return slice_equal(slice_trim(text), slice_of(name));
}

/* `"..."` behind `default:`; no quote stands within but behind a backslash. */
static bool read_fallback(struct slice text, struct slice *fallback)
{
	text = slice_trim(text);
	if (text.len < 2 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"')
		return false;
	*fallback = (struct slice){ text.ptr + 1, text.len - 2 };
	return true;
}

/* Up to the next bar that is not within quotes. */
static struct slice next_part(struct slice *rest)
{
	bool quoted = false;

	for (size_t i = 0; i < rest->len; i++) {
		struct slice part = slice_first(*rest, i);

		if (rest->ptr[i] == '\\' && quoted) {
			i++;
		} else if (rest->ptr[i] == '"') {
			quoted = !quoted;
		} else if (rest->ptr[i] == '|' && !quoted) {
			*rest = slice_from(*rest, i + 1);
			return part;
		}
	}
	return slice_split(rest, '\0');
}

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (strchr(" \t\"#/^>&!:{}", name.ptr[i]))
			return false;
	}
	return name.len > 0;
}

/* What stands between the braces. */
static bool read_field(struct slice text, struct field *field)
{
	struct slice rest = text;

	*field = (struct field){ .name = slice_trim(next_part(&rest)) };
	if (!is_name(field->name))
		return false;
	for (u32 i = 0; rest.ptr; i++) {
		struct slice filter = slice_trim(next_part(&rest));

		if (i == FILTERS_MAX)
			return false;
		if (is_filter(filter, "trim"))
			field->trims = true;
		else if (slice_has_prefix(filter, SLICE("default:"))) {
			if (!read_fallback(slice_from(filter, 8), &field->fallback))
				return false;
		} else if (!is_filter(filter, "url") && !is_filter(filter, "raw")) {
			return false;
		}
	}
	return true;
}

/* Scheme and host, which are literals; 0: it has none that we would lead to. */
static size_t origin_length(struct slice url)
{
	size_t start = slice_has_prefix_nocase(url, SLICE("https://"))  ? 8
		       : slice_has_prefix_nocase(url, SLICE("http://")) ? 7
									: 0;
	size_t at = start;

	if (start == 0)
		return 0;
	while (at < url.len && !strchr("/?#", url.ptr[at])) {
		char c = url.ptr[at];

		/* Browsers take a backslash for a slash; an '@' makes a host of what follows. */
		if ((u8)c <= ' ' || c == '{' || c == '\\' || c == '@' || c == 0x7f)
			return 0;
		at++;
	}
	return at > start ? at : 0;
}

/* RFC 3986 section 2: what may stand in a URL as it is; `%` is left as the author wrote it. */
static bool is_url_char(char c)
{
	return c && (ascii_is_alpha(c) || ascii_is_digit(c) ||
		     strchr("-._~:/?#[]@!$&'()*+,;=%", c));
}

static void add_percent(struct buf *out, char c)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_add(out, (char[]){ '%', hex[(u8)c >> 4], hex[(u8)c & 15] }, 3);
}

static void add_literal(struct buf *out, char c)
{
	if (c == '\t' || c == '\r' || c == '\n')
		return; /* as browsers do, who read it in a mail */
	if (is_url_char(c))
		buf_add_char(out, c);
	else
		add_percent(out, c);
}

static void add_value(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c && (ascii_is_alpha(c) || ascii_is_digit(c) || strchr("-._~", c)))
			buf_add_char(out, c);
		else
			add_percent(out, c);
	}
}

static void add_fallback(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\' && i + 1 < text.len)
			i++;
		add_value(out, (struct slice){ text.ptr + i, 1 });
	}
}

static void add_field(struct buf *out, const struct field *field, const struct link_values *values)
{
	struct slice value = values->find(values->owner, field->name);

	if (field->trims)
		value = slice_trim(value);
	if (value.len > 0)
		add_value(out, value);
	else
		add_fallback(out, field->fallback);
}

/* `out` NULL: only looks. */
static bool walk(struct slice url, const struct link_values *values, struct buf *out)
{
	size_t origin = origin_length(url);
	struct field field;

	if (origin == 0)
		return false;
	for (size_t at = 0; at < url.len;) {
		struct slice rest = slice_from(url, at);
		size_t tag = at < origin ? 0 : template_tag_length(rest);
		bool is_brace = slice_has_prefix(rest, SLICE("{{{{"));

		if (tag > 0 && !is_brace) {
			if (!read_field((struct slice){ rest.ptr + 2, tag - 4 }, &field))
				return false;
			if (out)
				add_field(out, &field, values);
		} else if (out) {
			/* Four braces are two (message/README.md). */
			for (size_t i = 0; i < (tag > 0 ? 2 : 1); i++)
				add_literal(out, rest.ptr[i]);
		}
		at += tag > 0 ? tag : 1;
	}
	return true;
}

static struct slice find_nothing(void *owner, struct slice name)
{
	(void)owner;
	(void)name;
	return SLICE_NONE;
}

bool link_is_fillable(struct slice url)
{
	const struct link_values nothing = { .find = find_nothing };

	return walk(url, &nothing, NULL);
}

bool link_fill(struct slice url, const struct link_values *values, struct buf *out)
{
	return walk(url, values, out) && !out->failed;
}

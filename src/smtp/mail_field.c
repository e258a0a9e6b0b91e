#include "smtp/mail.h"

#include "base/text.h"
#include "smtp/mail_decode.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 1024   /* of an encoded word; RFC 2047 has 75 */
#define SECTIONS_MAX 16 /* of an RFC 2231 value */

/* Room in the arena for `size` octets, to be filled by buf_add. */
static bool room_in(struct arena *arena, struct buf *out, size_t size)
{
	*out = (struct buf){ .ptr = arena_take(arena, size + 1), .size = size, .max = size };
	return out->ptr != NULL;
}

static char without_control(char c)
{
	return (u8)c < 0x20 || c == 0x7f ? ' ' : c;
}

/* ---- structured fields ---- */

/* Octets of the comment (RFC 5322 section 3.2.2) at the front of s; 0 when it has no end. */
static size_t comment_length(struct slice s)
{
	u32 depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

struct slice mail_bare(struct arena *arena, struct slice value)
{
	struct slice s = slice_first(value, MAIL_FIELD_MAX);
	bool quoted = false;
	bool comments = true; /* until one has no end: then none behind it has */
	struct buf out;

	if (!room_in(arena, &out, s.len))
		return SLICE_NONE;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '\r' || c == '\n')
			continue;
		if (c == '(' && !quoted && comments) {
			size_t len = comment_length(slice_from(s, i));

			comments = len > 0;
			if (comments) {
				buf_add_char(&out, ' ');
				i += len - 1;
				continue;
			}
		}
		if (c == '"')
			quoted = !quoted;
		buf_add_char(&out, without_control(c));
		if (c == '\\' && quoted && i + 1 < s.len)
			buf_add_char(&out, without_control(s.ptr[++i]));
	}
	return slice_trim(buf_slice(&out));
}

/* ---- parameters ---- */

struct parameter {
	struct slice name;
	struct slice value; /* with its quotes */
};

static bool next_parameter(struct slice *rest, struct parameter *parameter)
{
	size_t end = 0;
	bool quoted = false;
	struct slice item;

	if (!rest->ptr || rest->len == 0)
		return false;
	for (; end < rest->len && (quoted || rest->ptr[end] != ';'); end++) {
		if (rest->ptr[end] == '"')
			quoted = !quoted;
		else if (quoted && rest->ptr[end] == '\\' && end + 1 < rest->len)
			end++;
	}
	item = slice_first(*rest, end);
	*rest = slice_from(*rest, end + 1);
	parameter->name = slice_trim(slice_split(&item, '='));
	parameter->value = item.ptr ? slice_trim(item) : SLICE("");
	return true;
}

static struct slice find_parameter(struct slice value, struct slice name)
{
	struct slice rest = value;
	struct parameter parameter;

	while (next_parameter(&rest, &parameter)) {
		if (slice_equal_nocase(parameter.name, name))
			return parameter.value;
	}
	return SLICE_NONE;
}

static void add_unquoted(struct buf *out, struct slice value)
{
	bool quoted = value.len > 0 && value.ptr[0] == '"';

	for (size_t i = quoted ? 1 : 0; i < value.len; i++) {
		if (quoted && value.ptr[i] == '"')
			break;
		if (quoted && value.ptr[i] == '\\' && i + 1 < value.len)
			i++;
		buf_add_char(out, value.ptr[i]);
	}
}

/* RFC 2231 section 4. `first`: charset and language stand in front. */
static void add_extended(struct buf *out, struct slice value, bool first)
{
	for (u32 marks = 0; first && marks < 2; marks++) {
		i64 mark = slice_find_char(value, '\'');

		if (mark < 0)
			break;
		value = slice_from(value, (size_t)mark + 1);
	}
	mail_add_escaped(out, value, '%');
}

/* RFC 2231 section 3. False when there is no section 0. */
static bool add_sections(struct buf *out, struct slice value, struct slice name)
{
	char text[64];
	u32 section;

	for (section = 0; section < SECTIONS_MAX; section++) {
		struct slice found;

		snprintf(text, sizeof(text), "%.*s*%u", SLICE_FMT(name), section);
		found = find_parameter(value, slice_of(text));
		if (found.ptr) {
			add_unquoted(out, found);
			continue;
		}
		snprintf(text, sizeof(text), "%.*s*%u*", SLICE_FMT(name), section);
		found = find_parameter(value, slice_of(text));
		if (!found.ptr)
			break;
		add_extended(out, found, section == 0);
	}
	return section > 0;
}

bool mail_parameter(struct arena *arena, struct slice value, struct slice name, struct slice *out)
{
	char extended[48];
	struct buf text;
	struct slice found;

	*out = SLICE_NONE;
	slice_split(&value, ';');
	if (!value.ptr)
		return true;
	if (!room_in(arena, &text, value.len))
		return false;
	snprintf(extended, sizeof(extended), "%.*s*", SLICE_FMT(name));
	found = find_parameter(value, slice_of(extended));
	if (add_sections(&text, value, name)) {
		*out = buf_slice(&text);
	} else if (found.ptr) {
		add_extended(&text, found, true);
		*out = buf_slice(&text);
	} else {
		found = find_parameter(value, name);
		if (!found.ptr)
			return true;
		add_unquoted(&text, found);
		*out = buf_slice(&text);
	}
	return true;
}

/* ---- text fields ---- */

/* A text being written: octets of encoded words wait until no more of their charset follow. */
struct text {
	struct buf out;
	char octets[MAIL_FIELD_MAX];
	size_t count;
	enum charset charset;
};

static void flush_words(struct text *text)
{
	struct slice octets = { text->octets, text->count };

	charset_decode(&text->out, charset_guess(text->charset, octets), octets);
	text->count = 0;
}

static void add_raw(struct text *text, struct slice raw)
{
	if (raw.len > 0)
		charset_decode(&text->out, charset_guess(CHARSET_NONE, raw), raw);
}

/* Takes the encoded word at the front of s; its length, or 0 when there is none. */
static size_t take_word(struct text *text, struct slice s)
{
	struct slice rest = slice_from(slice_first(s, WORD_MAX), 2);
	struct slice charset = slice_split(&rest, '?');
	struct slice kind = slice_split(&rest, '?');
	i64 end = rest.ptr ? slice_find(rest, SLICE("?=")) : -1;
	enum charset named;
	struct buf to;

	if (end < 0 || kind.len != 1 || charset.len == 0)
		return 0;
	/* RFC 2231 section 5: a language may follow the charset. */
	named = charset_of(slice_split(&charset, '*'));
	if (text->count > 0 && named != text->charset)
		flush_words(text);
	text->charset = named;
	to = (struct buf){ .ptr = text->octets + text->count,
			   .size = sizeof(text->octets) - text->count,
			   .max = sizeof(text->octets) - text->count };
	rest = slice_first(rest, (size_t)end);
	if (ascii_lower(kind.ptr[0]) == 'q')
		mail_add_escaped_words(&to, rest);
	else if (ascii_lower(kind.ptr[0]) == 'b')
		mail_add_base64(&to, rest);
	else
		return 0;
	text->count += to.len;
	return (size_t)(rest.ptr + rest.len + 2 - s.ptr);
}

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!memchr(" \t\r\n", s.ptr[i], 4))
			return false;
	}
	return true;
}

/* Line ends go, other control characters become spaces. In place. */
static struct slice tidy(struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < out->len; i++) {
		if (out->ptr[i] != '\r' && out->ptr[i] != '\n')
			out->ptr[n++] = without_control(out->ptr[i]);
	}
	out->len = n;
	return slice_trim(buf_slice(out));
}

struct slice mail_text(struct arena *arena, struct slice value)
{
	struct slice s = slice_first(value, MAIL_FIELD_MAX);
	struct text text;
	size_t from = 0; /* of octets that are no encoded words */
	size_t at = 0;

	text.count = 0;
	text.charset = CHARSET_NONE;
	if (!room_in(arena, &text.out, s.len * CHARSET_GROWTH))
		return SLICE_NONE;
	while (at + 1 < s.len) {
		struct slice raw = slice_from(slice_first(s, at), from);
		bool waiting = text.count > 0;
		size_t len = 0;

		if (s.ptr[at] != '=' || s.ptr[at + 1] != '?') {
			at++;
			continue;
		}
		/* White space between two words is not part of the text (RFC 2047 section 6.2). */
		if (waiting && !is_blank(raw))
			flush_words(&text);
		if (text.count == 0)
			add_raw(&text, raw);
		from = at;
		len = take_word(&text, slice_from(s, at));
		if (len == 0) {
			/* It is text, and so is the white space in front of it. */
			if (text.count > 0) {
				flush_words(&text);
				add_raw(&text, raw);
			}
			at += 2;
			continue;
		}
		at += len;
		from = at;
	}
	flush_words(&text);
	add_raw(&text, slice_from(s, from));
	return tidy(&text.out);
}

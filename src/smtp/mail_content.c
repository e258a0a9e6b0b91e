#include "smtp/mail.h"

#include "base/text.h"
#include "base/utf8.h"
#include "smtp/mail_decode.h"

#include <string.h>

#define TAG_MAX 1024 /* a longer one is text */

int mail_hex(struct slice s)
{
	int high = s.len >= 2 ? ascii_hex_value(s.ptr[0]) : -1;
	int low = s.len >= 2 ? ascii_hex_value(s.ptr[1]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void mail_add_escaped(struct buf *out, struct slice s, char mark)
{
	for (size_t i = 0; i < s.len; i++) {
		int octet = s.ptr[i] == mark ? mail_hex(slice_from(s, i + 1)) : -1;

		buf_add_char(out, octet < 0 ? s.ptr[i] : (char)octet);
		i += octet < 0 ? 0 : 2;
	}
}

void mail_add_escaped_words(struct buf *out, struct slice s)
{
	while (s.ptr) {
		mail_add_escaped(out, slice_split(&s, '_'), '=');
		if (s.ptr)
			buf_add_char(out, ' ');
	}
}

void mail_add_quoted(struct buf *out, struct slice s)
{
	while (s.ptr && s.len > 0) {
		struct slice line = slice_split(&s, '\n');
		bool soft;

		/* White space at the end of an encoded line was added on the way. */
		while (line.len > 0 && memchr(" \t\r", line.ptr[line.len - 1], 3))
			line.len--;
		soft = line.len > 0 && line.ptr[line.len - 1] == '=';
		if (soft)
			line.len--;
		mail_add_escaped(out, line, '=');
		if (s.ptr && !soft)
			buf_add_char(out, '\n');
	}
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

void mail_add_base64(struct buf *out, struct slice s)
{
	u32 bits = 0;
	u32 have = 0;

	for (size_t i = 0; i < s.len && s.ptr[i] != '='; i++) {
		int digit = base64_digit(s.ptr[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (u32)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_add_char(out, (char)(bits >> have));
		}
	}
}

struct slice mail_content(struct arena *arena, const struct mail_part *part, size_t max)
{
	struct slice in = part->body;
	struct buf out;

	if (part->encoding == MAIL_ENCODING_PLAIN)
		return slice_first(in, max);
	/* Line ends and escapes make up for less than three quarters of what is encoded. */
	in = slice_first(in, 4 * max);
	out = (struct buf){ .ptr = arena_take(arena, min_size(in.len, max) + 1),
			    .size = min_size(in.len, max),
			    .max = min_size(in.len, max) };
	if (!out.ptr)
		return SLICE_NONE;
	if (part->encoding == MAIL_ENCODING_QUOTED)
		mail_add_quoted(&out, in);
	else
		mail_add_base64(&out, in);
	return buf_slice(&out);
}

/* ---- HTML ---- */

static bool is_block(struct slice name)
{
	static const struct slice blocks[] = {
		{ "br", 2 }, { "p", 1 }, { "div", 3 }, { "tr", 2 }, { "li", 2 }, { "hr", 2 },
		{ "h1", 2 }, { "h2", 2 }, { "h3", 2 }, { "table", 5 }, { "title", 5 },
		{ "pre", 3 }, { "ul", 2 }, { "ol", 2 }, { "body", 4 },
	};

	for (size_t i = 0; i < array_count(blocks); i++) {
		if (slice_equal_nocase(name, blocks[i]))
			return true;
	}
	return false;
}

/* Octets up to the end of what starts with tag `name` and is never shown, or 0. */
static size_t hidden_length(struct slice s, struct slice name)
{
	static const struct {
		struct slice name;
		struct slice end;
	} hidden[] = { { { "style", 5 }, { "</style", 7 } },
		       { { "script", 6 }, { "</script", 8 } } };
	struct slice rest = s;

	for (size_t i = 0; i < array_count(hidden); i++) {
		if (!slice_equal_nocase(name, hidden[i].name))
			continue;
		while (rest.len > 0 && !slice_has_prefix_nocase(rest, hidden[i].end))
			rest = slice_from(rest, 1);
		return s.len - rest.len;
	}
	return 0;
}

/* Takes the tag or comment at the front of s: its length, or 0 when it is text. */
static size_t take_tag(struct slice s, bool *block)
{
	size_t from = s.len > 1 && s.ptr[1] == '/' ? 2 : 1;
	i64 end = slice_find_char(slice_first(s, TAG_MAX), '>');
	size_t len = from;
	size_t hidden;

	if (slice_has_prefix(s, SLICE("<!--"))) {
		i64 close = slice_find(s, SLICE("-->"));

		return close < 0 ? s.len : (size_t)close + 3;
	}
	if (end < 0 || s.len < 2 ||
	    (from == 1 && !ascii_is_alpha(s.ptr[1]) && s.ptr[1] != '!' && s.ptr[1] != '?'))
		return 0;
	while (len < (size_t)end && (ascii_is_alpha(s.ptr[len]) || ascii_is_digit(s.ptr[len])))
		len++;
	/* <someone@example.jp> is no tag, whatever HTML says. */
	if (len < (size_t)end && !memchr(" \t\n/-:", s.ptr[len], 6) && s.ptr[1] != '!' &&
	    s.ptr[1] != '?')
		return 0;
	*block = is_block(slice_from(slice_first(s, len), from));
	hidden = from == 1 ? hidden_length(s, slice_from(slice_first(s, len), from)) : 0;
	return hidden > 0 ? hidden : (size_t)end + 1;
}

/* Takes the character reference at the front of s; its length, or 0. */
static size_t take_entity(struct slice s, u32 *code)
{
	static const struct {
		struct slice name;
		u32 code;
	} known[] = {
		{ { "&lt;", 4 }, '<' },    { { "&gt;", 4 }, '>' },   { { "&amp;", 5 }, '&' },
		{ { "&quot;", 6 }, '"' },  { { "&nbsp;", 6 }, ' ' }, { { "&apos;", 6 }, '\'' },
		{ { "&#39;", 5 }, '\'' },
	};
	u32 number;
	i64 end;

	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_has_prefix_nocase(s, known[i].name)) {
			*code = known[i].code;
			return known[i].name.len;
		}
	}
	end = slice_has_prefix(s, SLICE("&#")) ? slice_find_char(slice_first(s, 10), ';') : -1;
	if (end < 0 || !slice_to_u32(slice_from(slice_first(s, (size_t)end), 2), &number))
		return 0;
	if (number < 0x20 || number == 0x7f || number > 0xffff ||
	    (number >= 0xd800 && number < 0xe000))
		return 0;
	*code = number;
	return (size_t)end + 1;
}

/* In place: nothing that is written is longer than what it stands for. */
static size_t strip_html(char *text, size_t len)
{
	size_t to = 0;
	size_t at = 0;

	while (at < len) {
		struct slice s = { text + at, len - at };
		bool block = false;
		size_t used = 0;
		u32 code;

		if (text[at] == '<') {
			used = take_tag(s, &block);
			if (block)
				text[to++] = '\n';
		} else if (text[at] == '&') {
			char utf8[4];

			used = take_entity(s, &code);
			if (used > 0) {
				size_t n = utf8_encode(utf8, code);

				memcpy(text + to, utf8, n);
				to += n;
			}
		}
		if (used == 0) {
			text[to++] = text[at];
			used = 1;
		}
		at += used;
	}
	return to;
}

/* LF line ends, no control characters but them. In place. */
static size_t tidy_lines(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r' && i + 1 < len && (text[i + 1] == '\n' || text[i + 1] == '\r'))
			continue;
		if (text[i] == '\r')
			text[n++] = '\n';
		else
			text[n++] = ((u8)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f
					    ? ' '
					    : text[i];
	}
	return n;
}

struct slice mail_content_text(struct arena *arena, const struct mail_part *part, size_t max)
{
	struct slice octets = mail_content(arena, part, max);
	struct slice name;
	struct buf out;

	if (!octets.ptr || !mail_parameter(arena, part->parameters, SLICE("charset"), &name))
		return SLICE_NONE;
	out = (struct buf){ .ptr = arena_take(arena, octets.len * CHARSET_GROWTH + 1),
			    .size = octets.len * CHARSET_GROWTH,
			    .max = octets.len * CHARSET_GROWTH };
	if (!out.ptr)
		return SLICE_NONE;
	charset_decode(&out, charset_guess(charset_of(name), octets), octets);
	out.len = tidy_lines(out.ptr, out.len);
	if (slice_equal(part->type, SLICE("text/html")))
		out.len = strip_html(out.ptr, out.len);
	return buf_slice(&out);
}

#include "message/header.h"

#include "base/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define SHORT_VALUE_MAX 60 /* longer names and parameter values take a form that can be folded */
#define SECTION_MAX 60

/* RFC 2045 section 5.1: what a parameter value may hold without quotes. */
static bool is_token_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((u8)s.ptr[i] < 0x20 || (u8)s.ptr[i] > 0x7e)
			return false;
	}
	return true;
}

/* Atoms short enough for any line: one that is longer could not be folded (RFC 5322, 2.1.1). */
static bool is_atoms(struct slice s)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == ' ' ? len == 0 : !ascii_is_atext(s.ptr[i]))
			return false;
		len = s.ptr[i] == ' ' ? 0 : len + 1;
		if (len > SHORT_VALUE_MAX)
			return false;
	}
	return len > 0;
}

/* `to` has room for 2 * s.len + 2. */
static struct slice quote(char *to, struct slice s)
{
	size_t n = 0;

	to[n++] = '"';
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			to[n++] = '\\';
		to[n++] = s.ptr[i];
	}
	to[n++] = '"';
	return (struct slice){ to, n };
}

void header_add_phrase(struct header_writer *w, struct slice name)
{
	char room[2 * SHORT_VALUE_MAX + 2];
	bool looks_encoded;

	name = slice_trim(name);
	looks_encoded = slice_find(name, SLICE("=?")) >= 0;
	if (is_atoms(name) && !looks_encoded)
		header_add_tokens(w, name);
	else if (is_printable(name) && name.len <= SHORT_VALUE_MAX && !looks_encoded)
		header_add_token(w, SLICE(" "), quote(room, name));
	else
		header_add_words(w, name);
}

/* One section of an RFC 2231 value: as many whole octets as fit. Returns what is left. */
static struct slice add_section(struct header_writer *w, struct slice name, u32 section,
				bool single, struct slice value)
{
	static const char hex[] = "0123456789ABCDEF";
	char room[SECTION_MAX + 96];
	struct buf text = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	size_t at = 0;
	size_t used = 0;

	buf_add_slice(&text, slice_first(name, 32));
	buf_add_char(&text, '*');
	if (!single) {
		buf_add_u64(&text, section);
		buf_add_char(&text, '*');
	}
	buf_add_char(&text, '=');
	if (section == 0)
		buf_add_text(&text, "UTF-8''");
	for (; at < value.len && used + 3 <= SECTION_MAX; at++) {
		u8 c = (u8)value.ptr[at];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '.' || c == '-' ||
		    c == '_') {
			buf_add_char(&text, (char)c);
			used++;
		} else {
			buf_add(&text, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
			used += 3;
		}
	}
	header_add_token(w, SLICE(" "), buf_slice(&text));
	return slice_from(value, at);
}

static size_t percent_length(struct slice value)
{
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++)
		n += (u8)value.ptr[i] < 0x80 && is_token_char(value.ptr[i]) ? 1 : 3;
	return n;
}

void header_add_parameter(struct header_writer *w, struct slice name, struct slice value)
{
	char room[2 * SHORT_VALUE_MAX + 2 + 64];
	char quoted[2 * SHORT_VALUE_MAX + 2];
	struct buf text = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	bool token = value.len > 0;
	u32 section = 0;

	buf_add_char(w->out, ';');
	w->column++;
	for (size_t i = 0; i < value.len; i++)
		token &= is_token_char(value.ptr[i]);
	if (is_printable(value) && value.len <= SHORT_VALUE_MAX) {
		buf_add_slice(&text, slice_first(name, 32));
		buf_add_char(&text, '=');
		buf_add_slice(&text, token ? value : quote(quoted, value));
		header_add_token(w, SLICE(" "), buf_slice(&text));
		return;
	}
	if (percent_length(value) <= SECTION_MAX - 8) {
		add_section(w, name, 0, true, value);
		return;
	}
	while (value.len > 0) {
		value = add_section(w, name, section++, false, value);
		if (value.len > 0) {
			buf_add_char(w->out, ';');
			w->column++;
		}
	}
}

/* Appends `bytes` of `charset` as UTF-8. */
static bool add_converted(struct buf *out, struct slice charset, struct slice bytes)
{
	char name[48];
	char *in = (char *)(uintptr_t)
			   bytes.ptr; /* iconv's prototype lacks a const; it does not write */
	size_t in_left = bytes.len;
	size_t out_left = bytes.len * 4 + 16;
	char *to = buf_reserve(out, out_left);
	iconv_t converter;
	size_t start = out->len;
	bool done;

	if (!to || !slice_copy(name, sizeof(name), charset))
		return false;
	converter = iconv_open("UTF-8", name);
	if (converter == (iconv_t)-1) {
		/* EINVAL: an unknown charset. What else it is must not change the message. */
		out->failed |= errno != EINVAL;
		return false;
	}
	done = iconv(converter, &in, &in_left, &to, &out_left) != (size_t)-1;
	iconv_close(converter);
	if (!done)
		return false;
	buf_advance(out, (size_t)(to - out->ptr) - start);
	return utf8_is_valid(slice_from(buf_slice(out), start));
}

static bool decode_q(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '=') {
			u32 value = 0;

			if (i + 2 >= text.len)
				return false;
			for (size_t k = 1; k <= 2; k++) {
				char c = ascii_lower(text.ptr[i + k]);

				if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
					return false;
				value = value << 4 |
					(u32)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
			}
			buf_add_char(out, (char)value);
			i += 2;
		} else {
			buf_add_char(out, text.ptr[i] == '_' ? ' ' : text.ptr[i]);
		}
	}
	return true;
}

/* Decodes the encoded word at the front of text; its length, or 0. */
static size_t decode_word(struct buf *out, struct slice text)
{
	struct slice rest = slice_from(text, 2);
	struct slice charset = slice_split(&rest, '?');
	struct slice kind = slice_split(&rest, '?');
	i64 end = rest.ptr ? slice_find(rest, SLICE("?=")) : -1;
	struct buf bytes;
	struct slice body;
	size_t n = 0;
	size_t before = out->len;
	bool done = false;

	if (end < 0 || kind.len != 1 || charset.len == 0)
		return 0;
	body = slice_first(rest, (size_t)end);
	buf_init(&bytes, 1u << 20);
	if (ascii_lower(kind.ptr[0]) == 'q') {
		done = decode_q(&bytes, body);
	} else if (ascii_lower(kind.ptr[0]) == 'b') {
		char *to = buf_reserve(&bytes, body.len + 1);

		done = to && base64_decode(to, body.len + 1, &n, body);
		if (done)
			buf_advance(&bytes, n);
	}
	/* RFC 2231 section 5: a language may follow the charset. */
	charset = slice_split(&charset, '*');
	done = done && !bytes.failed && add_converted(out, charset, buf_slice(&bytes));
	out->failed |= bytes.no_memory;
	buf_done(&bytes);
	if (!done) {
		out->len = before;
		return 0;
	}
	return (size_t)(body.ptr + body.len + 2 - text.ptr);
}

void header_decode_words(struct buf *out, struct slice text)
{
	size_t blank_from = 0; /* where the white space behind an encoded word starts in out */
	bool after_word = false;

	while (text.len > 0) {
		size_t at = out->len;
		size_t n = 0;

		if (slice_has_prefix(text, SLICE("=?")))
			n = decode_word(out, text);
		if (n > 0 && after_word && at > blank_from) {
			/* White space between two encoded words is not part of the text. */
			memmove(out->ptr + blank_from, out->ptr + at, out->len - at);
			out->len -= at - blank_from;
		}
		if (n > 0) {
			after_word = true;
			blank_from = out->len;
		} else {
			n = 1;
			after_word &=
				text.ptr[0] == ' ' || text.ptr[0] == '\t' || text.ptr[0] == '\n';
			buf_add_char(out, text.ptr[0]);
		}
		text = slice_from(text, n);
	}
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Without the white space at both ends, that of folds as well. */
static struct slice trim_folds(struct slice s)
{
	while (s.len > 0 && is_white(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_white(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool header_next_parameter(struct slice *rest, struct header_parameter *parameter)
{
	size_t i = 0;
	size_t end;
	bool quoted = false;

	while (i < rest->len && strchr("; \t\n", rest->ptr[i]))
		i++;
	if (i >= rest->len)
		return false;
	end = i;
	while (end < rest->len && rest->ptr[end] != '=' && rest->ptr[end] != ';')
		end++;
	parameter->name = trim_folds((struct slice){ rest->ptr + i, end - i });
	if (end < rest->len && rest->ptr[end] == '=')
		end++;
	i = end;
	for (; end < rest->len && (quoted || rest->ptr[end] != ';'); end++) {
		if (rest->ptr[end] == '"')
			quoted = !quoted;
		else if (quoted && rest->ptr[end] == '\\' && end + 1 < rest->len)
			end++;
	}
	parameter->value = trim_folds((struct slice){ rest->ptr + i, end - i });
	*rest = slice_from(*rest, end);
	return true;
}

void header_unquote(struct buf *out, struct slice value)
{
	bool quoted = value.len > 0 && value.ptr[0] == '"';

	for (size_t i = quoted ? 1 : 0; i < value.len; i++) {
		if (quoted && value.ptr[i] == '"')
			break;
		if (quoted && value.ptr[i] == '\\' && i + 1 < value.len)
			i++;
		if (value.ptr[i] != '\n')
			buf_add_char(out, value.ptr[i]);
	}
}

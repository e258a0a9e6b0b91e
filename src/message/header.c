#include "message/header.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/japanese.h"

#include <string.h>

#define WORD_MAX 75        /* RFC 2047 section 2 */
#define PLAIN_WORD_MAX 900 /* longer ones become encoded words, which can be folded */
#define SPACE_RUN_MAX 20   /* longer runs of white space go inside encoded words, likewise */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void header_begin(struct header_writer *w, struct buf *out, struct slice name,
		  enum message_charset charset)
{
	*w = (struct header_writer){ .out = out, .charset = charset, .is_first = true };
	buf_add_slice(out, name);
	buf_add_char(out, ':');
	w->column = name.len + 1;
}

bool header_end(struct header_writer *w)
{
	buf_add(w->out, "\r\n", 2);
	return !w->too_long && w->bad == 0;
}

bool header_may_stay(struct slice name, struct slice value)
{
	size_t before = name.len + 1;

	for (size_t i = 0; i < value.len; i++) {
		if ((value.ptr[i] < ' ' && !is_blank(value.ptr[i]) && value.ptr[i] != '\n') ||
		    value.ptr[i] > '~')
			return false;
	}
	while (value.ptr) {
		if (slice_split(&value, '\n').len + before > HEADER_LINE_MAX)
			return false;
		before = 0;
	}
	return true;
}

void header_add_kept(struct buf *out, struct slice name, struct slice value)
{
	buf_add_slice(out, name);
	buf_add_char(out, ':');
	buf_add_slice(out, slice_split(&value, '\n'));
	while (value.ptr) {
		struct slice line = slice_split(&value, '\n');

		if (slice_trim(line).len == 0)
			continue;
		buf_add(out, "\r\n", 2);
		buf_add_slice(out, line);
	}
	buf_add(out, "\r\n", 2);
}

static void add_space(struct header_writer *w, struct slice space, bool fold)
{
	if (fold) {
		buf_add(w->out, "\r\n", 2);
		w->column = 0;
	}
	buf_add_slice(w->out, space);
	w->column += space.len;
}

void header_add_token(struct header_writer *w, struct slice space, struct slice token)
{
	size_t end = w->column + space.len + token.len;

	/*
	 * A fold straight behind the colon is legal, but some verifiers' canonical forms stumble.
	 */
	add_space(w, space, space.len > 0 && !w->is_first && end > HEADER_LINE_SOFT);
	buf_add_slice(w->out, token);
	w->column += token.len;
	w->is_first = false;
	if (w->column > HEADER_LINE_MAX)
		w->too_long = true;
}

/* Cuts the white space and the word at the front of *rest. */
static bool next_word(struct slice *rest, struct slice *space, struct slice *word)
{
	size_t blanks = 0;
	size_t end;

	while (blanks < rest->len && is_blank(rest->ptr[blanks]))
		blanks++;
	end = blanks;
	while (end < rest->len && !is_blank(rest->ptr[end]))
		end++;
	*space = slice_first(*rest, blanks);
	*word = (struct slice){ rest->ptr + blanks, end - blanks };
	*rest = slice_from(*rest, end);
	return word->len > 0;
}

void header_add_tokens(struct header_writer *w, struct slice text)
{
	struct slice rest = slice_trim(text);
	struct slice space;
	struct slice word;

	while (rest.len > 0 && next_word(&rest, &space, &word))
		header_add_token(w, space.len ? space : SLICE(" "), word);
}

static bool word_needs_encoding(struct slice word)
{
	if (word.len > PLAIN_WORD_MAX)
		return true;
	for (size_t i = 0; i < word.len; i++) {
		u8 c = (u8)word.ptr[i];

		if (c <= 0x20 || c >= 0x7f)
			return true;
		/* Text that looks like an encoded word must not be decoded by the reader. */
		if (c == '=' && i + 1 < word.len && word.ptr[i + 1] == '?')
			return true;
	}
	return false;
}

static bool is_q_plain(u8 c)
{
	return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '!' || c == '*' ||
	       c == '+' || c == '-' || c == '/';
}

static size_t q_length(u8 c)
{
	return is_q_plain(c) || c == ' ' ? 1 : 3;
}

/* The shorter of the two forms for the whole text; Q also keeps mostly-Latin text readable. */
static bool prefers_base64(struct slice text)
{
	size_t q = 0;

	for (size_t i = 0; i < text.len; i++)
		q += q_length((u8)text.ptr[i]);
	return q > base64_length(text.len);
}

/* Bytes of whole characters at the front of text whose encoded form has at most `room` octets. */
static size_t word_fit(const struct header_writer *w, struct slice text, bool base64, size_t room)
{
	size_t at = 0;
	size_t used = 0;

	if (w->charset == MESSAGE_ISO_2022_JP)
		return japanese_fit(text, room / 4 * 3);
	while (at < text.len) {
		u32 code;
		size_t len = utf8_decode(slice_from(text, at), &code);
		size_t need = used;

		for (size_t i = 0; i < len; i++)
			need += base64 ? 1 : q_length((u8)text.ptr[at + i]);
		if (len == 0 || need > (base64 ? room / 4 * 3 : room))
			break;
		used = need;
		at += len;
	}
	return at;
}

static void add_q(struct buf *out, struct slice text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		u8 c = (u8)text.ptr[i];

		if (is_q_plain(c))
			buf_add_char(out, (char)c);
		else if (c == ' ')
			buf_add_char(out, '_');
		else
			buf_add(out, (char[]){ '=', hex[c >> 4], hex[c & 15] }, 3);
	}
}

static void add_base64(struct header_writer *w, struct slice text)
{
	/*
	 * An encoded word holds at most 48 octets, so the converted text fits a small local buffer.
	 */
	char room[WORD_MAX + 8];
	struct buf plain = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct slice bytes = text;
	char *to;

	if (w->charset == MESSAGE_ISO_2022_JP) {
		if (!japanese_encode(&plain, text, &w->bad) || plain.failed)
			return;
		bytes = buf_slice(&plain);
	}
	to = buf_reserve(w->out, base64_length(bytes.len));
	if (to)
		buf_advance(w->out, base64_encode(to, bytes.ptr, bytes.len));
}

/* A run of words as one or more encoded words; `space` stands before the first. */
static void add_encoded(struct header_writer *w, struct slice space, struct slice text)
{
	bool base64 = w->charset == MESSAGE_ISO_2022_JP || prefers_base64(text);
	const char *prefix = w->charset == MESSAGE_ISO_2022_JP ? "=?ISO-2022-JP?B?"
			     : base64                          ? "=?UTF-8?B?"
							       : "=?UTF-8?Q?";
	size_t overhead = strlen(prefix) + 2;

	while (text.len > 0 && !w->out->failed && w->bad == 0) {
		size_t column = w->column + space.len;
		size_t room = column + overhead < HEADER_LINE_SOFT
				      ? HEADER_LINE_SOFT - column - overhead
				      : 0;
		size_t n = word_fit(w, text, base64, min_size(room, WORD_MAX - overhead));
		bool fold = n == 0 || (n < text.len && room < 16);
		size_t start;

		if (fold) {
			room = HEADER_LINE_SOFT - space.len - overhead;
			n = word_fit(w, text, base64, min_size(room, WORD_MAX - overhead));
		}
		add_space(w, space, fold);
		start = w->out->len;
		buf_add_text(w->out, prefix);
		if (base64)
			add_base64(w, slice_first(text, n));
		else
			add_q(w->out, slice_first(text, n));
		buf_add(w->out, "?=", 2);
		w->column += w->out->len - start;
		w->is_first = false;
		text = slice_from(text, n);
		space = SLICE(" ");
	}
}

void header_add_text(struct header_writer *w, struct slice text)
{
	struct slice rest = slice_trim(text);
	struct slice space;
	struct slice word;
	struct slice run =
		SLICE_NONE; /* words to be encoded together, with the space between them */
	struct slice run_space = SLICE_NONE;

	while (rest.len > 0 && next_word(&rest, &space, &word)) {
		struct slice before = space.len ? space : SLICE(" ");
		bool joins = space.len > SPACE_RUN_MAX;

		if (joins || word_needs_encoding(word)) {
			if (!run.ptr) {
				/* White space beside plain text counts, so the rest of a long run
				 * is encoded. */
				run_space = joins ? slice_first(space, 1) : before;
				run.ptr = joins ? word.ptr - space.len + 1 : word.ptr;
			}
			run.len = (size_t)(word.ptr + word.len - run.ptr);
			continue;
		}
		if (run.ptr)
			add_encoded(w, run_space, run);
		run = SLICE_NONE;
		header_add_token(w, before, word);
	}
	if (run.ptr)
		add_encoded(w, run_space, run);
}

void header_add_words(struct header_writer *w, struct slice text)
{
	add_encoded(w, SLICE(" "), slice_trim(text));
}

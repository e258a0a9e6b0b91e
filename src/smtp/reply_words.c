#include "smtp/reply_words.h"

#include "base/text.h"

#include <string.h>

#define WORD_MAX 24 /* bytes; longer ones are identifiers, or in no language with spaces */

/* Length of "5.7.1 " at the start, which every line of a reply may have; else 0. */
static size_t enhanced_len(struct slice s)
{
	size_t at = 0;

	for (u32 part = 0; part < 3; part++) {
		size_t start = at;

		while (at < s.len && at - start < 3 && ascii_is_digit(s.ptr[at]))
			at++;
		if (at == start || at == s.len || s.ptr[at] != (part < 2 ? '.' : ' '))
			return 0;
		at++;
	}
	return at;
}

static size_t add(char *out, size_t len, char c)
{
	if (c == ' ' && (len == 0 || out[len - 1] == ' '))
		return len;
	out[len] = ascii_lower(c);
	return len + 1;
}

size_t smtp_reply_words(char out[SMTP_REPLY_TEXT_MAX], struct slice text)
{
	struct slice rest = slice_first(text, SMTP_REPLY_TEXT_MAX);
	size_t len = 0;

	rest = slice_from(rest, enhanced_len(rest));
	while (rest.len > 0) {
		if (slice_has_prefix(rest, SLICE(" / "))) {
			rest = slice_from(rest, 3);
			rest = slice_from(rest, enhanced_len(rest));
			len = add(out, len, ' ');
			continue;
		}
		len = add(out, len, rest.ptr[0]);
		rest = slice_from(rest, 1);
	}
	return len;
}

/* ---- shapes ---- */

static bool is_edge(char c)
{
	return memchr("<>()[]{}\"'`,;:.!?=", c, 18) != NULL;
}

static bool has_digit(struct slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (ascii_is_digit(word.ptr[i]))
			return true;
	}
	return false;
}

static bool is_ascii(struct slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		if ((u8)word.ptr[i] >= 0x80)
			return false;
	}
	return true;
}

/* What stands for the word; the word itself when that is what matters. */
static struct slice word_shape(struct slice word)
{
	if (slice_find_char(word, '@') >= 0)
		return SLICE("<address>");
	if (slice_find(word, SLICE("://")) >= 0)
		return SLICE("<url>");
	if (has_digit(word) && is_ascii(word))
		return SLICE("<number>");
	if (slice_find_char(word, '.') >= 0)
		return SLICE("<host>");
	if (word.len > WORD_MAX && is_ascii(word))
		return SLICE("<id>");
	return word;
}

static struct slice without_edges(struct slice word)
{
	while (word.len > 0 && is_edge(word.ptr[0]))
		word = slice_from(word, 1);
	while (word.len > 0 && is_edge(word.ptr[word.len - 1]))
		word.len--;
	return word;
}

size_t smtp_reply_shape(char out[SMTP_REPLY_SHAPE_MAX], struct slice text)
{
	char words[SMTP_REPLY_TEXT_MAX];
	struct slice rest = { words, smtp_reply_words(words, text) };
	struct slice last = SLICE_NONE;
	size_t len = 0;

	while (rest.ptr) {
		struct slice word = word_shape(without_edges(slice_split(&rest, ' ')));
		bool is_place = word.len > 0 && word.ptr[0] == '<';

		/* How many there are in a row varies. */
		if (word.len == 0 || (is_place && slice_equal(word, last)))
			continue;
		if (len + word.len + 1 > SMTP_REPLY_SHAPE_MAX)
			break;
		if (len > 0)
			out[len++] = ' ';
		memcpy(out + len, word.ptr, word.len);
		len += word.len;
		last = word;
	}
	return len;
}

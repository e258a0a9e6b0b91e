#include "console/words.h"

#include "base/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct splitter {
	struct words *words;
	char *to;
	bool is_in_word;
	bool is_escaped;
};

static bool begin_word(struct splitter *s, size_t at)
{
	if (s->is_in_word)
		return true;
	if (s->words->count == WORDS_MAX)
		return false;
	s->words->at[s->words->count++] = s->to;
	s->words->last_start = at;
	s->is_in_word = true;
	return true;
}

static void end_word(struct splitter *s)
{
	if (s->is_in_word)
		*s->to++ = '\0';
	s->is_in_word = false;
}

/* False: too many words. */
static bool take(struct splitter *s, size_t at, char c)
{
	struct words *words = s->words;

	if (s->is_escaped) {
		/* Between double quotes a backslash is itself unless it is needed. */
		if (words->quote == '"' && c != '"' && c != '\\')
			*s->to++ = '\\';
		*s->to++ = c;
		s->is_escaped = false;
		return true;
	}
	if (words->quote) {
		if (c == words->quote)
			words->quote = '\0';
		else if (c == '\\' && words->quote == '"')
			s->is_escaped = true;
		else
			*s->to++ = c;
		return true;
	}
	if (is_blank(c)) {
		end_word(s);
		return true;
	}
	if (!begin_word(s, at))
		return false;
	if (c == '\'' || c == '"')
		words->quote = c;
	else if (c == '\\')
		s->is_escaped = true;
	else
		*s->to++ = c;
	return true;
}

static bool split(struct splitter *s, struct words *words, struct slice line)
{
	*s = (struct splitter){ .words = words, .to = words->bytes };
	words->count = 0;
	words->last_start = line.len;
	words->quote = '\0';
	if (line.len > WORDS_LINE_MAX)
		return false;
	for (size_t i = 0; i < line.len; i++) {
		if (!take(s, i, line.ptr[i]))
			return false;
	}
	return true;
}

bool words_split(struct words *words, struct slice line, struct error *error)
{
	struct splitter s;

	if (memchr(line.ptr ? line.ptr : "", '\0', line.len))
		return error_set(error, "there is a NUL byte in the line");
	if (line.len > WORDS_LINE_MAX)
		return error_set(error, "the line is over %d bytes", WORDS_LINE_MAX);
	if (!split(&s, words, line))
		return error_set(error, "more than %d words", WORDS_MAX);
	if (words->quote)
		return error_set(error, "a quote (%c) is not closed", words->quote);
	if (s.is_escaped)
		return error_set(error, "nothing stands behind the last backslash");
	end_word(&s);
	words->at[words->count] = NULL;
	return true;
}

bool words_split_open(struct words *words, struct slice line)
{
	struct splitter s;

	if (!split(&s, words, line) || !begin_word(&s, line.len))
		return false;
	end_word(&s);
	words->at[words->count] = NULL;
	return true;
}

void words_quote(struct buf *out, struct slice word)
{
	bool is_plain = word.len > 0;

	for (size_t i = 0; i < word.len; i++)
		is_plain &= !is_blank(word.ptr[i]) && !strchr("'\"\\", word.ptr[i]);
	if (is_plain) {
		buf_add_slice(out, word);
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] == '"' || word.ptr[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, word.ptr[i]);
	}
	buf_add_char(out, '"');
}

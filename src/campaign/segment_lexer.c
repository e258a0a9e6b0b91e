#include "campaign/segment_lexer.h"

#include "base/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

static char peek(const struct segment_lexer *lexer, size_t ahead)
{
	size_t at = lexer->at + ahead;

	return at < lexer->text.len ? lexer->text.ptr[at] : '\0';
}

static void skip_blanks(struct segment_lexer *lexer)
{
	for (;;) {
		struct slice rest = slice_from(lexer->text, lexer->at);

		if (rest.len > 0 && is_blank(rest.ptr[0]))
			lexer->at++;
		else if (slice_has_prefix(rest, SLICE("\xe3\x80\x80"))) /* ideographic space */
			lexer->at += 3;
		else
			return;
	}
}

static void take_string(struct segment_lexer *lexer)
{
	size_t begin = ++lexer->at;

	lexer->has_escapes = false;
	for (; lexer->at < lexer->text.len; lexer->at++) {
		char c = peek(lexer, 0);

		if (c == '"') {
			lexer->token = SEGMENT_TOKEN_STRING;
			lexer->word = (struct slice){ lexer->text.ptr + begin, lexer->at - begin };
			lexer->at++;
			return;
		}
		if (c == '\\') {
			lexer->has_escapes = true;
			lexer->at++;
		}
	}
	lexer->token = SEGMENT_TOKEN_BAD;
	error_set(&lexer->error, "the text that begins here has no \" at its end");
}

/* "2026-11-30" or the digits of a number. */
static void take_number(struct segment_lexer *lexer)
{
	bool has_point = false;

	lexer->token = SEGMENT_TOKEN_NUMBER;
	if (peek(lexer, 0) == '-')
		lexer->at++;
	for (;; lexer->at++) {
		char c = peek(lexer, 0);

		if (c == '.' && !has_point && ascii_is_digit(peek(lexer, 1)))
			has_point = true;
		else if (c == '-' && lexer->at > lexer->began)
			lexer->token = SEGMENT_TOKEN_DATE;
		else if (!ascii_is_digit(c))
			break;
	}
	if (is_word(peek(lexer, 0))) {
		lexer->token = SEGMENT_TOKEN_BAD;
		error_set(&lexer->error, "letters follow a number; text stands between \"\"");
	}
}

static void take_sign(struct segment_lexer *lexer)
{
	char c = peek(lexer, 0);

	if (c == '\0' || !memchr("(),=<>!", c, 7) || (c == '!' && peek(lexer, 1) != '=')) {
		lexer->token = SEGMENT_TOKEN_BAD;
		error_set(&lexer->error, "this character has no meaning here; text stands between "
					 "\"\"");
		return;
	}
	lexer->token = SEGMENT_TOKEN_SIGN;
	lexer->at += (c == '<' || c == '>' || c == '!') && peek(lexer, 1) == '=' ? 2 : 1;
}

void segment_lexer_init(struct segment_lexer *lexer, struct slice text)
{
	*lexer = (struct segment_lexer){ .text = text };
	segment_lexer_next(lexer);
}

void segment_lexer_next(struct segment_lexer *lexer)
{
	char c;

	if (lexer->token == SEGMENT_TOKEN_BAD)
		return; /* the first mistake is the one that is told */
	skip_blanks(lexer);
	lexer->began = lexer->at;
	c = peek(lexer, 0);
	if (lexer->at >= lexer->text.len) {
		lexer->token = SEGMENT_TOKEN_END;
	} else if (c == '"') {
		take_string(lexer);
		return;
	} else if (ascii_is_digit(c) || (c == '-' && ascii_is_digit(peek(lexer, 1)))) {
		take_number(lexer);
	} else if (is_word(c)) {
		lexer->token = SEGMENT_TOKEN_WORD;
		while (is_word(peek(lexer, 0)) ||
		       (peek(lexer, 0) == '.' && is_word(peek(lexer, 1))))
			lexer->at++;
	} else if (c == '#' && ascii_is_digit(peek(lexer, 1))) {
		lexer->token = SEGMENT_TOKEN_ID;
		lexer->at++;
		while (ascii_is_digit(peek(lexer, 0)))
			lexer->at++;
	} else {
		take_sign(lexer);
	}
	lexer->word =
		(struct slice){ lexer->text.ptr + lexer->began, lexer->at - lexer->began };
}

u32 segment_lexer_column(const struct segment_lexer *lexer)
{
	u32 column = 1;

	for (size_t i = 0; i < lexer->began && i < lexer->text.len; i++)
		column += ((u8)lexer->text.ptr[i] & 0xc0) != 0x80;
	return column;
}

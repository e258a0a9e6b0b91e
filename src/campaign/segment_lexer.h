/* A segment's text, cut into tokens. Private to segment_text.c. */
#ifndef CAMPAIGN_SEGMENT_LEXER_H
#define CAMPAIGN_SEGMENT_LEXER_H

#include "base/error.h"
#include "base/types.h"

enum segment_token {
	SEGMENT_TOKEN_END,
	SEGMENT_TOKEN_WORD,   /* letters, digits, '_', and what follows a '.' */
	SEGMENT_TOKEN_STRING, /* between '"', with \" and \\ */
	SEGMENT_TOKEN_NUMBER, /* "-12.5" */
	SEGMENT_TOKEN_DATE,   /* "2026-11-30", whether there is such a day or not */
	SEGMENT_TOKEN_ID,     /* "#3" */
	SEGMENT_TOKEN_SIGN,   /* ( ) , = != < <= > >= */
	SEGMENT_TOKEN_BAD,
};

struct segment_lexer {
	struct slice text;
	size_t at;    /* behind the token */
	enum segment_token token;
	struct slice word; /* the token as it stands; of a string what is between the quotes */
	bool has_escapes;
	size_t began; /* the token's first byte */
	struct error error; /* of a bad one */
};

void segment_lexer_init(struct segment_lexer *lexer, struct slice text);
void segment_lexer_next(struct segment_lexer *lexer);
/* The place in characters, from 1. */
u32 segment_lexer_column(const struct segment_lexer *lexer);

#endif

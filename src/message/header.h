/*
 * Writing header fields (RFC 5322 section 2.2): folding, encoded words (RFC 2047) and parameters
 * (RFC 2231). Lines stay within 76 columns where the text permits it and within 998 always; no fold
 * directly behind the colon unless the name is too long, and no line of white space alone.
 */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include "base/buf.h"
#include "base/types.h"
#include "message/message.h"

#define HEADER_LINE_SOFT 76
#define HEADER_LINE_MAX 998

/* One field being written. Plain data. */
struct header_writer {
	struct buf *out;
	enum message_charset charset;
	size_t column;
	bool is_first; /* nothing stands behind the colon yet */
	bool too_long; /* something cannot be folded below 998 */
	u32 bad;       /* code point that the charset does not hold, or 0 */
};

void header_begin(struct header_writer *w, struct buf *out, struct slice name,
		  enum message_charset charset);
/* Ends the field with CRLF. False when a line would be too long or a character is impossible. */
bool header_end(struct header_writer *w) MUST_CHECK;

/*
 * A whole field as it stands (ASCII, LF in front of its folds), but for folded lines of white space
 * alone, which some take for the header's end.
 */
void header_add_kept(struct buf *out, struct slice name, struct slice value);

/* Whether it can: visible ASCII and white space, lines within HEADER_LINE_MAX. */
bool header_may_stay(struct slice name, struct slice value);

/* An unbreakable piece behind `space` (white space; a fold goes before it when needed). */
void header_add_token(struct header_writer *w, struct slice space, struct slice token);
/* ASCII text, folded at its white space; the white space is kept. */
void header_add_tokens(struct header_writer *w, struct slice text);
/*
 * Valid UTF-8 text without line ends: words that need it become encoded words, each of which
 * decodes alone; runs of white space are kept. White space at both ends is dropped.
 */
void header_add_text(struct header_writer *w, struct slice text);
/* The whole text as encoded words, whether it needs them or not. */
void header_add_words(struct header_writer *w, struct slice text);
/* A display name: atoms, a quoted string, or encoded words. */
void header_add_phrase(struct header_writer *w, struct slice name);
/*
 * "; name=value", quoted where needed; what is not ASCII or too long becomes RFC 2231 sections
 * (always in UTF-8).
 */
void header_add_parameter(struct header_writer *w, struct slice name, struct slice value);

/*
 * Replaces encoded words in `text` by the UTF-8 they stand for; what cannot be decoded stays as it
 * is. Allocates; for compile time only.
 */
void header_decode_words(struct buf *out, struct slice text);

/* The next parameter of "; name=value; ..." (Content-Type and the like). */
struct header_parameter {
	struct slice name;
	struct slice value; /* still quoted when it was */
};
/* True when there was one; false at the end. What makes no sense is skipped. */
bool header_next_parameter(struct slice *rest, struct header_parameter *parameter);
/* Appends value without its quotes and backslashes. */
void header_unquote(struct buf *out, struct slice value);

#endif

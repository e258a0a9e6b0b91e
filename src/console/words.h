/*
 * A line that somebody typed, as words. Blanks separate; 'x y' is taken as it stands, in "x y" a
 * backslash takes the special sense from the next " or \, elsewhere from any byte. Nothing else is
 * special: no variables, no patterns, no redirection.
 */
#ifndef CONSOLE_WORDS_H
#define CONSOLE_WORDS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

#define WORDS_MAX 64
#define WORDS_LINE_MAX 8192 /* bytes; room for a pasted public key of any kind */

struct words {
	int count;
	char *at[WORDS_MAX + 1]; /* into `bytes`; NULL behind the last */
	/*
	 * Of words_split_open: where in the line the last word begins, quotes included, and whether
	 * a quote is open at the end.
	 */
	size_t last_start;
	char quote; /* ' or " when one is open, else 0 */
	char bytes[WORDS_LINE_MAX + WORDS_MAX + 1];
};

/* False with a sentence: too long, too many words, a quote that is not closed, a NUL byte. */
bool words_split(struct words *words, struct slice line, struct error *error) MUST_CHECK;

/*
 * A line that is still being typed: there is always a last word (empty behind a blank), and its
 * quote may be open. False: too long or too many.
 */
bool words_split_open(struct words *words, struct slice line) MUST_CHECK;

/* Appends the word so that words_split gives it back; quotes only where they are needed. */
void words_quote(struct buf *out, struct slice word);

#endif

/*
 * The word that a mistyped one was probably meant to be.
 */
#ifndef CONSOLE_NEAREST_H
#define CONSOLE_NEAREST_H

#include "base/types.h"

/*
 * Number of single edits (insert, drop, change, swap of neighbours) that turn one word into the
 * other; words over 63 bytes are as far as can be (UINT32_MAX).
 */
u32 nearest_distance(const char *a, const char *b);

/* Remembers the best of the words that were offered. */
struct nearest {
	const char *typed;
	const char *word; /* best so far, or NULL */
	u32 distance;
};

void nearest_init(struct nearest *nearest, const char *typed);
void nearest_offer(struct nearest *nearest, const char *word);
/*
 * The best word, or NULL when none is near: more than a third of the typed letters would have to
 * change, and it is not the beginning of the word either.
 */
const char *nearest_word(const struct nearest *nearest);

#endif

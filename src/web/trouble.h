/*
 * What the rooms below refuse with is one English sentence (base/error.h); logs, the console and
 * programs get it as it is. A page says it in its reader's language: by the pattern of the
 * sentence, with the names, lines and values that are in it. One that has no pattern stays English.
 */
#ifndef WEB_TROUBLE_H
#define WEB_TROUBLE_H

#include "base/buf.h"
#include "message/review.h"
#include "web/words.h"

#define TROUBLE_MAX 2048

struct trouble {
	char text[TROUBLE_MAX];
};

/* The sentence in that language; lives in `room`, or is `english` itself. */
struct slice trouble_in(enum language language, struct slice english, struct trouble *room);
/* What a review found (review_add_problem), the compiler's sentence in that language, too. */
void trouble_add_finding(const struct review_finding *finding, enum language language,
			 struct buf *out);

/*
 * Patterns. {1} to {5} stand for what a sentence is about, and are taken over as they are; [1] to
 * [5] in the translation say that this is a sentence or a noun with a pattern of its own. A pattern
 * that begins with one matches no text with ": " in it there: that is the place of another
 * sentence.
 */
struct trouble_words {
	const char *english;
	const char *japanese;
};

extern const struct trouble_words trouble_words[];
extern const u32 trouble_words_count;

#endif

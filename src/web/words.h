/*
 * Sentences for people, in each language that the pages speak. A page has its own in one table at
 * the head of its file; what stands for a value is "{1}" to "{9}" (page_sentence).
 */
#ifndef WEB_WORDS_H
#define WEB_WORDS_H

#include "base/types.h"

enum language { LANGUAGE_ENGLISH, LANGUAGE_JAPANESE };
#define LANGUAGES 2

struct words {
	const char *text[LANGUAGES];
};

#define WORDS(english, japanese) ((const struct words){ { english, japanese } })

/* "en", "ja": for lang attributes and for what is kept of a user. */
const char *language_code(enum language language);
/* False: we do not speak it. */
bool language_of_code(struct slice code, enum language *language) MUST_CHECK;
/*
 * What an Accept-Language field wants most (RFC 9110 section 12.5.4) of what we speak; English when
 * it says nothing of that.
 */
enum language language_wanted(struct slice accept_language);

#endif

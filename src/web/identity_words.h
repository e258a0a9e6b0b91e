/*
 * What a check of the identity found and what to do about it, in the language of a page. A result
 * (identity.h) is kept in English, with the codes that its sentences are made of; here is what each
 * of them says in other languages.
 */
#ifndef WEB_IDENTITY_WORDS_H
#define WEB_IDENTITY_WORDS_H

#include "base/buf.h"
#include "web/words.h"

#include <jansson.h>

/* A row of "checks". One with a code that is not known stays English. */
void identity_words_found(const json_t *check, enum language language, struct buf *out);
/* What to do beside publishing its record; nothing: there is no more to do. */
void identity_words_advice(const json_t *check, enum language language, struct buf *out);

/* Of a code ("ptr-other", "spf-matched"), with {1} to {5}; NULL: it is not known. */
const char *identity_words_of_code(const char *code, enum language language);
const char *identity_words_of_advice(const char *advice, enum language language);

#endif

/*
 * UTF-8 (RFC 3629): validation and code points. Surrogates, overlong forms and values above
 * U+10FFFF are bad. Nothing here depends on the locale.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/types.h"

/* Decodes the code point at the front of s: its length (1-4), or 0 when s is empty or bad there. */
size_t utf8_decode(struct slice s, u32 *code);
/* Writes code (a valid code point) and returns the length. */
size_t utf8_encode(char out[4], u32 code);

bool utf8_is_valid(struct slice s);
/* Index of the first bad byte, or -1. */
i64 utf8_find_bad(struct slice s);
bool utf8_is_ascii(struct slice s);

/*
 * Simple one-to-one case mapping for ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic and the
 * full- width letters; other code points are returned as they are.
 */
u32 utf8_upper(u32 code);
u32 utf8_lower(u32 code);

#endif

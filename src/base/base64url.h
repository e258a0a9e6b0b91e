/*
 * Base64 for URLs (RFC 4648 section 5), without padding. Decoding takes one spelling of each
 * byte string alone: bits that carry nothing must be zero, so that no token has two texts.
 */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/types.h"

/* Characters for so many bytes. */
#define BASE64URL_LENGTH(len) (((len) * 8 + 5) / 6)

/* Writes BASE64URL_LENGTH(len) characters and no NUL; returns how many. */
size_t base64url_encode(char *out, const void *in, size_t len);
/* False: another character, bits that are not zero, or more than `size` bytes. */
bool base64url_decode(void *out, size_t size, size_t *len, struct slice in) MUST_CHECK;

#endif

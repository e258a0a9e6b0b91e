/*
 * Slices of text: compare, trim, split, numbers; base64, hex and base32 for tokens.
 * ASCII only and independent of the locale: what mail protocols mean by "case-insensitive".
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/types.h"

#include <string.h>

struct slice slice_of(const char *cstr); /* whole C string, without its NUL */
bool slice_equal(struct slice a, struct slice b);
/* For qsort, of struct slice: by their bytes, a beginning before what it begins. */
int slice_order(const void *a, const void *b);
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_has_prefix(struct slice s, struct slice prefix);
bool slice_has_prefix_nocase(struct slice s, struct slice prefix);
struct slice slice_trim(struct slice s);               /* drops SP and HTAB at both ends */
struct slice slice_from(struct slice s, size_t start); /* tail; empty when start > len */
struct slice slice_first(struct slice s, size_t len);  /* head; at most len bytes */

/*
 * Cuts `rest` at the first `by`: returns what stood before it and moves *rest behind it.
 * Without a `by` it returns all and leaves *rest with a NULL pointer; so the loop is
 * `while (rest.ptr) { item = slice_split(&rest, ','); ... }`.
 */
struct slice slice_split(struct slice *rest, char by);

/* Index of the first `c`, or -1. */
i64 slice_find_char(struct slice s, char c);
/* Index of the first occurrence of `what`, or -1. */
i64 slice_find(struct slice s, struct slice what);

/* Decimal digits only, no sign, no space, whole slice; false on anything else or overflow. */
bool slice_to_u64(struct slice s, u64 *out) MUST_CHECK;
bool slice_to_u32(struct slice s, u32 *out) MUST_CHECK;

/*
 * "150", "30s", "10m", "2h", "3d", "250ms" to milliseconds (a bare number counts seconds).
 */
bool slice_to_duration_ms(struct slice s, u64 *out_ms) MUST_CHECK;

/* Copies at most size-1 bytes and ends with NUL; returns false when it had to cut. */
bool slice_copy(char *to, size_t size, struct slice s);

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5322 section 3.2.3: what atoms consist of. */
static inline bool ascii_is_atext(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || memchr("!#$%&'*+-/=?^_`{|}~", c, 19);
}

void ascii_lower_in_place(char *s, size_t len);

/* Base64 (RFC 4648 section 4). `out` needs base64_length(len) bytes; no NUL is written. */
size_t base64_length(size_t len);
size_t base64_encode(char *out, const void *in, size_t len);
/* Accepts white space between groups; returns false on anything else that is not base64. */
bool base64_decode(void *out, size_t out_size, size_t *out_len, struct slice in) MUST_CHECK;

/* Lower-case hex; writes 2*len bytes. */
void hex_encode(char *out, const void *in, size_t len);
/* What hex_encode wrote of `len` bytes; false: another length, or another character. */
bool hex_decode(void *out, size_t len, struct slice hex) MUST_CHECK;
/* A hex digit in either case; -1: it is none. */
int ascii_hex_value(char c);

/*
 * Lower-case base32 with the "extended hex" alphabet (RFC 4648 section 7), no padding: safe in a
 * local part and indifferent to case. Writes base32_length(len) bytes.
 */
size_t base32_length(size_t len);
size_t base32_encode(char *out, const void *in, size_t len);
bool base32_decode(void *out, size_t out_size, size_t *out_len, struct slice in) MUST_CHECK;

#endif

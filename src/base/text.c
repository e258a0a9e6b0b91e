#include "base/text.h"

#include <string.h>

struct slice slice_of(const char *cstr)
{
	return (struct slice){ cstr, strlen(cstr) };
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int slice_order(const void *a, const void *b)
{
	const struct slice *x = a;
	const struct slice *y = b;
	size_t common = min_size(x->len, y->len);
	int order = common > 0 ? memcmp(x->ptr, y->ptr, common) : 0;

	if (order != 0)
		return order;
	return x->len < y->len ? -1 : x->len > y->len;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	}
	return true;
}

bool slice_has_prefix(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal(slice_first(s, prefix.len), prefix);
}

bool slice_has_prefix_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal_nocase(slice_first(s, prefix.len), prefix);
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

struct slice slice_from(struct slice s, size_t start)
{
	if (start > s.len)
		start = s.len;
	/* An empty slice may point nowhere, to which nothing may be added. */
	return start ? (struct slice){ s.ptr + start, s.len - start } : s;
}

struct slice slice_first(struct slice s, size_t len)
{
	return (struct slice){ s.ptr, min_size(s.len, len) };
}

struct slice slice_split(struct slice *rest, char by)
{
	i64 at = slice_find_char(*rest, by);
	struct slice item = *rest;

	if (at < 0) {
		*rest = SLICE_NONE;
		return item;
	}
	item.len = (size_t)at;
	*rest = slice_from(*rest, (size_t)at + 1);
	return item;
}

i64 slice_find_char(struct slice s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return at ? at - s.ptr : -1;
}

i64 slice_find(struct slice s, struct slice what)
{
	if (what.len == 0)
		return 0;
	for (size_t i = 0; i + what.len <= s.len; i++) {
		i64 at = slice_find_char(slice_from(s, i), what.ptr[0]);

		if (at < 0)
			return -1;
		i += (size_t)at;
		if (slice_has_prefix(slice_from(s, i), what))
			return (i64)i;
	}
	return -1;
}

bool slice_to_u64(struct slice s, u64 *out)
{
	u64 value = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.ptr[i]))
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (u64)(s.ptr[i] - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

bool slice_to_u32(struct slice s, u32 *out)
{
	u64 value;

	if (!slice_to_u64(s, &value) || value > UINT32_MAX)
		return false;
	*out = (u32)value;
	return true;
}

bool slice_to_duration_ms(struct slice s, u64 *out_ms)
{
	static const struct {
		struct slice unit;
		u64 ms;
	} units[] = {
		{ { "ms", 2 }, 1 },
		{ { "s", 1 }, 1000 },
		{ { "m", 1 }, 60 * 1000 },
		{ { "h", 1 }, 60 * 60 * 1000 },
		{ { "d", 1 }, 24 * 60 * 60 * 1000 },
	};
	size_t digits = 0;
	u64 factor = 1000;
	u64 value;

	while (digits < s.len && ascii_is_digit(s.ptr[digits]))
		digits++;
	if (!slice_to_u64(slice_first(s, digits), &value))
		return false;
	if (digits < s.len) {
		factor = 0;
		for (size_t i = 0; i < array_count(units); i++) {
			if (slice_equal(slice_from(s, digits), units[i].unit))
				factor = units[i].ms;
		}
		if (factor == 0)
			return false;
	}
	return !__builtin_mul_overflow(value, factor, out_ms);
}

bool slice_copy(char *to, size_t size, struct slice s)
{
	size_t len = min_size(s.len, size - 1);

	if (len > 0)
		memcpy(to, s.ptr, len);
	to[len] = '\0';
	return len == s.len;
}

void ascii_lower_in_place(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s[i] = ascii_lower(s[i]);
}

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_length(size_t len)
{
	return (len + 2) / 3 * 4;
}

size_t base64_encode(char *out, const void *in, size_t len)
{
	const u8 *p = in;
	char *to = out;

	for (; len >= 3; len -= 3, p += 3) {
		*to++ = base64_alphabet[p[0] >> 2];
		*to++ = base64_alphabet[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = base64_alphabet[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = base64_alphabet[p[2] & 63];
	}
	if (len > 0) {
		u8 second = len > 1 ? p[1] : 0;

		*to++ = base64_alphabet[p[0] >> 2];
		*to++ = base64_alphabet[(p[0] & 3) << 4 | second >> 4];
		*to++ = len > 1 ? base64_alphabet[(second & 15) << 2] : '=';
		*to++ = '=';
	}
	return (size_t)(to - out);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

bool base64_decode(void *out, size_t out_size, size_t *out_len, struct slice in)
{
	u8 *to = out;
	u32 bits = 0;
	u32 have = 0;
	u32 padding = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];
		int value = base64_value(c);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			if (have < 2 || have + padding >= 4)
				return false;
			padding++;
			continue;
		}
		if (value < 0 || padding > 0)
			return false;
		bits = bits << 6 | (u32)value;
		if (++have == 4) {
			if (n + 3 > out_size)
				return false;
			to[n++] = (u8)(bits >> 16);
			to[n++] = (u8)(bits >> 8);
			to[n++] = (u8)bits;
			have = 0;
			bits = 0;
		}
	}
	if (have == 1 || (have > 1 && have + padding != 4))
		return false;
	for (u32 k = 1; k < have; k++) {
		if (n >= out_size)
			return false;
		to[n++] = (u8)(bits << (6 * (4 - have)) >> (24 - 8 * k));
	}
	*out_len = n;
	return true;
}

void hex_encode(char *out, const void *in, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const u8 *p = in;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
}

int ascii_hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(void *out, size_t len, struct slice hex)
{
	u8 *bytes = out;

	if (hex.len != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++) {
		int value = ascii_hex_value(hex.ptr[i]);

		if (value < 0 || (hex.ptr[i] >= 'A' && hex.ptr[i] <= 'F'))
			return false;
		bytes[i / 2] = (u8)(i % 2 ? bytes[i / 2] | value : value << 4);
	}
	return true;
}

size_t base32_length(size_t len)
{
	return (len * 8 + 4) / 5;
}

size_t base32_encode(char *out, const void *in, size_t len)
{
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuv";
	const u8 *p = in;
	u32 bits = 0;
	u32 have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		have += 8;
		while (have >= 5) {
			have -= 5;
			out[n++] = alphabet[bits >> have & 31];
		}
	}
	if (have > 0)
		out[n++] = alphabet[bits << (5 - have) & 31];
	return n;
}

bool base32_decode(void *out, size_t out_size, size_t *out_len, struct slice in)
{
	u8 *to = out;
	u32 bits = 0;
	u32 have = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = ascii_lower(in.ptr[i]);
		u32 value;

		if (ascii_is_digit(c))
			value = (u32)(c - '0');
		else if (c >= 'a' && c <= 'v')
			value = (u32)(c - 'a' + 10);
		else
			return false;
		bits = bits << 5 | value;
		have += 5;
		if (have >= 8) {
			have -= 8;
			if (n >= out_size)
				return false;
			to[n++] = (u8)(bits >> have);
		}
	}
	/* Left-over bits must be padding: fewer than five, all zero. */
	if (have >= 5 || (bits & ((1u << have) - 1)) != 0)
		return false;
	*out_len = n;
	return true;
}

#include "base/utf8.h"

#include <string.h>

size_t utf8_decode(struct slice s, u32 *code)
{
	static const u32 least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const u8 *p = (const u8 *)s.ptr;
	size_t len;
	u32 value;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.len < len)
		return 0;
	value = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return len;
}

size_t utf8_encode(char out[4], u32 code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Length of the ASCII run at the front; eight bytes at a time, as most text is ASCII or short. */
static size_t ascii_run(struct slice s)
{
	size_t at = 0;
	u64 word;

	for (; at + sizeof(word) <= s.len; at += sizeof(word)) {
		memcpy(&word, s.ptr + at, sizeof(word));
		if (word & 0x8080808080808080ull)
			break;
	}
	while (at < s.len && (u8)s.ptr[at] < 0x80)
		at++;
	return at;
}

i64 utf8_find_bad(struct slice s)
{
	size_t at = 0;
	u32 code;

	while (at < s.len) {
		struct slice rest = { s.ptr + at, s.len - at };
		size_t run = ascii_run(rest);

		at += run;
		if (run > 0)
			continue;
		run = utf8_decode(rest, &code);
		if (run == 0)
			return (i64)at;
		at += run;
	}
	return -1;
}

bool utf8_is_valid(struct slice s)
{
	return utf8_find_bad(s) < 0;
}

bool utf8_is_ascii(struct slice s)
{
	return ascii_run(s) == s.len;
}

/*
 * Latin Extended-A pairs upper and lower case at even/odd code points, with two shifted stretches.
 */
static bool latin_a_is_pair(u32 code, bool *upper_is_even)
{
	if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17e)) {
		*upper_is_even = false;
		return true;
	}
	*upper_is_even = true;
	return code >= 0x100 && code <= 0x177 && code != 0x130 && code != 0x131 && code != 0x138 &&
	       code != 0x149;
}

u32 utf8_upper(u32 code)
{
	bool even;

	if ((code >= 'a' && code <= 'z') || (code >= 0xe0 && code <= 0xfe && code != 0xf7) ||
	    (code >= 0x3b1 && code <= 0x3c9 && code != 0x3c2) || (code >= 0x430 && code <= 0x44f) ||
	    (code >= 0xff41 && code <= 0xff5a))
		return code - 32;
	if (code >= 0x450 && code <= 0x45f)
		return code - 80;
	if (code == 0x3c2)
		return 0x3a3;
	if (code == 0xff)
		return 0x178;
	if (latin_a_is_pair(code, &even) && (code % 2 == 1) == even)
		return code - 1;
	return code;
}

u32 utf8_lower(u32 code)
{
	bool even;

	if ((code >= 'A' && code <= 'Z') || (code >= 0xc0 && code <= 0xde && code != 0xd7) ||
	    (code >= 0x391 && code <= 0x3a9 && code != 0x3a2) || (code >= 0x410 && code <= 0x42f) ||
	    (code >= 0xff21 && code <= 0xff3a))
		return code + 32;
	if (code >= 0x400 && code <= 0x40f)
		return code + 80;
	if (code == 0x178)
		return 0xff;
	if (latin_a_is_pair(code, &even) && (code % 2 == 0) == even)
		return code + 1;
	return code;
}

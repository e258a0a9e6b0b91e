#include "base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_encode(char *out, const void *in, size_t len)
{
	const u8 *bytes = in;
	size_t written = 0;
	u32 bits = 0;
	u32 held = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8) | bytes[i];
		for (held += 8; held >= 6; held -= 6)
			out[written++] = alphabet[(bits >> (held - 6)) & 63];
	}
	if (held > 0)
		out[written++] = alphabet[(bits << (6 - held)) & 63];
	return written;
}

static i32 value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool base64url_decode(void *out, size_t size, size_t *len, struct slice in)
{
	u8 *bytes = out;
	u32 bits = 0;
	u32 held = 0;

	*len = 0;
	for (size_t i = 0; i < in.len; i++) {
		i32 value = value_of(in.ptr[i]);

		if (value < 0)
			return false;
		bits = (bits << 6) | (u32)value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (*len == size)
			return false;
		bytes[(*len)++] = (u8)(bits >> held);
	}
	return held < 6 && (bits & ((1u << held) - 1)) == 0;
}

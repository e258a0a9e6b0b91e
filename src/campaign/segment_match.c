#include "campaign/segment_match.h"

#include "base/text.h"
#include "base/utf8.h"

size_t segment_fold(char *out, struct slice text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len;) {
		char encoded[4];
		size_t size;
		size_t lower;
		u32 code;

		if ((u8)text.ptr[i] < 0x80) {
			out[len++] = ascii_lower(text.ptr[i++]);
			continue;
		}
		size = utf8_decode(slice_from(text, i), &code);
		if (size == 0) {
			out[len++] = text.ptr[i++];
			continue;
		}
		lower = utf8_encode(encoded, utf8_lower(code));
		if (lower > size) {
			memcpy(out + len, text.ptr + i, size);
			lower = size;
		} else {
			memcpy(out + len, encoded, lower);
		}
		len += lower;
		i += size;
	}
	return len;
}

/* ---- numbers ---- */

struct parts {
	bool is_negative;
	struct slice whole; /* without zeros in front: may be empty */
	struct slice part;  /* without zeros behind: may be empty */
};

static bool is_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!ascii_is_digit(text.ptr[i]))
			return false;
	}
	return true;
}

static bool read_parts(struct slice text, struct parts *parts)
{
	i64 point;

	parts->is_negative = text.len > 0 && text.ptr[0] == '-';
	parts->whole = slice_from(text, parts->is_negative);
	point = slice_find_char(parts->whole, '.');
	parts->part = point < 0 ? SLICE("") : slice_from(parts->whole, (size_t)point + 1);
	if (point >= 0)
		parts->whole.len = (size_t)point;
	if (parts->whole.len == 0 || (point >= 0 && parts->part.len == 0) ||
	    !is_digits(parts->whole) || !is_digits(parts->part))
		return false;
	while (parts->whole.len > 0 && parts->whole.ptr[0] == '0')
		parts->whole = slice_from(parts->whole, 1);
	while (parts->part.len > 0 && parts->part.ptr[parts->part.len - 1] == '0')
		parts->part.len--;
	if (parts->whole.len == 0 && parts->part.len == 0)
		parts->is_negative = false;
	return true;
}

size_t segment_number_form(char *out, struct slice text)
{
	struct parts parts;
	size_t len = 0;

	if (!read_parts(text, &parts))
		return 0;
	if (parts.is_negative)
		out[len++] = '-';
	if (parts.whole.len == 0)
		out[len++] = '0';
	memcpy(out + len, parts.whole.ptr, parts.whole.len);
	len += parts.whole.len;
	if (parts.part.len > 0) {
		out[len++] = '.';
		memcpy(out + len, parts.part.ptr, parts.part.len);
		len += parts.part.len;
	}
	return len;
}

static int order_of_sizes(const struct parts *a, const struct parts *b)
{
	int order;

	if (a->whole.len != b->whole.len)
		return a->whole.len < b->whole.len ? -1 : 1;
	order = a->whole.len > 0 ? memcmp(a->whole.ptr, b->whole.ptr, a->whole.len) : 0;
	return order != 0 ? order : slice_order(&a->part, &b->part);
}

int segment_number_order(struct slice a, struct slice b)
{
	struct parts left;
	struct parts right;
	int order;

	/* Forms are kept; one that is none is less than every number. */
	if (!read_parts(a, &left))
		return read_parts(b, &right) ? -1 : 0;
	if (!read_parts(b, &right))
		return 1;
	if (left.is_negative != right.is_negative)
		return left.is_negative ? -1 : 1;
	order = order_of_sizes(&left, &right);
	return left.is_negative ? -order : order;
}

#include "message/value_number.h"

#include "base/text.h"

#define WHOLE_DIGITS_MAX 18

/* A comma and three digits, then no other. */
static bool is_group(struct slice text)
{
	for (size_t i = 1; i < 4; i++) {
		if (i >= text.len || !ascii_is_digit(text.ptr[i]))
			return false;
	}
	return text.ptr[0] == ',' && (text.len == 4 || !ascii_is_digit(text.ptr[4]));
}

/* Digits in front of the point, with commas; false: too many. */
static bool read_whole(struct slice *rest, u64 *whole)
{
	u32 digits = 0;

	*whole = 0;
	while (rest->len > 0) {
		char c = rest->ptr[0];
		bool comma = digits > 0 && is_group(*rest);

		if (!comma && !ascii_is_digit(c))
			break;
		if (!comma) {
			*whole = *whole * 10 + (u64)(c - '0');
			digits += digits > 0 || c != '0';
			if (digits > WHOLE_DIGITS_MAX)
				return false;
		}
		*rest = slice_from(*rest, 1);
	}
	return true;
}

bool value_number_read(struct slice text, struct value_number *number)
{
	struct slice rest = slice_trim(text);
	u32 scale = 100000000;

	*number = (struct value_number){ 0 };
	if (rest.len > 0 && (rest.ptr[0] == '-' || rest.ptr[0] == '+')) {
		number->negative = rest.ptr[0] == '-';
		rest = slice_from(rest, 1);
	}
	if (rest.len == 0 || !ascii_is_digit(rest.ptr[0]) || !read_whole(&rest, &number->whole))
		return false;
	if (rest.len > 1 && rest.ptr[0] == '.') {
		for (rest = slice_from(rest, 1); rest.len > 0 && ascii_is_digit(rest.ptr[0]);
		     rest = slice_from(rest, 1)) {
			number->billionths += (u32)(rest.ptr[0] - '0') * scale;
			scale /= 10;
		}
	}
	number->negative &= number->whole > 0 || number->billionths > 0;
	return rest.len == 0;
}

int value_number_compare(const struct value_number *a, const struct value_number *b)
{
	int order;

	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	order = a->whole != b->whole ? (a->whole < b->whole ? -1 : 1)
				     : (a->billionths > b->billionths) -
					       (a->billionths < b->billionths);
	return a->negative ? -order : order;
}

void value_number_add(struct buf *out, struct slice text)
{
	struct value_number number;
	struct slice trimmed = slice_trim(text);
	i64 point = slice_find_char(trimmed, '.');
	struct slice whole = point < 0 ? trimmed : slice_first(trimmed, (size_t)point);
	size_t digits = 0;

	if (!value_number_read(text, &number)) {
		buf_add_slice(out, text);
		return;
	}
	for (size_t i = 0; i < whole.len; i++)
		digits += ascii_is_digit(whole.ptr[i]);
	for (size_t i = 0; i < whole.len; i++) {
		if (whole.ptr[i] == ',')
			continue;
		buf_add_char(out, whole.ptr[i]);
		if (ascii_is_digit(whole.ptr[i]) && --digits > 0 && digits % 3 == 0)
			buf_add_char(out, ',');
	}
	buf_add_slice(out, slice_from(trimmed, whole.len));
}

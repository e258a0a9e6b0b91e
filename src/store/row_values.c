#include "store/row_values.h"

/* A length of 32 bits in groups of seven, lowest first; the top bit says that more follow. */
#define VARINT_MAX 5

static void varint_add(struct buf *out, size_t value)
{
	char bytes[VARINT_MAX];
	size_t len = 0;

	while (value >= 0x80 && len < VARINT_MAX - 1) {
		bytes[len++] = (char)(value | 0x80);
		value >>= 7;
	}
	bytes[len++] = (char)value;
	buf_add(out, bytes, len);
}

static bool varint_take(struct slice *rest, size_t *value)
{
	u64 sum = 0;

	for (size_t i = 0; i < VARINT_MAX && i < rest->len; i++) {
		u8 byte = (u8)rest->ptr[i];

		sum |= (u64)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*rest = (struct slice){ rest->ptr + i + 1, rest->len - i - 1 };
			*value = (size_t)sum;
			return true;
		}
	}
	return false;
}

void row_values_pack(struct buf *out, const struct slice *values, size_t count)
{
	while (count > 0 && values[count - 1].len == 0)
		count--;
	for (size_t i = 0; i < count; i++) {
		if (values[i].len > UINT32_MAX) {
			out->failed = true;
			return;
		}
		varint_add(out, values[i].len);
		buf_add_slice(out, values[i]);
	}
}

bool row_values_unpack(struct slice packed, struct slice *values, size_t max)
{
	size_t count = 0;
	size_t len;

	while (packed.len > 0) {
		if (count == max || !varint_take(&packed, &len) || len > packed.len)
			return false;
		values[count++] = (struct slice){ packed.ptr, len };
		packed = (struct slice){ packed.ptr + len, packed.len - len };
	}
	while (count < max)
		values[count++] = (struct slice){ "", 0 };
	return true;
}

#include "message/list_value.h"

#include "base/text.h"

#define LIST ((char)0xfd)
#define OBJECT ((char)0xfe)
#define VARINT_MAX 5

static void add_bytes(struct buf *out, struct slice bytes)
{
	u64 len = bytes.len;

	if (len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	for (; len >= 0x80; len >>= 7)
		buf_add_char(out, (char)(len | 0x80));
	buf_add_char(out, (char)len);
	buf_add_slice(out, bytes);
}

static bool take_bytes(struct slice *rest, struct slice *bytes)
{
	u64 len = 0;

	for (size_t i = 0; i < VARINT_MAX && i < rest->len; i++) {
		u8 byte = (u8)rest->ptr[i];

		len |= (u64)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			struct slice from = slice_from(*rest, i + 1);

			if (len > from.len)
				return false;
			*bytes = slice_first(from, (size_t)len);
			*rest = slice_from(from, (size_t)len);
			return true;
		}
	}
	return false;
}

void list_value_begin(struct buf *out)
{
	buf_add_char(out, LIST);
}

void list_value_add(struct buf *out, struct slice item)
{
	add_bytes(out, item);
}

void object_value_begin(struct buf *out)
{
	buf_add_char(out, OBJECT);
}

void object_value_add(struct buf *out, struct slice name, struct slice value)
{
	add_bytes(out, name);
	add_bytes(out, value);
}

bool value_is_list(struct slice value)
{
	return value.len > 0 && value.ptr[0] == LIST;
}

bool value_is_object(struct slice value)
{
	return value.len > 0 && value.ptr[0] == OBJECT;
}

void list_value_open(struct slice value, struct slice *rest, bool *is_text)
{
	*is_text = !value_is_list(value);
	*rest = *is_text ? value : slice_from(value, 1);
}

bool list_value_next(struct slice *rest, bool is_text, struct slice *item)
{
	if (!is_text)
		return take_bytes(rest, item);
	*item = *rest;
	*rest = SLICE_NONE;
	return item->len > 0;
}

struct slice object_value_find(struct slice object, struct slice name)
{
	struct slice rest = slice_from(object, 1);
	struct slice found;
	struct slice value;

	if (!value_is_object(object))
		return SLICE_NONE;
	while (take_bytes(&rest, &found) && take_bytes(&rest, &value)) {
		if (slice_equal(found, name))
			return value;
	}
	return SLICE_NONE;
}

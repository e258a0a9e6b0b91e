/*
 * Byte-level reading and writing of stored records: big-endian numbers, so that keys sort as their
 * numbers do. Private to the room. A reader never passes its end: it turns bad and gives zeros, and
 * the caller asks once at the end.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/types.h"

#include <string.h>

static inline u8 *record_put_u8(u8 *at, u8 value)
{
	*at = value;
	return at + 1;
}

static inline u8 *record_put_u16(u8 *at, u16 value)
{
	value = __builtin_bswap16(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static inline u8 *record_put_u32(u8 *at, u32 value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static inline u8 *record_put_u64(u8 *at, u64 value)
{
	value = __builtin_bswap64(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static inline u8 *record_put_bytes(u8 *at, struct slice bytes)
{
	if (bytes.len > 0)
		memcpy(at, bytes.ptr, bytes.len);
	return at + bytes.len;
}

struct record_reader {
	const char *at;
	size_t left;
	bool bad;
};

static inline struct record_reader record_reader_of(struct slice bytes)
{
	return (struct record_reader){ bytes.ptr, bytes.len, false };
}

/* The next `len` bytes; an empty slice when there are fewer. */
static inline struct slice record_get_bytes(struct record_reader *r, size_t len)
{
	struct slice bytes = { r->at, len };

	if (len > r->left) {
		r->bad = true;
		r->left = 0;
		return (struct slice){ "", 0 };
	}
	if (len > 0) /* of nothing there may be no address */
		r->at += len;
	r->left -= len;
	return bytes;
}

static inline struct slice record_get_rest(struct record_reader *r)
{
	return record_get_bytes(r, r->left);
}

static inline u8 record_get_u8(struct record_reader *r)
{
	struct slice bytes = record_get_bytes(r, 1);

	return bytes.len == 1 ? (u8)bytes.ptr[0] : 0;
}

static inline u16 record_get_u16(struct record_reader *r)
{
	struct slice bytes = record_get_bytes(r, 2);
	u16 value = 0;

	memcpy(&value, bytes.ptr, bytes.len);
	return __builtin_bswap16(value);
}

static inline u32 record_get_u32(struct record_reader *r)
{
	struct slice bytes = record_get_bytes(r, 4);
	u32 value = 0;

	memcpy(&value, bytes.ptr, bytes.len);
	return __builtin_bswap32(value);
}

static inline u64 record_get_u64(struct record_reader *r)
{
	struct slice bytes = record_get_bytes(r, 8);
	u64 value = 0;

	memcpy(&value, bytes.ptr, bytes.len);
	return __builtin_bswap64(value);
}

#endif

#include "dns/dane.h"

#include "base/text.h"

#include <string.h>

#define HEAD_SIZE 5 /* of a packed record: length of the data, and the three numbers */

bool dane_record_read(struct dane_record *record, const void *rdata, size_t len)
{
	const u8 *bytes = rdata;

	if (len < 3)
		return false;
	*record = (struct dane_record){ .usage = bytes[0],
					.selector = bytes[1],
					.matching = bytes[2],
					.data = { (const char *)bytes + 3, len - 3 } };
	return true;
}

bool dane_record_is_usable(const struct dane_record *record)
{
	if (record->usage != DANE_TA && record->usage != DANE_EE)
		return false;
	if (record->selector != DANE_CERTIFICATE && record->selector != DANE_PUBLIC_KEY)
		return false;
	switch (record->matching) {
	case DANE_WHOLE:
		return record->data.len > 0 && record->data.len <= DANE_DATA_MAX;
	case DANE_SHA256:
		return record->data.len == 32;
	case DANE_SHA512:
		return record->data.len == 64;
	default:
		return false;
	}
}

size_t dane_record_pack(u8 *to, size_t room, const struct dane_record *record)
{
	size_t len = record->data.len;

	if (len > UINT16_MAX || room < HEAD_SIZE || room - HEAD_SIZE < len)
		return 0;
	to[0] = (u8)(len >> 8);
	to[1] = (u8)len;
	to[2] = record->usage;
	to[3] = record->selector;
	to[4] = record->matching;
	if (len > 0)
		memcpy(to + HEAD_SIZE, record->data.ptr, len);
	return HEAD_SIZE + len;
}

bool dane_record_next(struct slice *packed, struct dane_record *record)
{
	const u8 *bytes = (const u8 *)packed->ptr;
	size_t len;

	if (packed->len < HEAD_SIZE)
		return false;
	len = (size_t)bytes[0] << 8 | bytes[1];
	if (len > packed->len - HEAD_SIZE)
		return false;
	*record = (struct dane_record){ .usage = bytes[2],
					.selector = bytes[3],
					.matching = bytes[4],
					.data = { packed->ptr + HEAD_SIZE, len } };
	*packed = slice_from(*packed, HEAD_SIZE + len);
	return true;
}

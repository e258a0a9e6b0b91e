#include "store/number_record.h"

#include "base/check.h"
#include "store/record.h"

size_t number_record_write(u8 *at, u8 version, const u32 *numbers, u32 count)
{
	u8 *start = at;
	u32 mask = 0;

	ASSERT(count <= NUMBER_RECORD_FIELDS_MAX);
	for (u32 i = 0; i < count; i++)
		mask |= numbers[i] != 0 ? 1u << i : 0;
	at = record_put_u32(record_put_u8(at, version), mask);
	for (u32 i = 0; i < count; i++) {
		if (numbers[i] != 0)
			at = record_put_u32(at, numbers[i]);
	}
	return (size_t)(at - start);
}

bool number_record_read(struct slice record, u8 version, u32 *numbers, u32 count)
{
	struct record_reader r = record_reader_of(record);
	bool is_known = record_get_u8(&r) == version;
	u32 mask = record_get_u32(&r);

	for (u32 i = 0; i < count; i++)
		numbers[i] = mask & (1u << i) ? record_get_u32(&r) : 0;
	if (count < NUMBER_RECORD_FIELDS_MAX && mask >> count != 0)
		return false;
	return is_known && !r.bad && r.left == 0;
}

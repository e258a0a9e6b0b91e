/*
 * Any bytes as the rdata of a resource record: what is shown of them is printable ASCII on one line,
 * and the strings of a TXT are never longer than the record.
 */
#include "base/check.h"
#include "dns/record_text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_text(u16 type, const u8 *bytes, size_t len)
{
	struct buf text;

	buf_init(&text, 1u << 20);
	record_text(&text, type, bytes, len);
	ASSERT(!text.failed);
	for (size_t i = 0; i < text.len; i++)
		ASSERT(text.ptr[i] >= ' ' && text.ptr[i] < 0x7f);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct buf value;
	char name[256];
	size_t used;

	for (size_t i = 0; record_type_names[i]; i++)
		check_text(record_type_of((struct slice){ record_type_names[i],
							   strlen(record_type_names[i]) }),
			   data, size);
	check_text(65280, data, size);
	used = record_name(name, data, size);
	ASSERT(used <= size);
	ASSERT(used == 0 || memchr(name, '\0', sizeof(name)));
	buf_init(&value, 1u << 20);
	if (record_txt_value(&value, data, size))
		ASSERT(value.len <= size);
	buf_done(&value);
	return 0;
}

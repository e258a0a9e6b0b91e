/*
 * Any bytes as a published key record: one verdict or another. What stands before the first line end is
 * taken for our own record.
 */
#include "base/text.h"
#include "dkim/record.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct slice ours = slice_split(&rest, '\n');

	(void)dkim_record_fault(ours, rest);
	(void)dkim_record_is_on_trial(rest);
	return 0;
}

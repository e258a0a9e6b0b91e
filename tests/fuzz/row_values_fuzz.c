/*
 * Everything that is read back from the store, from any bytes: packed values and each kind of
 * record, of this format and of earlier ones. What parses must stay inside of the bytes, keep the
 * limits, and come out the same when it is written and read again.
 */
#include "base/check.h"
#include "base/text.h"
#include "store/queue_record.h"
#include "store/row_values.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool is_inside(struct slice inner, struct slice outer)
{
	return inner.len == 0 ||
	       (inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len);
}

static void try_values(struct slice bytes, size_t max)
{
	struct slice values[64];
	struct slice again[64];
	struct buf packed;

	if (!row_values_unpack(bytes, values, max))
		return;
	for (size_t i = 0; i < max; i++)
		ASSERT(is_inside(values[i], bytes));
	buf_init(&packed, 1u << 20);
	row_values_pack(&packed, values, max);
	ASSERT(!packed.failed && row_values_unpack(buf_slice(&packed), again, max));
	for (size_t i = 0; i < max; i++)
		ASSERT(slice_equal(values[i], again[i]));
	buf_done(&packed);
}

static void try_row(struct slice bytes)
{
	static u8 out[ROW_RECORD_MAX];
	static u8 again[ROW_RECORD_MAX];
	struct queue_row row = { .ref = { .place = ROW_LANE } };
	size_t len;

	if (!row_record_read(bytes, &row))
		return;
	ASSERT(is_inside(row.address, bytes) && is_inside(row.values, bytes));
	ASSERT(is_inside(row.host, bytes) && is_inside(row.reply, bytes));
	len = row_record_write(out, &row);
	ASSERT(row_record_read((struct slice){ (char *)out, len }, &row));
	ASSERT(row_record_write(again, &row) == len && memcmp(out, again, len) == 0);
}

static void try_log(struct slice bytes)
{
	u8 out[LOG_RECORD_MAX];
	u8 again[LOG_RECORD_MAX];
	struct queue_log_entry entry = { 0 };
	size_t len;

	if (!log_record_read(bytes, &entry))
		return;
	len = log_record_write(out, &entry);
	ASSERT(log_record_read((struct slice){ (char *)out, len }, &entry));
	ASSERT(log_record_write(again, &entry) == len && memcmp(out, again, len) == 0);
}

static void try_block(struct slice bytes)
{
	u8 out[LOG_BLOCK_MAX];
	struct log_block block;

	if (!log_block_read(bytes, &block))
		return;
	ASSERT(log_block_write(out, &block) == bytes.len && memcmp(out, bytes.ptr, bytes.len) == 0);
}

static void try_campaign(struct slice bytes)
{
	u8 out[CAMPAIGN_RECORD_MAX];
	struct queue_campaign c;
	struct queue_campaign again;

	if (!campaign_record_read(bytes, &c))
		return;
	ASSERT(campaign_record_read((struct slice){ (char *)out, campaign_record_write(out, &c) },
				    &again));
	ASSERT(again.held == c.held && strcmp(again.customer, c.customer) == 0);
}

static void try_lease(struct slice bytes)
{
	u8 out[LEASE_PART_MAX];
	struct buf refs;
	struct buf again;
	u64 wall_ms;
	u32 taken;
	u32 count;
	size_t len;

	buf_init(&refs, 1u << 20);
	buf_init(&again, 1u << 20);
	if (bytes.len <= LEASE_PART_MAX && lease_part_read(bytes, &wall_ms, &refs)) {
		count = (u32)(refs.len / sizeof(struct row_ref));
		len = lease_part_write(out, wall_ms, (struct row_ref *)(void *)refs.ptr, count,
				       &taken);
		ASSERT(lease_part_read((struct slice){ (char *)out, len }, &wall_ms, &again));
		ASSERT(again.len == taken * sizeof(struct row_ref));
		ASSERT(again.len == 0 || memcmp(again.ptr, refs.ptr, again.len) == 0);
	}
	buf_done(&refs);
	buf_done(&again);
}

static void try_recipients(struct slice bytes)
{
	struct recipient_part part;
	struct slice local;

	if (!recipient_part_read(bytes, &part))
		return;
	while (recipient_part_next(&part, &local))
		ASSERT(is_inside(local, bytes) && local.len <= ROW_ADDRESS_MAX);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice bytes = { (const char *)data, size };
	struct row_ref ref;

	if (size == 0)
		return 0;
	bytes = slice_from(bytes, 1);
	for (u32 place = ROW_LANE; place <= ROW_DOUBT; place++) {
		u8 key[ROW_KEY_MAX];

		if (row_key_read(bytes, place, &ref))
			ASSERT(row_key_write(key, &ref) == bytes.len &&
			       memcmp(key, bytes.ptr, bytes.len) == 0);
	}
	try_values(bytes, data[0] % 64);
	try_row(bytes);
	try_log(bytes);
	try_block(bytes);
	try_campaign(bytes);
	try_lease(bytes);
	try_recipients(bytes);
	return 0;
}

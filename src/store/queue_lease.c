#include "store/queue.h"

#include "base/check.h"
#include "store/queue_table.h"
#include "store/record.h"

#include <stdio.h>

#define LEASE_KEY 10 /* number, part */

static struct slice lease_key(u8 key[LEASE_KEY], u64 number, u16 part)
{
	record_put_u16(record_put_u64(key, number), part);
	return table_key(key, LEASE_KEY);
}

enum store_result queue_lease_put(struct queue *queue, u64 number, u64 wall_ms,
				  const struct row_ref *refs, u32 count)
{
	u8 key[LEASE_KEY];
	u8 record[LEASE_PART_MAX];
	enum store_result result;
	u32 part = 0;
	u32 taken;
	size_t len;

	ASSERT(number > 0);
	do {
		ASSERT(part <= UINT16_MAX);
		len = lease_part_write(record, wall_ms, refs, count, &taken);
		result = table_put(queue, TABLE_LEASE, lease_key(key, number, (u16)part++),
				   table_key(record, len));
		if (result != STORE_OK)
			return result;
		refs += taken;
		count -= taken;
	} while (count > 0);
	return STORE_OK;
}

/* The parts of a lease, one after the other; STORE_NOT_FOUND behind the last. */
static enum store_result lease_part(struct queue *queue, u64 number, u32 part, struct slice *key,
				    struct slice *record)
{
	u8 wanted[LEASE_KEY];
	enum store_result result;
	struct record_reader r;

	if (part > UINT16_MAX)
		return STORE_NOT_FOUND;
	result = table_seek(queue, TABLE_LEASE, lease_key(wanted, number, (u16)part), key, record);
	if (result != STORE_OK)
		return result;
	if (key->len != LEASE_KEY)
		return table_damaged(queue, TABLE_LEASE, *key);
	r = record_reader_of(*key);
	return record_get_u64(&r) == number ? STORE_OK : STORE_NOT_FOUND;
}

enum store_result queue_lease_delete(struct queue *queue, u64 number)
{
	struct slice key;
	struct slice record;
	bool any = false;
	enum store_result result;

	while ((result = lease_part(queue, number, 0, &key, &record)) == STORE_OK) {
		result = table_delete(queue, TABLE_LEASE, key);
		if (result != STORE_OK)
			return result;
		any = true;
	}
	return result == STORE_NOT_FOUND && any ? STORE_OK : result;
}

enum store_result queue_lease_next(struct queue *queue, u64 after, u64 *number, u64 *wall_ms,
				   struct buf *refs)
{
	u8 from[LEASE_KEY];
	struct slice key;
	struct slice record;
	struct record_reader r;
	enum store_result result;

	buf_reset(refs);
	if (after == UINT64_MAX)
		return STORE_NOT_FOUND;
	result = table_seek(queue, TABLE_LEASE, lease_key(from, after + 1, 0), &key, &record);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	*number = record_get_u64(&r);
	for (u32 part = 0; result == STORE_OK; part++) {
		result = lease_part(queue, *number, part, &key, &record);
		if (result == STORE_OK && !lease_part_read(record, wall_ms, refs)) {
			if (!refs->failed)
				return table_damaged(queue, TABLE_LEASE, key);
			snprintf(queue->txn.error, sizeof(queue->txn.error),
				 "%s: lease %llu has more rows than there is memory for",
				 queue->env.name, (unsigned long long)*number);
			queue->txn.doomed = STORE_FAILED;
			return STORE_FAILED;
		}
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

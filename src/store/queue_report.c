/*
 * Reports that are done with, by the key of who reads them: one that comes again after a crash is
 * known.
 */
#include "store/queue.h"

#include "base/check.h"
#include "store/queue_table.h"
#include "store/record.h"

enum store_result queue_report_has(struct queue *queue, struct slice key)
{
	struct slice record;

	ASSERT(key.len > 0 && key.len <= REPORT_KEY_MAX);
	return table_get(queue, TABLE_REPORT, key, &record);
}

enum store_result queue_report_put(struct queue *queue, struct slice key, u64 age_ms)
{
	u8 record[9];

	ASSERT(key.len > 0 && key.len <= REPORT_KEY_MAX);
	record_put_u64(record_put_u8(record, RECORD_VERSION), age_ms);
	return table_put(queue, TABLE_REPORT, key, table_key(record, sizeof(record)));
}

enum store_result queue_reports_trim(struct queue *queue, u64 before_ms, u32 limit)
{
	static const u8 first[1] = { 0 };
	struct slice found;
	struct slice record;
	bool any = false;

	for (; limit > 0; limit--) {
		enum store_result result =
			table_seek(queue, TABLE_REPORT, table_key(first, 1), &found, &record);
		struct record_reader r;
		u8 version;
		u64 age_ms;

		if (result == STORE_NOT_FOUND)
			break;
		if (result != STORE_OK)
			return result;
		r = record_reader_of(record);
		version = record_get_u8(&r);
		age_ms = record_get_u64(&r);
		if (r.bad || version != RECORD_VERSION)
			return table_damaged(queue, TABLE_REPORT, found);
		if (age_ms >= before_ms)
			break;
		result = table_delete(queue, TABLE_REPORT, found);
		if (result != STORE_OK)
			return result;
		any = true;
	}
	return any ? STORE_OK : STORE_NOT_FOUND;
}

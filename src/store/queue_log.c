#include "store/queue.h"

#include "store/queue_table.h"
#include "store/record.h"

const char *log_outcome_name(u32 outcome)
{
	static const char *const names[] = {
		[LOG_DELIVERED] = "delivered", [LOG_FAILED] = "failed",
		[LOG_DEFERRED] = "deferred",   [LOG_EXPIRED] = "expired",
		[LOG_CANCELLED] = "cancelled", [LOG_IN_DOUBT] = "in-doubt",
		[LOG_HELD] = "held",           [LOG_BOUNCED] = "bounced",
		[LOG_COMPLAINED] = "complained", [LOG_UNSUBSCRIBED] = "unsubscribed",
		[LOG_AUTO_REPLY] = "auto-reply",
	};

	return outcome < array_count(names) && names[outcome] ? names[outcome] : "unknown";
}

static bool log_key_read(struct slice key, u64 *number)
{
	struct record_reader r = record_reader_of(key);

	*number = record_get_u64(&r);
	return !r.bad && r.left == 0;
}

static enum store_result learn_last(struct queue *queue)
{
	struct slice key;
	struct slice value;
	enum store_result result = table_last(queue, TABLE_LOG, &key, &value);

	queue->log_last = 0;
	if (result == STORE_OK && !log_key_read(key, &queue->log_last))
		return table_damaged(queue, TABLE_LOG, key);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	queue->log_last_known = true;
	return STORE_OK;
}

enum store_result queue_log_add(struct queue *queue, const struct queue_log_entry *entry)
{
	size_t len = log_record_write(queue->scratch, entry);
	enum store_result result;
	u8 key[8];

	if (!queue->log_last_known) {
		result = learn_last(queue);
		if (result != STORE_OK)
			return result;
	}
	record_put_u64(key, ++queue->log_last);
	return table_put(queue, TABLE_LOG, table_key(key, sizeof(key)),
			 table_key(queue->scratch, len));
}

enum store_result queue_log_next(struct queue *queue, u64 after, struct queue_log_entry *entry)
{
	u8 key[8];
	struct slice found;
	struct slice value;
	enum store_result result;

	record_put_u64(key, after);
	result = table_after(queue, TABLE_LOG, table_key(key, sizeof(key)), &found, &value);
	if (result != STORE_OK)
		return result;
	if (!log_key_read(found, &entry->number) || !log_record_read(value, entry))
		return table_damaged(queue, TABLE_LOG, found);
	return STORE_OK;
}

enum store_result queue_log_trim(struct queue *queue, u64 before_ms, u32 limit)
{
	struct queue_log_entry entry = { 0 };
	enum store_result result = STORE_NOT_FOUND;
	bool any = false;
	u8 key[8];

	if (!queue->log_last_known) {
		result = learn_last(queue);
		if (result != STORE_OK)
			return result;
	}
	for (; limit > 0; limit--) {
		result = queue_log_next(queue, entry.number, &entry);
		if (result != STORE_OK || entry.number == queue->log_last) {
			break;
		}
		if (entry.age_ms >= before_ms)
			continue;
		record_put_u64(key, entry.number);
		result = table_delete(queue, TABLE_LOG, table_key(key, sizeof(key)));
		if (result != STORE_OK)
			break;
		any = true;
	}
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	return any ? STORE_OK : STORE_NOT_FOUND;
}

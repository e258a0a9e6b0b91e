#include "store/queue.h"

#include "base/text.h"
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

const char *log_tls_name(u32 tls)
{
	static const char *const names[] = {
		[LOG_TLS_UNKNOWN] = "", [LOG_TLS_NONE] = "none", [LOG_TLS_12] = "TLSv1.2",
		[LOG_TLS_13] = "TLSv1.3",
	};

	return tls < array_count(names) ? names[tls] : "";
}

const char *log_policy_name(u32 policy)
{
	static const char *const names[] = {
		[LOG_POLICY_UNKNOWN] = "",
		[LOG_POLICY_NEVER] = "never",
		[LOG_POLICY_OPPORTUNISTIC] = "opportunistic",
		[LOG_POLICY_REQUIRED] = "required",
		[LOG_POLICY_DANE_UNUSABLE] = "dane-unusable",
		[LOG_POLICY_DANE] = "dane",
		[LOG_POLICY_VERIFY] = "verify",
		[LOG_POLICY_STS] = "mta-sts",
		[LOG_POLICY_STS_TESTING] = "mta-sts-testing",
		[LOG_POLICY_STS_OTHER] = "mta-sts-other-host",
	};

	return policy < array_count(names) ? names[policy] : "";
}

/* ---- one entry ---- */

static bool log_key_read(struct slice key, u64 *number)
{
	struct record_reader r = record_reader_of(key);

	*number = record_get_u64(&r);
	return !r.bad && r.left == 0;
}

enum store_result log_learn_last(struct queue *queue)
{
	struct slice key;
	struct slice value;
	enum store_result result;

	if (queue->log_last_known)
		return STORE_OK;
	result = table_last(queue, TABLE_LOG, &key, &value);
	queue->log_last = 0;
	if (result == STORE_OK && !log_key_read(key, &queue->log_last))
		return table_damaged(queue, TABLE_LOG, key);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	queue->log_last_known = true;
	return STORE_OK;
}

enum store_result queue_log_last(struct queue *queue, u64 *number)
{
	enum store_result result = log_learn_last(queue);

	*number = queue->log_last;
	return result;
}

u64 queue_log_last_seen(const struct queue *queue)
{
	return queue->log_last_known ? queue->log_last : 0;
}

enum store_result queue_log_add(struct queue *queue, const struct queue_log_entry *entry)
{
	enum store_result result = log_learn_last(queue);
	u64 number = queue->log_last + 1;
	u8 key[LOG_KEY_SIZE];
	size_t len;

	if (result == STORE_OK)
		result = log_index_learn(queue, number);
	if (result != STORE_OK)
		return result;
	len = log_record_write(queue->scratch, entry);
	record_put_u64(key, number);
	result = table_put(queue, TABLE_LOG, table_key(key, sizeof(key)),
			   table_key(queue->scratch, len));
	if (result != STORE_OK)
		return result;
	queue->log_last = number;
	return log_index_add(queue, entry, number);
}

enum store_result log_step(struct queue *queue, enum log_step step, u64 number,
			   struct queue_log_entry *entry)
{
	u8 key[LOG_KEY_SIZE];
	struct slice at = table_key(key, sizeof(key));
	struct slice found = at;
	struct slice value;
	enum store_result result;

	record_put_u64(key, number);
	if (step == LOG_AFTER)
		result = table_after(queue, TABLE_LOG, at, &found, &value);
	else if (step == LOG_BEFORE)
		result = table_before(queue, TABLE_LOG, at, &found, &value);
	else
		result = table_get(queue, TABLE_LOG, at, &value);
	if (result != STORE_OK)
		return result;
	if (!log_key_read(found, &entry->number) || !log_record_read(value, entry))
		return table_damaged(queue, TABLE_LOG, found);
	return STORE_OK;
}

enum store_result queue_log_next(struct queue *queue, u64 after, struct queue_log_entry *entry)
{
	return log_step(queue, LOG_AFTER, after, entry);
}

/* ---- trimming ---- */

/* Its index follows: what is left begins at the first entry. */
static enum store_result trim_index(struct queue *queue)
{
	struct queue_log_entry first;
	enum store_result result = queue_log_next(queue, 0, &first);

	return result == STORE_OK ? log_index_trim(queue, first.number) : result;
}

enum store_result queue_log_trim(struct queue *queue, u64 before_ms, u64 through, u32 limit)
{
	struct queue_log_entry entry = { 0 };
	enum store_result result = log_learn_last(queue);
	bool any = false;
	u8 key[LOG_KEY_SIZE];

	for (; limit > 0 && result == STORE_OK; limit--) {
		result = queue_log_next(queue, entry.number, &entry);
		if (result != STORE_OK || entry.number == queue->log_last || entry.number > through)
			break;
		if (entry.age_ms >= before_ms)
			continue;
		record_put_u64(key, entry.number);
		result = table_delete(queue, TABLE_LOG, table_key(key, sizeof(key)));
		any = true;
	}
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	if (!any)
		return STORE_NOT_FOUND;
	return trim_index(queue);
}

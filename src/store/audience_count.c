#include "store/audience_count.h"

#include "store/audience_parts.h"

#define COUNT_VERSION 1
#define COUNT_KEY_SIZE 8
#define COUNT_RECORD_SIZE 9

static struct slice count_key(u8 key[COUNT_KEY_SIZE], u32 what, u32 of)
{
	record_put_u32(record_put_u32(key, what), of);
	return env_key(key, COUNT_KEY_SIZE);
}

static enum store_result stored(struct audience_txn *txn, u32 what, u32 of, u64 *count)
{
	u8 key[COUNT_KEY_SIZE];
	struct slice value;
	enum store_result result =
		env_get(&txn->env, AUDIENCE_COUNT, count_key(key, what, of), &value);
	struct record_reader r;
	u8 version;

	*count = 0;
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result != STORE_OK)
		return result;
	r = record_reader_of(value);
	version = record_get_u8(&r);
	*count = record_get_u64(&r);
	if (r.bad || version != COUNT_VERSION)
		return env_damaged(&txn->env, AUDIENCE_COUNT, env_key(key, sizeof(key)));
	return STORE_OK;
}

static enum store_result flush_one(struct audience_txn *txn, const struct audience_count *change)
{
	u8 key[COUNT_KEY_SIZE];
	u8 record[COUNT_RECORD_SIZE];
	u64 count;
	enum store_result result = stored(txn, change->what, change->of, &count);

	if (result != STORE_OK || change->change == 0)
		return result;
	/* Fewer than none: counted wrong in the past; it starts anew. */
	if (change->change < 0 && (u64)-change->change > count)
		count = 0;
	else
		count += (u64)change->change;
	record_put_u64(record_put_u8(record, COUNT_VERSION), count);
	return env_put(&txn->env, AUDIENCE_COUNT, count_key(key, change->what, change->of),
		       env_key(record, sizeof(record)));
}

enum store_result audience_counts_flush(struct audience_txn *txn)
{
	enum store_result result = STORE_OK;

	for (u32 i = 0; i < txn->count_count && result == STORE_OK; i++)
		result = flush_one(txn, &txn->counts[i]);
	txn->count_count = 0;
	return result;
}

enum store_result audience_count_change(struct audience_txn *txn, enum audience_counted what,
					u32 of, i64 change)
{
	enum store_result result = STORE_OK;

	for (u32 i = 0; i < txn->count_count; i++) {
		struct audience_count *known = &txn->counts[i];

		if (known->what == (u32)what && known->of == of) {
			known->change += change;
			return STORE_OK;
		}
	}
	if (txn->count_count == AUDIENCE_COUNTS_MAX)
		result = audience_counts_flush(txn);
	if (result == STORE_OK)
		txn->counts[txn->count_count++] =
			(struct audience_count){ (u32)what, of, change };
	return result;
}

enum store_result audience_count_get(struct audience_txn *txn, enum audience_counted what, u32 of,
				     u64 *count)
{
	enum store_result result = stored(txn, (u32)what, of, count);

	for (u32 i = 0; i < txn->count_count && result == STORE_OK; i++) {
		if (txn->counts[i].what == (u32)what && txn->counts[i].of == of)
			*count += (u64)txn->counts[i].change;
	}
	return result;
}

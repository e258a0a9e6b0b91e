#include "store/audience_campaign_count.h"

#include "store/audience_parts.h"

#define COUNT_VERSION 1
#define COUNT_KEY_SIZE 16
#define COUNT_RECORD_SIZE 9

static struct slice count_key(u8 key[COUNT_KEY_SIZE], u32 campaign, u32 what, u64 of)
{
	record_put_u64(record_put_u32(record_put_u32(key, campaign), what), of);
	return env_key(key, COUNT_KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, struct slice key, struct slice record,
			      u64 *count)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);

	*count = record_get_u64(&r);
	if (r.bad || version != COUNT_VERSION)
		return env_damaged(&txn->env, AUDIENCE_CAMPAIGN_COUNT, key);
	return STORE_OK;
}

enum store_result campaign_count_get(struct audience_txn *txn, u32 campaign,
				     enum campaign_counted what, u64 of, u64 *count)
{
	u8 bytes[COUNT_KEY_SIZE];
	struct slice key = count_key(bytes, campaign, (u32)what, of);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_CAMPAIGN_COUNT, key, &record);

	*count = 0;
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	return result == STORE_OK ? show(txn, key, record, count) : result;
}

enum store_result campaign_count_change(struct audience_txn *txn, u32 campaign,
					enum campaign_counted what, u64 of, i64 change)
{
	u8 key[COUNT_KEY_SIZE];
	u8 record[COUNT_RECORD_SIZE];
	u64 count;
	enum store_result result = campaign_count_get(txn, campaign, what, of, &count);

	if (result != STORE_OK || change == 0)
		return result;
	/* Fewer than none: counted wrong in the past; it starts anew. */
	if (change < 0 && (u64)-change > count)
		count = 0;
	else
		count += (u64)change;
	record_put_u64(record_put_u8(record, COUNT_VERSION), count);
	return env_put(&txn->env, AUDIENCE_CAMPAIGN_COUNT,
		       count_key(key, campaign, (u32)what, of), env_key(record, sizeof(record)));
}

enum store_result campaign_count_next(struct audience_txn *txn, u32 campaign,
				      enum campaign_counted what, u64 *of, u64 *count)
{
	u8 bytes[COUNT_KEY_SIZE];
	struct slice after = count_key(bytes, campaign, (u32)what, *of + 1);
	struct record_reader r;
	struct slice key;
	struct slice record;
	enum store_result result =
		env_seek(&txn->env, AUDIENCE_CAMPAIGN_COUNT, after, &key, &record);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != campaign || record_get_u32(&r) != (u32)what)
		return STORE_NOT_FOUND;
	*of = record_get_u64(&r);
	return show(txn, key, record, count);
}

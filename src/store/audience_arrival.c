#include "store/audience_arrival.h"

#include "store/audience_parts.h"

#define ARRIVAL_VERSION 1
#define ARRIVAL_KEY_SIZE 12
#define ARRIVAL_RECORD_SIZE 9
#define SWEPT 2000 /* at once */

static struct slice arrival_key(u8 key[ARRIVAL_KEY_SIZE], const struct arrival *arrival)
{
	u8 *at = record_put_u32(record_put_u32(key, arrival->day), arrival->site);

	record_put_u16(record_put_u16(at, (u16)arrival->kind), (u16)arrival->class);
	return env_key(key, ARRIVAL_KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, struct slice key, struct slice record,
			      struct arrival *arrival)
{
	struct record_reader r = record_reader_of(key);
	u8 version;

	arrival->day = record_get_u32(&r);
	arrival->site = record_get_u32(&r);
	arrival->kind = (enum arrival_kind)record_get_u16(&r);
	arrival->class = record_get_u16(&r);
	r = record_reader_of(record);
	version = record_get_u8(&r);
	arrival->count = record_get_u64(&r);
	if (r.bad || version != ARRIVAL_VERSION)
		return env_damaged(&txn->env, AUDIENCE_ARRIVAL, key);
	return STORE_OK;
}

enum store_result arrival_add(struct audience_txn *txn, const struct arrival *arrival)
{
	u8 bytes[ARRIVAL_KEY_SIZE];
	u8 record[ARRIVAL_RECORD_SIZE];
	struct arrival known = *arrival;
	struct slice key = arrival_key(bytes, arrival);
	struct slice before;
	enum store_result result = env_get(&txn->env, AUDIENCE_ARRIVAL, key, &before);

	known.count = 0;
	if (result == STORE_OK)
		result = show(txn, key, before, &known);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	record_put_u64(record_put_u8(record, ARRIVAL_VERSION), known.count + arrival->count);
	return env_put(&txn->env, AUDIENCE_ARRIVAL, key, env_key(record, sizeof(record)));
}

enum store_result arrival_next(struct audience_txn *txn, struct arrival *arrival)
{
	struct arrival after = *arrival;
	u8 bytes[ARRIVAL_KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result;

	/* Kinds begin with 1: before the first one of a day there is a place. */
	after.class += after.kind == 0 ? 0 : 1;
	result = env_seek(&txn->env, AUDIENCE_ARRIVAL, arrival_key(bytes, &after), &key, &record);
	return result == STORE_OK ? show(txn, key, record, arrival) : result;
}

enum store_result arrival_sweep(struct audience_txn *txn, u32 today)
{
	for (u32 i = 0; i < SWEPT; i++) {
		struct arrival oldest = { .day = 0 };
		u8 bytes[ARRIVAL_KEY_SIZE];
		enum store_result result = arrival_next(txn, &oldest);

		if (result == STORE_OK && oldest.day + ARRIVAL_DAYS <= today)
			result = env_delete(&txn->env, AUDIENCE_ARRIVAL,
					    arrival_key(bytes, &oldest));
		else
			return result == STORE_NOT_FOUND ? STORE_OK : result;
		if (result != STORE_OK)
			return result;
	}
	return STORE_OK;
}

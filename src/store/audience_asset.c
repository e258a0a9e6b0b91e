#include "store/audience_asset.h"

#include "store/audience_parts.h"
#include "store/row_values.h"

#include <string.h>

#define VERSION 1
#define HEAD_SIZE 34
#define RECORD_MAX 4096

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_asset *asset)
{
	struct record_reader r = record_reader_of(record);
	u8 version;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	asset->kind = record_get_u8(&r);
	asset->width = record_get_u32(&r);
	asset->height = record_get_u32(&r);
	asset->size = record_get_u64(&r);
	asset->created_ms = record_get_u64(&r);
	asset->changed_ms = record_get_u64(&r);
	if (r.bad || key.len != ASSET_ID_SIZE || version != VERSION ||
	    !row_values_unpack(record_get_rest(&r), asset->of, ASSET_TEXTS))
		return env_damaged(&txn->env, AUDIENCE_ASSET, key);
	memcpy(asset->id, key.ptr, ASSET_ID_SIZE);
	return STORE_OK;
}

enum store_result audience_asset_get(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE],
				     struct audience_asset *asset)
{
	struct slice key = env_key(id, ASSET_ID_SIZE);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_ASSET, key, &record);

	return show(txn, result, key, record, asset);
}

enum store_result audience_asset_after(struct audience_txn *txn, const u8 *id,
				       struct audience_asset *asset)
{
	static const u8 zeros[ASSET_ID_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		id ? env_after(&txn->env, AUDIENCE_ASSET, env_key(id, ASSET_ID_SIZE), &key, &record)
		   : env_seek(&txn->env, AUDIENCE_ASSET, env_key(zeros, ASSET_ID_SIZE), &key,
			      &record);

	return show(txn, result, key, record, asset);
}

enum store_result audience_asset_put(struct audience_txn *txn, const struct audience_asset *asset)
{
	struct slice key = env_key(asset->id, ASSET_ID_SIZE);
	u8 head[HEAD_SIZE];
	u8 *at = head;
	enum store_result result;
	struct buf record;

	at = record_put_u8(record_put_u8(at, VERSION), asset->kind);
	at = record_put_u32(record_put_u32(at, asset->width), asset->height);
	at = record_put_u64(record_put_u64(at, asset->size), asset->created_ms);
	record_put_u64(at, asset->changed_ms);
	buf_init(&record, RECORD_MAX);
	buf_add(&record, head, sizeof(head));
	row_values_pack(&record, asset->of, ASSET_TEXTS);
	result = record.failed ? env_no_memory(&txn->env, "an image")
			       : env_put(&txn->env, AUDIENCE_ASSET, key, buf_slice(&record));
	buf_done(&record);
	return result;
}

enum store_result audience_asset_delete(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE])
{
	return env_delete(&txn->env, AUDIENCE_ASSET, env_key(id, ASSET_ID_SIZE));
}

enum store_result audience_asset_sum(struct audience_txn *txn, struct audience_asset_total *total)
{
	struct audience_asset asset;
	enum store_result result = audience_asset_after(txn, NULL, &asset);

	*total = (struct audience_asset_total){ 0 };
	for (; result == STORE_OK; result = audience_asset_after(txn, asset.id, &asset)) {
		total->count++;
		total->bytes += asset.size;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

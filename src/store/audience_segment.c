#include "store/audience_segment.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"

#define VERSION 1
#define KEY_SIZE 4

static struct slice id_key(u8 key[KEY_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_segment *segment)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader id = record_reader_of(key);
	u8 version;
	u16 by_len;
	u16 name_len;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	segment->id = record_get_u32(&id);
	segment->version = record_get_u32(&r);
	segment->created_ms = record_get_u64(&r);
	segment->changed_ms = record_get_u64(&r);
	by_len = record_get_u16(&r);
	name_len = record_get_u16(&r);
	segment->by = record_get_bytes(&r, by_len);
	segment->name = record_get_bytes(&r, name_len);
	segment->text = record_get_rest(&r);
	if (r.bad || id.bad || version != VERSION)
		return env_damaged(&txn->env, AUDIENCE_SEGMENT, key);
	return STORE_OK;
}

enum store_result audience_segment_get(struct audience_txn *txn, u32 id,
				       struct audience_segment *segment)
{
	u8 bytes[KEY_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_SEGMENT, key, &record);

	return show(txn, result, key, record, segment);
}

enum store_result audience_segment_after(struct audience_txn *txn, u32 id,
					 struct audience_segment *segment)
{
	u8 bytes[KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_SEGMENT, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, segment);
}

enum store_result audience_segment_find(struct audience_txn *txn, struct slice name,
					struct audience_segment *segment)
{
	enum store_result result;

	segment->id = 0;
	while ((result = audience_segment_after(txn, segment->id, segment)) == STORE_OK) {
		if (slice_equal_nocase(segment->name, name))
			return STORE_OK;
	}
	return result;
}

enum store_result audience_segment_count(struct audience_txn *txn, u32 *count)
{
	struct audience_segment segment = { 0 };
	enum store_result result;

	*count = 0;
	while ((result = audience_segment_after(txn, segment.id, &segment)) == STORE_OK)
		++*count;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result audience_segment_put(struct audience_txn *txn,
				       const struct audience_segment *segment)
{
	u8 key[KEY_SIZE];
	u8 *at = txn->scratch;

	ASSERT(segment->name.len > 0 && segment->name.len <= SEGMENT_NAME_MAX &&
	       segment->by.len <= SEGMENT_BY_MAX && segment->text.len <= SEGMENT_KEPT_MAX);
	at = record_put_u8(at, VERSION);
	at = record_put_u32(at, segment->version);
	at = record_put_u64(at, segment->created_ms);
	at = record_put_u64(at, segment->changed_ms);
	at = record_put_u16(at, (u16)segment->by.len);
	at = record_put_u16(at, (u16)segment->name.len);
	at = record_put_bytes(at, segment->by);
	at = record_put_bytes(at, segment->name);
	at = record_put_bytes(at, segment->text);
	return env_put(&txn->env, AUDIENCE_SEGMENT, id_key(key, segment->id),
		       env_key(txn->scratch, (size_t)(at - txn->scratch)));
}

enum store_result audience_segment_add(struct audience_txn *txn, struct audience_segment *segment)
{
	enum store_result result = audience_next_id(txn, "segment", &segment->id);

	return result == STORE_OK ? audience_segment_put(txn, segment) : result;
}

enum store_result audience_segment_delete(struct audience_txn *txn, u32 id)
{
	u8 key[KEY_SIZE];

	return env_delete(&txn->env, AUDIENCE_SEGMENT, id_key(key, id));
}

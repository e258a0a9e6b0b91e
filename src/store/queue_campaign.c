#include "store/queue.h"

#include "base/check.h"
#include "base/text.h"
#include "store/queue_table.h"
#include "store/record.h"

#include <string.h>

/* The last campaign id ever given: ids go into tokens and Message-IDs and must never come twice. */
#define LAST_ID_NAME SLICE("\0campaign")

#define BLOB_NAME_MAX 64

const char *queue_campaign_state_name(enum queue_campaign_state state)
{
	static const char *const names[] = {
		[CAMPAIGN_IMPORTING] = "importing", [CAMPAIGN_READY] = "ready",
		[CAMPAIGN_RUNNING] = "running",     [CAMPAIGN_PAUSED] = "paused",
		[CAMPAIGN_DONE] = "done",           [CAMPAIGN_CANCELLED] = "cancelled",
	};

	if ((size_t)state >= array_count(names) || !names[state])
		return "unknown";
	return names[state];
}

const char *queue_campaign_kind_name(u32 kind)
{
	static const char *const names[] = {
		[CAMPAIGN_BULK] = "bulk",
		[CAMPAIGN_TRANSACTIONAL] = "transactional",
		[CAMPAIGN_LETTERS] = "letters",
	};

	return kind < array_count(names) ? names[kind] : "unknown";
}

static enum store_result take_id(struct queue *queue, u32 *id)
{
	u8 record[5];
	struct slice value;
	struct record_reader r;
	u8 version;
	enum store_result result = table_get(queue, TABLE_SETTING, LAST_ID_NAME, &value);

	*id = 0;
	if (result == STORE_OK) {
		r = record_reader_of(value);
		version = record_get_u8(&r);
		*id = record_get_u32(&r);
		if (r.bad || version != RECORD_VERSION || *id == UINT32_MAX)
			return table_damaged(queue, TABLE_SETTING, LAST_ID_NAME);
	} else if (result != STORE_NOT_FOUND) {
		return result;
	}
	*id += 1;
	record_put_u32(record_put_u8(record, RECORD_VERSION), *id);
	return table_put(queue, TABLE_SETTING, LAST_ID_NAME, table_key(record, sizeof(record)));
}

enum store_result queue_campaign_create(struct queue *queue, struct queue_campaign *c)
{
	enum store_result result = take_id(queue, &c->id);

	return result == STORE_OK ? queue_campaign_put(queue, c) : result;
}

enum store_result queue_campaign_put(struct queue *queue, const struct queue_campaign *c)
{
	u8 record[CAMPAIGN_RECORD_MAX];
	size_t len = campaign_record_write(record, c);
	u8 key[4];

	ASSERT(c->id > 0);
	record_put_u32(key, c->id);
	return table_put(queue, TABLE_CAMPAIGN, table_key(key, sizeof(key)),
			 table_key(record, len));
}

static enum store_result read_campaign(struct queue *queue, struct slice key, struct slice record,
				       struct queue_campaign *c)
{
	struct record_reader r = record_reader_of(key);
	u32 id = record_get_u32(&r);

	if (r.bad || r.left > 0 || !campaign_record_read(record, c))
		return table_damaged(queue, TABLE_CAMPAIGN, key);
	c->id = id;
	return STORE_OK;
}

enum store_result queue_campaign_get(struct queue *queue, u32 id, struct queue_campaign *c)
{
	u8 key[4];
	struct slice value;
	enum store_result result;

	record_put_u32(key, id);
	result = table_get(queue, TABLE_CAMPAIGN, table_key(key, sizeof(key)), &value);
	if (result != STORE_OK)
		return result;
	return read_campaign(queue, table_key(key, sizeof(key)), value, c);
}

enum store_result queue_campaign_next(struct queue *queue, u32 after, struct queue_campaign *c)
{
	u8 key[4];
	struct slice found;
	struct slice value;
	enum store_result result;

	record_put_u32(key, after);
	result = table_after(queue, TABLE_CAMPAIGN, table_key(key, sizeof(key)), &found, &value);
	return result == STORE_OK ? read_campaign(queue, found, value, c) : result;
}

/* ---- lanes ---- */

enum store_result queue_lane_create(struct queue *queue, struct queue_campaign *c,
				    struct slice domain, u32 *number)
{
	u8 key[8];
	u8 record[LANE_RECORD_MAX];
	u8 *at;

	ASSERT(c->id > 0 && c->domains < UINT32_MAX);
	ASSERT(domain.len > 0 && domain.len < LANE_RECORD_MAX - 1);
	record_put_u32(record_put_u32(key, c->id), c->domains + 1);
	at = record_put_bytes(record_put_u8(record, RECORD_VERSION), domain);
	*number = ++c->domains;
	return table_put(queue, TABLE_LANE, table_key(key, sizeof(key)),
			 table_key(record, (size_t)(at - record)));
}

enum store_result queue_lane_next(struct queue *queue, u32 campaign, u32 after,
				  struct queue_lane *lane)
{
	u8 key[8];
	struct slice found;
	struct slice value;
	struct record_reader r;
	enum store_result result;

	record_put_u32(record_put_u32(key, campaign), after);
	result = table_after(queue, TABLE_LANE, table_key(key, sizeof(key)), &found, &value);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(found);
	lane->campaign = record_get_u32(&r);
	lane->number = record_get_u32(&r);
	if (r.bad || r.left > 0)
		return table_damaged(queue, TABLE_LANE, found);
	if (lane->campaign != campaign)
		return STORE_NOT_FOUND;
	r = record_reader_of(value);
	if (record_get_u8(&r) != RECORD_VERSION || r.left == 0 ||
	    !slice_copy(lane->domain, sizeof(lane->domain), record_get_rest(&r)))
		return table_damaged(queue, TABLE_LANE, found);
	return STORE_OK;
}

/* ---- blobs ---- */

static struct slice blob_key(u8 key[4 + BLOB_NAME_MAX], u32 campaign, const char *name)
{
	struct slice text = slice_of(name);
	u8 *at;

	ASSERT(text.len > 0 && text.len <= BLOB_NAME_MAX);
	at = record_put_bytes(record_put_u32(key, campaign), text);
	return table_key(key, (size_t)(at - key));
}

enum store_result queue_blob_put(struct queue *queue, u32 campaign, const char *name,
				 struct slice bytes)
{
	u8 key[4 + BLOB_NAME_MAX];
	u8 *record;
	enum store_result result;

	/* LMDB counts a value's length in 32 bits. */
	ASSERT(bytes.len < UINT32_MAX);
	result = table_reserve(queue, TABLE_BLOB, blob_key(key, campaign, name), bytes.len + 1,
			       &record);
	if (result == STORE_OK)
		record_put_bytes(record_put_u8(record, RECORD_VERSION), bytes);
	return result;
}

enum store_result queue_blob_get(struct queue *queue, u32 campaign, const char *name,
				 struct slice *bytes)
{
	u8 key[4 + BLOB_NAME_MAX];
	struct slice at = blob_key(key, campaign, name);
	enum store_result result = table_get(queue, TABLE_BLOB, at, bytes);

	if (result != STORE_OK)
		return result;
	if (bytes->len == 0 || bytes->ptr[0] != RECORD_VERSION)
		return table_damaged(queue, TABLE_BLOB, at);
	*bytes = slice_from(*bytes, 1);
	return STORE_OK;
}

enum store_result queue_blob_delete(struct queue *queue, u32 campaign, const char *name)
{
	u8 key[4 + BLOB_NAME_MAX];

	return table_delete(queue, TABLE_BLOB, blob_key(key, campaign, name));
}

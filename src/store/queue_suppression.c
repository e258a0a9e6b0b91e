#include "store/queue.h"

#include "base/check.h"
#include "base/crypto.h"
#include "base/text.h"
#include "store/queue_table.h"
#include "store/record.h"

#include <string.h>

#define ID_SIZE 16 /* of the SHA-256: addresses are chosen by strangers, and must not collide */

/* Two strings that cannot be taken for two others: the scope's length goes in front. */
static struct slice id_of(struct slice scope, struct slice address, u8 id[SHA256_SIZE])
{
	const u8 scope_len = (u8)scope.len;
	struct sha256 hash;

	ASSERT(scope.len <= SUPPRESSION_SCOPE_MAX && address.len <= SUPPRESSION_ADDRESS_MAX);
	sha256_init(&hash);
	sha256_add(&hash, &scope_len, 1);
	sha256_add(&hash, scope.ptr, scope.len);
	sha256_add(&hash, address.ptr, address.len);
	sha256_finish(&hash, id);
	return table_key(id, ID_SIZE);
}

u64 queue_suppression_id(struct slice scope, struct slice address)
{
	u8 id[SHA256_SIZE];
	u64 number;

	id_of(scope, address, id);
	memcpy(&number, id, sizeof(number));
	return number;
}

/* Version 2, with strikes, is written where there are some: an older program reads the others. */
#define RECORD_VERSION_STRIKES 2

static size_t record_write(u8 *out, const struct queue_suppression *s)
{
	u8 *at = record_put_u8(out, s->strikes ? RECORD_VERSION_STRIKES : RECORD_VERSION);

	at = record_put_u8(at, s->is_active);
	at = record_put_u16(at, s->soft);
	if (s->strikes) {
		at = record_put_u8(at, s->strikes);
		at = record_put_u64(at, s->struck_ms);
	}
	at = record_put_u8(at, (u8)s->scope.len);
	at = record_put_u16(at, (u16)s->address.len);
	at = record_put_bytes(at, s->scope);
	at = record_put_bytes(at, s->address);
	for (u32 i = 0; i < s->event_count; i++) {
		const struct suppression_event *event = &s->events[i];
		const struct slice text = slice_first(event->text, SUPPRESSION_TEXT_MAX);

		at = record_put_u8(at, event->reason);
		at = record_put_u64(at, event->wall_ms);
		at = record_put_u32(at, event->campaign);
		at = record_put_u16(at, (u16)text.len);
		at = record_put_bytes(at, text);
	}
	return (size_t)(at - out);
}

static bool record_read(struct slice record, struct queue_suppression *s)
{
	struct record_reader r = record_reader_of(record);
	size_t scope_len;
	size_t address_len;
	u8 version = record_get_u8(&r);

	*s = (struct queue_suppression){ 0 };
	if (version != RECORD_VERSION && version != RECORD_VERSION_STRIKES)
		return false;
	s->is_active = record_get_u8(&r) != 0;
	s->soft = record_get_u16(&r);
	if (version == RECORD_VERSION_STRIKES) {
		s->strikes = record_get_u8(&r);
		s->struck_ms = record_get_u64(&r);
	}
	scope_len = record_get_u8(&r);
	address_len = record_get_u16(&r);
	s->scope = record_get_bytes(&r, scope_len);
	s->address = record_get_bytes(&r, address_len);
	while (!r.bad && r.left > 0) {
		struct suppression_event *event;

		if (s->event_count == SUPPRESSION_EVENTS_MAX)
			return false;
		event = &s->events[s->event_count++];
		event->reason = record_get_u8(&r);
		event->wall_ms = record_get_u64(&r);
		event->campaign = record_get_u32(&r);
		event->text = record_get_bytes(&r, record_get_u16(&r));
	}
	return !r.bad;
}

enum store_result queue_suppression_put(struct queue *queue, const struct queue_suppression *s)
{
	_Static_assert(SUPPRESSION_RECORD_MAX <= ROW_RECORD_MAX, "the scratch has room for it");
	u8 id[SHA256_SIZE];
	size_t len = record_write(queue->scratch, s);

	return table_put(queue, TABLE_SUPPRESSION, id_of(s->scope, s->address, id),
			 table_key(queue->scratch, len));
}

static enum store_result open_record(struct queue *queue, struct slice key, struct slice record,
				     struct queue_suppression *s)
{
	return record_read(record, s) ? STORE_OK
				      : table_damaged(queue, TABLE_SUPPRESSION, key);
}

enum store_result queue_suppression_get(struct queue *queue, struct slice scope,
					struct slice address, struct queue_suppression *s)
{
	struct slice record;
	u8 id[SHA256_SIZE];
	struct slice key = id_of(scope, address, id);
	enum store_result result = table_get(queue, TABLE_SUPPRESSION, key, &record);

	return result == STORE_OK ? open_record(queue, key, record, s) : result;
}

enum store_result queue_suppression_next(struct queue *queue,
					 u8 cursor[SUPPRESSION_CURSOR_SIZE], bool *began,
					 struct queue_suppression *s)
{
	struct slice after = table_key(cursor, SUPPRESSION_CURSOR_SIZE);
	static const u8 first[1] = { 0 };
	struct slice found;
	struct slice record;
	enum store_result result =
		*began ? table_after(queue, TABLE_SUPPRESSION, after, &found, &record)
		       : table_seek(queue, TABLE_SUPPRESSION, table_key(first, 1), &found, &record);

	if (result != STORE_OK)
		return result;
	if (found.len != SUPPRESSION_CURSOR_SIZE)
		return table_damaged(queue, TABLE_SUPPRESSION, found);
	memcpy(cursor, found.ptr, found.len);
	*began = true;
	return open_record(queue, found, record, s);
}

enum store_result queue_suppression_delete(struct queue *queue, struct slice scope,
					   struct slice address)
{
	u8 id[SHA256_SIZE];

	return table_delete(queue, TABLE_SUPPRESSION, id_of(scope, address, id));
}

const char *suppression_reason_name(u32 reason)
{
	static const char *const names[] = {
		[SUPPRESSION_MANUAL] = "manual",       [SUPPRESSION_IMPORT] = "import",
		[SUPPRESSION_HARD] = "bad-mailbox",    [SUPPRESSION_SOFT] = "soft-bounces",
		[SUPPRESSION_COMPLAINT] = "complaint", [SUPPRESSION_UNSUBSCRIBE] = "unsubscribe",
		[SUPPRESSION_REMOVED] = "removed",     [SUPPRESSION_STRIKE] = "bad-mailbox-once",
	};

	return reason < array_count(names) && names[reason] ? names[reason] : "unknown";
}

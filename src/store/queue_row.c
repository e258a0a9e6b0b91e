#include "store/queue.h"

#include "base/check.h"
#include "store/queue_table.h"

static enum table table_of(u32 place)
{
	switch (place) {
	case ROW_LANE:
		return TABLE_ROW;
	case ROW_DEFERRED:
		return TABLE_DEFERRED;
	default:
		ASSERT(place == ROW_DOUBT);
		return TABLE_DOUBT;
	}
}

enum store_result queue_row_put(struct queue *queue, const struct queue_row *row)
{
	u8 key[ROW_KEY_MAX];
	size_t key_len = row_key_write(key, &row->ref);
	/*
	 * By way of a copy: the row's slices may look into the very pages that this put moves or
	 * splits (a row being moved from one place to another).
	 */
	size_t len = row_record_write(queue->scratch, row);

	ASSERT(row->ref.id.campaign > 0 && row->ref.id.domain > 0 && row->ref.id.seq > 0);
	ASSERT(row->ref.place == ROW_DEFERRED || row->ref.due_ms == 0);
	return table_put(queue, table_of(row->ref.place), table_key(key, key_len),
			 table_key(queue->scratch, len));
}

enum store_result queue_row_get(struct queue *queue, const struct row_ref *ref,
				struct queue_row *row)
{
	enum table table = table_of(ref->place);
	u8 bytes[ROW_KEY_MAX];
	struct slice key = table_key(bytes, row_key_write(bytes, ref));
	struct slice value;
	enum store_result result = table_get(queue, table, key, &value);

	if (result != STORE_OK)
		return result;
	row->ref = *ref;
	return row_record_read(value, row) ? STORE_OK : table_damaged(queue, table, key);
}

enum store_result queue_row_delete(struct queue *queue, const struct row_ref *ref)
{
	u8 key[ROW_KEY_MAX];

	return table_delete(queue, table_of(ref->place),
			    table_key(key, row_key_write(key, ref)));
}

bool row_ref_equal(const struct row_ref *a, const struct row_ref *b)
{
	return a->place == b->place && a->due_ms == b->due_ms &&
	       a->id.campaign == b->id.campaign && a->id.domain == b->id.domain &&
	       a->id.seq == b->id.seq;
}

enum store_result queue_row_move(struct queue *queue, const struct row_ref *from,
				 const struct queue_row *row)
{
	const bool stays = row_ref_equal(from, &row->ref);
	enum store_result result = queue_row_put(queue, row);

	return result == STORE_OK && !stays ? queue_row_delete(queue, from) : result;
}

/* Whether a row that was found still belongs to the walk that `after` began. */
static bool is_within(const struct row_ref *after, u64 until_ms, const struct row_ref *found)
{
	switch (after->place) {
	case ROW_LANE:
		return found->id.campaign == after->id.campaign &&
		       found->id.domain == after->id.domain;
	case ROW_DEFERRED:
		return found->due_ms <= until_ms;
	default:
		return true;
	}
}

enum store_result queue_row_next(struct queue *queue, const struct row_ref *after, u64 until_ms,
				 struct queue_row *row)
{
	enum table table = table_of(after->place);
	u8 bytes[ROW_KEY_MAX];
	struct slice key = table_key(bytes, row_key_write(bytes, after));
	struct slice found;
	struct slice value;
	struct row_ref ref;
	enum store_result result = table_after(queue, table, key, &found, &value);

	if (result != STORE_OK)
		return result;
	if (!row_key_read(found, after->place, &ref))
		return table_damaged(queue, table, found);
	if (!is_within(after, until_ms, &ref))
		return STORE_NOT_FOUND;
	row->ref = ref;
	return row_record_read(value, row) ? STORE_OK : table_damaged(queue, table, found);
}

enum store_result queue_row_last(struct queue *queue, enum row_place place, struct row_ref *ref)
{
	enum table table = table_of(place);
	struct slice key;
	struct slice value;
	enum store_result result = table_last(queue, table, &key, &value);

	if (result == STORE_OK && !row_key_read(key, place, ref))
		return table_damaged(queue, table, key);
	return result;
}

#include "store/queue_table.h"

#include "base/check.h"
#include "store/record.h"
#include "store/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* `numbers` is the widths of the numbers that a key starts with; what follows them is text. */
static const struct table_info {
	const char *name;
	u8 numbers[4];
} table_infos[TABLE_COUNT] = {
	[TABLE_SETTING] = { "setting", { 0 } },
	[TABLE_CAMPAIGN] = { "campaign", { 4 } },
	[TABLE_BLOB] = { "blob", { 4 } },
	[TABLE_LANE] = { "lane", { 4, 4 } },
	[TABLE_ROW] = { "row", { 4, 4, 4 } },
	[TABLE_DEFERRED] = { "deferred", { 8, 4, 4, 4 } },
	[TABLE_DOUBT] = { "doubt", { 4, 4, 4 } },
	[TABLE_LEASE] = { "lease", { 8, 2 } },
	[TABLE_LOG] = { "log", { 8 } },
	[TABLE_LOG_INDEX] = { "log_index", { 8 } },
	[TABLE_SUPPRESSION] = { "suppression", { 8, 8 } },
	[TABLE_LETTER] = { "letter", { 4, 4 } },
	[TABLE_LETTER_KEY] = { "letter-key", { 0 } },
	[TABLE_RECIPIENT] = { "recipient", { 4, 4, 4 } },
	[TABLE_REPORT] = { "report", { 0 } },
};

const char *table_name(enum table table)
{
	return table_infos[table].name;
}

bool queue_is_full_code(int rc)
{
	return rc == MDB_MAP_FULL || rc == MDB_TXN_FULL || rc == ENOMEM ||
	       room_is_lacking(rc);
}

enum store_result queue_result(struct queue *queue, int rc, const char *what)
{
	if (rc == MDB_SUCCESS)
		return STORE_OK;
	if (rc == MDB_NOTFOUND)
		return STORE_NOT_FOUND;
	queue->doomed = queue_is_full_code(rc) ? STORE_FULL : STORE_FAILED;
	snprintf(queue->error, sizeof(queue->error), "queue %s: %s: %s", queue->path, what,
		 mdb_strerror(rc));
	return queue->doomed;
}

/* "3/17/42" or "3/headers": what a person can find again; bytes that do not print become '?'. */
static void key_describe(char *out, size_t size, enum table table, struct slice key)
{
	struct record_reader r = record_reader_of(key);
	size_t len = 0;
	u64 number;

	out[0] = '\0';
	for (size_t i = 0; i < array_count(table_infos[table].numbers) && r.left > 0; i++) {
		u8 width = table_infos[table].numbers[i];

		if (width == 0)
			break;
		number = width == 8   ? record_get_u64(&r)
			 : width == 4 ? record_get_u32(&r)
				      : record_get_u16(&r);
		len += (size_t)snprintf(out + len, size - len, "%s%llu", len ? "/" : "",
					(unsigned long long)number);
	}
	if (r.left > 0 && len > 0)
		len += (size_t)snprintf(out + len, size - len, "/");
	for (; r.left > 0 && len + 1 < size; len++) {
		char c = *record_get_bytes(&r, 1).ptr;

		out[len] = c >= ' ' && c <= '~' ? c : '?';
		out[len + 1] = '\0';
	}
}

enum store_result table_damaged(struct queue *queue, enum table table, struct slice key)
{
	char text[128];

	key_describe(text, sizeof(text), table, key);
	snprintf(queue->error, sizeof(queue->error),
		 "queue %s: the record %s of table '%s' does not parse (damaged, or of another "
		 "version)",
		 queue->path, text, table_name(table));
	queue->doomed = STORE_FAILED;
	return STORE_FAILED;
}

static MDB_val val_of(struct slice s)
{
	return (MDB_val){ s.len, (void *)(uintptr_t)s.ptr };
}

static struct slice slice_of_val(const MDB_val *val)
{
	return (struct slice){ val->mv_data, val->mv_size };
}

/* The table's cursor, opened when needed; NULL when the transaction is doomed. */
static MDB_cursor *table_cursor(struct queue *queue, enum table table)
{
	struct table_state *state = &queue->tables[table];
	int rc;

	ASSERT(queue->txn);
	if (queue->doomed != STORE_OK)
		return NULL;
	if (!state->cursor) {
		rc = mdb_cursor_open(queue->txn, state->dbi, &state->cursor);
		if (rc != MDB_SUCCESS) {
			state->cursor = NULL;
			queue_result(queue, rc, table_name(table));
		}
	}
	return state->cursor;
}

/* Moves the table's cursor by `op` from `key` and shows the record it stands on then. */
static enum store_result move_cursor(struct queue *queue, enum table table, MDB_cursor_op op,
				     struct slice key, struct slice *found, struct slice *value)
{
	MDB_cursor *cursor = table_cursor(queue, table);
	MDB_val k = val_of(key);
	MDB_val v;
	int rc;

	if (!cursor)
		return queue->doomed;
	rc = mdb_cursor_get(cursor, &k, &v, op);
	if (rc == MDB_SUCCESS) {
		*found = slice_of_val(&k);
		*value = slice_of_val(&v);
	}
	return queue_result(queue, rc, table_name(table));
}

enum store_result table_get(struct queue *queue, enum table table, struct slice key,
			    struct slice *value)
{
	struct slice found;

	return move_cursor(queue, table, MDB_SET_KEY, key, &found, value);
}

enum store_result table_seek(struct queue *queue, enum table table, struct slice key,
			     struct slice *found, struct slice *value)
{
	return move_cursor(queue, table, MDB_SET_RANGE, key, found, value);
}

enum store_result table_after(struct queue *queue, enum table table, struct slice key,
			      struct slice *found, struct slice *value)
{
	enum store_result result = table_seek(queue, table, key, found, value);

	if (result != STORE_OK || found->len != key.len ||
	    memcmp(found->ptr, key.ptr, key.len) != 0)
		return result;
	return move_cursor(queue, table, MDB_NEXT, key, found, value);
}

enum store_result table_before(struct queue *queue, enum table table, struct slice key,
			       struct slice *found, struct slice *value)
{
	enum store_result result = table_seek(queue, table, key, found, value);

	if (result == STORE_NOT_FOUND)
		return table_last(queue, table, found, value);
	return result == STORE_OK ? move_cursor(queue, table, MDB_PREV, key, found, value) : result;
}

enum store_result table_last(struct queue *queue, enum table table, struct slice *found,
			     struct slice *value)
{
	return move_cursor(queue, table, MDB_LAST, SLICE_NONE, found, value);
}

/*
 * MDB_APPEND when the key goes behind all others: the page is then filled to the brim instead of
 * being split in halves. `top` may be greater than the last key (rows get deleted), never smaller.
 */
static unsigned put_flags(struct queue *queue, enum table table, struct slice key)
{
	struct table_state *state = &queue->tables[table];
	struct slice last = { 0 };
	struct slice value;

	if (key.len > sizeof(state->top))
		return 0;
	if (!state->top_known) {
		memset(state->top, 0, sizeof(state->top));
		switch (table_last(queue, table, &last, &value)) {
		case STORE_OK:
			if (last.len != key.len)
				return 0;
			memcpy(state->top, last.ptr, last.len);
			break;
		case STORE_NOT_FOUND:
			break;
		default:
			return 0;
		}
		state->top_known = true;
	}
	if (memcmp(key.ptr, state->top, key.len) <= 0)
		return 0;
	memcpy(state->top, key.ptr, key.len);
	return MDB_APPEND;
}

static enum store_result put(struct queue *queue, enum table table, struct slice key,
			     MDB_val *value, unsigned flags)
{
	MDB_cursor *cursor = table_cursor(queue, table);
	MDB_val k = val_of(key);

	ASSERT(key.len > 0 && key.len <= TABLE_KEY_MAX);
	if (!cursor)
		return queue->doomed;
	/* Keys of the tables below differ in length, so that `top` would not order them. */
	if (table != TABLE_SETTING && table != TABLE_BLOB && table != TABLE_LETTER_KEY &&
	    table != TABLE_REPORT)
		flags |= put_flags(queue, table, key);
	if (queue->doomed != STORE_OK)
		return queue->doomed;
	queue->written = true;
	return queue_result(queue, mdb_cursor_put(cursor, &k, value, flags), table_name(table));
}

enum store_result table_put(struct queue *queue, enum table table, struct slice key,
			    struct slice value)
{
	MDB_val v = val_of(value);

	return put(queue, table, key, &v, 0);
}

enum store_result table_reserve(struct queue *queue, enum table table, struct slice key, size_t len,
				u8 **value)
{
	MDB_val v = { len, NULL };
	enum store_result result = put(queue, table, key, &v, MDB_RESERVE);

	*value = v.mv_data;
	return result;
}

enum store_result table_delete(struct queue *queue, enum table table, struct slice key)
{
	MDB_cursor *cursor = table_cursor(queue, table);
	MDB_val k = val_of(key);
	MDB_val v;
	int rc;

	if (!cursor)
		return queue->doomed;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY);
	queue->written = true;
	if (rc == MDB_SUCCESS)
		rc = mdb_cursor_del(cursor, 0);
	return queue_result(queue, rc, table_name(table));
}

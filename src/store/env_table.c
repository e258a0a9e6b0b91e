#include "store/env.h"

#include "base/check.h"
#include "store/record.h"
#include "store/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool env_is_full_code(int rc)
{
	return rc == MDB_MAP_FULL || rc == MDB_TXN_FULL || rc == ENOMEM ||
	       room_is_lacking(rc);
}

static const char *table_name(const struct env_txn *txn, u32 table)
{
	return txn->env->shape->tables[table].name;
}

enum store_result env_result(struct env_txn *txn, int rc, const char *what)
{
	if (rc == MDB_SUCCESS)
		return STORE_OK;
	if (rc == MDB_NOTFOUND)
		return STORE_NOT_FOUND;
	txn->doomed = env_is_full_code(rc) ? STORE_FULL : STORE_FAILED;
	snprintf(txn->error, sizeof(txn->error), "%s: %s: %s", txn->env->name, what,
		 mdb_strerror(rc));
	return txn->doomed;
}

enum store_result env_no_memory(struct env_txn *txn, const char *what)
{
	return env_result(txn, ENOMEM, what);
}

/* "3/17/42" or "3/headers": what a person can find again; bytes that do not print become '?'. */
static void key_describe(char *out, size_t size, const struct env_table *table, struct slice key)
{
	struct record_reader r = record_reader_of(key);
	size_t len = 0;
	u64 number;

	out[0] = '\0';
	for (size_t i = 0; i < array_count(table->numbers) && r.left > 0; i++) {
		u8 width = table->numbers[i];

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

enum store_result env_damaged(struct env_txn *txn, u32 table, struct slice key)
{
	char text[128];

	key_describe(text, sizeof(text), &txn->env->shape->tables[table], key);
	snprintf(txn->error, sizeof(txn->error),
		 "%s: the record %s of table '%s' does not parse (damaged, or of another "
		 "version)",
		 txn->env->name, text, table_name(txn, table));
	txn->doomed = STORE_FAILED;
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
static MDB_cursor *table_cursor(struct env_txn *txn, u32 table)
{
	struct env_cursor *cursor = &txn->cursors[table];
	int rc;

	ASSERT(txn->mdb);
	if (txn->doomed != STORE_OK)
		return NULL;
	if (!cursor->mdb) {
		rc = mdb_cursor_open(txn->mdb, txn->env->dbis[table], &cursor->mdb);
		if (rc != MDB_SUCCESS) {
			cursor->mdb = NULL;
			env_result(txn, rc, table_name(txn, table));
		}
	}
	return cursor->mdb;
}

/* Moves the table's cursor by `op` from `key` and shows the record it stands on then. */
static enum store_result move_cursor(struct env_txn *txn, u32 table, MDB_cursor_op op,
				     struct slice key, struct slice *found, struct slice *value)
{
	MDB_cursor *cursor = table_cursor(txn, table);
	MDB_val k = val_of(key);
	MDB_val v;
	int rc;

	if (!cursor)
		return txn->doomed;
	rc = mdb_cursor_get(cursor, &k, &v, op);
	if (rc == MDB_SUCCESS) {
		*found = slice_of_val(&k);
		*value = slice_of_val(&v);
	}
	return env_result(txn, rc, table_name(txn, table));
}

enum store_result env_get(struct env_txn *txn, u32 table, struct slice key,
			    struct slice *value)
{
	struct slice found;

	return move_cursor(txn, table, MDB_SET_KEY, key, &found, value);
}

enum store_result env_seek(struct env_txn *txn, u32 table, struct slice key,
			     struct slice *found, struct slice *value)
{
	return move_cursor(txn, table, MDB_SET_RANGE, key, found, value);
}

enum store_result env_after(struct env_txn *txn, u32 table, struct slice key,
			      struct slice *found, struct slice *value)
{
	enum store_result result = env_seek(txn, table, key, found, value);

	if (result != STORE_OK || found->len != key.len ||
	    memcmp(found->ptr, key.ptr, key.len) != 0)
		return result;
	return move_cursor(txn, table, MDB_NEXT, key, found, value);
}

enum store_result env_before(struct env_txn *txn, u32 table, struct slice key,
			       struct slice *found, struct slice *value)
{
	enum store_result result = env_seek(txn, table, key, found, value);

	if (result == STORE_NOT_FOUND)
		return env_last(txn, table, found, value);
	return result == STORE_OK ? move_cursor(txn, table, MDB_PREV, key, found, value) : result;
}

enum store_result env_last(struct env_txn *txn, u32 table, struct slice *found,
			     struct slice *value)
{
	return move_cursor(txn, table, MDB_LAST, SLICE_NONE, found, value);
}

enum store_result env_next(struct env_txn *txn, u32 table, struct slice *found,
			   struct slice *value)
{
	return move_cursor(txn, table, MDB_NEXT, SLICE_NONE, found, value);
}

/*
 * MDB_APPEND when the key goes behind all others: the page is then filled to the brim instead of
 * being split in halves. `top` may be greater than the last key (rows get deleted), never smaller.
 */
static unsigned put_flags(struct env_txn *txn, u32 table, struct slice key)
{
	struct env_cursor *state = &txn->cursors[table];
	struct slice last = { 0 };
	struct slice value;

	if (key.len > sizeof(state->top))
		return 0;
	if (!state->top_known) {
		memset(state->top, 0, sizeof(state->top));
		switch (env_last(txn, table, &last, &value)) {
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

static enum store_result put(struct env_txn *txn, u32 table, struct slice key,
			     MDB_val *value, unsigned flags)
{
	MDB_cursor *cursor = table_cursor(txn, table);
	MDB_val k = val_of(key);

	ASSERT(key.len > 0 && key.len <= ENV_KEY_MAX && !txn->only_reads);
	if (!cursor)
		return txn->doomed;
	/* Keys that differ in length `top` would not order. */
	if (!txn->env->shape->tables[table].keys_vary)
		flags |= put_flags(txn, table, key);
	if (txn->doomed != STORE_OK)
		return txn->doomed;
	txn->written = true;
	return env_result(txn, mdb_cursor_put(cursor, &k, value, flags), table_name(txn, table));
}

enum store_result env_put(struct env_txn *txn, u32 table, struct slice key,
			    struct slice value)
{
	MDB_val v = val_of(value);

	return put(txn, table, key, &v, 0);
}

enum store_result env_reserve(struct env_txn *txn, u32 table, struct slice key, size_t len,
				u8 **value)
{
	MDB_val v = { len, NULL };
	enum store_result result = put(txn, table, key, &v, MDB_RESERVE);

	*value = v.mv_data;
	return result;
}

enum store_result env_delete(struct env_txn *txn, u32 table, struct slice key)
{
	MDB_cursor *cursor = table_cursor(txn, table);
	MDB_val k = val_of(key);
	MDB_val v;
	int rc;

	ASSERT(!txn->only_reads);
	if (!cursor)
		return txn->doomed;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY);
	txn->written = true;
	if (rc == MDB_SUCCESS)
		rc = mdb_cursor_del(cursor, 0);
	return env_result(txn, rc, table_name(txn, table));
}

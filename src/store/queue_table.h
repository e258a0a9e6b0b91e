/*
 * The tables of the queue environment and the operations on them within its one transaction; what
 * they do is told in env.h. Private to the room.
 */
#ifndef STORE_QUEUE_TABLE_H
#define STORE_QUEUE_TABLE_H

#include "store/env.h"
#include "store/queue.h"
#include "store/queue_record.h"

enum table {
	TABLE_SETTING,
	TABLE_CAMPAIGN,
	TABLE_BLOB,
	TABLE_LANE,
	TABLE_ROW,
	TABLE_DEFERRED,
	TABLE_DOUBT,
	TABLE_LEASE,
	TABLE_LOG,
	TABLE_LOG_INDEX,
	TABLE_SUPPRESSION,
	TABLE_LETTER,
	TABLE_LETTER_KEY,
	TABLE_RECIPIENT,
	TABLE_REPORT,
	TABLE_COUNT,
};

/* How far the erasing of a campaign has looked through the deferred rows, which sort by time. */
struct erase_state {
	u32 campaign; /* 0: none */
	bool done;
	bool in_transaction; /* what it passed in this transaction is there again when that fails */
	struct row_ref at;
};

/* The block of the log that is being filled, for its index. */
struct log_tail {
	u64 number; /* of the block */
	bool known;
	struct log_block block;
};

struct queue {
	struct env env;
	struct env_txn txn;
	struct erase_state erase;
	u64 log_last;        /* number of the newest log entry; valid when log_last_known */
	bool log_last_known;
	struct log_tail log_tail;
	u8 scratch[ROW_RECORD_MAX]; /* a record being put: see queue_row_put */
};

static inline MUST_CHECK enum store_result table_get(struct queue *queue, enum table table,
						     struct slice key, struct slice *value)
{
	return env_get(&queue->txn, table, key, value);
}

static inline MUST_CHECK enum store_result table_seek(struct queue *queue, enum table table,
						      struct slice key, struct slice *found,
						      struct slice *value)
{
	return env_seek(&queue->txn, table, key, found, value);
}

static inline MUST_CHECK enum store_result table_after(struct queue *queue, enum table table,
						       struct slice key, struct slice *found,
						       struct slice *value)
{
	return env_after(&queue->txn, table, key, found, value);
}

static inline MUST_CHECK enum store_result table_before(struct queue *queue, enum table table,
							struct slice key, struct slice *found,
							struct slice *value)
{
	return env_before(&queue->txn, table, key, found, value);
}

static inline MUST_CHECK enum store_result table_last(struct queue *queue, enum table table,
						      struct slice *found, struct slice *value)
{
	return env_last(&queue->txn, table, found, value);
}

static inline MUST_CHECK enum store_result table_put(struct queue *queue, enum table table,
						     struct slice key, struct slice value)
{
	return env_put(&queue->txn, table, key, value);
}

static inline MUST_CHECK enum store_result table_reserve(struct queue *queue, enum table table,
							 struct slice key, size_t len, u8 **value)
{
	return env_reserve(&queue->txn, table, key, len, value);
}

static inline MUST_CHECK enum store_result table_delete(struct queue *queue, enum table table,
							struct slice key)
{
	return env_delete(&queue->txn, table, key);
}

static inline enum store_result table_damaged(struct queue *queue, enum table table,
					      struct slice key)
{
	return env_damaged(&queue->txn, table, key);
}

static inline struct slice table_key(const u8 *key, size_t len)
{
	return env_key(key, len);
}

/* ---- queue_log.c ---- */
#define LOG_KEY_SIZE 8
/* Within a transaction; the newest number is known from then on. */
enum store_result log_learn_last(struct queue *queue) MUST_CHECK;
/* The first entry behind `number`, the last one before it, or that one. */
enum log_step { LOG_AFTER, LOG_BEFORE, LOG_AT };
enum store_result log_step(struct queue *queue, enum log_step step, u64 number,
			   struct queue_log_entry *entry) MUST_CHECK;

/* ---- queue_log_index.c ---- */
/* Before the entry is added, and after. */
enum store_result log_index_learn(struct queue *queue, u64 number) MUST_CHECK;
enum store_result log_index_add(struct queue *queue, const struct queue_log_entry *entry,
				u64 number) MUST_CHECK;
/* Blocks of which no entry is left, up to the one that `first` is in, go. */
enum store_result log_index_trim(struct queue *queue, u64 first) MUST_CHECK;

#endif

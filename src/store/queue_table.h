/*
 * The tables of the queue environment (LMDB sub-databases) and the few operations that the rest of
 * the room needs: everything that can fail in LMDB is turned into a store_result and a sentence
 * here. One cursor per table stays open for the length of a transaction, since neighbouring keys
 * are the rule: LMDB then finds the next key on the page where it stands. Private to the room.
 */
#ifndef STORE_QUEUE_TABLE_H
#define STORE_QUEUE_TABLE_H

#include "store/queue.h"
#include "store/queue_record.h"

#include <lmdb.h>

#define TABLE_KEY_MAX 256

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

struct table_state {
	MDB_dbi dbi;
	MDB_cursor *cursor; /* NULL until first used in this transaction */
	u8 top[ROW_KEY_MAX]; /* no key of the table is greater; valid when top_known */
	bool top_known;
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
	MDB_env *env;
	MDB_txn *txn;
	struct table_state tables[TABLE_COUNT];
	struct erase_state erase;
	u64 log_last;        /* number of the newest log entry; valid when log_last_known */
	bool log_last_known;
	struct log_tail log_tail;
	enum store_result doomed; /* what the transaction failed with; STORE_OK while it is well */
	bool written;        /* this transaction changed something */
	bool broken;         /* the environment itself: only a restart helps */
	int dir_fd;          /* holds the lock that keeps a second opener out */
	u64 map_size;
	u64 map_size_max;
	u64 reserve;
	u64 allocated;       /* bytes of the file whose blocks are known to be there */
	u32 page_size;
	char *path;
	char error[512];
	u8 scratch[ROW_RECORD_MAX]; /* a record being put: see queue_row_put */
};

const char *table_name(enum table table);

/* Makes the environment's file if it is not there yet; whole or not at all (queue_create.c). */
bool queue_create(const struct queue *queue, struct error *error);

/* Codes of LMDB and of the system that mean: no room, on the disk or in memory. */
bool queue_is_full_code(int rc);
/* Turns an LMDB result into ours; anything but OK and NOT_FOUND dooms the transaction. */
enum store_result queue_result(struct queue *queue, int rc, const char *what);
/* A stored record that does not parse: dooms the transaction, names table and key. */
enum store_result table_damaged(struct queue *queue, enum table table, struct slice key);

enum store_result table_get(struct queue *queue, enum table table, struct slice key,
			    struct slice *value) MUST_CHECK;
/* The first entry at or behind `key`. */
enum store_result table_seek(struct queue *queue, enum table table, struct slice key,
			     struct slice *found, struct slice *value) MUST_CHECK;
/* The first entry behind `key`. */
enum store_result table_after(struct queue *queue, enum table table, struct slice key,
			      struct slice *found, struct slice *value) MUST_CHECK;
/* The last entry before `key`. */
enum store_result table_before(struct queue *queue, enum table table, struct slice key,
			       struct slice *found, struct slice *value) MUST_CHECK;
enum store_result table_last(struct queue *queue, enum table table, struct slice *found,
			     struct slice *value) MUST_CHECK;
/* Adds or overwrites. */
enum store_result table_put(struct queue *queue, enum table table, struct slice key,
			    struct slice value) MUST_CHECK;
/* Adds or overwrites an entry of `len` bytes that the caller fills in before the next operation. */
enum store_result table_reserve(struct queue *queue, enum table table, struct slice key, size_t len,
				u8 **value) MUST_CHECK;
enum store_result table_delete(struct queue *queue, enum table table, struct slice key) MUST_CHECK;

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

static inline struct slice table_key(const u8 *key, size_t len)
{
	return (struct slice){ (const char *)key, len };
}

#endif

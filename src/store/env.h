/*
 * An LMDB environment of ours: a directory with a lock against a second opener, a format that is
 * checked before anything is touched, tables, one write transaction at a time and any number of
 * short read transactions beside it. Everything that can fail in LMDB is turned into a store_result
 * and a sentence here; who keeps what in which table is the business of the files above (queue.h,
 * audience.h). Private to the room.
 */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include "base/error.h"
#include "base/types.h"
#include "store/store.h"

#include <lmdb.h>

#define ENV_TABLES_MAX 48
#define ENV_KEY_MAX 500
#define ENV_TOP_MAX 20 /* keys up to this length are watched for being the last ones */

/* `numbers` is the widths of the numbers that a key starts with; what follows them is text. */
struct env_table {
	const char *name;
	u8 numbers[4];
	bool keys_vary; /* in length, or come in no order: they are never appended */
};

/* What an environment is: constant, one for each kind. */
struct env_shape {
	const char *noun; /* "queue": for sentences */
	const struct env_table *tables; /* the first one is the table of settings */
	u32 table_count;
	/*
	 * A newer minor can be read and written by an older program of the same major; a newer
	 * major cannot be opened.
	 */
	u16 format_major;
	u16 format_minor;
};

struct env {
	const struct env_shape *shape;
	MDB_env *mdb;
	MDB_dbi dbis[ENV_TABLES_MAX];
	int dir_fd;    /* holds the lock that keeps a second opener out */
	_Atomic bool broken; /* only a restart helps */
	u64 map_size;
	u64 map_size_max;
	u64 reserve;
	u64 allocated; /* bytes of the file whose blocks are known to be there */
	u32 page_size;
	char *name;	  /* "queue /data/queue": noun and path, for sentences */
	const char *path; /* the end of it */
};

struct env_cursor {
	MDB_cursor *mdb; /* NULL until first used in this transaction */
	u8 top[ENV_TOP_MAX]; /* no key of the table is greater; valid when top_known */
	bool top_known;
};

/*
 * A transaction, or none (`mdb` NULL). One cursor per table stays open for its length, since
 * neighbouring keys are the rule: LMDB then finds the next key on the page where it stands.
 */
struct env_txn {
	struct env *env;
	MDB_txn *mdb;
	struct env_cursor cursors[ENV_TABLES_MAX];
	enum store_result doomed; /* what the transaction failed with; STORE_OK while it is well */
	bool written;	   /* this transaction changed something */
	bool only_reads;
	char error[512];
};

/* ---- env.c ---- */

/*
 * The directory is made (0700) when missing; its parent must exist. False and a sentence: no
 * permission, no memory, of another kind or a newer format, or open already (in this process or
 * another). Never used across fork. `env` is to be closed in any case.
 */
bool env_open(struct env *env, const struct env_shape *shape, const struct store_params *params,
	      struct error *error) MUST_CHECK;
void env_close(struct env *env); /* also of one that was never opened, if it is all zero */

/* Bytes of the disk that env_open will take for an environment that is not there yet; else 0. */
u64 env_room_needed(const struct store_params *params);

/* Once, before its first use. */
void env_txn_init(struct env_txn *txn, struct env *env);
enum store_result env_begin(struct env_txn *txn) MUST_CHECK;
enum store_result env_commit(struct env_txn *txn) MUST_CHECK;
void env_abort(struct env_txn *txn);
/* Another one may have written meanwhile: what was known of the tables' ends is not known. */
void env_forget(struct env_txn *txn);
/*
 * Reading beside the writer: what the last commit left. Ended by env_abort; short, for it pins old
 * pages. Any thread, each with a transaction of its own; never while the map grows (env_grow).
 */
enum store_result env_begin_read(struct env_txn *txn) MUST_CHECK;

/*
 * Doubles the map, between transactions of which there are none at all. False: it is as large as it
 * may be, or that failed for good.
 */
bool env_grow(struct env_txn *txn);

struct env_stats {
	u64 map_size;
	u64 pages_used; /* without free ones */
	u64 pages_free;
	u32 page_size;
	MDB_stat tables[ENV_TABLES_MAX];
};
int env_stats(const struct env *env, struct env_stats *stats) MUST_CHECK; /* LMDB's code */

/* ---- env_room.c ---- */

/* Keeps the reserve; false: half of it cannot be had. See queue_has_room. */
bool env_has_room(struct env *env, u64 pages_used, u64 pages_free);
/* "PATH uses 3 of 9 bytes, the disk has 12 bytes free" */
void env_describe_room(const struct env *env, struct error *text);
/* Less than a tenth is left of the map's maximum or of the disk. */
bool env_is_nearly_full(const struct env *env);
/* Whether a commit's EIO was a full disk. */
bool env_disk_is_full(const struct env *env);

/* ---- env_create.c ---- */

/* Makes the environment's file if it is not there yet; whole or not at all. */
bool env_create(const struct env *env, struct error *error) MUST_CHECK;

/* ---- env_table.c ---- */

/* Codes of LMDB and of the system that mean: no room, on the disk or in memory. */
bool env_is_full_code(int rc);
/* Turns an LMDB result into ours; anything but OK and NOT_FOUND dooms the transaction. */
enum store_result env_result(struct env_txn *txn, int rc, const char *what);
/* Dooms the transaction: there is no memory for `what`. */
enum store_result env_no_memory(struct env_txn *txn, const char *what);
/* A stored record that does not parse: dooms the transaction, names table and key. */
enum store_result env_damaged(struct env_txn *txn, u32 table, struct slice key);

/* Values are views of the map: valid until the transaction writes or ends. */
enum store_result env_get(struct env_txn *txn, u32 table, struct slice key,
			  struct slice *value) MUST_CHECK;
/* The first entry at or behind `key`. */
enum store_result env_seek(struct env_txn *txn, u32 table, struct slice key, struct slice *found,
			   struct slice *value) MUST_CHECK;
/* The first entry behind `key`. */
enum store_result env_after(struct env_txn *txn, u32 table, struct slice key, struct slice *found,
			    struct slice *value) MUST_CHECK;
/* The entry behind the one that the last operation on this table stood on. */
enum store_result env_next(struct env_txn *txn, u32 table, struct slice *found,
			   struct slice *value) MUST_CHECK;
/* The last entry before `key`. */
enum store_result env_before(struct env_txn *txn, u32 table, struct slice key, struct slice *found,
			     struct slice *value) MUST_CHECK;
enum store_result env_last(struct env_txn *txn, u32 table, struct slice *found,
			   struct slice *value) MUST_CHECK;
/* Adds or overwrites. */
enum store_result env_put(struct env_txn *txn, u32 table, struct slice key,
			  struct slice value) MUST_CHECK;
/* Adds or overwrites an entry of `len` bytes that the caller fills in before the next operation. */
enum store_result env_reserve(struct env_txn *txn, u32 table, struct slice key, size_t len,
			      u8 **value) MUST_CHECK;
enum store_result env_delete(struct env_txn *txn, u32 table, struct slice key) MUST_CHECK;

static inline struct slice env_key(const u8 *key, size_t len)
{
	return (struct slice){ (const char *)key, len };
}

#endif

#include "store/env.h"

#include "base/check.h"
#include "base/durable.h"
#include "store/record.h"
#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Format of the whole environment, kept under a name that no caller's setting can have. */
#define FORMAT_NAME SLICE("\0format")
#define FORMAT_VERSION 1 /* of that record */

#define MAP_SIZE_LEAST (1u << 20)
#define LOCK_FILE_SIZE 8192 /* of LMDB's readers: 126 of them */
#define NEW_ENV_BYTES (256 << 10) /* two meta pages, a page for each table, and some more */

/* ---- opening ---- */

static bool open_directory(struct env *env, struct error *error)
{
	if (!durable_folder(env->path, NULL))
		return error_set_errno(error, errno, "%s: cannot be made", env->name);
	env->dir_fd = open(env->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (env->dir_fd < 0)
		return error_set_errno(error, errno, "%s: cannot be opened", env->name);
	if (flock(env->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return error_set(error, "%s: in use by another process", env->name);
		return error_set_errno(error, errno, "%s: cannot be locked", env->name);
	}
	return true;
}

/*
 * LMDB maps its lock file and writes to it without asking for blocks first: on a full disk a file
 * that it just made would end the process by SIGBUS.
 */
static bool make_lock_file(const struct env *env, struct error *error)
{
	int fd = openat(env->dir_fd, "lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int code = fd < 0 ? errno : room_allocate(fd, LOCK_FILE_SIZE);

	if (fd >= 0)
		close(fd);
	return code == 0 ||
	       error_set_errno(error, code, "%s: its lock file", env->name);
}

static u64 round_to_pages(const struct env *env, u64 size)
{
	return (size + env->page_size - 1) / env->page_size * env->page_size;
}

/* The first map: as asked for, but never smaller than what the file holds already. */
static u64 first_map_size(const struct env *env, const struct store_params *params)
{
	u64 size = max_u64(params->map_size, MAP_SIZE_LEAST);
	struct stat st;

	if (fstatat(env->dir_fd, "data.mdb", &st, 0) == 0)
		size = max_u64(size, (u64)st.st_size);
	return round_to_pages(env, size);
}

static bool open_environment(struct env *env, const struct store_params *params,
			     struct error *error)
{
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (params->relaxed ? MDB_NOMETASYNC : 0);
	int dead;
	int rc;

	env->page_size = (u32)sysconf(_SC_PAGESIZE);
	env->map_size = first_map_size(env, params);
	env->map_size_max = max_u64(round_to_pages(env, params->map_size_max), env->map_size);
	env->reserve = params->reserve;
	rc = mdb_env_create(&env->mdb);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxdbs(env->mdb, env->shape->table_count);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_mapsize(env->mdb, env->map_size);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(env->mdb, env->path, flags, 0600);
	/* A reader slot that a killed process left behind would pin old pages for ever. */
	if (rc == MDB_SUCCESS)
		rc = mdb_reader_check(env->mdb, &dead);
	if (rc != MDB_SUCCESS)
		return error_set(error, "%s: %s", env->name, mdb_strerror(rc));
	/* LMDB syncs its file, but not the directory that a new file stands in. */
	if (fsync(env->dir_fd) != 0)
		return error_set_errno(error, errno, "%s: cannot be synced", env->name);
	return true;
}

static bool check_format(struct env *env, struct slice record, bool *older, struct error *error)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	u16 major = record_get_u16(&r);
	u16 minor = record_get_u16(&r);

	if (r.bad || version != FORMAT_VERSION || major == 0)
		return error_set(error, "%s: its format record does not parse", env->name);
	if (major > env->shape->format_major)
		return error_set(error,
				 "%s: written by a newer version of this program (format "
				 "%u.%u; this one knows up to %u): start the newer version again",
				 env->name, major, minor, env->shape->format_major);
	*older = major < env->shape->format_major;
	return true;
}

static int write_format(const struct env *env, MDB_txn *txn, MDB_dbi settings)
{
	struct slice name = FORMAT_NAME;
	MDB_val key = { name.len, (void *)(uintptr_t)name.ptr };
	u8 record[5];
	MDB_val value = { sizeof(record), record };
	u8 *at = record_put_u8(record, FORMAT_VERSION);

	at = record_put_u16(at, env->shape->format_major);
	record_put_u16(at, env->shape->format_minor);
	return mdb_put(txn, settings, &key, &value, 0);
}

/* Opens all tables; the format is checked before anything is made or changed. */
static int open_tables(struct env *env, MDB_txn *txn, bool *refused, struct error *error)
{
	struct slice name = FORMAT_NAME;
	MDB_val key = { name.len, (void *)(uintptr_t)name.ptr };
	MDB_dbi settings;
	MDB_val value;
	bool older = false;
	int rc = mdb_dbi_open(txn, env->shape->tables[0].name, 0, &settings);

	if (rc == MDB_SUCCESS) {
		rc = mdb_get(txn, settings, &key, &value);
		if (rc == MDB_NOTFOUND)
			value = (MDB_val){ 0, NULL };
		else if (rc != MDB_SUCCESS)
			return rc;
		*refused = !check_format(
			env, (struct slice){ value.mv_data, value.mv_size }, &older, error);
		if (*refused)
			return MDB_SUCCESS;
		if (older)
			rc = write_format(env, txn, settings);
	} else if (rc == MDB_NOTFOUND) {
		rc = mdb_dbi_open(txn, env->shape->tables[0].name, MDB_CREATE, &settings);
		if (rc == MDB_SUCCESS)
			rc = write_format(env, txn, settings);
	}
	for (size_t i = 0; i < env->shape->table_count && rc == MDB_SUCCESS; i++)
		rc = mdb_dbi_open(txn, env->shape->tables[i].name, MDB_CREATE,
				  &env->dbis[i]);
	return rc;
}

static bool prepare_tables(struct env *env, struct error *error)
{
	MDB_txn *txn = NULL;
	bool refused = false;
	int rc = mdb_txn_begin(env->mdb, NULL, 0, &txn);

	if (rc == MDB_SUCCESS)
		rc = open_tables(env, txn, &refused, error);
	if (rc == MDB_SUCCESS && !refused) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (txn)
		mdb_txn_abort(txn);
	if (rc != MDB_SUCCESS)
		return error_set(error, "%s: %s", env->name, mdb_strerror(rc));
	return !refused;
}

u64 env_room_needed(const struct store_params *params)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", params->path);
	return stat(path, &st) == 0 && st.st_size > 0 ? 0 : NEW_ENV_BYTES + params->reserve;
}

bool env_open(struct env *env, const struct env_shape *shape, const struct store_params *params,
	      struct error *error)
{
	ASSERT(shape->table_count <= ENV_TABLES_MAX);
	*env = (struct env){ .shape = shape, .dir_fd = -1 };
	if (asprintf(&env->name, "%s %s", shape->noun, params->path) < 0) {
		env->name = NULL;
		return error_set(error, "%s %s: out of memory", shape->noun, params->path);
	}
	env->path = env->name + strlen(shape->noun) + 1;
	return open_directory(env, error) && make_lock_file(env, error) &&
	       env_create(env, error) && open_environment(env, params, error) &&
	       prepare_tables(env, error);
}

void env_close(struct env *env)
{
	if (env->mdb)
		mdb_env_close(env->mdb);
	if (env->name && env->dir_fd >= 0)
		close(env->dir_fd);
	free(env->name);
	*env = (struct env){ .dir_fd = -1 };
}

/* ---- transactions ---- */

void env_txn_init(struct env_txn *txn, struct env *env)
{
	memset(txn, 0, sizeof(*txn));
	txn->env = env;
}

void env_forget(struct env_txn *txn)
{
	for (size_t i = 0; i < txn->env->shape->table_count; i++)
		txn->cursors[i].top_known = false;
}

static void close_cursors(struct env_txn *txn)
{
	for (size_t i = 0; i < txn->env->shape->table_count; i++) {
		if (txn->cursors[i].mdb)
			mdb_cursor_close(txn->cursors[i].mdb);
		txn->cursors[i].mdb = NULL;
	}
}

static enum store_result begin(struct env_txn *txn, bool only_reads)
{
	int rc;

	ASSERT(!txn->mdb);
	if (txn->env->broken)
		return STORE_FAILED;
	txn->doomed = STORE_OK;
	txn->written = false;
	txn->only_reads = only_reads;
	rc = mdb_txn_begin(txn->env->mdb, NULL, only_reads ? MDB_RDONLY : 0, &txn->mdb);
	if (rc == MDB_SUCCESS)
		return STORE_OK;
	txn->mdb = NULL;
	if (rc == MDB_PANIC)
		txn->env->broken = true;
	return env_result(txn, rc, "begin");
}

enum store_result env_begin(struct env_txn *txn)
{
	return begin(txn, false);
}

enum store_result env_begin_read(struct env_txn *txn)
{
	return begin(txn, true);
}

/* LMDB takes nothing more when the page that makes a commit count could not be written. */
static bool is_dead(const struct env *env)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);

	if (rc == MDB_SUCCESS)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC;
}

/*
 * LMDB says EIO also for a short write, which is how a disk that fills up during a commit shows
 * first. Taking that for a full disk is safe even when it was not: the pages of a failed commit are
 * never looked at again, the next commit writes and syncs its own.
 */
static enum store_result commit_result(struct env_txn *txn, int rc)
{
	enum store_result result;

	if (rc != MDB_SUCCESS && is_dead(txn->env))
		rc = MDB_PANIC;
	if (rc == EIO && env_disk_is_full(txn->env))
		rc = ENOSPC;
	result = env_result(txn, rc, "commit");
	if (result == STORE_FAILED)
		txn->env->broken = true;
	return result;
}

enum store_result env_commit(struct env_txn *txn)
{
	MDB_txn *mdb = txn->mdb;
	enum store_result result;

	ASSERT(mdb && !txn->only_reads);
	if (txn->doomed != STORE_OK) {
		env_abort(txn);
		return txn->doomed;
	}
	close_cursors(txn);
	txn->mdb = NULL;
	result = commit_result(txn, mdb_txn_commit(mdb));
	if (result != STORE_OK)
		env_forget(txn);
	return result;
}

void env_abort(struct env_txn *txn)
{
	if (!txn->mdb)
		return;
	close_cursors(txn);
	mdb_txn_abort(txn->mdb);
	txn->mdb = NULL;
	/* Who only read has nothing that would not be so any more. */
	if (txn->written)
		env_forget(txn);
}

/* ---- size ---- */

bool env_grow(struct env_txn *txn)
{
	struct env *env = txn->env;
	u64 size = min_u64(env->map_size * 2, env->map_size_max);
	int rc;

	ASSERT(!txn->mdb);
	if (env->broken || size <= env->map_size)
		return false;
	rc = mdb_env_set_mapsize(env->mdb, size);
	if (rc != MDB_SUCCESS) {
		/* The old map is gone by then. */
		env_result(txn, rc, "growing the map");
		env->broken = true;
		return false;
	}
	env->map_size = size;
	return true;
}

/* Pages on LMDB's free list, as of the last commit: a record per transaction, its length first. */
static int count_free_pages(MDB_txn *txn, u64 *pages)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	size_t count;
	int rc = mdb_cursor_open(txn, 0, &cursor);

	*pages = 0;
	if (rc != MDB_SUCCESS)
		return rc;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
		if (value.mv_size < sizeof(count))
			break;
		memcpy(&count, value.mv_data, sizeof(count));
		*pages += count;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int read_stats(const struct env *env, MDB_txn *txn, struct env_stats *stats)
{
	MDB_envinfo info;
	int rc = count_free_pages(txn, &stats->pages_free);

	for (size_t i = 0; i < env->shape->table_count && rc == MDB_SUCCESS; i++)
		rc = mdb_stat(txn, env->dbis[i], &stats->tables[i]);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_info(env->mdb, &info);
	if (rc == MDB_SUCCESS)
		stats->pages_used = (u64)info.me_last_pgno + 1 -
				    min_u64(stats->pages_free, (u64)info.me_last_pgno + 1);
	return rc;
}

int env_stats(const struct env *env, struct env_stats *stats)
{
	MDB_txn *txn;
	int rc = env->broken ? MDB_PANIC : mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);

	*stats = (struct env_stats){ .map_size = env->map_size, .page_size = env->page_size };
	if (rc != MDB_SUCCESS)
		return rc;
	rc = read_stats(env, txn, stats);
	mdb_txn_abort(txn);
	return rc;
}

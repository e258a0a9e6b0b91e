#include "store/queue.h"

#include "base/check.h"
#include "base/durable.h"
#include "base/text.h"
#include "store/queue_table.h"
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

/*
 * Format of the whole environment. A newer minor can be read and written by an older program of the
 * same major; a newer major cannot be opened. Kept under a name that no caller's setting can have.
 */
/*
 * 2: rows and log entries may tell their age by a clock of its own. What 1 wrote is read as it is.
 */
#define FORMAT_MAJOR 2
#define FORMAT_MINOR 0
#define FORMAT_NAME SLICE("\0format")

#define MAP_SIZE_LEAST (1u << 20)
#define LOCK_FILE_SIZE 8192        /* of LMDB's readers: 126 of them */
#define NEW_QUEUE_BYTES (256 << 10) /* two meta pages, a page for each table, and some more */
/* A commit that failed with EIO is a full disk when this much cannot be had (see commit_result). */
#define DISK_FULL_BYTES (1u << 20)

const char *queue_error_text(const struct queue *queue)
{
	return queue->error;
}

/* ---- opening ---- */

static bool open_directory(struct queue *queue, struct error *error)
{
	if (!durable_folder(queue->path, NULL))
		return error_set_errno(error, errno, "queue %s: cannot be made", queue->path);
	queue->dir_fd = open(queue->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (queue->dir_fd < 0)
		return error_set_errno(error, errno, "queue %s: cannot be opened", queue->path);
	if (flock(queue->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return error_set(error, "queue %s: in use by another process", queue->path);
		return error_set_errno(error, errno, "queue %s: cannot be locked", queue->path);
	}
	return true;
}

/*
 * LMDB maps its lock file and writes to it without asking for blocks first: on a full disk a file
 * that it just made would end the process by SIGBUS.
 */
static bool make_lock_file(const struct queue *queue, struct error *error)
{
	int fd = openat(queue->dir_fd, "lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int code = fd < 0 ? errno : room_allocate(fd, LOCK_FILE_SIZE);

	if (fd >= 0)
		close(fd);
	return code == 0 ||
	       error_set_errno(error, code, "queue %s: its lock file", queue->path);
}

static u64 round_to_pages(const struct queue *queue, u64 size)
{
	return (size + queue->page_size - 1) / queue->page_size * queue->page_size;
}

/* The first map: as asked for, but never smaller than what the file holds already. */
static u64 first_map_size(const struct queue *queue, const struct queue_params *params)
{
	u64 size = max_u64(params->map_size, MAP_SIZE_LEAST);
	struct stat st;

	if (fstatat(queue->dir_fd, "data.mdb", &st, 0) == 0)
		size = max_u64(size, (u64)st.st_size);
	return round_to_pages(queue, size);
}

static bool open_environment(struct queue *queue, const struct queue_params *params,
			     struct error *error)
{
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (params->relaxed ? MDB_NOMETASYNC : 0);
	int dead;
	int rc;

	queue->page_size = (u32)sysconf(_SC_PAGESIZE);
	queue->map_size = first_map_size(queue, params);
	queue->map_size_max = max_u64(round_to_pages(queue, params->map_size_max), queue->map_size);
	queue->reserve = params->reserve;
	rc = mdb_env_create(&queue->env);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxdbs(queue->env, TABLE_COUNT);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_mapsize(queue->env, queue->map_size);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(queue->env, queue->path, flags, 0600);
	/* A reader slot that a killed process left behind would pin old pages for ever. */
	if (rc == MDB_SUCCESS)
		rc = mdb_reader_check(queue->env, &dead);
	if (rc != MDB_SUCCESS)
		return error_set(error, "queue %s: %s", queue->path, mdb_strerror(rc));
	/* LMDB syncs its file, but not the directory that a new file stands in. */
	if (fsync(queue->dir_fd) != 0)
		return error_set_errno(error, errno, "queue %s: cannot be synced", queue->path);
	return true;
}

static bool check_format(struct queue *queue, struct slice record, bool *older, struct error *error)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	u16 major = record_get_u16(&r);
	u16 minor = record_get_u16(&r);

	if (r.bad || version != RECORD_VERSION || major == 0)
		return error_set(error, "queue %s: its format record does not parse", queue->path);
	if (major > FORMAT_MAJOR)
		return error_set(error,
				 "queue %s: written by a newer version of this program (format "
				 "%u.%u; this one knows up to %u): start the newer version again",
				 queue->path, major, minor, FORMAT_MAJOR);
	*older = major < FORMAT_MAJOR;
	return true;
}

static int write_format(MDB_txn *txn, MDB_dbi settings)
{
	struct slice name = FORMAT_NAME;
	MDB_val key = { name.len, (void *)(uintptr_t)name.ptr };
	u8 record[5];
	MDB_val value = { sizeof(record), record };
	u8 *at = record_put_u8(record, RECORD_VERSION);

	at = record_put_u16(at, FORMAT_MAJOR);
	record_put_u16(at, FORMAT_MINOR);
	return mdb_put(txn, settings, &key, &value, 0);
}

/* Opens all tables; the format is checked before anything is made or changed. */
static int open_tables(struct queue *queue, MDB_txn *txn, bool *refused, struct error *error)
{
	struct slice name = FORMAT_NAME;
	MDB_val key = { name.len, (void *)(uintptr_t)name.ptr };
	MDB_dbi settings;
	MDB_val value;
	bool older = false;
	int rc = mdb_dbi_open(txn, table_name(TABLE_SETTING), 0, &settings);

	if (rc == MDB_SUCCESS) {
		rc = mdb_get(txn, settings, &key, &value);
		if (rc == MDB_NOTFOUND)
			value = (MDB_val){ 0, NULL };
		else if (rc != MDB_SUCCESS)
			return rc;
		*refused = !check_format(
			queue, (struct slice){ value.mv_data, value.mv_size }, &older, error);
		if (*refused)
			return MDB_SUCCESS;
		if (older)
			rc = write_format(txn, settings);
	} else if (rc == MDB_NOTFOUND) {
		rc = mdb_dbi_open(txn, table_name(TABLE_SETTING), MDB_CREATE, &settings);
		if (rc == MDB_SUCCESS)
			rc = write_format(txn, settings);
	}
	for (size_t i = 0; i < TABLE_COUNT && rc == MDB_SUCCESS; i++)
		rc = mdb_dbi_open(txn, table_name((enum table)i), MDB_CREATE,
				  &queue->tables[i].dbi);
	return rc;
}

static bool prepare_tables(struct queue *queue, struct error *error)
{
	MDB_txn *txn = NULL;
	bool refused = false;
	int rc = mdb_txn_begin(queue->env, NULL, 0, &txn);

	if (rc == MDB_SUCCESS)
		rc = open_tables(queue, txn, &refused, error);
	if (rc == MDB_SUCCESS && !refused) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (txn)
		mdb_txn_abort(txn);
	if (rc != MDB_SUCCESS)
		return error_set(error, "queue %s: %s", queue->path, mdb_strerror(rc));
	return !refused;
}

u64 queue_room_needed(const struct queue_params *params)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", params->path);
	return stat(path, &st) == 0 && st.st_size > 0 ? 0 : NEW_QUEUE_BYTES + params->reserve;
}

struct queue *queue_open(const struct queue_params *params, struct error *error)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue) {
		error_set(error, "queue %s: out of memory", params->path);
		return NULL;
	}
	queue->dir_fd = -1;
	queue->path = strdup(params->path);
	if (!queue->path)
		error_set(error, "queue %s: out of memory", params->path);
	else if (open_directory(queue, error) && make_lock_file(queue, error) &&
		 queue_create(queue, error) && open_environment(queue, params, error) &&
		 prepare_tables(queue, error))
		return queue;
	queue_close(queue);
	return NULL;
}

void queue_close(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->txn)
		queue_abort(queue);
	if (queue->env)
		mdb_env_close(queue->env);
	if (queue->dir_fd >= 0)
		close(queue->dir_fd);
	free(queue->path);
	free(queue);
}

/* ---- transactions ---- */

static void forget_cached(struct queue *queue)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		queue->tables[i].top_known = false;
	queue->log_last_known = false;
	queue->log_tail.known = false;
	if (queue->erase.in_transaction)
		queue->erase = (struct erase_state){ 0 };
}

static void close_cursors(struct queue *queue)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (queue->tables[i].cursor)
			mdb_cursor_close(queue->tables[i].cursor);
		queue->tables[i].cursor = NULL;
	}
}

bool queue_is_broken(const struct queue *queue)
{
	return queue->broken;
}

enum store_result queue_begin(struct queue *queue)
{
	int rc;

	ASSERT(!queue->txn);
	if (queue->broken)
		return STORE_FAILED;
	queue->doomed = STORE_OK;
	queue->erase.in_transaction = false;
	queue->written = false;
	rc = mdb_txn_begin(queue->env, NULL, 0, &queue->txn);
	if (rc == MDB_SUCCESS)
		return STORE_OK;
	queue->txn = NULL;
	queue->broken = rc == MDB_PANIC;
	return queue_result(queue, rc, "begin");
}

/* Tries to make the file longer: only that knows of quotas and limits, too. */
static bool disk_is_full(const struct queue *queue)
{
	struct room room;
	struct stat st;
	int fd;

	if (mdb_env_get_fd(queue->env, &fd) != MDB_SUCCESS || fstat(fd, &st) != 0)
		return false;
	if (fallocate(fd, 0, st.st_size, DISK_FULL_BYTES) == 0)
		return false;
	if (queue_is_full_code(errno))
		return true;
	return room_of(queue->dir_fd, &room) && room.free < DISK_FULL_BYTES;
}

/* LMDB takes nothing more when the page that makes a commit count could not be written. */
static bool is_dead(const struct queue *queue)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(queue->env, NULL, MDB_RDONLY, &txn);

	if (rc == MDB_SUCCESS)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC;
}

/*
 * LMDB says EIO also for a short write, which is how a disk that fills up during a commit shows
 * first. Taking that for a full disk is safe even when it was not: the pages of a failed commit are
 * never looked at again, the next commit writes and syncs its own.
 */
static enum store_result commit_result(struct queue *queue, int rc)
{
	enum store_result result;

	if (rc != MDB_SUCCESS && is_dead(queue))
		rc = MDB_PANIC;
	if (rc == EIO && disk_is_full(queue))
		rc = ENOSPC;
	result = queue_result(queue, rc, "commit");
	queue->broken = result == STORE_FAILED;
	return result;
}

enum store_result queue_commit(struct queue *queue)
{
	MDB_txn *txn = queue->txn;
	enum store_result result;

	ASSERT(txn);
	if (queue->doomed != STORE_OK) {
		queue_abort(queue);
		return queue->doomed;
	}
	close_cursors(queue);
	queue->txn = NULL;
	result = commit_result(queue, mdb_txn_commit(txn));
	if (result != STORE_OK)
		forget_cached(queue);
	return result;
}

void queue_abort(struct queue *queue)
{
	if (!queue->txn)
		return;
	close_cursors(queue);
	mdb_txn_abort(queue->txn);
	queue->txn = NULL;
	/* Who only read has nothing that would not be so any more. */
	if (queue->written || queue->erase.in_transaction)
		forget_cached(queue);
}

/* ---- size ---- */

bool queue_grow(struct queue *queue)
{
	u64 size = min_u64(queue->map_size * 2, queue->map_size_max);
	int rc;

	ASSERT(!queue->txn);
	if (queue->broken || size <= queue->map_size)
		return false;
	rc = mdb_env_set_mapsize(queue->env, size);
	if (rc != MDB_SUCCESS) {
		/* The old map is gone by then. */
		queue_result(queue, rc, "growing the map");
		queue->broken = true;
		return false;
	}
	queue->map_size = size;
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

static int read_stats(const struct queue *queue, struct queue_stats *stats)
{
	MDB_txn *txn;
	MDB_envinfo info;
	MDB_stat rows;
	u64 blocks;
	u64 *const counts[TABLE_COUNT] = {
		[TABLE_ROW] = &stats->lane_rows,
		[TABLE_DEFERRED] = &stats->deferred_rows,
		[TABLE_DOUBT] = &stats->doubt_rows,
		[TABLE_LOG] = &stats->log_rows,
		[TABLE_LOG_INDEX] = &blocks,
	};
	int rc = mdb_txn_begin(queue->env, NULL, MDB_RDONLY, &txn);

	if (rc != MDB_SUCCESS)
		return rc;
	*stats = (struct queue_stats){ .map_size = queue->map_size, .page_size = queue->page_size };
	rc = count_free_pages(txn, &stats->pages_free);
	for (size_t i = 0; i < TABLE_COUNT && rc == MDB_SUCCESS; i++) {
		if (!counts[i])
			continue;
		rc = mdb_stat(txn, queue->tables[i].dbi, &rows);
		*counts[i] = rows.ms_entries;
		if (i == TABLE_LOG || i == TABLE_LOG_INDEX)
			stats->log_pages += rows.ms_branch_pages + rows.ms_leaf_pages +
					    rows.ms_overflow_pages;
	}
	mdb_txn_abort(txn);
	mdb_env_info(queue->env, &info);
	stats->pages_used = (u64)info.me_last_pgno + 1 - min_u64(stats->pages_free,
								 (u64)info.me_last_pgno + 1);
	return rc;
}

enum store_result queue_stats(struct queue *queue, struct queue_stats *stats)
{
	int rc = queue->broken ? MDB_PANIC : read_stats(queue, stats);

	if (rc == MDB_SUCCESS)
		return STORE_OK;
	snprintf(queue->error, sizeof(queue->error), "queue %s: statistics: %s", queue->path,
		 mdb_strerror(rc));
	return STORE_FAILED;
}

/* Blocks for the file up to `end`. */
static void allocate(struct queue *queue, u64 end)
{
	struct room room;
	struct stat st;
	int fd;

	if (mdb_env_get_fd(queue->env, &fd) != MDB_SUCCESS)
		return;
	/* Kept by an earlier process. */
	if (queue->allocated == 0 && fstat(fd, &st) == 0)
		queue->allocated = (u64)st.st_size;
	/* On a disk that is nearly full a try would take what is left, and fail all the same. */
	if (room_of(queue->dir_fd, &room) && queue->allocated < end &&
	    room.free < end - queue->allocated)
		return;
	if (room_allocate(fd, end) == 0)
		queue->allocated = max_u64(queue->allocated, end);
}

bool queue_has_room(struct queue *queue, const struct queue_stats *stats)
{
	u64 used = stats->pages_used * stats->page_size;
	u64 end = used + stats->pages_free * stats->page_size;
	u64 wanted = min_u64(end + queue->reserve, queue->map_size_max);

	/* In steps of half a reserve, since asking the file system takes time. */
	if (queue->allocated < min_u64(end + queue->reserve / 2, queue->map_size_max))
		allocate(queue, wanted);
	return max_u64(queue->allocated, end) >= used + queue->reserve / 2 &&
	       queue->map_size_max >= used + queue->reserve / 2;
}

void queue_describe_room(const struct queue *queue, struct error *text)
{
	struct queue_stats stats = { 0 };
	struct room room;

	if (!queue->broken)
		read_stats(queue, &stats);
	room_of(queue->dir_fd, &room);
	error_set(text, "%s uses %llu of %llu bytes, the disk has %llu bytes free", queue->path,
		  (unsigned long long)(stats.pages_used * stats.page_size),
		  (unsigned long long)queue->map_size_max, (unsigned long long)room.free);
}

bool queue_is_nearly_full(const struct queue *queue)
{
	u64 pages_max = queue->map_size_max / queue->page_size;
	struct queue_stats stats;
	struct room room;

	if (queue->broken || read_stats(queue, &stats) != MDB_SUCCESS)
		return true;
	if (stats.pages_used > pages_max - pages_max / 10)
		return true;
	return room_of(queue->dir_fd, &room) && room.free < room.size / 10;
}

#include "receive/spool.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/durable.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PART "tmp"
#define WHOLE "new"
#define PATH_SIZE 64 /* tmp/ and an id */
/* How often the folder is counted again when it seems full, and the disk looked at meanwhile. */
#define COUNT_AGAIN_NS (10 * NS_PER_S)
#define LOOK_BYTES (256 * 1024)
#define PENDING_MAX (32 * 1024)

struct spool {
	struct ring *ring;
	struct spool_params params;
	int folder;
	int whole;     /* new/, whose names are synced */
	u64 used;      /* bytes: counted last, and what came since */
	u64 parts;     /* of them: files that are not whole */
	u64 counted_ns;
	u64 sequence;
	/* Names: one sync of the folder is for all that were moved before it began. */
	struct ring_op op;
	struct list moved;   /* wait for the next one */
	struct list syncing; /* are in the one that is under way */
	/* Small pieces of one file that are not written yet. */
	struct spool_file *pending_file; /* NULL: of none */
	size_t pending_len;
	char pending[PENDING_MAX];
};

static void on_names_synced(struct ring_op *op, i32 result);

static int open_folder(struct spool *spool, const char *name, struct error *error)
{
	int fd;

	if (mkdirat(spool->folder, name, 0700) < 0 && errno != EEXIST) {
		error_set_errno(error, errno, "%s/%s", spool->params.folder, name);
		return -1;
	}
	fd = openat(spool->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		error_set_errno(error, errno, "%s/%s", spool->params.folder, name);
	return fd;
}

/* Bytes of the files in it; `removes`: which go at once. */
static u64 count_folder(int folder, bool removes)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;
	u64 bytes = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return UINT64_MAX / 2; /* what cannot be counted is full */
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (removes)
			unlinkat(folder, entry->d_name, 0);
		else if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (u64)st.st_size;
	}
	closedir(dir);
	return bytes;
}

static bool clear_parts(struct spool *spool, struct error *error)
{
	int fd = open_folder(spool, PART, error);

	if (fd < 0)
		return false;
	count_folder(fd, true);
	close(fd);
	return true;
}

struct spool *spool_open(struct ring *ring, const struct spool_params *params, struct error *error)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool) {
		error_set(error, "out of memory for the spool");
		return NULL;
	}
	spool->ring = ring;
	spool->params = *params;
	spool->op.done = on_names_synced;
	list_init(&spool->moved);
	list_init(&spool->syncing);
	spool->whole = -1;
	spool->folder = -1;
	if (durable_folder(params->folder, error)) {
		spool->folder = open(params->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (spool->folder < 0)
			error_set_errno(error, errno, "%s", params->folder);
	}
	if (spool->folder >= 0 && clear_parts(spool, error))
		spool->whole = open_folder(spool, WHOLE, error);
	/* The names tmp and new have to be on the disk before anything in them is. */
	if (spool->whole < 0 || !durable_sync(params->folder, error)) {
		spool_close(spool);
		return NULL;
	}
	spool->used = count_folder(spool->whole, false);
	spool->counted_ns = clock_mono_ns();
	return spool;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	ASSERT(spool->parts == 0);
	if (spool->whole >= 0)
		close(spool->whole);
	if (spool->folder >= 0)
		close(spool->folder);
	free(spool);
}

static bool disk_has_room(const struct spool *spool, u64 bytes)
{
	struct statvfs fs;

	return fstatvfs(spool->folder, &fs) == 0 &&
	       (u64)fs.f_bavail * fs.f_frsize >= spool->params.bytes_free + bytes;
}

static bool is_full(struct spool *spool, u64 bytes)
{
	u64 now_ns;

	if (spool->used + bytes <= spool->params.bytes_max)
		return false;
	/* Others take files out; that is noticed when it matters. */
	now_ns = clock_mono_ns();
	if (now_ns - spool->counted_ns > COUNT_AGAIN_NS) {
		spool->used = count_folder(spool->whole, false) + spool->parts;
		spool->counted_ns = now_ns;
	}
	return spool->used + bytes > spool->params.bytes_max;
}

bool spool_has_room(struct spool *spool, u64 bytes)
{
	return !is_full(spool, bytes) && disk_has_room(spool, bytes);
}

static void count(struct spool_file *file, i64 bytes)
{
	file->spool->used += (u64)bytes;
	file->spool->parts += (u64)bytes;
	file->size += (u64)bytes;
}

static void path_of(char path[PATH_SIZE], const struct spool_file *file)
{
	snprintf(path, PATH_SIZE, "%s/%s", file->moved ? WHOLE : PART, file->id);
}

/* Says what the disk did; false, always. */
static bool file_fails(struct spool_file *file, const char *what, int code)
{
	log_error("receive", "spool", "what=%s id=%s errno=%d", what, file->id, code);
	file->failed = true;
	return false;
}

static void on_synced(struct ring_op *op, i32 result);

void spool_file_init(struct spool_file *file, struct spool *spool,
		     void (*done)(struct spool_file *file, bool durable))
{
	*file = (struct spool_file){ .spool = spool, .done = done, .fd = -1 };
	file->op.done = on_synced;
	list_init(&file->node);
}

bool spool_file_begin(struct spool_file *file)
{
	struct spool *spool = file->spool;
	char path[PATH_SIZE];
	u32 random;

	ASSERT(file->fd < 0 && !file->committing);
	file->size = 0;
	file->failed = false;
	file->moved = false;
	if (!spool_has_room(spool, 0))
		return false;
	random_bytes(&random, sizeof(random));
	/* The clock may be wrong and the process new: the random part makes it unique. */
	snprintf(file->id, sizeof(file->id), "%011llx%05llx%08x",
		 (unsigned long long)clock_wall_ms() & 0xfffffffffffull,
		 (unsigned long long)(spool->sequence++ & 0xfffff), random);
	path_of(path, file);
	file->fd = openat(spool->folder, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	return file->fd >= 0 || file_fails(file, "create", errno);
}

static bool write_all(struct spool_file *file, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(file->fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return file_fails(file, "write", n < 0 ? errno : ENOSPC);
		bytes = slice_from(bytes, (size_t)n);
	}
	return true;
}

/* What waits in memory, whosever it is. */
static void flush_pending(struct spool *spool)
{
	struct slice bytes = { spool->pending, spool->pending_len };
	struct spool_file *file = spool->pending_file;

	spool->pending_len = 0;
	spool->pending_file = NULL;
	if (file && !file->failed)
		write_all(file, bytes);
}

bool spool_file_flush(struct spool_file *file)
{
	if (file->spool->pending_file == file)
		flush_pending(file->spool);
	return !file->failed;
}

/*
 * A client may send content of which each line is a piece (a dot at its beginning): a system call
 * for each would be what it can make us pay.
 */
bool spool_file_write(struct spool_file *file, struct slice bytes)
{
	struct spool *spool = file->spool;

	ASSERT(file->fd >= 0);
	if (file->failed)
		return false;
	/* Messages that began when there was room may be many, and large. */
	if (is_full(spool, bytes.len) ||
	    (file->size / LOOK_BYTES != (file->size + bytes.len) / LOOK_BYTES &&
	     !disk_has_room(spool, bytes.len))) {
		file->failed = true;
		return false;
	}
	count(file, (i64)bytes.len);
	if (spool->pending_file != file || spool->pending_len + bytes.len > PENDING_MAX)
		flush_pending(spool);
	if (file->failed || bytes.len > PENDING_MAX)
		return !file->failed && write_all(file, bytes);
	memcpy(spool->pending + spool->pending_len, bytes.ptr, bytes.len);
	spool->pending_len += bytes.len;
	spool->pending_file = file;
	return true;
}

void spool_file_drop(struct spool_file *file)
{
	char path[PATH_SIZE];

	ASSERT(!file->committing);
	if (file->fd < 0)
		return;
	if (file->spool->pending_file == file) {
		file->spool->pending_file = NULL;
		file->spool->pending_len = 0;
	}
	close(file->fd);
	file->fd = -1;
	path_of(path, file);
	if (unlinkat(file->spool->folder, path, 0) < 0)
		file_fails(file, "remove", errno);
	count(file, -(i64)file->size);
}

static void file_end(struct spool_file *file, bool durable)
{
	file->committing = false;
	if (durable) {
		file->spool->parts -= file->size;
		close(file->fd);
		file->fd = -1;
	} else {
		spool_file_drop(file);
	}
	file->done(file, durable);
}

static void sync_names(struct spool *spool)
{
	struct list *node;

	if (!list_is_empty(&spool->syncing) || list_is_empty(&spool->moved))
		return;
	while ((node = list_pop_front(&spool->moved)))
		list_push_back(&spool->syncing, node);
	ring_sync(spool->ring, &spool->op, spool->whole);
}

/* A sync that failed once is never believed again. */
static void on_names_synced(struct ring_op *op, i32 result)
{
	struct spool *spool = container_of(op, struct spool, op);
	struct list *node;

	while ((node = list_pop_front(&spool->syncing))) {
		struct spool_file *file = list_entry(node, struct spool_file, node);

		if (result < 0)
			file_fails(file, "sync", -result);
		file_end(file, result >= 0);
	}
	sync_names(spool);
}

/* First the content, then the name. */
static void on_synced(struct ring_op *op, i32 result)
{
	struct spool_file *file = container_of(op, struct spool_file, op);
	struct spool *spool = file->spool;
	char from[PATH_SIZE];
	char to[PATH_SIZE];

	if (result < 0) {
		file_fails(file, "sync", -result);
		file_end(file, false);
		return;
	}
	path_of(from, file);
	file->moved = true;
	path_of(to, file);
	if (renameat(spool->folder, from, spool->folder, to) < 0) {
		file->moved = false;
		file_fails(file, "rename", errno);
		file_end(file, false);
		return;
	}
	list_push_back(&spool->moved, &file->node);
	sync_names(spool);
}

void spool_file_commit(struct spool_file *file)
{
	ASSERT(file->fd >= 0 && !file->failed && !file->committing);
	ASSERT(file->spool->pending_file != file);
	file->committing = true;
	ring_sync(file->spool->ring, &file->op, file->fd);
}

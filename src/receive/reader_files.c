#include "receive/reader_parts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "metrics/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "reading"
#define MARK_SIZE (SPOOL_ID_MAX + 4) /* a name, a space, a digit */
#define TRIES_MAX 3
#define COUNT_AGAIN_NS (10 * NS_PER_S)

static int open_below(struct reader_files *files, const char *name, int flags, const char *spool,
		      struct error *error)
{
	int fd = openat(files->folder, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		error_set_errno(error, errno, "%s/%s", spool, name);
	return fd;
}

/* What the last process was at when it ended, unless it ended in order. */
static void read_mark(struct reader_files *files)
{
	char text[MARK_SIZE + 1] = "";
	ssize_t n = pread(files->mark, text, MARK_SIZE, 0);
	struct slice rest = { text, n > 0 ? (size_t)n : 0 };
	struct slice name = slice_split(&rest, ' ');

	if (!rest.ptr || !slice_to_u32(rest, &files->tries) ||
	    !slice_copy(files->suspect, sizeof(files->suspect), name))
		files->suspect[0] = '\0';
}

bool reader_files_open(struct reader_files *files, const char *spool, struct error *error)
{
	files->whole = files->bad = files->mark = -1;
	files->folder = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->folder < 0)
		return error_set_errno(error, errno, "%s", spool);
	if (mkdirat(files->folder, "bad", 0700) < 0 && errno != EEXIST)
		return error_set_errno(error, errno, "%s/bad", spool);
	files->whole = open_below(files, "new", O_RDONLY | O_DIRECTORY, spool, error);
	files->bad = open_below(files, "bad", O_RDONLY | O_DIRECTORY, spool, error);
	files->mark = open_below(files, MARK, O_RDWR | O_CREAT, spool, error);
	if (files->whole < 0 || files->bad < 0 || files->mark < 0)
		return false;
	read_mark(files);
	return true;
}

void reader_files_close(struct reader_files *files)
{
	const int all[] = { files->folder, files->whole, files->bad, files->mark };

	for (size_t i = 0; i < array_count(all); i++) {
		if (all[i] >= 0)
			close(all[i]);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct tally {
	u64 files;
	u64 bytes;
	u64 oldest_s; /* modification time, by the wall clock */
};

static void count_file(int folder, const char *name, struct tally *tally)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	tally->oldest_s = tally->files == 0 ? (u64)st.st_mtime
					    : min_u64(tally->oldest_s, (u64)st.st_mtime);
	tally->files++;
	tally->bytes += (u64)st.st_size;
}

static void show(struct meter *meter, const struct tally *tally)
{
	const u64 now_s = clock_wall_ms() / 1000;
	const u64 age_s = tally->files > 0 && now_s > tally->oldest_s ? now_s - tally->oldest_s : 0;

	metric_set(&meter->spool_files, tally->files);
	metric_set(&meter->spool_bytes, tally->bytes);
	metric_set(&meter->spool_oldest_ms, age_s * 1000);
}

void reader_files_list(struct reader_files *files, struct meter *meter)
{
	const bool counts = files->counted_ns == 0 || files->count == 0 ||
			    clock_mono_ns() - files->counted_ns >= COUNT_AGAIN_NS;
	int fd = openat(files->whole, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct tally tally = { 0 };
	struct dirent *entry;

	files->count = 0;
	if (!dir) {
		log_error("receive", "spool", "what=list errno=%d", errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((counts || files->count < READER_NAMES_MAX) && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (counts)
			count_file(files->whole, entry->d_name, &tally);
		if (files->count < READER_NAMES_MAX &&
		    slice_copy(files->names[files->count], SPOOL_ID_MAX, slice_of(entry->d_name)))
			files->count++;
	}
	closedir(dir);
	qsort(files->names, files->count, sizeof(files->names[0]), compare_names);
	if (counts) {
		show(meter, &tally);
		files->counted_ns = clock_mono_ns();
	}
}

/*
 * Not synced: it is for a process that ends, not for the power. What cannot be written costs no
 * more than this protection.
 */
static void note(struct reader_files *files, const char *name, u32 tries)
{
	char text[MARK_SIZE + 1];
	int len = snprintf(text, sizeof(text), "%s %u", name, tries);

	if (ftruncate(files->mark, 0) < 0 || pwrite(files->mark, text, (size_t)len, 0) < 0)
		log_warn("receive", "spool", "what=mark errno=%d", errno);
}

void reader_files_rest(struct reader_files *files)
{
	if (ftruncate(files->mark, 0) < 0)
		log_warn("receive", "spool", "what=mark errno=%d", errno);
}

static bool read_whole(int fd, size_t size, struct slice *bytes)
{
	char *text = malloc(size + 1);
	ssize_t n = 1;
	size_t at = 0;

	while (text && at < size && n != 0) {
		n = read(fd, text + at, size - at);
		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	*bytes = (struct slice){ text, at };
	if (text && at == size)
		return true;
	free(text);
	return false;
}

enum reader_file reader_files_read(struct reader_files *files, const char *name,
				   struct slice *bytes)
{
	const u32 tries = strcmp(name, files->suspect) == 0 ? files->tries : 0;
	int fd = openat(files->whole, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_read = false;
	struct stat st;

	if (tries >= TRIES_MAX && fd >= 0) {
		close(fd);
		return READER_FILE_BAD;
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		is_read = read_whole(fd, min_size((size_t)st.st_size, READER_FILE_MAX), bytes);
	if (!is_read && errno != ENOENT)
		log_error("receive", "spool", "what=read id=%s errno=%d", name, errno);
	if (fd >= 0)
		close(fd);
	if (is_read)
		note(files, name, tries + 1);
	return is_read ? READER_FILE_READ : READER_FILE_LATER;
}

void reader_files_remove(struct reader_files *files, const char *name)
{
	if (unlinkat(files->whole, name, 0) < 0 && errno != ENOENT)
		log_error("receive", "spool", "what=remove id=%s errno=%d", name, errno);
}

void reader_files_reject(struct reader_files *files, const char *name, const char *why)
{
	log_error("receive", "a message is put aside", "id=%s why=%s", name, why);
	if (renameat(files->whole, name, files->bad, name) < 0)
		log_error("receive", "spool", "what=rename id=%s errno=%d", name, errno);
}

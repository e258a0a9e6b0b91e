#include "init/logbook.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "hikyaku.log"
#define PATH_SIZE 256

struct entry {
	u64 number;
	u64 time_ms;
	char service[LOGBOOK_SERVICE_SIZE];
	size_t len;
	char *text;
};

struct logbook {
	struct entry entries[LOGBOOK_LINES]; /* number n is at n modulo LOGBOOK_LINES */
	u64 last;
	char folder[PATH_SIZE];
	int fd; /* -1: no file */
	u64 file_size;
	u64 lost;
	u64 lost_told; /* of them, in the file */
};

struct logbook *logbook_new(void)
{
	struct logbook *logbook = calloc(1, sizeof(*logbook));

	if (logbook)
		logbook->fd = -1;
	return logbook;
}

void logbook_free(struct logbook *logbook)
{
	if (!logbook)
		return;
	logbook_close(logbook);
	for (u32 i = 0; i < LOGBOOK_LINES; i++)
		free(logbook->entries[i].text);
	free(logbook);
}

/* ---- the file ---- */

static void path_of(const struct logbook *logbook, u32 age, char out[PATH_SIZE + 32])
{
	if (age == 0)
		snprintf(out, PATH_SIZE + 32, "%s/" NAME, logbook->folder);
	else
		snprintf(out, PATH_SIZE + 32, "%s/" NAME ".%u", logbook->folder, age);
}

static bool open_file(struct logbook *logbook)
{
	char path[PATH_SIZE + 32];
	struct stat status;

	path_of(logbook, 0, path);
	/* What holds addresses is for the operator alone: admin is in the group. */
	logbook->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (logbook->fd < 0)
		return false;
	logbook->file_size = fstat(logbook->fd, &status) == 0 ? (u64)status.st_size : 0;
	return true;
}

static void rotate(struct logbook *logbook)
{
	char from[PATH_SIZE + 32];
	char to[PATH_SIZE + 32];

	close(logbook->fd);
	logbook->fd = -1;
	for (u32 age = LOGBOOK_FILES - 1; age > 0; age--) {
		path_of(logbook, age - 1, from);
		path_of(logbook, age, to);
		/* A gap in the row, or a disk that refuses: the file goes on growing at worst. */
		if (rename(from, to) < 0 && errno != ENOENT)
			break;
	}
	if (!open_file(logbook))
		logbook->fd = -1;
}

static bool write_line(struct logbook *logbook, u64 time_ms, const char *service, struct slice text)
{
	char line[LOGBOOK_LINE_MAX + LOGBOOK_SERVICE_SIZE + CLOCK_RFC3339_SIZE + 4];
	char when[CLOCK_RFC3339_SIZE];
	int len;
	ssize_t written;

	clock_format_rfc3339(when, time_ms);
	len = snprintf(line, sizeof(line), "%s %s %.*s\n", when, service, SLICE_FMT(text));
	written = write(logbook->fd, line, (size_t)len);
	if (written == len) {
		logbook->file_size += (u64)len;
		return true;
	}
	/* Half a line would be taken for a whole one. */
	if (written > 0 && ftruncate(logbook->fd, (off_t)logbook->file_size) < 0)
		logbook->file_size += (u64)written;
	return false;
}

static void to_file(struct logbook *logbook, const struct entry *entry)
{
	if (logbook->fd < 0 && (logbook->folder[0] == '\0' || !open_file(logbook))) {
		logbook->lost += logbook->folder[0] != '\0';
		return;
	}
	if (logbook->lost > logbook->lost_told) {
		char note[64];
		int len = snprintf(note, sizeof(note), "%llu lines did not fit the disk",
				   (unsigned long long)(logbook->lost - logbook->lost_told));

		if (write_line(logbook, entry->time_ms, "init",
			       (struct slice){ note, (size_t)len }))
			logbook->lost_told = logbook->lost;
	}
	if (!write_line(logbook, entry->time_ms, entry->service,
			(struct slice){ entry->text, entry->len }))
		logbook->lost++;
	if (logbook->file_size >= LOGBOOK_FILE_MAX)
		rotate(logbook);
}

/* Of the oldest line that the ring still has. */
static u64 first_kept(const struct logbook *logbook)
{
	return logbook->last >= LOGBOOK_LINES ? logbook->last - LOGBOOK_LINES + 1 : 1;
}

bool logbook_open(struct logbook *logbook, const char *folder, struct error *error)
{
	u64 first = first_kept(logbook);

	if (!slice_copy(logbook->folder, sizeof(logbook->folder), slice_of(folder))) {
		logbook->folder[0] = '\0';
		return error_set(error, "%s: the name is too long", folder);
	}
	if (!open_file(logbook)) {
		int code = errno;

		logbook->folder[0] = '\0';
		return error_set_errno(error, code, "%s/" NAME, folder);
	}
	for (u64 number = first; number <= logbook->last; number++)
		to_file(logbook, &logbook->entries[number % LOGBOOK_LINES]);
	return true;
}

void logbook_sync(struct logbook *logbook)
{
	if (logbook->fd >= 0 && fdatasync(logbook->fd) < 0)
		logbook->lost++;
}

void logbook_close(struct logbook *logbook)
{
	if (logbook->fd >= 0)
		close(logbook->fd);
	logbook->fd = -1;
	logbook->folder[0] = '\0';
}

/* ---- lines ---- */

void logbook_add(struct logbook *logbook, const char *service, struct slice text)
{
	struct entry *entry = &logbook->entries[(logbook->last + 1) % LOGBOOK_LINES];
	size_t len = min_size(text.len, LOGBOOK_LINE_MAX);
	char *copy = malloc(len + 1);

	if (!copy)
		return; /* the log is the last that may bring PID 1 down */
	for (size_t i = 0; i < len; i++)
		copy[i] = (u8)text.ptr[i] < ' ' && text.ptr[i] != '\t' ? '?' : text.ptr[i];
	copy[len] = '\0';
	free(entry->text);
	entry->text = copy;
	entry->len = len;
	entry->number = ++logbook->last;
	entry->time_ms = clock_wall_ms();
	slice_copy(entry->service, sizeof(entry->service), slice_of(service));
	to_file(logbook, entry);
}

static bool is_of(const struct entry *entry, const char *service)
{
	return !service || strcmp(entry->service, service) == 0;
}

bool logbook_find(const struct logbook *logbook, u64 from, const char *service,
		  struct logbook_line *line)
{
	u64 first = first_kept(logbook);

	for (u64 number = max_u64(from, first); number <= logbook->last; number++) {
		const struct entry *entry = &logbook->entries[number % LOGBOOK_LINES];

		if (!is_of(entry, service))
			continue;
		*line = (struct logbook_line){ .number = number,
					       .time_ms = entry->time_ms,
					       .service = entry->service,
					       .text = { entry->text, entry->len } };
		return true;
	}
	return false;
}

u64 logbook_last(const struct logbook *logbook)
{
	return logbook->last;
}

u64 logbook_from_end(const struct logbook *logbook, const char *service, u64 count)
{
	u64 first = first_kept(logbook);
	u64 number = logbook->last + 1;

	while (count > 0 && number > first) {
		number--;
		count -= is_of(&logbook->entries[number % LOGBOOK_LINES], service);
	}
	return number;
}

u64 logbook_lost(const struct logbook *logbook)
{
	return logbook->lost;
}

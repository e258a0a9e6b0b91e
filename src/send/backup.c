#include "send/backup.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/durable.h"
#include "base/site_path.h"
#include "base/stream.h"
#include "base/tar.h"
#include "base/text.h"
#include "base/version.h"
#include "send/backup_parts.h"
#include "store/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512
#define CHUNK (64u << 10)
#define COPY_NAME ".copy"
#define FOLDER "backup"

struct archive {
	const char *data; /* the folder of all of it */
	int fd;
	char path[PATH_SIZE]; /* the name that it has until it is whole */
	struct sha256 hash;
	u64 time_s;
};

/* ---- writing ---- */

static bool put(struct archive *archive, const void *bytes, size_t len, struct error *error)
{
	sha256_add(&archive->hash, bytes, len);
	return stream_write(archive->fd, (struct slice){ bytes, len }) ||
	       error_set_errno(error, errno, "%s", archive->path);
}

static bool put_head(struct archive *archive, const char *name, u64 size, u32 mode,
		     struct error *error)
{
	struct tar_entry entry = { .size = size, .mode = mode, .time_s = archive->time_s };
	u8 head[TAR_HEAD_MAX];
	size_t len;

	if (!slice_copy(entry.name, sizeof(entry.name), slice_of(name)))
		return error_set(error, "%s: the name is too long for an archive", name);
	len = tar_write(head, &entry);
	return put(archive, head, len, error);
}

static bool put_padding(struct archive *archive, u64 size, struct error *error)
{
	static const u8 zeros[TAR_BLOCK];

	return put(archive, zeros, tar_padding(size), error);
}

static bool put_text(struct archive *archive, const char *name, const char *text,
		     struct error *error)
{
	return put_head(archive, name, strlen(text), 0640, error) &&
	       put(archive, text, strlen(text), error) && put_padding(archive, strlen(text), error);
}

/* A file of exactly the size that its head says, whatever happens to it meanwhile. */
static bool put_content(struct archive *archive, int fd, const char *from, u64 size,
			struct error *error)
{
	char chunk[CHUNK];

	for (u64 left = size; left > 0;) {
		ssize_t n = read(fd, chunk, min_u64(left, sizeof(chunk)));

		if (n < 0)
			return error_set_errno(error, errno, "%s", from);
		if (n == 0)
			return error_set(error, "%s became shorter while it was read", from);
		if (!put(archive, chunk, (size_t)n, error))
			return false;
		left -= (u64)n;
	}
	return put_padding(archive, size, error);
}

/* An open file as `name`. */
static bool put_open(struct archive *archive, int fd, const char *name, u32 mode,
		     struct error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set_errno(error, errno, "%s", name);
	return put_head(archive, name, (u64)status.st_size, mode, error) &&
	       put_content(archive, fd, name, (u64)status.st_size, error);
}

static bool path_in(char path[PATH_SIZE], const char *folder, const char *file, struct error *error)
{
	if (snprintf(path, PATH_SIZE, "%s/%s", folder, file) < PATH_SIZE)
		return true;
	return error_set(error, "%s/%s: the name is too long", folder, file);
}

/* A file of the folder of data, `from` there; one that is not there is left out. */
static bool put_file(struct archive *archive, const char *from, const char *name, u32 mode,
		     struct error *error)
{
	char path[PATH_SIZE];
	bool is_put;
	int fd;

	if (!path_in(path, archive->data, from, error))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", path);
	is_put = put_open(archive, fd, name, mode, error);
	close(fd);
	return is_put;
}

static bool put_single(struct archive *archive, const struct backup_file *file, struct error *error)
{
	char name[PATH_SIZE];

	return path_in(name, file->folder, file->name, error) &&
	       put_file(archive, name, name, file->mode, error);
}

static bool put_folder(struct archive *archive, const struct backup_folder *folder,
		       struct error *error)
{
	struct slice end = slice_of(folder->end);
	char path[PATH_SIZE];
	bool is_put = true;
	DIR *list;

	if (!path_in(path, archive->data, folder->name, error))
		return false;
	list = opendir(path);
	if (!list)
		return errno == ENOENT || error_set_errno(error, errno, "%s", path);
	for (struct dirent *entry; is_put && (entry = readdir(list));) {
		struct slice file = slice_of(entry->d_name);
		char name[PATH_SIZE];

		if (file.ptr[0] == '.' || file.len <= end.len ||
		    !slice_equal(slice_from(file, file.len - end.len), end))
			continue;
		is_put = path_in(name, folder->name, entry->d_name, error) &&
			 put_file(archive, name, name, folder->mode, error);
	}
	closedir(list);
	return is_put;
}

/* ---- the customer's pages ---- */

static bool put_pages(struct archive *archive, int fd, const char *name, u32 depth,
		      struct error *error);

/* What is neither a file nor a folder, or has a name that no page has, is nobody's page. */
static bool put_page(struct archive *archive, int folder, const char *before, const char *file,
		     u32 depth, struct error *error)
{
	char name[PATH_SIZE];
	struct stat status;
	bool is_put;
	int fd;

	if (!path_in(name, before, file, error))
		return false;
	fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0) {
		is_put = errno == ENOENT || errno == ELOOP ||
			 error_set_errno(error, errno, "%s", name);
		if (fd >= 0)
			close(fd);
		return is_put;
	}
	if (S_ISDIR(status.st_mode))
		return depth >= SITE_DEPTH_MAX ? close(fd) == 0
					       : put_pages(archive, fd, name, depth + 1, error);
	is_put = !S_ISREG(status.st_mode) ||
		 !site_path_is_valid(slice_from(slice_of(name), sizeof(BACKUP_SITE))) ||
		 put_open(archive, fd, name, 0644, error);
	close(fd);
	return is_put;
}

/* Takes the descriptor. */
static bool put_pages(struct archive *archive, int fd, const char *name, u32 depth,
		      struct error *error)
{
	DIR *list = fdopendir(fd);
	bool is_put = true;

	if (!list) {
		close(fd);
		return error_set_errno(error, errno, "%s", name);
	}
	for (struct dirent *entry; is_put && (entry = readdir(list));) {
		if (site_name_is_valid(slice_of(entry->d_name), true))
			is_put = put_page(archive, dirfd(list), name, entry->d_name, depth, error);
	}
	closedir(list);
	return is_put;
}

static bool put_site(struct archive *archive, struct error *error)
{
	char path[PATH_SIZE];
	int fd;

	if (!path_in(path, archive->data, BACKUP_SITE, error))
		return false;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", path);
	return put_pages(archive, fd, BACKUP_SITE, 1, error);
}

/* ---- environments ---- */

/* The copy goes to a file first: an archive tells sizes in advance. */
static bool put_environment(struct archive *archive, const char *name, struct error *error)
{
	char from[PATH_SIZE];
	char copy[PATH_SIZE];
	bool is_put;
	int fd;

	if (!path_in(from, archive->data, name, error) ||
	    !path_in(copy, archive->data, FOLDER "/" COPY_NAME, error))
		return false;
	*strrchr(from, '/') = '\0';
	if (access(from, F_OK) < 0)
		return true; /* never used */
	fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", copy);
	is_put = store_copy(from, fd, error);
	close(fd);
	is_put = is_put && put_file(archive, FOLDER "/" COPY_NAME, name, 0600, error);
	unlink(copy);
	return is_put;
}

static bool put_manifest(struct archive *archive, const char *host, struct error *error)
{
	char text[512];
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(when, archive->time_s * MS_PER_S);
	snprintf(text, sizeof(text),
		 "hikyaku-backup 1\nversion " HIKYAKU_VERSION "\nhost %s\ntime %s\n", host, when);
	return put_text(archive, "MANIFEST", text, error);
}

static bool put_end(struct archive *archive, struct error *error)
{
	static const u8 zeros[2 * TAR_BLOCK];
	struct sha256 hash = archive->hash;
	u8 digest[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 2] = "";

	sha256_finish(&hash, digest);
	hex_encode(text, digest, sizeof(digest));
	text[2 * SHA256_SIZE] = '\n';
	return put_text(archive, "SHA256", text, error) &&
	       put(archive, zeros, sizeof(zeros), error);
}

static bool put_all(struct archive *archive, const char *host, struct error *error)
{
	if (!put_manifest(archive, host, error))
		return false;
	for (size_t i = 0; i < array_count(backup_folders); i++) {
		if (!put_folder(archive, &backup_folders[i], error))
			return false;
	}
	for (size_t i = 0; i < array_count(backup_files); i++) {
		if (!put_single(archive, &backup_files[i], error))
			return false;
	}
	return put_environment(archive, BACKUP_AUDIENCE, error) &&
	       put_folder(archive, &backup_images, error) &&
	       put_environment(archive, BACKUP_QUEUE, error) && put_site(archive, error) &&
	       put_end(archive, error);
}

/* ---- the file ---- */

bool backup_make(const char *data, char *path, size_t size, struct error *error)
{
	struct archive archive = { .data = data, .time_s = clock_wall_ms() / MS_PER_S };
	struct clock_date date;
	char host[64] = "hikyaku";
	bool is_made;

	if (gethostname(host, sizeof(host) - 1) < 0)
		return error_set_errno(error, errno, "the host's name");
	clock_date_of(archive.time_s * MS_PER_S, &date);
	if (snprintf(path, size, "%s/" FOLDER "/%s-%04u%02u%02uT%02u%02u%02uZ.backup", data, host,
		     date.year, date.month, date.day, date.hour, date.minute,
		     date.second) >= (int)size ||
	    snprintf(archive.path, sizeof(archive.path), "%s.part", path) >=
		    (int)sizeof(archive.path))
		return error_set(error, "%s: the name is too long", data);
	sha256_init(&archive.hash);
	archive.fd = open(archive.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (archive.fd < 0)
		return error_set_errno(error, errno, "%s", archive.path);
	is_made = put_all(&archive, host, error);
	if (is_made && fsync(archive.fd) < 0)
		is_made = error_set_errno(error, errno, "%s", archive.path);
	close(archive.fd);
	if (is_made)
		is_made = durable_rename(archive.path, path, error);
	if (!is_made)
		unlink(archive.path);
	return is_made;
}

int backup_task_main(int argc, char **argv)
{
	struct error error = { "" };
	struct stat status = { .st_size = 0 };
	char path[PATH_SIZE];

	(void)argv;
	if (argc != 1) {
		fputs("usage: hikyaku backup-task\n", stderr);
		return 2;
	}
	umask(027);
	if (!backup_make("/data", path, sizeof(path), &error)) {
		printf("%s\n", error.text);
		return 1;
	}
	if (stat(path, &status) < 0)
		return 1;
	printf("%s: %lld bytes\n", path, (long long)status.st_size);
	puts("It holds private keys: keep it as safe as those.");
	return 0;
}

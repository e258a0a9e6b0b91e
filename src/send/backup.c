#include "send/backup.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/durable.h"
#include "base/stream.h"
#include "base/tar.h"
#include "base/text.h"
#include "base/version.h"
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

struct archive {
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
	u8 block[TAR_BLOCK];

	if (!slice_copy(entry.name, sizeof(entry.name), slice_of(name)) ||
	    !tar_write(block, &entry))
		return error_set(error, "%s: the name is too long for an archive", name);
	return put(archive, block, sizeof(block), error);
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

/* `folder`/`file` as `name`; one that is not there is left out. */
static bool put_file(struct archive *archive, const char *folder, const char *file,
		     const char *name, u32 mode, struct error *error)
{
	char from[PATH_SIZE];
	struct stat status;
	bool is_put;
	int fd;

	if (snprintf(from, sizeof(from), "%s/%s", folder, file) >= (int)sizeof(from))
		return error_set(error, "%s/%s: the name is too long", folder, file);
	fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", from);
	if (fstat(fd, &status) < 0)
		is_put = error_set_errno(error, errno, "%s", from);
	else
		is_put = put_head(archive, name, (u64)status.st_size, mode, error) &&
			 put_content(archive, fd, from, (u64)status.st_size, error);
	close(fd);
	return is_put;
}

/* All files of a folder whose names end so. */
static bool put_folder(struct archive *archive, const char *folder, const char *end,
		       const char *prefix, u32 mode, struct error *error)
{
	DIR *list = opendir(folder);
	bool is_put = true;

	if (!list)
		return errno == ENOENT || error_set_errno(error, errno, "%s", folder);
	for (struct dirent *entry; is_put && (entry = readdir(list));) {
		struct slice file = slice_of(entry->d_name);
		size_t end_len = strlen(end);
		char name[PATH_SIZE];

		if (file.ptr[0] == '.' || file.len <= end_len ||
		    !slice_equal(slice_from(file, file.len - end_len), slice_of(end)))
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, entry->d_name);
		is_put = put_file(archive, folder, entry->d_name, name, mode, error);
	}
	closedir(list);
	return is_put;
}

/* The copy goes to a file first: an archive tells sizes in advance. */
static bool put_environment(struct archive *archive, const struct backup_places *places,
			    const char *folder, const char *noun, const char *name,
			    struct error *error)
{
	char from[PATH_SIZE];
	char copy[PATH_SIZE];
	bool is_put;
	int fd;

	if (snprintf(from, sizeof(from), "%s/%s", folder, noun) >= (int)sizeof(from) ||
	    snprintf(copy, sizeof(copy), "%s/" COPY_NAME, places->backup) >= (int)sizeof(copy))
		return error_set(error, "%s: the name is too long", folder);
	if (access(from, F_OK) < 0)
		return true; /* never used */
	fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", copy);
	is_put = store_copy(from, fd, error);
	close(fd);
	is_put = is_put && put_file(archive, places->backup, COPY_NAME, name, 0600, error);
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

static bool put_all(struct archive *archive, const struct backup_places *places, const char *host,
		    struct error *error)
{
	char keys[PATH_SIZE];

	if (snprintf(keys, sizeof(keys), "%s/keys", places->send) >= (int)sizeof(keys))
		return error_set(error, "%s: the name is too long", places->send);
	return put_manifest(archive, host, error) &&
	       put_folder(archive, places->etc, ".conf", "etc/", 0640, error) &&
	       put_file(archive, places->send, "token.key", "send/token.key", 0600, error) &&
	       put_folder(archive, keys, ".pem", "send/keys/", 0600, error) &&
	       put_environment(archive, places, places->web, "audience",
			       "web/audience/data.mdb", error) &&
	       put_environment(archive, places, places->send, "queue", "send/queue/data.mdb",
			       error) &&
	       put_end(archive, error);
}

/* ---- the file ---- */

bool backup_make(const struct backup_places *places, char *path, size_t size, struct error *error)
{
	struct archive archive = { .time_s = clock_wall_ms() / MS_PER_S };
	struct clock_date date;
	char host[64] = "hikyaku";
	bool is_made;

	if (gethostname(host, sizeof(host) - 1) < 0)
		return error_set_errno(error, errno, "the host's name");
	clock_date_of(archive.time_s * MS_PER_S, &date);
	if (snprintf(path, size, "%s/%s-%04u%02u%02uT%02u%02u%02uZ.backup", places->backup, host,
		     date.year, date.month, date.day, date.hour, date.minute,
		     date.second) >= (int)size ||
	    snprintf(archive.path, sizeof(archive.path), "%s.part", path) >=
		    (int)sizeof(archive.path))
		return error_set(error, "%s: the name is too long", places->backup);
	sha256_init(&archive.hash);
	archive.fd = open(archive.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (archive.fd < 0)
		return error_set_errno(error, errno, "%s", archive.path);
	is_made = put_all(&archive, places, host, error);
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
	static const struct backup_places places = { "/data/etc", "/data/send", "/data/backup",
						     "/data/web", "/data/send/restore" };
	struct error error = { "" };
	struct stat status = { .st_size = 0 };
	char path[PATH_SIZE];

	(void)argv;
	if (argc != 1) {
		fputs("usage: hikyaku backup-task\n", stderr);
		return 2;
	}
	umask(027);
	if (!backup_make(&places, path, sizeof(path), &error)) {
		printf("%s\n", error.text);
		return 1;
	}
	if (stat(path, &status) < 0)
		return 1;
	printf("%s: %lld bytes\n", path, (long long)status.st_size);
	puts("It holds private keys: keep it as safe as those.");
	return 0;
}

#include "send/backup.h"

#include "base/crypto.h"
#include "base/durable.h"
#include "base/site_path.h"
#include "base/tar.h"
#include "base/text.h"
#include "send/backup_parts.h"
#include "store/audience_hold.h"
#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512
#define CHUNK (64u << 10)
#define SMALL_MAX (1u << 20) /* of configuration and keys */
#define MAP_SIZE_MIN (1u << 20)
#define MAP_SIZE_MAX (1ull << 42)

struct stage {
	const char *folder;
	int fd;
	struct sha256 hash;
	char digest[2 * SHA256_SIZE + 1]; /* of all before SHA256 */
	bool has_manifest;
	bool has_queue;
	bool has_audience;
	bool is_whole; /* SHA256 agreed */
};

/* ---- reading ---- */

static bool take(struct stage *stage, void *bytes, size_t len, struct error *error)
{
	char *at = bytes;

	for (size_t left = len; left > 0;) {
		ssize_t n = read(stage->fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(error, errno, "the backup");
		if (n == 0)
			return error_set(error, "the backup is cut off");
		at += n;
		left -= (size_t)n;
	}
	sha256_add(&stage->hash, bytes, len);
	return true;
}

static bool skip_padding(struct stage *stage, u64 size, struct error *error)
{
	u8 block[TAR_BLOCK];

	return take(stage, block, tar_padding(size), error);
}

static bool is_in_folder(struct slice name, const struct backup_folder *folder)
{
	struct slice before = slice_of(folder->name);
	struct slice end = slice_of(folder->end);

	if (!slice_has_prefix(name, before) || name.len == before.len ||
	    name.ptr[before.len] != '/')
		return false;
	name = slice_from(name, before.len + 1);
	return name.len > end.len && name.ptr[0] != '.' && slice_find_char(name, '/') < 0 &&
	       slice_equal(slice_from(name, name.len - end.len), end);
}

static bool is_page(struct slice name)
{
	return slice_has_prefix(name, SLICE(BACKUP_SITE "/")) &&
	       site_path_is_valid(slice_from(name, sizeof(BACKUP_SITE)));
}

/* Which names may come; everything else would be written where an archive says. */
static bool is_known(const char *name)
{
	char single[PATH_SIZE];

	for (size_t i = 0; i < array_count(backup_folders); i++) {
		if (is_in_folder(slice_of(name), &backup_folders[i]))
			return true;
	}
	for (size_t i = 0; i < array_count(backup_files); i++) {
		snprintf(single, sizeof(single), "%s/%s", backup_files[i].folder,
			 backup_files[i].name);
		if (strcmp(name, single) == 0)
			return true;
	}
	return is_in_folder(slice_of(name), &backup_images) || strcmp(name, BACKUP_QUEUE) == 0 ||
	       strcmp(name, BACKUP_AUDIENCE) == 0 ||
	       is_page(slice_of(name));
}

static bool write_content(struct stage *stage, int to, u64 size, struct error *error)
{
	char chunk[CHUNK];

	while (size > 0) {
		size_t len = (size_t)min_u64(size, sizeof(chunk));

		if (!take(stage, chunk, len, error))
			return false;
		if (write(to, chunk, len) != (ssize_t)len)
			return error_set_errno(error, errno, "the stage of the restore");
		size -= len;
	}
	return fsync(to) == 0 || error_set_errno(error, errno, "the stage of the restore");
}

/* The folders that a page of the site stands in; `path` is that of the file. */
static bool make_way(char *path, const char *stage, struct error *error)
{
	for (char *at = path + strlen(stage) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_set_errno(error, errno, "%s", path);
		*at = '/';
	}
	return true;
}

static bool take_file(struct stage *stage, const struct tar_entry *entry, struct error *error)
{
	char path[PATH_SIZE];
	bool is_taken;
	int to;

	if (!is_known(entry->name))
		return error_set(error, "the backup has %s, which is no part of one", entry->name);
	if (strcmp(entry->name, BACKUP_QUEUE) == 0)
		stage->has_queue = true;
	else if (strcmp(entry->name, BACKUP_AUDIENCE) == 0)
		stage->has_audience = true;
	else if (entry->size > SMALL_MAX && !is_page(slice_of(entry->name)) &&
		 !is_in_folder(slice_of(entry->name), &backup_images))
		return error_set(error, "%s: %llu bytes are too many", entry->name,
				 (unsigned long long)entry->size);
	if (snprintf(path, sizeof(path), "%s/%s", stage->folder, entry->name) >= (int)sizeof(path))
		return error_set(error, "%s: the name is too long", entry->name);
	if (!make_way(path, stage->folder, error))
		return false;
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return error_set_errno(error, errno, "%s", path);
	is_taken = write_content(stage, to, entry->size, error);
	close(to);
	return is_taken && skip_padding(stage, entry->size, error);
}

static bool take_text(struct stage *stage, const struct tar_entry *entry, char *text, size_t size,
		      struct error *error)
{
	if (entry->size >= size)
		return error_set(error, "%s is too long", entry->name);
	if (!take(stage, text, (size_t)entry->size, error))
		return false;
	text[entry->size] = '\0';
	return skip_padding(stage, entry->size, error);
}

static bool check_manifest(struct stage *stage, const struct tar_entry *entry, struct error *error)
{
	char text[1024];

	if (!take_text(stage, entry, text, sizeof(text), error))
		return false;
	if (!slice_has_prefix(slice_of(text), SLICE("hikyaku-backup 1\n")))
		return error_set(error, "this is a backup of another kind, or of a newer version");
	stage->has_manifest = true;
	return true;
}

static bool check_hash(struct stage *stage, const struct tar_entry *entry, struct error *error)
{
	char text[2 * SHA256_SIZE + 2];

	if (!take_text(stage, entry, text, sizeof(text), error))
		return false;
	if (strncmp(text, stage->digest, 2 * SHA256_SIZE) != 0)
		return error_set(error, "the backup is damaged: its hash does not agree");
	stage->is_whole = true;
	return true;
}

/* The next header, with its name wherever that stands. */
static bool take_head(struct stage *stage, struct tar_entry *entry, struct error *error)
{
	u8 block[TAR_BLOCK];
	char name[TAR_NAME_MAX + 1] = "";
	enum tar_result result;

	if (!take(stage, block, sizeof(block), error))
		return false;
	result = tar_read(block, entry);
	if (result == TAR_LONG_NAME) {
		if (!take(stage, block, sizeof(block), error))
			return false;
		if (!tar_read_long_name(block, name))
			return error_set(error, "this is no backup, or a damaged one");
		if (!take(stage, block, sizeof(block), error))
			return false;
		result = tar_read(block, entry);
		memcpy(entry->name, name, sizeof(name));
	}
	return result == TAR_ENTRY || error_set(error, "this is no backup, or a damaged one");
}

static bool take_all(struct stage *stage, struct error *error)
{
	while (!stage->is_whole) {
		struct sha256 before = stage->hash;
		u8 digest[SHA256_SIZE];
		struct tar_entry entry;
		bool is_taken;

		if (!take_head(stage, &entry, error))
			return false;
		sha256_finish(&before, digest);
		hex_encode(stage->digest, digest, sizeof(digest));
		if (strcmp(entry.name, "SHA256") == 0)
			is_taken = check_hash(stage, &entry, error);
		else if (strcmp(entry.name, "MANIFEST") == 0)
			is_taken = check_manifest(stage, &entry, error);
		else
			is_taken = take_file(stage, &entry, error);
		if (!is_taken)
			return false;
	}
	return stage->has_manifest || error_set(error, "the backup does not say what it is");
}

/* ---- the queue ---- */

/* What was sent after the backup was made, nobody knows any more: people decide what goes on. */
static bool pause_campaigns(struct queue *queue, struct error *error)
{
	struct queue_campaign campaign;
	u32 after = 0;
	enum store_result result = queue_begin(queue);

	if (result != STORE_OK)
		return error_set(error, "%s", queue_error_text(queue));
	while ((result = queue_campaign_next(queue, after, &campaign)) == STORE_OK) {
		after = campaign.id;
		if (campaign.state != CAMPAIGN_RUNNING)
			continue;
		campaign.state = CAMPAIGN_PAUSED;
		if (queue_campaign_put(queue, &campaign) != STORE_OK)
			break;
	}
	if (result != STORE_NOT_FOUND || queue_commit(queue) != STORE_OK) {
		error_set(error, "%s", queue_error_text(queue));
		queue_abort(queue);
		return false;
	}
	return true;
}

static bool prepare_queue(const struct stage *stage, struct error *error)
{
	char path[PATH_SIZE];
	struct store_params params = { .path = path,
				       .map_size = MAP_SIZE_MIN,
				       .map_size_max = MAP_SIZE_MAX };
	struct queue *queue;
	bool is_paused;

	if (snprintf(path, sizeof(path), "%s/send/queue", stage->folder) >= (int)sizeof(path))
		return error_set(error, "%s: the name is too long", stage->folder);
	if (!stage->has_queue)
		return rmdir(path) == 0 || error_set_errno(error, errno, "%s", path);
	queue = queue_open(&params, error);
	if (!queue)
		return false;
	is_paused = pause_campaigns(queue, error);
	queue_close(queue);
	return is_paused;
}

/* ---- the audience ---- */

static bool hold(struct audience *audience, struct error *error)
{
	struct audience_txn *txn = audience_txn_open(audience);
	bool is_held;

	if (!txn)
		return error_set(error, "no memory for the audience");
	is_held = audience_begin(txn) == STORE_OK && audience_hold(txn) == STORE_OK &&
		  audience_commit(txn) == STORE_OK;
	if (!is_held)
		error_set(error, "%s", audience_error_text(txn));
	audience_txn_close(txn);
	return is_held;
}

static bool prepare_audience(const struct stage *stage, struct error *error)
{
	char path[PATH_SIZE];
	struct store_params params = { .path = path, .map_size_max = MAP_SIZE_MAX };
	struct audience *audience;
	bool is_held;

	if (snprintf(path, sizeof(path), "%s/web/audience", stage->folder) >= (int)sizeof(path))
		return error_set(error, "%s: the name is too long", stage->folder);
	if (!stage->has_audience)
		return rmdir(path) == 0 || error_set_errno(error, errno, "%s", path);
	audience = audience_open(&params, error);
	if (!audience)
		return false;
	is_held = hold(audience, error);
	audience_close(audience);
	return is_held;
}

/* ---- the stage ---- */

static bool make_folders(const char *folder, struct error *error)
{
	static const char *const inner[] = { "",	    "/etc", "/send",	    "/send/keys",
					     "/send/queue", "/web", "/web/audience", "/hook" };
	char path[PATH_SIZE];

	for (size_t i = 0; i < array_count(inner); i++) {
		if (snprintf(path, sizeof(path), "%s%s", folder, inner[i]) >= (int)sizeof(path))
			return error_set(error, "%s: the name is too long", folder);
		if (mkdir(path, 0700) < 0)
			return error_set_errno(error, errno, "%s", path);
	}
	return true;
}

bool backup_stage(const char *data, int fd, struct error *error)
{
	char folder[PATH_SIZE];
	char ready[PATH_SIZE];
	struct stage stage = { .folder = folder, .fd = fd };
	struct error ignored;

	if (snprintf(folder, sizeof(folder), "%s/" BACKUP_STAGE, data) >= (int)sizeof(folder) ||
	    snprintf(ready, sizeof(ready), "%s/READY", folder) >= (int)sizeof(ready))
		return error_set(error, "%s: the name is too long", data);
	sha256_init(&stage.hash);
	if (!durable_remove_tree(folder, error))
		return false;
	if (make_folders(folder, error) && take_all(&stage, error) &&
	    prepare_queue(&stage, error) && prepare_audience(&stage, error) &&
	    durable_sync(folder, error) && durable_create(ready, SLICE_NONE, error))
		return true;
	if (!durable_remove_tree(folder, &ignored))
		error_prefix(error, "%s is left behind", folder);
	return false;
}

int restore_task_main(int argc, char **argv)
{
	struct error error = { "" };
	int fd = STDIN_FILENO;

	if (argc != 2) {
		fputs("usage: hikyaku restore-task FILE|-\n", stderr);
		return 2;
	}
	if (strcmp(argv[1], "-") != 0)
		fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		printf("%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	if (!backup_stage("/data", fd, &error)) {
		printf("%s\nNothing was changed.\n", error.text);
		return 1;
	}
	puts("The backup is whole. It takes the place of what is here at the next start;\n"
	     "campaigns that ran are paused then. This machine's own network and ssh keys\n"
	     "stay; `network adopt` takes those of the backup. Now: reboot");
	return 0;
}

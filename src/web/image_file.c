#include "web/image_file.h"

#include "base/durable.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "images"

void image_file_name(char name[IMAGE_FILE_NAME_SIZE], const u8 id[ASSET_ID_SIZE])
{
	char hex[MAIL_IMAGE_ID_TEXT];
	char more[8];
	u8 bytes[4];

	mail_image_id_text(hex, id);
	random_bytes(bytes, sizeof(bytes));
	hex_encode(more, bytes, sizeof(bytes));
	snprintf(name, IMAGE_FILE_NAME_SIZE, "%s.%.8s", hex, more);
}

bool image_file_path(char out[UPLOAD_PATH_MAX], const char *audience, struct slice name)
{
	int len = snprintf(out, UPLOAD_PATH_MAX, "%s/" FOLDER "/%.*s", audience, SLICE_FMT(name));

	return len > 0 && len < UPLOAD_PATH_MAX;
}

int image_file_open(const char *audience, struct slice name)
{
	char path[UPLOAD_PATH_MAX];

	if (image_file_path(path, audience, name))
		return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	errno = ENAMETOOLONG;
	return -1;
}

bool image_file_keep(struct upload *upload, const char *audience, struct slice name,
		     struct error *error)
{
	char path[UPLOAD_PATH_MAX];

	if (!image_file_path(path, audience, name))
		return error_set(error, "%s: too long a path", audience);
	if (rename(upload->path, path) != 0)
		return error_set_errno(error, errno, "%s", path);
	close(upload->fd);
	*upload = (struct upload){ .fd = -1 };
	return true;
}

bool image_files_sync(const char *audience, struct error *error)
{
	char path[UPLOAD_PATH_MAX];

	return image_file_path(path, audience, SLICE("")) ? durable_sync(path, error)
							  : error_set(error, "too long a path");
}

void image_file_delete(const char *audience, struct slice name)
{
	char path[UPLOAD_PATH_MAX];

	if (name.len > 0 && image_file_path(path, audience, name) && unlink(path) != 0 &&
	    errno != ENOENT)
		log_warn("web", "an image's file stays", "path=%s errno=%d", path, errno);
}

/* Whether the record that its name begins with has this file. */
static bool is_wanted(struct audience_txn *reader, struct slice name)
{
	struct audience_asset asset;
	u8 id[ASSET_ID_SIZE];

	if (!mail_image_id_read(slice_first(name, MAIL_IMAGE_ID_TEXT - 1), id))
		return true; /* none of ours */
	switch (audience_asset_get(reader, id, &asset)) {
	case STORE_OK: return slice_equal(asset.of[ASSET_FILE], name);
	case STORE_NOT_FOUND: return false;
	default: return true;
	}
}

bool image_files_prepare(const char *audience, struct audience_txn *reader, struct error *error)
{
	char path[UPLOAD_PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!image_file_path(path, audience, SLICE("")))
		return error_set(error, "%s: too long a path", audience);
	path[strlen(path) - 1] = '\0';
	if (!durable_folder(path, error))
		return false;
	if (audience_begin_read(reader) != STORE_OK) {
		audience_abort(reader);
		return error_set(error, "images: %s", audience_error_text(reader));
	}
	dir = opendir(path);
	if (!dir) {
		audience_abort(reader);
		return error_set_errno(error, errno, "%s", path);
	}
	while ((entry = readdir(dir))) {
		if (!is_wanted(reader, slice_of(entry->d_name)))
			image_file_delete(audience, slice_of(entry->d_name));
	}
	closedir(dir);
	audience_abort(reader);
	return true;
}

/* ---- for mail ---- */

bool image_loader_load(void *owner, const u8 id[ASSET_ID_SIZE], struct mail_image *image,
		       struct error *error)
{
	struct image_loader *loader = owner;
	char path[UPLOAD_PATH_MAX];
	struct audience_asset asset;
	enum store_result result = audience_asset_get(loader->txn, id, &asset);

	if (result == STORE_NOT_FOUND)
		return true;
	if (result != STORE_OK)
		return error_set(error, "%s", audience_error_text(loader->txn));
	image_loader_done(loader);
	if (asset.size > MAIL_IMAGES_BYTES_MAX)
		return error_set(error, "the image %.*s alone has more than %u MB",
				 SLICE_FMT(asset.of[ASSET_NAME]), MAIL_IMAGES_BYTES_MAX >> 20);
	if (!image_file_path(path, loader->audience, asset.of[ASSET_FILE]))
		return error_set(error, "%s: too long a path", loader->audience);
	if (!file_read(path, (size_t)asset.size, &loader->bytes, error))
		return false;
	if (loader->bytes.len != asset.size)
		return error_set(error, "the image %.*s is not on the disk as it was brought",
				 SLICE_FMT(asset.of[ASSET_NAME]));
	*image = (struct mail_image){ asset.of[ASSET_NAME], (enum image_kind)asset.kind,
				      loader->bytes };
	return true;
}

void image_loader_done(struct image_loader *loader)
{
	free((char *)loader->bytes.ptr);
	loader->bytes = SLICE_NONE;
}

#include "web/image_upload.h"

#include "base/text.h"

#include <stdlib.h>

struct image_uploads *image_uploads_new(const char *audience, u64 size_max)
{
	struct image_uploads *images = calloc(1, sizeof(*images));

	if (!images)
		return NULL;
	images->audience = audience;
	images->size_max = size_max;
	return images;
}

void image_uploads_free(struct image_uploads *images)
{
	if (!images)
		return;
	for (u32 i = 0; i < images->count; i++)
		upload_drop(&images->of[i].upload);
	free(images);
}

void image_uploads_begin(struct image_uploads *images, struct slice name)
{
	struct image_upload *image = &images->of[images->count];

	if (images->count == IMAGE_UPLOADS_MAX) {
		images->is_too_many = true;
		return;
	}
	images->count++;
	image->upload.fd = -1;
	slice_copy(image->name, sizeof(image->name), name);
	image_reader_init(&image->reader);
	sha256_init(&image->hash);
}

bool image_uploads_add(struct image_uploads *images, struct slice bytes, struct error *error)
{
	struct image_upload *image = &images->of[images->count - 1];

	if (images->is_too_many || image->is_too_large)
		return true;
	if (bytes.len > images->size_max - image->upload.size) {
		image->is_too_large = true;
		upload_drop(&image->upload);
		return true;
	}
	image_reader_feed(&image->reader, bytes);
	sha256_add(&image->hash, bytes.ptr, bytes.len);
	return (upload_is_open(&image->upload) ||
		upload_open(&image->upload, images->audience, error)) &&
	       upload_add(&image->upload, bytes, error);
}

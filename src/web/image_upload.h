/*
 * Images on their way in, several in one form or one as a body: each goes to the disk as it comes
 * (upload.h), is looked at and hashed meanwhile. Of one that is too large nothing is kept, and the
 * others are read on, so that its name can be told.
 */
#ifndef WEB_IMAGE_UPLOAD_H
#define WEB_IMAGE_UPLOAD_H

#include "base/crypto.h"
#include "campaign/image.h"
#include "store/audience_asset.h"
#include "web/upload.h"

#define IMAGE_UPLOADS_MAX 20

struct image_upload {
	struct upload upload;
	char name[ASSET_NAME_MAX + 1]; /* UTF-8, no path */
	struct image_reader reader;
	struct sha256 hash;
	bool is_too_large;
};

struct image_uploads {
	const char *audience;
	u64 size_max; /* bytes of one */
	u32 count;
	bool is_too_many;
	struct image_upload of[IMAGE_UPLOADS_MAX];
};

/* NULL: no memory. */
struct image_uploads *image_uploads_new(const char *audience, u64 size_max);
void image_uploads_free(struct image_uploads *images); /* what is not kept goes; NULL is fine */
/* The next image begins; its bytes follow. */
void image_uploads_begin(struct image_uploads *images, struct slice name);
/* False: the disk is full or broken. */
bool image_uploads_add(struct image_uploads *images, struct slice bytes,
		       struct error *error) MUST_CHECK;

#endif

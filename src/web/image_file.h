/*
 * The bytes of images: files of the folder `images` of the audience, one for each record
 * (store/audience_asset.h), which has the file's name. A file is on the disk before its record is,
 * and goes after it; one that a crash left without a record goes at the start.
 */
#ifndef WEB_IMAGE_FILE_H
#define WEB_IMAGE_FILE_H

#include "campaign/mail_image.h"
#include "store/audience_asset.h"
#include "web/upload.h"

#define IMAGE_FILE_NAME_SIZE 48

/* Another name each time: who deletes an image does not meet who brings it again. */
void image_file_name(char name[IMAGE_FILE_NAME_SIZE], const u8 id[ASSET_ID_SIZE]);
bool image_file_path(char out[UPLOAD_PATH_MAX], const char *audience,
		     struct slice name) MUST_CHECK;
/* -1: it cannot be opened; errno says why. */
int image_file_open(const char *audience, struct slice name) MUST_CHECK;
/* Takes the upload over; the disk has it for good after image_files_sync. */
bool image_file_keep(struct upload *upload, const char *audience, struct slice name,
		     struct error *error) MUST_CHECK;
bool image_files_sync(const char *audience, struct error *error) MUST_CHECK;
void image_file_delete(const char *audience, struct slice name);
/* At the start: makes the folder, and removes what no record names. */
bool image_files_prepare(const char *audience, struct audience_txn *reader,
			 struct error *error) MUST_CHECK;

/* For mail_images: bytes of images as a transaction of the caller's sees them. */
struct image_loader {
	struct audience_txn *txn;
	const char *audience;
	struct slice bytes; /* of the last one */
};
bool image_loader_load(void *loader, const u8 id[ASSET_ID_SIZE], struct mail_image *image,
		       struct error *error);
void image_loader_done(struct image_loader *loader);

#endif

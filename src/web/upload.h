/*
 * A file that somebody uploads, on its way from the net to whoever reads it: in the folder
 * `uploads` of the audience, under a name of ours, gone with its owner unless it is kept. Bytes go
 * to the page cache as they come; how much memory a call needs does not depend on the file.
 */
#ifndef WEB_UPLOAD_H
#define WEB_UPLOAD_H

#include "base/error.h"
#include "base/types.h"

#define UPLOAD_PATH_MAX 512

struct upload {
	int fd; /* -1: none */
	u64 size;
	char path[UPLOAD_PATH_MAX];
};

/* A struct of zeros is none. */
bool upload_open(struct upload *upload, const char *audience, struct error *error) MUST_CHECK;
static inline bool upload_is_open(const struct upload *upload)
{
	return upload->path[0] != '\0';
}
/* False: the disk is full or broken. */
bool upload_add(struct upload *upload, struct slice bytes, struct error *error) MUST_CHECK;
/* Closes and removes what is there. */
void upload_drop(struct upload *upload);
/*
 * The file stays, at `path` (in the same file system), its bytes and its name on the disk; the
 * caller owns it. False: it was dropped.
 */
bool upload_keep(struct upload *upload, const char *path, struct error *error) MUST_CHECK;
/* At the start: makes the folder, removes what a crash left in it. */
bool upload_prepare(const char *audience, struct error *error) MUST_CHECK;

#endif

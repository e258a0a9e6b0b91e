/*
 * Files and folders that are there after a power cut once their function has come back, whole or
 * not at all: contents are synced before the name exists, and names with the folder they stand in.
 */
#ifndef BASE_DURABLE_H
#define BASE_DURABLE_H

#include "base/error.h"
#include "base/types.h"

/*
 * A new file of mode 0600 with this content. False, with nothing left behind and `error` naming the
 * path: the name is taken (EEXIST), no room, no right.
 */
bool durable_create(const char *path, struct slice content, struct error *error);

/*
 * The file has this content and mode afterwards, or is as it was; nobody ever sees a part. Owner
 * and group are those of the file that was there, else the process's. False: `error` names it.
 */
bool durable_replace(const char *path, struct slice content, u32 mode, struct error *error)
	MUST_CHECK;

/* The file or folder has the new name, for good. False: `error` names it, with errno. */
bool durable_rename(const char *from, const char *to, struct error *error) MUST_CHECK;

/* All that was written to the folder's file system is on the disk. False: `error` names it. */
bool durable_sync(const char *folder, struct error *error) MUST_CHECK;

/*
 * The folder with all that is in it is gone; one that is not there is no error. No link is
 * followed.
 */
bool durable_remove_tree(const char *path, struct error *error) MUST_CHECK;

/* The folder, made with mode 0700 unless it is there. False: errno says why, too. */
bool durable_folder(const char *path, struct error *error);

#endif

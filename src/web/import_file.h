/*
 * Files of contacts that are kept until their import is over: in the folder `uploads` of the
 * audience (upload.h), under names of their own.
 */
#ifndef WEB_IMPORT_FILE_H
#define WEB_IMPORT_FILE_H

#include "campaign/import_guess.h"
#include "web/upload.h"

#define IMPORT_FILE_NAME_SIZE 40

/* False: too long a path. */
bool import_file_path(char out[UPLOAD_PATH_MAX], const char *audience,
		      struct slice name) MUST_CHECK;
/*
 * Takes what was uploaded over under a new name, and guesses its encoding from its beginning.
 * False: it was dropped.
 */
bool import_file_keep(struct upload *upload, const char *audience,
		      char name[IMPORT_FILE_NAME_SIZE], struct import_guess *guess,
		      struct error *error) MUST_CHECK;
/* Deletes it; one that is not there is as good. */
void import_file_delete(const char *audience, struct slice name);
/* Deletes those of whose names `is_wanted` says no: what a process left that ended in between. */
void import_file_sweep(const char *audience, bool (*is_wanted)(void *owner, struct slice name),
		       void *owner);

#endif

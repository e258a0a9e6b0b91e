/*
 * The beginning of a file that is to be imported, as people and programs see it before they say
 * what its columns mean: their names, some rows, and what each is probably.
 */
#ifndef WEB_IMPORT_PREVIEW_H
#define WEB_IMPORT_PREVIEW_H

#include "base/buf.h"
#include "base/error.h"
#include "campaign/import_guess.h"
#include "web/noun.h"

#define IMPORT_PREVIEW_ROWS 10

struct import_preview {
	char delimiter; /* in: 0 finds it out; out: the one in use */
	u32 column_count;
	struct buf header; /* names of columns, packed as struct import has them */
	/* {columns: [{name, suggestion: {target, ...}}], rows: [[...]]}; the caller's */
	json_t *json;
};

/*
 * False and a sentence: the file cannot be read, it has no row, or no memory. `header` is to be
 * done in any case.
 */
bool import_preview_read(struct import_preview *preview, const char *path,
			 enum import_encoding encoding, const struct nouns *nouns,
			 struct error *error) MUST_CHECK;

#endif

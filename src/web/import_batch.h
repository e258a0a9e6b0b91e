/*
 * Rows of an import's file, a batch at a time: read and parsed on the job's thread, held until the
 * scribe has written them. Memory: BATCH_BYTES of an arena, and what source.c holds of the file.
 */
#ifndef WEB_IMPORT_BATCH_H
#define WEB_IMPORT_BATCH_H

#include "campaign/import_reader.h"
#include "campaign/import_row.h"

#define IMPORT_BATCH_ROWS 20000
#define IMPORT_BATCH_BYTES (16u << 20)

/* The file that is read. */
struct import_source {
	int fd;
	u64 taken; /* events */
	struct import_reader *reader;
	struct import_parser *parser;
	char chunk[IMPORT_FEED_MAX];
};

/* False and a sentence: the file is not there, or no memory. `map` outlives it. */
bool import_source_open(struct import_source *source, const char *path,
			const struct import *import, struct import_map *map,
			struct error *error) MUST_CHECK;
void import_source_close(struct import_source *source);

struct import_batch {
	struct import_row *rows; /* by the keys of their addresses, so that neighbours are written
				    together */
	size_t count;
	u64 events; /* taken off the file */
	struct arena arena;
	bool is_ended;
};

enum import_batch_result {
	IMPORT_BATCH_MORE,
	IMPORT_BATCH_LAST, /* behind it is nothing more; it may be empty */
	IMPORT_BATCH_BAD,  /* the file as a whole, or no memory: the error says */
};

bool import_batch_init(struct import_batch *batch) MUST_CHECK;
void import_batch_done(struct import_batch *batch);
/* The rows behind the first `position` events, which are read over but for their addresses. */
enum import_batch_result import_batch_fill(struct import_batch *batch,
					   struct import_source *source, u64 position,
					   struct error *error) MUST_CHECK;

#endif

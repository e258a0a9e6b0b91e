#include "web/import_batch.h"

#include "base/check.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the file ---- */

bool import_source_open(struct import_source *source, const char *path,
			const struct import *import, struct import_map *map, struct error *error)
{
	enum import_encoding encoding = (enum import_encoding)import->encoding;

	source->taken = 0;
	source->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (source->fd < 0)
		return error_set_errno(error, errno, "the file that was uploaded");
	source->reader = import_reader_open(encoding, import->delimiter);
	source->parser = import_parser_open(map);
	if (source->reader && source->parser) {
		map->is_exact = import_reader_is_exact(source->reader);
		return true;
	}
	import_source_close(source);
	return error_set(error, "no memory for reading the file");
}

void import_source_close(struct import_source *source)
{
	close(source->fd);
	import_reader_close(source->reader);
	import_parser_close(source->parser);
}

/* The next event that is not CSV_MORE. */
static enum csv_event next_event(struct import_source *source, struct csv_row *row,
				 struct error *error)
{
	enum csv_event event;

	while ((event = import_reader_next(source->reader, row, error)) == CSV_MORE) {
		ssize_t len = read(source->fd, source->chunk, sizeof(source->chunk));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0) {
			error_set_errno(error, errno, "the file that was uploaded");
			return CSV_FAILED;
		}
		if (len == 0)
			import_reader_finish(source->reader);
		else
			import_reader_feed(source->reader,
					   (struct slice){ source->chunk, (size_t)len });
	}
	return event;
}

/* ---- batches ---- */

bool import_batch_init(struct import_batch *batch)
{
	batch->rows = calloc(IMPORT_BATCH_ROWS, sizeof(*batch->rows));
	arena_init(&batch->arena, 1u << 20, IMPORT_BATCH_BYTES + (4u << 20));
	return batch->rows != NULL;
}

void import_batch_done(struct import_batch *batch)
{
	free(batch->rows);
	arena_done(&batch->arena);
}

static bool keep_slice(struct arena *arena, struct slice *s)
{
	if (s->len == 0)
		return true;
	*s = arena_copy(arena, *s);
	return s->ptr != NULL;
}

/* A copy that lives as long as the batch. */
static bool keep_row(struct import_batch *batch, const struct import_row *row)
{
	struct import_row *kept = &batch->rows[batch->count];
	struct import_report *findings = NULL;
	u16 *joins = NULL;

	*kept = *row;
	if (row->finding_count > 0) {
		findings = arena_take(&batch->arena, row->finding_count * sizeof(*findings));
		if (!findings)
			return false;
		memcpy(findings, row->findings, row->finding_count * sizeof(*findings));
	}
	if (row->join_count > 0) {
		joins = arena_take(&batch->arena, row->join_count * sizeof(*joins));
		if (!joins)
			return false;
		memcpy(joins, row->joins, row->join_count * sizeof(*joins));
	}
	for (u32 i = 0; i < row->finding_count; i++) {
		if (!keep_slice(&batch->arena, &findings[i].text))
			return false;
	}
	kept->findings = findings;
	kept->joins = joins;
	batch->count++;
	return keep_slice(&batch->arena, &kept->address) && keep_slice(&batch->arena, &kept->key) &&
	       keep_slice(&batch->arena, &kept->values);
}

static int by_key(const void *a, const void *b)
{
	const struct import_row *left = a;
	const struct import_row *right = b;

	return slice_order(&left->key, &right->key);
}

static enum import_batch_result fill(struct import_batch *batch, struct import_source *source,
				     u64 position, struct error *error)
{
	struct csv_row from;
	struct import_row row;

	while (batch->count < IMPORT_BATCH_ROWS && batch->arena.total <= IMPORT_BATCH_BYTES) {
		enum csv_event event = next_event(source, &from, error);
		bool is_header = source->taken == 0;

		if (event == CSV_END)
			return IMPORT_BATCH_LAST;
		if (event == CSV_FAILED)
			return IMPORT_BATCH_BAD;
		source->taken++;
		batch->events += source->taken > position;
		if (is_header)
			continue;
		if (!import_parser_take(source->parser, &from,
					event == CSV_BAD_ROW ? error->text : NULL, &row) ||
		    (source->taken > position && !keep_row(batch, &row))) {
			error_set(error, "no memory for the rows of the file");
			return IMPORT_BATCH_BAD;
		}
	}
	return IMPORT_BATCH_MORE;
}

enum import_batch_result import_batch_fill(struct import_batch *batch,
					   struct import_source *source, u64 position,
					   struct error *error)
{
	enum import_batch_result result;

	batch->count = 0;
	batch->events = 0;
	arena_reset(&batch->arena);
	result = fill(batch, source, position, error);
	qsort(batch->rows, batch->count, sizeof(*batch->rows), by_key);
	return result;
}

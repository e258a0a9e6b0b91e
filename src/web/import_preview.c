#include "web/import_preview.h"

#include "base/text.h"
#include "campaign/import_reader.h"
#include "campaign/import_row.h"
#include "store/row_values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOKED_AT (256u << 10) /* bytes of the file */
#define NAME_SHOWN 200	       /* bytes */
#define CELL_SHOWN 200

struct column_guess {
	struct value_guess values;
	u64 addresses; /* values with an at-sign */
	u64 states;    /* words for a contact's state */
};

struct preview_work {
	char bytes[LOOKED_AT];
	struct column_guess guesses[IMPORT_COLUMNS_MAX];
	struct slice names[IMPORT_COLUMNS_MAX];
};

/* ---- the file ---- */

static bool read_start(const char *path, char *bytes, size_t *len, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t part;

	*len = 0;
	if (fd < 0)
		return error_set_errno(error, errno, "the file that was uploaded");
	while (*len < LOOKED_AT &&
	       ((part = read(fd, bytes + *len, LOOKED_AT - *len)) > 0 ||
		(part < 0 && errno == EINTR)))
		*len += part > 0 ? (size_t)part : 0;
	close(fd);
	return true;
}

static void take_header(struct import_preview *preview, struct preview_work *work,
			const struct csv_row *row)
{
	preview->column_count = (u32)row->count;
	for (u32 i = 0; i < preview->column_count; i++)
		work->names[i] = import_shown(value_trim(row->fields[i]), NAME_SHOWN);
	row_values_pack(&preview->header, work->names, preview->column_count);
}

static void take_row(struct import_preview *preview, struct preview_work *work,
		     const struct csv_row *row, json_t *rows)
{
	json_t *cells = json_array_size(rows) < IMPORT_PREVIEW_ROWS ? json_array() : NULL;

	for (size_t i = 0; i < row->count && i < preview->column_count; i++) {
		struct slice cell = value_undo_guard(row->fields[i]);
		enum contact_state state;

		work->guesses[i].states += import_read_state(value_trim(cell), &state);
		value_guess_add(&work->guesses[i].values, cell);
		work->guesses[i].addresses += slice_find_char(cell, '@') > 0;
		if (cells)
			json_array_append_new(cells, noun_text(import_shown(cell, CELL_SHOWN)));
	}
	if (cells)
		json_array_append_new(rows, cells);
}

static bool read_rows(struct import_preview *preview, struct preview_work *work, size_t len,
		      struct import_reader *reader, json_t *rows, struct error *error)
{
	bool is_whole = len < LOOKED_AT;
	struct csv_row row;
	enum csv_event event;

	import_reader_feed(reader, (struct slice){ work->bytes, len });
	if (is_whole)
		import_reader_finish(reader);
	while ((event = import_reader_next(reader, &row, error)) == CSV_ROW ||
	       event == CSV_BAD_ROW) {
		if (preview->column_count == 0 && event == CSV_BAD_ROW)
			return false;
		if (preview->column_count == 0)
			take_header(preview, work, &row);
		else if (event == CSV_ROW)
			take_row(preview, work, &row, rows);
	}
	preview->delimiter = import_reader_delimiter(reader);
	if (event == CSV_FAILED)
		return false;
	if (preview->column_count == 0)
		return error_set(error, "there is no row that names the columns");
	if (preview->header.failed || preview->header.len > IMPORT_HEADER_MAX)
		return error_set(error, "the names of the columns are too long together");
	return true;
}

/* ---- suggestions ---- */

static const struct attribute *attribute_for(const struct nouns *nouns, struct slice name)
{
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		const struct attribute *attribute = &nouns->attributes[i];

		if (slice_equal_nocase(attribute->name, name) ||
		    slice_equal_nocase(attribute->label_en, name) ||
		    slice_equal_nocase(attribute->label_ja, name))
			return attribute;
	}
	return NULL;
}

/* A name for a new attribute: what is left of the column's, or its number. */
static void make_name(char out[ATTRIBUTE_NAME_MAX + 1], struct slice from, u32 column)
{
	struct buf name = { .ptr = out, .size = ATTRIBUTE_NAME_MAX, .max = ATTRIBUTE_NAME_MAX };

	for (size_t i = 0; i < from.len && name.len < ATTRIBUTE_NAME_MAX / 2; i++) {
		char c = from.ptr[i];

		if (ascii_is_alpha(c) || (name.len > 0 && ascii_is_digit(c)))
			buf_add_char(&name, ascii_lower(c));
		else if (name.len > 0 && name.ptr[name.len - 1] != '_' && (u8)c < 0x80)
			buf_add_char(&name, '_');
	}
	while (name.len > 0 && name.ptr[name.len - 1] == '_')
		name.len--;
	if (!attribute_name_is_good(buf_slice(&name))) {
		name.len = 0;
		buf_add_format(&name, "column_%u", column + 1);
	}
	out[name.len] = '\0';
}

static json_t *suggest(const struct preview_work *work, u32 column, u32 email,
		       const struct nouns *nouns)
{
	struct slice name = work->names[column];
	const struct attribute *attribute = attribute_for(nouns, name);
	const struct audience_list *list = NULL;
	char fresh[ATTRIBUTE_NAME_MAX + 1];

	if (column == email)
		return json_pack("{s:s}", "target", "email");
	if (slice_has_prefix(name, SLICE("list:")))
		list = nouns_list_named(nouns, slice_from(name, 5));
	if (list)
		return json_pack("{s:s, s:o}", "target", "list", "list", noun_text(list->name));
	if (attribute && name.len > 0)
		return json_pack("{s:s, s:o}", "target", "attribute", "attribute",
				 noun_text(attribute->name));
	if (name.len == 0 || slice_has_prefix(name, SLICE("list:")))
		return json_pack("{s:s}", "target", "ignore");
	make_name(fresh, name, column);
	if (import_is_state_name(name) && work->guesses[column].values.seen > 0 &&
	    work->guesses[column].states == work->guesses[column].values.seen)
		return json_pack("{s:s}", "target", "state");
	/* Of every contact, and made by us: an export comes back. */
	if (slice_equal_nocase(name, SLICE("id")) || slice_equal_nocase(name, SLICE("state")) ||
	    slice_equal_nocase(name, SLICE("created")) ||
	    slice_equal_nocase(name, SLICE("changed")) ||
	    nouns_attribute_named(nouns, slice_of(fresh)))
		return json_pack("{s:s}", "target", "ignore");
	return json_pack("{s:s, s:s, s:s, s:o}", "target", "new", "name", fresh, "type",
			 attribute_type_names[value_guess_type(&work->guesses[column].values)],
			 "label_ja", noun_text(name));
}

/* By its name, else by what is in it. */
static u32 find_email(const struct import_preview *preview, const struct preview_work *work)
{
	u32 best = IMPORT_COLUMNS_MAX;

	for (u32 i = 0; i < preview->column_count; i++) {
		if (import_is_email_name(work->names[i]))
			return i;
	}
	for (u32 i = 0; i < preview->column_count; i++) {
		u64 addresses = work->guesses[i].addresses;

		if (addresses > work->guesses[i].values.seen / 2 &&
		    (best == IMPORT_COLUMNS_MAX || addresses > work->guesses[best].addresses))
			best = i;
	}
	return best;
}

static json_t *columns_json(const struct import_preview *preview, const struct preview_work *work,
			    const struct nouns *nouns)
{
	u32 email = find_email(preview, work);
	json_t *columns = json_array();

	for (u32 i = 0; i < preview->column_count; i++)
		json_array_append_new(columns,
				      json_pack("{s:o, s:o}", "name", noun_text(work->names[i]),
						"suggestion", suggest(work, i, email, nouns)));
	return columns;
}

bool import_preview_read(struct import_preview *preview, const char *path,
			 enum import_encoding encoding, const struct nouns *nouns,
			 struct error *error)
{
	struct preview_work *work = calloc(1, sizeof(*work));
	struct import_reader *reader = import_reader_open(encoding, preview->delimiter);
	json_t *rows = json_array();
	size_t len;
	bool good = false;

	buf_init(&preview->header, 4 * IMPORT_HEADER_MAX);
	preview->column_count = 0;
	preview->json = NULL;
	if (!work || !reader || !rows)
		error_set(error, "no memory for looking at the file");
	else
		good = read_start(path, work->bytes, &len, error) &&
		       read_rows(preview, work, len, reader, rows, error);
	if (good) {
		/* The names were views of the row: those of the packed header live on. */
		good = row_values_unpack(buf_slice(&preview->header), work->names,
					 IMPORT_COLUMNS_MAX);
		preview->json = json_pack("{s:o, s:O}", "columns",
					  columns_json(preview, work, nouns), "rows", rows);
		good = good && preview->json;
		if (!good)
			error_set(error, "no memory for looking at the file");
	}
	json_decref(rows);
	import_reader_close(reader);
	free(work);
	return good;
}

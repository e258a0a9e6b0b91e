#include "campaign/intake.h"

#include "base/buf.h"
#include "base/csv.h"
#include "base/text.h"
#include "campaign/intake_seen.h"
#include "message/address.h"
#include "store/queue.h"
#include "store/row_values.h"

#include <stdlib.h>

/* Names and values in error texts are cut here. */
#define SHOWN_MAX 80

struct intake {
	struct csv *csv;
	struct seen seen;
	struct intake_counts counts;
	size_t width; /* columns of the file; 0 until the header row has been read */
	size_t email; /* which of them is the address */
	size_t column_count;
	struct slice columns[CSV_COLUMNS_MAX]; /* views of names */
	struct buf names;
	struct buf address; /* wire form */
	struct buf key;
	struct buf values;
	char domain[ADDRESS_DOMAIN_MAX + 1];
	bool failed;
	struct error error;
};

struct intake *intake_open(char delimiter)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return NULL;
	seen_init(&intake->seen);
	buf_init(&intake->names, CSV_COLUMNS_MAX * INTAKE_NAME_MAX);
	buf_init(&intake->address, ADDRESS_WIRE_MAX);
	buf_init(&intake->key, 2 * ADDRESS_WIRE_MAX);
	buf_init(&intake->values, 2 * CSV_ROW_MAX);
	intake->csv = csv_open(delimiter);
	if (!intake->csv) {
		intake_close(intake);
		return NULL;
	}
	return intake;
}

void intake_close(struct intake *intake)
{
	if (!intake)
		return;
	csv_close(intake->csv);
	seen_done(&intake->seen);
	buf_done(&intake->names);
	buf_done(&intake->address);
	buf_done(&intake->key);
	buf_done(&intake->values);
	free(intake);
}

void intake_feed(struct intake *intake, struct slice bytes)
{
	if (!intake->failed)
		csv_feed(intake->csv, bytes);
}

void intake_finish(struct intake *intake)
{
	csv_finish(intake->csv);
}

void intake_counts(const struct intake *intake, struct intake_counts *counts)
{
	*counts = intake->counts;
}

size_t intake_column_count(const struct intake *intake)
{
	return intake->column_count;
}

struct slice intake_column(const struct intake *intake, size_t index)
{
	return index < intake->column_count ? intake->columns[index] : SLICE_NONE;
}

/* ---- header row ---- */

static bool name_is_plain(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_' && c != '-')
			return false;
	}
	return true;
}

static bool check_name(const struct csv_row *header, size_t index, struct error *error)
{
	struct slice name = slice_trim(header->fields[index]);
	struct slice shown = slice_first(name, SHOWN_MAX);
	unsigned long long line = header->line;

	if (name.len == 0)
		return error_set(error, "line %llu, column %zu: the column has no name", line,
				 index + 1);
	if (!name_is_plain(name) || name.len > INTAKE_NAME_MAX || name.ptr[0] == '_')
		return error_set(error,
				 "line %llu, column %zu: \"%.*s\" cannot be a column's name: up to "
				 "%d of A-Z a-z 0-9 _ -, and no _ in front",
				 line, index + 1, SLICE_FMT(shown), INTAKE_NAME_MAX);
	for (size_t i = 0; i < index; i++) {
		if (slice_equal_nocase(name, slice_trim(header->fields[i])))
			return error_set(error,
					 "line %llu, column %zu: \"%.*s\" is column %zu already",
					 line, index + 1, SLICE_FMT(shown), i + 1);
	}
	return true;
}

static bool read_header(struct intake *intake, const struct csv_row *header, struct error *error)
{
	size_t email = header->count;
	size_t start;

	for (size_t i = 0; i < header->count; i++) {
		if (!check_name(header, i, error))
			return false;
		if (slice_equal_nocase(slice_trim(header->fields[i]), SLICE("email")))
			email = i;
	}
	if (email == header->count)
		return error_set(error,
				 "line %llu: no column is named \"email\"; the first row must name "
				 "the columns",
				 (unsigned long long)header->line);
	for (size_t i = 0; i < header->count; i++) {
		if (i != email)
			buf_add_slice(&intake->names, slice_trim(header->fields[i]));
	}
	if (intake->names.failed)
		return error_set(error, "out of memory");
	start = 0;
	for (size_t i = 0; i < header->count; i++) {
		size_t len = slice_trim(header->fields[i]).len;

		if (i == email)
			continue;
		intake->columns[intake->column_count++] =
			(struct slice){ intake->names.ptr + start, len };
		start += len;
	}
	intake->email = email;
	intake->width = header->count;
	return true;
}

/* ---- rows ---- */

static enum intake_event refuse_row(struct intake *intake)
{
	intake->counts.bad++;
	return INTAKE_BAD;
}

static enum intake_event fail(struct intake *intake, struct error *error)
{
	intake->failed = true;
	intake->error = *error;
	return INTAKE_FAILED;
}

static bool pack_values(struct intake *intake, const struct csv_row *from, struct error *error)
{
	struct slice values[CSV_COLUMNS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < from->count; i++) {
		if (i != intake->email)
			values[count++] = from->fields[i];
	}
	buf_reset(&intake->values);
	row_values_pack(&intake->values, values, count);
	if (intake->values.failed || intake->values.len > ROW_VALUES_MAX)
		return error_set(error, "line %llu: its values are longer than %d bytes together",
				 (unsigned long long)from->line, ROW_VALUES_MAX);
	return true;
}

static bool take_address(struct intake *intake, struct slice text, struct address *address,
			 struct error *error)
{
	if (!address_parse(address, text, error))
		return false;
	buf_reset(&intake->address);
	buf_reset(&intake->key);
	address_add_wire(address, &intake->address);
	address_add_key(address, &intake->key);
	slice_copy(intake->domain, sizeof(intake->domain),
		   (struct slice){ address->domain, address->domain_len });
	return !intake->address.failed && !intake->key.failed;
}

static enum intake_event take_row(struct intake *intake, const struct csv_row *from,
				  struct intake_row *row, struct error *error)
{
	unsigned long long line = from->line;
	struct address address;

	intake->counts.rows++;
	if (from->count != intake->width) {
		error_set(error, "line %llu: %zu columns, but the first row names %zu", line,
			  from->count, intake->width);
		return refuse_row(intake);
	}
	if (!take_address(intake, from->fields[intake->email], &address, error)) {
		error_prefix(error, "line %llu", line);
		return refuse_row(intake);
	}
	if (!pack_values(intake, from, error))
		return refuse_row(intake);
	switch (seen_add(&intake->seen, buf_slice(&intake->key))) {
	case SEEN_NEW:
		break;
	case SEEN_BEFORE:
		intake->counts.duplicates++;
		error_set(error, "line %llu: %.*s came before", line,
			  SLICE_FMT(buf_slice(&intake->address)));
		return INTAKE_DUPLICATE;
	case SEEN_NO_MEMORY:
		error_set(error, "line %llu: out of memory", line);
		return fail(intake, error);
	}
	intake->counts.accepted++;
	intake->counts.quoted += address.not_dot_atom;
	row->address = buf_slice(&intake->address);
	row->domain = slice_of(intake->domain);
	row->values = buf_slice(&intake->values);
	row->not_dot_atom = address.not_dot_atom;
	row->utf8_local = address.utf8_local;
	return INTAKE_ROW;
}

static enum intake_event take_event(struct intake *intake, enum csv_event event,
				    const struct csv_row *from, struct intake_row *row,
				    struct error *error)
{
	switch (event) {
	case CSV_MORE:
		return INTAKE_MORE;
	case CSV_ROW:
		return take_row(intake, from, row, error);
	case CSV_BAD_ROW:
		intake->counts.rows++;
		return refuse_row(intake);
	case CSV_END:
		return INTAKE_END;
	case CSV_FAILED:
		break;
	}
	return fail(intake, error);
}

enum intake_event intake_next(struct intake *intake, struct intake_row *row, struct error *error)
{
	struct error own;
	struct csv_row from;
	enum csv_event event;

	if (!error)
		error = &own;
	if (intake->failed) {
		*error = intake->error;
		return INTAKE_FAILED;
	}
	event = csv_next(intake->csv, &from, error);
	if (intake->width == 0 && event == CSV_ROW) {
		if (!read_header(intake, &from, error))
			return fail(intake, error);
		event = csv_next(intake->csv, &from, error);
	} else if (intake->width == 0 && event == CSV_BAD_ROW) {
		return fail(intake, error);
	} else if (intake->width == 0 && event == CSV_END) {
		error_set(error, "there is no row that names the columns");
		return fail(intake, error);
	}
	*row = (struct intake_row){ .line = from.line };
	return take_event(intake, event, &from, row, error);
}

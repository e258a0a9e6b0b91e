#include "base/csv.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/csv_text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* UTF-16 grows by half when it becomes UTF-8; a few bytes may wait in csv_text. */
#define RAW_MAX (CSV_ROW_MAX + CSV_FEED_MAX / 2 * 3 + 16)

enum csv_state {
	FIELD_START,
	UNQUOTED,
	QUOTED,
	QUOTE_CLOSED, /* behind a quote that ends the field, or is the first of two */
	SKIP_LINE,    /* what is left of a line whose row was refused */
};

/* Characters at which the quick loops stop. */
enum csv_class {
	STOP_UNQUOTED = 1, /* delimiter, line ends, NUL, ESC */
	STOP_QUOTED = 2,   /* quote, line ends, NUL, ESC */
};

struct csv_field {
	size_t start; /* in raw */
	size_t len;
	bool doubled; /* holds doubled quotes */
};

struct csv {
	struct csv_text text;
	struct buf raw;        /* UTF-8 from the start of the row on */
	struct buf unquoted;   /* fields of the last row that had doubled quotes */
	char delimiter;
	u8 classes[256];
	enum csv_state state;
	bool finished;
	bool failed;
	bool after_cr;         /* an LF right here belongs to the line end before it */
	bool refused;          /* error is set: the row is read to its end and then refused */
	bool saw_escape;
	bool saw_utf8;         /* some field had characters beyond ASCII that were good UTF-8 */
	size_t row;            /* where the row starts, in raw */
	size_t at;             /* next byte to look at */
	size_t second_line;    /* where the row's second line starts; 0: not seen */
	struct csv_field field;
	u64 row_line;
	u64 line;              /* of `at` */
	size_t count;
	struct csv_field found[CSV_COLUMNS_MAX];
	struct slice fields[CSV_COLUMNS_MAX];
	struct error error;
};

struct csv *csv_open(char delimiter)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	ASSERT(delimiter == 0 || delimiter == ',' || delimiter == ';' || delimiter == '\t');
	if (!csv)
		return NULL;
	buf_init(&csv->raw, RAW_MAX);
	buf_init(&csv->unquoted, CSV_ROW_MAX + 16);
	csv->delimiter = delimiter;
	csv->line = 1;
	csv->row_line = 1;
	return csv;
}

void csv_close(struct csv *csv)
{
	if (!csv)
		return;
	buf_done(&csv->raw);
	buf_done(&csv->unquoted);
	free(csv);
}

char csv_delimiter(const struct csv *csv)
{
	return csv->delimiter;
}

void csv_feed(struct csv *csv, struct slice bytes)
{
	size_t moved = csv->row;

	ASSERT(bytes.len <= CSV_FEED_MAX && !csv->finished);
	if (csv->failed)
		return;
	buf_drop_front(&csv->raw, moved);
	csv->row = 0;
	csv->at -= moved;
	csv->second_line -= min_size(moved, csv->second_line);
	csv->field.start -= min_size(moved, csv->field.start);
	for (size_t i = 0; i < csv->count; i++)
		csv->found[i].start -= moved;
	csv_text_feed(&csv->text, bytes, &csv->raw);
}

void csv_finish(struct csv *csv)
{
	csv->finished = true;
	csv_text_finish(&csv->text, &csv->raw);
}

/* ---- delimiter ---- */

static void set_classes(struct csv *csv)
{
	static const char both[] = { '\r', '\n', '\0', '\x1b' };

	for (size_t i = 0; i < sizeof(both); i++)
		csv->classes[(u8)both[i]] = STOP_UNQUOTED | STOP_QUOTED;
	csv->classes[(u8)'"'] |= STOP_QUOTED;
	csv->classes[(u8)csv->delimiter] |= STOP_UNQUOTED;
}

/* False while the first line is not complete; one of many megabytes is not waited for. */
static bool find_delimiter(struct csv *csv)
{
	static const char delimiters[] = { ',', ';', '\t' };
	size_t counts[sizeof(delimiters)] = { 0 };
	bool quoted = false;
	bool any = false;
	bool complete = csv->finished || csv->raw.len > CSV_FIELD_MAX;
	size_t best = 0;

	for (size_t i = 0; i < csv->raw.len; i++) {
		char c = csv->raw.ptr[i];

		if (c == '"')
			quoted = !quoted;
		any |= quoted;
		if (quoted)
			continue;
		if ((c == '\n' || c == '\r') && any) {
			complete = true;
			break;
		}
		any |= c != '\n' && c != '\r';
		for (size_t d = 0; d < sizeof(delimiters); d++)
			counts[d] += c == delimiters[d];
	}
	if (!complete)
		return false;
	for (size_t d = 1; d < sizeof(delimiters); d++) {
		if (counts[d] > counts[best])
			best = d;
	}
	csv->delimiter = delimiters[best];
	return true;
}

/* ---- rows ---- */

static void start_row(struct csv *csv, size_t at)
{
	csv->row = at;
	csv->at = at;
	csv->row_line = csv->line;
	csv->second_line = 0;
	csv->count = 0;
	csv->state = FIELD_START;
	csv->refused = false;
	csv->saw_escape = false;
}

/* Notes why the row is bad; the first reason stands. Columns are counted from 1. */
static void refuse(struct csv *csv, u64 line, size_t column, const char *why)
{
	if (csv->refused)
		return;
	csv->refused = true;
	error_set(&csv->error, "line %llu, column %zu: %s", (unsigned long long)line, column, why);
}

/* The quotes of this row are wrong: it is refused, and reading goes on at the line below. */
static enum csv_event refuse_quotes(struct csv *csv, struct csv_row *row, struct error *error,
				    const char *why)
{
	u64 line = csv->row_line;
	size_t next = csv->second_line;

	refuse(csv, line, csv->count + 1, why);
	error_set(error, "%s", csv->error.text);
	row->line = line;
	csv->line = line + (next > 0);
	start_row(csv, next > 0 ? next : csv->at);
	csv->state = next > 0 ? FIELD_START : SKIP_LINE;
	csv->after_cr = next > 0 && csv->raw.ptr[next - 1] == '\r';
	return CSV_BAD_ROW;
}

static bool check_encoding(struct csv *csv, struct slice field)
{
	const char *guess = NULL;

	if (csv->saw_escape)
		guess = "ISO-2022-JP";
	else if (csv->text.encoding == CSV_UTF8 && !csv->saw_utf8)
		guess = csv_text_guess(field);
	if (guess) {
		csv->failed = true;
		return error_set(&csv->error, "line %llu, column %zu: not UTF-8; looks like %s",
				 (unsigned long long)csv->row_line, csv->count + 1, guess);
	}
	refuse(csv, csv->row_line, csv->count + 1,
	       csv->text.encoding == CSV_UTF8 ? "not UTF-8" : "not UTF-16");
	return true;
}

static bool has_jis_escape(struct slice s)
{
	for (size_t i = 0; i + 2 < s.len; i++) {
		if (s.ptr[i] == '\x1b' && (s.ptr[i + 1] == '$' || s.ptr[i + 1] == '('))
			return true;
	}
	return false;
}

/* A field ends in front of `end`. False: the file as a whole is refused. */
static bool end_field(struct csv *csv, size_t end)
{
	struct slice field = { csv->raw.ptr + csv->field.start, end - csv->field.start };
	i64 bad;

	csv->state = FIELD_START;
	if (csv->refused)
		return true;
	csv->saw_escape = csv->saw_escape && has_jis_escape(field);
	if (csv->saw_escape || !utf8_is_ascii(field)) {
		bad = utf8_find_bad(field);
		if ((bad >= 0 || csv->saw_escape) && !check_encoding(csv, field))
			return false;
		csv->saw_utf8 |= bad < 0;
	}
	if (csv->count == CSV_COLUMNS_MAX) {
		refuse(csv, csv->row_line, csv->count + 1, "more than 256 columns");
		return true;
	}
	csv->field.len = field.len;
	csv->found[csv->count++] = csv->field;
	return true;
}

static struct slice unquote(struct csv *csv, struct slice field)
{
	char *start = csv->unquoted.ptr + csv->unquoted.len;
	char *to = start;

	for (size_t i = 0; i < field.len; i++) {
		*to++ = field.ptr[i];
		i += field.ptr[i] == '"';
	}
	buf_advance(&csv->unquoted, (size_t)(to - start));
	return (struct slice){ start, (size_t)(to - start) };
}

/* The row ends in front of the line end at `csv->at`, or of the end of the file. */
static enum csv_event end_row(struct csv *csv, struct csv_row *row, struct error *error)
{
	bool empty = csv->count == 1 && csv->found[0].len == 0 && csv->row == csv->at;
	bool refused = csv->refused;
	size_t count = csv->count;

	row->line = csv->row_line;
	buf_reset(&csv->unquoted);
	if (!buf_reserve(&csv->unquoted, csv->at - csv->row + 1)) {
		csv->failed = true;
		error_set(&csv->error, "out of memory");
		return CSV_FAILED;
	}
	if (csv->at < csv->raw.len) {
		csv->after_cr = csv->raw.ptr[csv->at] == '\r';
		csv->at++;
		csv->line++;
	}
	start_row(csv, csv->at);
	if (refused) {
		error_set(error, "%s", csv->error.text);
		return CSV_BAD_ROW;
	}
	if (empty)
		return CSV_MORE;
	for (size_t i = 0; i < count; i++) {
		struct csv_field *field = &csv->found[i];
		struct slice bytes = { csv->raw.ptr + field->start, field->len };

		csv->fields[i] = field->doubled ? unquote(csv, bytes) : bytes;
	}
	row->fields = csv->fields;
	row->count = count;
	return CSV_ROW;
}

/* ---- characters ---- */

/* Moves `at` to the next byte that means something. False: the bytes are used up. */
static bool run_to_stop(struct csv *csv, u8 stop)
{
	const char *raw = csv->raw.ptr;
	size_t at = csv->at;

	while (at < csv->raw.len && !(csv->classes[(u8)raw[at]] & stop))
		at++;
	csv->at = at;
	return at < csv->raw.len;
}

/* NUL and ESC, which may stand in no field; anything else is left alone. */
static void look_at_odd(struct csv *csv, char c)
{
	if (c == '\0')
		refuse(csv, csv->line, csv->count + 1,
		       csv->text.encoding == CSV_UTF8
			       ? "NUL (if this is UTF-16, a byte order mark is missing)"
			       : "NUL");
	if (c == '\x1b')
		csv->saw_escape = true;
}

static bool is_too_long(const struct csv *csv)
{
	return csv->at - csv->field.start > CSV_FIELD_MAX || csv->at - csv->row > CSV_ROW_MAX;
}

static enum csv_event step_start(struct csv *csv)
{
	bool quoted = csv->raw.ptr[csv->at] == '"';

	csv->at += quoted;
	csv->field = (struct csv_field){ .start = csv->at };
	csv->state = quoted ? QUOTED : UNQUOTED;
	return CSV_MORE;
}

static enum csv_event step_unquoted(struct csv *csv, struct csv_row *row, struct error *error)
{
	bool stopped = run_to_stop(csv, STOP_UNQUOTED);
	char c;

	if (is_too_long(csv))
		return refuse_quotes(csv, row, error, "field or row too long");
	if (!stopped)
		return CSV_MORE;
	c = csv->raw.ptr[csv->at];
	if (c == '\0' || c == '\x1b') {
		look_at_odd(csv, c);
		csv->at++;
		return CSV_MORE;
	}
	if (!end_field(csv, csv->at))
		return CSV_FAILED;
	if (c != csv->delimiter)
		return end_row(csv, row, error);
	csv->at++;
	return CSV_MORE;
}

static enum csv_event step_quoted(struct csv *csv, struct csv_row *row, struct error *error)
{
	bool stopped = run_to_stop(csv, STOP_QUOTED);
	char c;

	if (is_too_long(csv))
		return refuse_quotes(csv, row, error,
				     "the quote that opens here is not closed within 65,536 bytes");
	if (!stopped)
		return CSV_MORE;
	c = csv->raw.ptr[csv->at++];
	look_at_odd(csv, c);
	if (c == '"') {
		csv->state = QUOTE_CLOSED;
	} else if (c == '\r' || (c == '\n' && csv->raw.ptr[csv->at - 2] != '\r')) {
		csv->line++;
		if (csv->second_line == 0)
			csv->second_line = csv->at;
	} else if (c == '\n' && csv->second_line == csv->at - 1) {
		csv->second_line = csv->at;
	}
	return CSV_MORE;
}

static enum csv_event step_closed(struct csv *csv, struct csv_row *row, struct error *error)
{
	char c = csv->raw.ptr[csv->at];

	if (c == '"') {
		csv->field.doubled = true;
		csv->state = QUOTED;
		csv->at++;
		return CSV_MORE;
	}
	if (c != csv->delimiter && c != '\r' && c != '\n')
		return refuse_quotes(csv, row, error, "text behind a closing quote");
	if (!end_field(csv, csv->at - 1))
		return CSV_FAILED;
	if (c != csv->delimiter)
		return end_row(csv, row, error);
	csv->at++;
	return CSV_MORE;
}

static enum csv_event step_skip(struct csv *csv)
{
	const char *raw = csv->raw.ptr;

	while (csv->at < csv->raw.len && raw[csv->at] != '\n' && raw[csv->at] != '\r')
		csv->at++;
	csv->row = csv->at;
	if (csv->at == csv->raw.len)
		return CSV_MORE;
	csv->after_cr = raw[csv->at] == '\r';
	csv->line++;
	start_row(csv, csv->at + 1);
	return CSV_MORE;
}

static enum csv_event step(struct csv *csv, struct csv_row *row, struct error *error)
{
	switch (csv->state) {
	case FIELD_START:
		return step_start(csv);
	case UNQUOTED:
		return step_unquoted(csv, row, error);
	case QUOTED:
		return step_quoted(csv, row, error);
	case QUOTE_CLOSED:
		return step_closed(csv, row, error);
	case SKIP_LINE:
		break;
	}
	return step_skip(csv);
}

/* The end of the file takes the place of the last line end. */
static enum csv_event end_file(struct csv *csv, struct csv_row *row, struct error *error)
{
	switch (csv->state) {
	case FIELD_START:
		if (csv->row == csv->at)
			return CSV_END;
		csv->field = (struct csv_field){ .start = csv->at };
		return end_field(csv, csv->at) ? end_row(csv, row, error) : CSV_FAILED;
	case UNQUOTED:
		return end_field(csv, csv->at) ? end_row(csv, row, error) : CSV_FAILED;
	case QUOTED:
		return refuse_quotes(csv, row, error, "the quote that opens here is not closed");
	case QUOTE_CLOSED:
		return end_field(csv, csv->at - 1) ? end_row(csv, row, error) : CSV_FAILED;
	case SKIP_LINE:
		break;
	}
	return CSV_END;
}

enum csv_event csv_next(struct csv *csv, struct csv_row *row, struct error *error)
{
	enum csv_event event = CSV_MORE;

	*row = (struct csv_row){ .line = csv->line };
	if (csv->raw.failed && !csv->failed) {
		csv->failed = true;
		error_set(&csv->error, "out of memory");
	}
	if (!csv->failed && csv->classes[0] == 0) {
		if (csv->delimiter == 0 && !find_delimiter(csv))
			return CSV_MORE;
		set_classes(csv);
	}
	while (!csv->failed && event == CSV_MORE) {
		if (csv->at < csv->raw.len) {
			if (csv->after_cr && csv->raw.ptr[csv->at] == '\n')
				start_row(csv, csv->at + 1);
			csv->after_cr = false;
			if (csv->at < csv->raw.len)
				event = step(csv, row, error);
		} else if (csv->finished) {
			event = end_file(csv, row, error);
		} else {
			break;
		}
	}
	if (csv->failed) {
		error_set(error, "%s", csv->error.text);
		return CSV_FAILED;
	}
	return event;
}

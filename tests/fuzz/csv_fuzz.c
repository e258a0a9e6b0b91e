/*
 * The CSV reader, fed any bytes: what comes out must not depend on how the file is cut, must be
 * valid UTF-8 without NUL, and lines must rise.
 */
#include "base/buf.h"
#include "base/check.h"
#include "base/csv.h"
#include "base/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static enum csv_event drain(struct csv *csv, struct buf *out, u64 *line)
{
	struct csv_row row;
	struct error error = { "" };
	enum csv_event event;

	while ((event = csv_next(csv, &row, &error)) == CSV_ROW || event == CSV_BAD_ROW) {
		ASSERT(row.line > *line);
		*line = row.line;
		buf_add_format(out, "%llu %d", (unsigned long long)row.line, event);
		if (event == CSV_BAD_ROW) {
			ASSERT(strncmp(error.text, "line ", 5) == 0);
			buf_add_text(out, error.text);
			continue;
		}
		ASSERT(row.count >= 1 && row.count <= CSV_COLUMNS_MAX);
		for (size_t i = 0; i < row.count; i++) {
			ASSERT(row.fields[i].len <= CSV_FIELD_MAX);
			ASSERT(utf8_is_valid(row.fields[i]));
			ASSERT(row.fields[i].len == 0 ||
			       !memchr(row.fields[i].ptr, '\0', row.fields[i].len));
			buf_add_char(out, '\0');
			buf_add_slice(out, row.fields[i]);
		}
	}
	if (event == CSV_FAILED)
		buf_add_text(out, error.text);
	return event;
}

static void read_all(struct slice file, char delimiter, size_t step, struct buf *out)
{
	struct csv *csv = csv_open(delimiter);
	enum csv_event event = CSV_MORE;
	u64 line = 0;

	ASSERT(csv);
	for (size_t at = 0; at < file.len && event == CSV_MORE; at += step) {
		size_t len = min_size(step, file.len - at);

		csv_feed(csv, (struct slice){ file.ptr + at, len });
		event = drain(csv, out, &line);
	}
	if (event == CSV_MORE) {
		csv_finish(csv);
		event = drain(csv, out, &line);
	}
	ASSERT(event == CSV_END || event == CSV_FAILED);
	csv_close(csv);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char delimiters[] = { 0, ',', ';', '\t' };
	struct slice file = { (const char *)data, size };
	struct buf whole;
	struct buf pieces;

	if (size < 2 || size > CSV_FEED_MAX)
		return 0;
	buf_init(&whole, 64u << 20);
	buf_init(&pieces, 64u << 20);
	file = (struct slice){ file.ptr + 2, file.len - 2 };
	read_all(file, delimiters[data[0] % sizeof(delimiters)], CSV_FEED_MAX, &whole);
	read_all(file, delimiters[data[0] % sizeof(delimiters)], data[1] % 64 + 1u, &pieces);
	ASSERT(whole.len == pieces.len);
	ASSERT(whole.len == 0 || memcmp(whole.ptr, pieces.ptr, whole.len) == 0);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}

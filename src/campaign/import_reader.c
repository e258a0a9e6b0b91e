#include "campaign/import_reader.h"

#include "base/buf.h"
#include "base/charset.h"
#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>

/* Longer lines are cut, for the reader of rows refuses them anyway. */
#define HELD_LINE_MAX CSV_ROW_MAX
#define HELD_MAX (HELD_LINE_MAX + IMPORT_FEED_MAX)

struct import_reader {
	struct csv *csv;
	enum import_encoding encoding;
	struct buf held; /* what stands behind the last line end */
	struct buf text; /* UTF-8 that the reader of rows has not got yet, from `at` on */
	size_t at;
	bool began;    /* of Unicode: bytes go on as they are */
	bool finished; /* no more bytes come */
	bool told;     /* the reader of rows knows that */
	bool no_memory;
};

struct import_reader *import_reader_open(enum import_encoding encoding, char delimiter)
{
	struct import_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->encoding = encoding;
	buf_init(&reader->held, HELD_MAX);
	buf_init(&reader->text, (size_t)CHARSET_GROWTH * HELD_MAX + 16);
	reader->csv = csv_open(delimiter);
	if (reader->csv)
		return reader;
	import_reader_close(reader);
	return NULL;
}

void import_reader_close(struct import_reader *reader)
{
	if (!reader)
		return;
	csv_close(reader->csv);
	buf_done(&reader->held);
	buf_done(&reader->text);
	free(reader);
}

char import_reader_delimiter(const struct import_reader *reader)
{
	return csv_delimiter(reader->csv);
}

bool import_reader_is_exact(const struct import_reader *reader)
{
	return reader->encoding <= IMPORT_UTF16BE;
}

static enum charset charset_for(enum import_encoding encoding)
{
	switch (encoding) {
	case IMPORT_SHIFT_JIS: return CHARSET_SHIFT_JIS;
	case IMPORT_EUC_JP: return CHARSET_EUC_JP;
	case IMPORT_ISO_2022_JP: return CHARSET_ISO_2022_JP;
	default: return CHARSET_LATIN1;
	}
}

/*
 * A line of ISO-2022-JP that does not end in ASCII must not draw the next one in: by itself, each,
 * so that it does not matter how the file came in pieces.
 */
static void decode(struct import_reader *reader, struct slice lines)
{
	enum charset charset = charset_for(reader->encoding);

	while (charset == CHARSET_ISO_2022_JP && lines.len > 0) {
		size_t len = 0;

		while (len < lines.len && lines.ptr[len] != '\n' && lines.ptr[len] != '\r')
			len++;
		len = min_size(len + 1, lines.len);
		charset_decode(&reader->text, charset, slice_first(lines, len));
		lines = slice_from(lines, len);
	}
	if (lines.len > 0)
		charset_decode(&reader->text, charset, lines);
}

/*
 * Whole lines are decoded: LF and CR are no part of any character in these encodings, and
 * ISO-2022-JP begins each line in ASCII (RFC 1468).
 */
static void decode_lines(struct import_reader *reader)
{
	struct slice held = buf_slice(&reader->held);
	size_t len = held.len;

	if (!reader->finished && len <= HELD_LINE_MAX) {
		while (len > 0 && held.ptr[len - 1] != '\n' && held.ptr[len - 1] != '\r')
			len--;
	}
	if (len == 0)
		return;
	decode(reader, slice_first(held, len));
	buf_drop_front(&reader->held, len);
}

/* The reader of rows knows UTF-16 by its mark; two bytes tell whether the file has it. */
static void begin(struct import_reader *reader)
{
	struct slice little = SLICE("\xff\xfe");
	struct slice big = SLICE("\xfe\xff");
	struct slice mark = reader->encoding == IMPORT_UTF16LE ? little : big;

	if (reader->held.len < mark.len && !reader->finished)
		return;
	reader->began = true;
	if (reader->encoding != IMPORT_UTF8 && !slice_has_prefix(buf_slice(&reader->held), mark))
		buf_add_slice(&reader->text, mark);
	buf_add_slice(&reader->text, buf_slice(&reader->held));
	buf_reset(&reader->held);
}

static void take(struct import_reader *reader, struct slice bytes)
{
	if (reader->began) {
		buf_add_slice(&reader->text, bytes);
	} else {
		buf_add_slice(&reader->held, bytes);
		if (import_reader_is_exact(reader))
			begin(reader);
		else
			decode_lines(reader);
	}
	reader->no_memory |= reader->text.failed || reader->held.failed;
}

void import_reader_feed(struct import_reader *reader, struct slice bytes)
{
	ASSERT(bytes.len <= IMPORT_FEED_MAX && !reader->finished);
	take(reader, bytes);
}

void import_reader_finish(struct import_reader *reader)
{
	reader->finished = true;
	take(reader, SLICE(""));
}

/* False: there is nothing to give on. */
static bool give_on(struct import_reader *reader)
{
	struct slice rest = slice_from(buf_slice(&reader->text), reader->at);
	struct slice part = slice_first(rest, CSV_FEED_MAX / 2);

	if (rest.len > 0) {
		csv_feed(reader->csv, part);
		reader->at += part.len;
		if (reader->at == reader->text.len) {
			buf_reset(&reader->text);
			reader->at = 0;
		}
		return true;
	}
	if (!reader->finished || reader->told)
		return false;
	csv_finish(reader->csv);
	reader->told = true;
	return true;
}

enum csv_event import_reader_next(struct import_reader *reader, struct csv_row *row,
				  struct error *error)
{
	enum csv_event event;

	if (reader->no_memory) {
		error_set(error, "no memory for reading the file");
		return CSV_FAILED;
	}
	do {
		event = csv_next(reader->csv, row, error);
	} while (event == CSV_MORE && give_on(reader));
	return event;
}

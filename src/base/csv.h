/*
 * Streaming reader of CSV files (RFC 4180, and what spreadsheets make of it): bytes go in as they
 * come, rows come out, nothing is held but the row that is being read. A bad row never stops the
 * rest.
 *
 * Text is UTF-8 with or without a byte order mark, or UTF-16 of either order with one (converted).
 * Lines end with CRLF, LF or CR. Quoted fields may hold line ends, delimiters and doubled quotes; a
 * quote in the middle of an unquoted field stands for itself; a byte order mark before a quoted
 * first field is no text in front of the quote. Empty lines are passed over.
 *
 * An unclosed quote can swallow lines that are well. So a row whose quotes are wrong costs its
 * first line only: reading goes on at the line below. Other bad rows are passed over as a whole.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/error.h"
#include "base/types.h"

#define CSV_FIELD_MAX 65536 /* bytes of UTF-8 as written, doubled quotes counted twice */
#define CSV_COLUMNS_MAX 256
#define CSV_ROW_MAX (1u << 20)  /* bytes of one row as written */
#define CSV_FEED_MAX (1u << 20) /* bytes of one csv_feed */

enum csv_event {
	CSV_MORE,    /* all bytes are used up: feed, or finish */
	CSV_ROW,     /* a row */
	CSV_BAD_ROW, /* a row was refused; the error says where ("line 3, column 2: ...") and why */
	CSV_END,     /* behind the last row, after csv_finish */
	CSV_FAILED,  /* the file as a whole: its encoding, or no memory; nothing more comes */
};

struct csv_row {
	u64 line;                   /* of its first byte, from 1; line ends within quotes count */
	const struct slice *fields; /* UTF-8, unquoted; valid until the next call on this reader */
	size_t count;               /* at least 1 */
};

struct csv;

/*
 * Delimiter: ',', ';' or '\t'; 0: whichever of them the first line has most of outside of quotes,
 * a comma when it has none. NULL: no memory.
 */
struct csv *csv_open(char delimiter);
void csv_close(struct csv *csv); /* NULL is fine */

/* At most CSV_FEED_MAX bytes, copied; only when csv_next has just said CSV_MORE, or at first. */
void csv_feed(struct csv *csv, struct slice bytes);
/* No more bytes will come. */
void csv_finish(struct csv *csv);

/* The next event. For CSV_BAD_ROW row->line is set, for CSV_ROW all of it. */
enum csv_event csv_next(struct csv *csv, struct csv_row *row, struct error *error) MUST_CHECK;

/* The delimiter in use; 0 while it is not known. */
char csv_delimiter(const struct csv *csv);

#endif

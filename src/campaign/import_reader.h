/*
 * The rows of a CSV or TSV file in any of the encodings of import_guess.h: bytes go in as they
 * come, rows of UTF-8 come out, as base/csv.h says. What the encoding does not have becomes U+FFFD
 * in the field (import_reader_is_exact tells whether that can be).
 */
#ifndef CAMPAIGN_IMPORT_READER_H
#define CAMPAIGN_IMPORT_READER_H

#include "base/csv.h"
#include "campaign/import_guess.h"

#define IMPORT_FEED_MAX (256u << 10) /* bytes of one import_reader_feed */

struct import_reader;

/* `delimiter` as csv_open takes it. NULL: no memory. */
struct import_reader *import_reader_open(enum import_encoding encoding, char delimiter);
void import_reader_close(struct import_reader *reader); /* NULL is fine */

/* Copied; only when import_reader_next has just said CSV_MORE, or at first. */
void import_reader_feed(struct import_reader *reader, struct slice bytes);
void import_reader_finish(struct import_reader *reader);
/* As csv_next. */
enum csv_event import_reader_next(struct import_reader *reader, struct csv_row *row,
				  struct error *error) MUST_CHECK;
char import_reader_delimiter(const struct import_reader *reader);
/* Bad characters were refused as such (Unicode); else they are U+FFFD. */
bool import_reader_is_exact(const struct import_reader *reader);

#endif

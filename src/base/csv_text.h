/*
 * The encodings of CSV files: from the bytes of a file to UTF-8, and a guess at what a file is that
 * is not UTF-8. For csv.c, and the guess for charset.c.
 */
#ifndef BASE_CSV_TEXT_H
#define BASE_CSV_TEXT_H

#include "base/buf.h"
#include "base/types.h"

enum csv_encoding {
	CSV_ENCODING_UNKNOWN, /* too few bytes have come to tell */
	CSV_UTF8,
	CSV_UTF16LE,
	CSV_UTF16BE,
};

struct csv_text {
	enum csv_encoding encoding;
	u8 held[4]; /* bytes that wait for their fellows */
	u8 held_count;
	u16 high;   /* high surrogate that waits for its low one, or 0 */
};

/* A byte that is bad in UTF-8 and stands for UTF-16 that could not be converted. */
#define CSV_BAD_UTF16 '\xff'

/* Appends the text of `bytes` to `out`, without a byte order mark. */
void csv_text_feed(struct csv_text *text, struct slice bytes, struct buf *out);
/* Appends what was held. */
void csv_text_finish(struct csv_text *text, struct buf *out);

/* "Shift_JIS" or "EUC-JP" when all of the bytes make sense as that, else NULL. */
const char *csv_text_guess(struct slice bytes);

#endif

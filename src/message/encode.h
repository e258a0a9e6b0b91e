/*
 * Transfer encodings of bodies (RFC 2045). Texts come with LF line ends and leave with CRLF.
 * Quoted-printable is written so that no relay and no dot-stuffing ever touches it: no line over
 * 76, no white space at a line's end, no line that starts with a dot or with "From ".
 */
#ifndef MESSAGE_ENCODE_H
#define MESSAGE_ENCODE_H

#include "base/buf.h"
#include "base/types.h"

#define QUOTED_LINE_MAX 76

/*
 * Appends `text` in quoted-printable, going on at *column of the current line and leaving the new
 * column there (at most 75, so that a soft break always fits). A space or tab at the end of
 * `text` is encoded, since what follows may be a line end. `text` may be any piece of a larger
 * text.
 */
void quoted_add(struct buf *out, u32 *column, struct slice text);
/* Soft line break; the column becomes 0. */
void quoted_add_break(struct buf *out, u32 *column);

/*
 * Decodes quoted-printable with LF line ends. `lines` (may be NULL) gets a u32 for each line of
 * the result: the source line it began on, the first being `line`. False when it is malformed.
 */
bool quoted_decode(struct buf *out, struct slice in, u32 line, struct buf *lines) MUST_CHECK;
/*
 * Whether the source is well-formed and obeys what this file promises, so that it may go as it is.
 */
bool quoted_is_tidy(struct slice in);

/* Base64 in lines of 76, CRLF between them, none at the end. The bytes are encoded as they are. */
void base64_add_lines(struct buf *out, struct slice bytes);

/* Facts that decide about an encoding; lines end at LF. */
struct text_shape {
	size_t longest_line; /* octets without the line end */
	size_t first_line;   /* up to the first line end, or all */
	size_t last_line;    /* behind the last line end */
	u32 dot_lines;       /* lines that start with a dot */
	bool from_line;      /* a line starts with "From " */
	bool ascii;          /* no octet >= 0x80 */
	bool controls;       /* octets below 0x20 other than HTAB, LF, ESC, or DEL */
};
struct text_shape text_shape_of(struct slice text);

/* Appends text with CRLF for every LF. */
void crlf_add(struct buf *out, struct slice text);

#endif

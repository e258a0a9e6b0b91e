/*
 * Writing a MIME tree (RFC 2045, 2046) as a template that message_compile takes whole: LF line
 * ends, text parts as they are, for they may have merge fields, everything else in base64.
 */
#ifndef MESSAGE_PART_WRITER_H
#define MESSAGE_PART_WRITER_H

#include "base/buf.h"
#include "base/types.h"

#define PART_BOUNDARY_SIZE 40 /* with its NUL */

/* A boundary that nobody can have written: of 16 bytes that are random, or of a digest. */
void part_boundary_make(char boundary[PART_BOUNDARY_SIZE], const u8 bytes[16]);

/* The Content-Type field of a multipart: "mixed", "related", "alternative". */
void part_begin_multipart(struct buf *out, const char *kind, const char *boundary);
/* The line before a part, or the one behind the last part. */
void part_add_boundary(struct buf *out, const char *boundary, bool is_last);
/* A text in UTF-8 of any line ends: "text/html". */
void part_add_text(struct buf *out, const char *type, struct slice text);

struct part_file {
	const char *type;	/* "image/png" */
	const char *name;	/* UTF-8; NULL: none */
	const char *content_id; /* without brackets; NULL: it is an attachment, not inline */
};
/* False: the name cannot be written, or there is no memory. */
bool part_add_file(struct buf *out, const struct part_file *file, struct slice bytes) MUST_CHECK;

#endif

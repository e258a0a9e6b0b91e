/*
 * Reading a MIME tree (RFC 2045, 2046) from a template with LF line ends: header fields, content
 * types, the parts of multiparts. Views into the source; nothing is decoded here. Preambles and
 * epilogues are dropped.
 */
#ifndef MESSAGE_MIME_H
#define MESSAGE_MIME_H

#include "base/arena.h"
#include "base/error.h"
#include "base/types.h"

#define MIME_DEPTH_MAX 12
#define MIME_PARTS_MAX 500

/* A header field as it stands in the source. */
struct mime_header {
	struct slice name;
	struct slice value; /* behind the colon, with folds, without the final line end */
	u32 line;
};

/*
 * Walks a header block. 1: a field; 0: the end; -1: refused, error filled in. *line counts along.
 */
int mime_next_header(struct slice *rest, u32 *line, const char *source, struct mime_header *header,
		     struct error *error);

enum mime_encoding { MIME_NONE, MIME_7BIT, MIME_8BIT, MIME_QUOTED, MIME_BASE64 };

struct mime_part {
	struct mime_part *next;
	struct mime_part *children;
	struct slice headers; /* the block, each line with its LF */
	struct slice body;
	u32 header_line;
	u32 body_line;
	u32 type_line;           /* of the Content-Type field, else of the header */
	u32 number;              /* in reading order, from 0 */
	struct slice type;       /* "text/html", as written; default "text/plain" */
	struct slice parameters; /* of Content-Type, from the first ; on */
	struct slice charset;    /* without quotes; empty when not given */
	enum mime_encoding encoding;
	bool is_multipart; /* with parts that are read; multipart/signed is kept whole instead */
	bool is_text;
	bool is_html;
	bool is_opaque; /* must not be encoded anew: message/..., multipart/signed */

	/* What the compiler decides. */
	struct slice content; /* bytes or marked text in the charset of the output, LF line ends */
	struct slice out_charset;
	const char *cte;
	u8 out;
	bool has_fields;
	bool has_loops;
	bool is_encoded;         /* content is in its transfer encoding already */
	bool is_binary;          /* content was decoded and has to be encoded byte by byte */
	const char *source_name; /* for error messages; NULL: the message's */
	bool eightbit;
};

/*
 * Parses header block and body of `text`, whose first line is number `line`. The tree lives in
 * `arena` and views `text`.
 */
struct mime_part *mime_parse(struct arena *arena, const char *source, struct slice text, u32 line,
			     struct error *error);

#endif

/*
 * Mail that came in, read for its meaning: header fields, the MIME tree, decoded texts (RFC 5322,
 * 2045 to 2047, 2231). Unlike message/mime.h, which reads an operator's template and refuses what
 * is wrong, this reads whatever hosts of the last thirty years write and refuses nothing: lines may
 * end with CRLF or LF, closing delimiters may lack, octets may be raw.
 *
 * A message is read whole, from memory; its size is bounded by who received it. What is returned
 * views the message, or lies in the arena that is given, and lives as long as both. Where the arena
 * is full the result has a NULL pointer, or is the part that fitted: see each function.
 */
#ifndef SMTP_MAIL_H
#define SMTP_MAIL_H

#include "base/arena.h"
#include "base/charset.h"
#include "base/types.h"

#define MAIL_DEPTH_MAX 8      /* multiparts inside each other; what lies deeper is left unread */
#define MAIL_PARTS_MAX 64     /* of one message; what follows is left unread */
#define MAIL_FIELD_MAX 4096   /* octets of a field's value that are decoded or compared */
#define MAIL_BOUNDARY_MAX 256 /* RFC 2046 has 70 */

/* ---- lines and header fields ---- */

/* The next line without its end; moves *rest behind it. False at the end. */
bool mail_next_line(struct slice *rest, struct slice *line);

/* Cuts text at its first empty line: header block and body, either may be empty. */
void mail_split(struct slice text, struct slice *headers, struct slice *body);

struct mail_field {
	struct slice name;
	struct slice value; /* behind the colon, with its folds, without the last line end */
};
/* The next field of a block; lines that are none are skipped. False at the end. */
bool mail_next_field(struct slice *rest, struct mail_field *field);
/* Value of the first field of that name; ptr is NULL when there is none. */
struct slice mail_find(struct slice headers, struct slice name);

/*
 * The value of a text field (Subject) in UTF-8: unfolded, encoded words decoded, raw octets read by
 * their looks, control characters as spaces, white space at both ends off. Cut at MAIL_FIELD_MAX.
 */
struct slice mail_text(struct arena *arena, struct slice value);
/*
 * The value of a structured field: unfolded, comments and white space at both ends off, nothing
 * decoded, control characters as spaces. Cut at MAIL_FIELD_MAX.
 */
struct slice mail_bare(struct arena *arena, struct slice value);
/*
 * A parameter of Content-Type and the like: `name` in any of the forms name="x", name=x and those
 * of RFC 2231 (name*0=, name*0*=, name*=); octets are percent-decoded, the charset is left alone.
 * `value` is what mail_bare made. out->ptr is NULL when there is none; false: the arena is full.
 */
bool mail_parameter(struct arena *arena, struct slice value, struct slice name,
		    struct slice *out) MUST_CHECK;

/* ---- parts ---- */

enum mail_encoding { MAIL_ENCODING_PLAIN, MAIL_ENCODING_QUOTED, MAIL_ENCODING_BASE64 };

struct mail_part {
	struct mail_part *next;     /* in reading order, over all depths */
	struct slice headers;
	struct slice body;          /* as it came */
	struct slice type;          /* "text/plain", lower case; when absent or nonsense that */
	struct slice parameters;    /* Content-Type as mail_bare gives it */
	enum mail_encoding encoding;
	u32 depth;                  /* 0: the message itself */
	bool is_multipart;          /* parts of it were found and follow */
};

/*
 * Reads the tree. The first part is the message. Messages inside (message/rfc822) are parts without
 * parts: what they hold is what somebody else wrote. A multipart whose delimiters are not found is
 * tried with the first line that looks like one; with none it is a part without parts. NULL when
 * the arena is full.
 */
struct mail_part *mail_read(struct arena *arena, struct slice message) MUST_CHECK;

/*
 * The body without its transfer encoding, at most `max` octets of it; errors in an encoding are
 * read over. A view when there was nothing to decode.
 */
struct slice mail_content(struct arena *arena, const struct mail_part *part, size_t max);
/*
 * The body as text in UTF-8 with LF line ends, from at most `max` octets of it; takes up to
 * (1 + CHARSET_GROWTH) * max of the arena. Of text/html the visible text, roughly: tags off,
 * blocks on lines of their own, common entities resolved.
 */
struct slice mail_content_text(struct arena *arena, const struct mail_part *part, size_t max);

#endif

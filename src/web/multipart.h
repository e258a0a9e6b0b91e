/*
 * multipart/form-data as it comes in (RFC 7578, RFC 2046 section 5.1): bytes in, parts out. It does
 * no I/O and keeps at most MULTIPART_HEAD_MAX bytes, however long a part is.
 *
 *   multipart_init(&m, content_type);
 *   for each piece of the body: while ((event = multipart_next(&m, &piece, &data)) != MORE) ...
 *
 * File names are what the browser says (UTF-8, or the form is bad), without any folder in front;
 * they are for people, never for the disk.
 */
#ifndef WEB_MULTIPART_H
#define WEB_MULTIPART_H

#include "base/buf.h"
#include "base/types.h"

#define MULTIPART_HEAD_MAX 4096 /* bytes of a part's header fields */
#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */
#define MULTIPART_NAME_MAX 255

enum multipart_event {
	MULTIPART_MORE, /* the piece is used up */
	MULTIPART_PART, /* a part begins: name, file_name, is_file are set */
	MULTIPART_DATA, /* bytes of it, valid until the next call */
	MULTIPART_PART_END,
	MULTIPART_END, /* what follows does not count */
	MULTIPART_BAD,
};

enum multipart_state {
	MULTIPART_IN_PREAMBLE,
	MULTIPART_IN_DATA,
	MULTIPART_BEHIND_DELIMITER,
	MULTIPART_IN_HEAD,
	MULTIPART_IS_OVER,
	MULTIPART_IS_BAD,
};

struct multipart {
	char name[MULTIPART_NAME_MAX + 1];
	char file_name[MULTIPART_NAME_MAX + 1];
	bool is_file; /* the part said a file name, if only an empty one */
	/* The reader's own: */
	enum multipart_state state;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF "--" boundary */
	size_t delimiter_len;
	size_t matched; /* bytes of it */
	bool is_part_open;
	char behind[2];
	u32 behind_len;
	char head[MULTIPART_HEAD_MAX];
	size_t head_len;
};

/* By the request's content type; false: it is no multipart/form-data with a boundary. */
bool multipart_init(struct multipart *m, struct slice content_type) MUST_CHECK;
/* The next event; what it used of *rest is taken off. After END and BAD it says so for ever. */
enum multipart_event multipart_next(struct multipart *m, struct slice *rest,
				    struct slice *data) MUST_CHECK;

#endif

/* Bytes through a descriptor: written whole, and cut into lines as they come. */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include "base/text.h"

/* Writes all of it to a blocking descriptor. False: errno says why; a part may be written. */
bool stream_write(int fd, struct slice bytes);

/* Cuts what comes in pieces into lines. */
#define STREAM_LINE_SIZE 4096
struct stream_lines {
	size_t max; /* bytes of a line; 1..STREAM_LINE_SIZE */
	size_t len; /* of the line that has begun; 0 at first */
	char line[STREAM_LINE_SIZE];
};
/* Of a line without its newline; one longer than `max` comes in parts. */
typedef void stream_line_fn(void *arg, struct slice line);

void stream_cut(struct stream_lines *lines, struct slice bytes, stream_line_fn *give, void *arg);
/* What is left at the end has no newline, if it is anything. */
void stream_cut_rest(struct stream_lines *lines, stream_line_fn *give, void *arg);

#endif

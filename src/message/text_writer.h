/*
 * Writes a plain text that is a template: white space as HTML counts it, lines and gaps between
 * them, tags of the template language; what was no tag does not become one. For html_text.c.
 */
#ifndef MESSAGE_TEXT_WRITER_H
#define MESSAGE_TEXT_WRITER_H

#include "base/buf.h"
#include "message/template_tag.h"

struct text_writer {
	struct buf *out;
	u32 newlines;  /* line ends that the text ends with, as a reader will see it */
	u32 wanted;    /* line ends that are to stand in front of what comes next */
	bool space;    /* a space is to stand in front of what comes next in the line */
	bool wide;     /* the last character but white space is wide */
	bool line_end; /* there was one in the white space behind it */
	bool brace;    /* the last byte is one brace */
	bool empty;    /* nothing has been written that is seen */
};

void text_writer_init(struct text_writer *w, struct buf *out);
/* A character; white space runs together unless `keep`. */
void text_writer_add(struct text_writer *w, u32 code, bool keep);
/* A byte that is no white space, or a space that stays. */
void text_writer_byte(struct text_writer *w, char byte);
/* One space in front of what comes next, unless a line begins there. */
void text_writer_space(struct text_writer *w);
/* A space that is there already in effect: what comes next follows it directly. */
void text_writer_glue(struct text_writer *w);
/* What comes next begins a line, with `count - 1` empty ones in front. */
void text_writer_line(struct text_writer *w, u32 count);
/* A line ends here, empty or not. */
void text_writer_break(struct text_writer *w);
/* Passes `{{{{` at the front of `text` on: its length, or 0. */
size_t text_writer_braces(struct text_writer *w, struct slice text);
/* A merge field or block; `raw` is taken off, `url` added where it is asked for. */
void text_writer_tag(struct text_writer *w, struct slice tag, bool url);
/* A turn. Where a line begins it gets a line of its own, which the language takes away again. */
void text_writer_turn(struct text_writer *w, struct slice tag);

/* Columns of the last line of `text`: wide characters have two, a value some. */
u32 text_width(struct slice text);

#endif

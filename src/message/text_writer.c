#include "message/text_writer.h"

#include "base/text.h"
#include "base/utf8.h"

#define GAP_MAX 3 /* line ends in a row */
#define FIELD_WIDTH 8 /* what a value is taken for */

void text_writer_init(struct text_writer *w, struct buf *out)
{
	*w = (struct text_writer){ .out = out, .newlines = 2, .empty = true };
}

/* Characters that take two columns, between which a line's end is no space. */
static bool is_wide(u32 code)
{
	return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0x303e) ||
	       (code >= 0x3041 && code <= 0x33ff) || (code >= 0x3400 && code <= 0x4dbf) ||
	       (code >= 0x4e00 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7a3) ||
	       (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff01 && code <= 0xff60) ||
	       (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) ||
	       (code >= 0x20000 && code <= 0x3fffd);
}

static bool is_blank(u32 code)
{
	return code == ' ' || code == '\t' || code == '\n' || code == '\r' || code == '\f';
}

/* Invisible: soft hyphens and the joiners that preheaders are filled up with. */
static bool is_nothing(u32 code)
{
	return code == 0xad || code == 0x200b || code == 0x200c || code == 0x200d ||
	       code == 0x2060 || code == 0xfeff || code == 0x34f || code < 0x20 || code == 0x7f;
}

/* Line ends and the space that wait. */
static void flush(struct text_writer *w)
{
	if (!w->empty) {
		for (; w->newlines < w->wanted; w->newlines++)
			buf_add_char(w->out, '\n');
	}
	w->wanted = 0;
	if (w->space && w->newlines == 0)
		buf_add_char(w->out, ' ');
	w->space = false;
}

static void wrote(struct text_writer *w)
{
	w->newlines = 0;
	w->empty = false;
	w->brace = false;
	w->wide = false;
	w->line_end = false;
}

void text_writer_byte(struct text_writer *w, char byte)
{
	bool second = byte == '{' && w->brace && !w->space && w->wanted <= w->newlines;

	flush(w);
	buf_add_text(w->out, second ? "{{{" : "");
	if (!second)
		buf_add_char(w->out, byte);
	wrote(w);
	w->brace = byte == '{' && !second;
}

void text_writer_add(struct text_writer *w, u32 code, bool keep)
{
	char bytes[4];
	size_t len;

	if (keep && code == '\n') {
		text_writer_break(w);
	} else if (!keep && is_blank(code)) {
		w->line_end |= code == '\n';
		w->space = true;
	} else if (code == 0xa0 || (keep && is_blank(code))) {
		text_writer_byte(w, ' ');
	} else if (!is_nothing(code)) {
		/* A line's end between wide characters was put there by the author's editor. */
		if (w->wide && w->line_end && is_wide(code))
			w->space = false;
		if (code < 0x80) {
			text_writer_byte(w, (char)code);
			return;
		}
		flush(w);
		len = utf8_encode(bytes, code);
		buf_add(w->out, bytes, len);
		wrote(w);
		w->wide = is_wide(code);
	}
}

void text_writer_space(struct text_writer *w)
{
	w->space = true;
	w->wide = false;
}

void text_writer_glue(struct text_writer *w)
{
	text_writer_byte(w, ' ');
	w->space = false;
}

void text_writer_line(struct text_writer *w, u32 count)
{
	if (count > w->wanted)
		w->wanted = count;
	w->space = false;
}

void text_writer_break(struct text_writer *w)
{
	w->space = false;
	if (w->empty)
		return;
	w->wanted = min_u32((w->wanted > w->newlines ? w->wanted : w->newlines) + 1, GAP_MAX);
}

size_t text_writer_braces(struct text_writer *w, struct slice text)
{
	if (!slice_has_prefix(text, SLICE("{{{{")))
		return 0;
	flush(w);
	buf_add_text(w->out, w->brace ? " {{{{" : "{{{{");
	wrote(w);
	return 4;
}

/* Without |raw, which is for HTML alone. */
static void add_filters(struct text_writer *w, struct slice filters)
{
	while (filters.len > 0) {
		size_t len = 1;
		bool quoted = false;
		struct slice name;

		while (len < filters.len && (quoted || filters.ptr[len] != '|')) {
			if (quoted && filters.ptr[len] == '\\')
				len++;
			else if (filters.ptr[len] == '"')
				quoted = !quoted;
			len++;
		}
		len = min_size(len, filters.len);
		name = slice_trim(slice_from(slice_first(filters, len), 1));
		if (filters.ptr[0] != '|' || !slice_equal(name, SLICE("raw")))
			buf_add(w->out, filters.ptr, len);
		filters = slice_from(filters, len);
	}
}

void text_writer_tag(struct text_writer *w, struct slice tag, bool url)
{
	struct slice inner = slice_first(tag, tag.len - 2);
	bool is_field = tag.ptr[2] != '#' && tag.ptr[2] != '/' && tag.ptr[2] != '>';

	w->space |= w->brace && w->wanted <= w->newlines;
	flush(w);
	if (is_field)
		add_filters(w, inner);
	else
		buf_add_slice(w->out, inner);
	buf_add_text(w->out, is_field && url ? "|url}}" : "}}");
	wrote(w);
}

void text_writer_turn(struct text_writer *w, struct slice tag)
{
	u32 before;

	if (w->wanted <= w->newlines && w->newlines == 0) {
		text_writer_tag(w, tag, false);
		return;
	}
	/* The line vanishes: what the reader sees ends as it did in front of it. */
	flush(w);
	before = w->newlines;
	buf_add_slice(w->out, tag);
	buf_add_char(w->out, '\n');
	w->newlines = before;
	w->brace = false;
}

u32 text_width(struct slice text)
{
	u32 width = 0;

	while (text.len > 0) {
		size_t tag = text.ptr[0] == '{' ? template_tag_length(text) : 0;
		u32 code = 0;
		size_t len = utf8_decode(text, &code);

		if (tag > 4)
			width += text.ptr[2] == '#' || text.ptr[2] == '/' ? 0 : FIELD_WIDTH;
		else if (code == '\n')
			width = 0;
		else
			width += is_wide(code) ? 2 : 1;
		text = slice_from(text, tag > 0 ? tag : len > 0 ? len : 1);
	}
	return width;
}

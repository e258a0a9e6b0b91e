/* Header fields of MIME parts, and the Content-* fields of the message. */
#include "message/compiled.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/header.h"

static bool refuse(struct compiler *c, const struct mime_header *header, const char *why)
{
	return error_set(c->error, "%s:%u: %.*s: %s", c->message->name, header->line,
			 SLICE_FMT(header->name), why);
}

/* Visible ASCII; what else a parameter's name or extended value holds makes no sense. */
static bool is_visible(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= 0x20 || s.ptr[i] > 0x7e)
			return false;
	}
	return s.len > 0;
}

/* Whether name*= or name*0= stands in the list: the same value in RFC 2231 form. */
static bool has_extended(struct slice rest, struct slice name)
{
	struct header_parameter parameter;

	while (header_next_parameter(&rest, &parameter)) {
		if (parameter.name.len > name.len && parameter.name.ptr[name.len] == '*' &&
		    slice_has_prefix_nocase(parameter.name, name))
			return true;
	}
	return false;
}

/* Every parameter anew: names that are not ASCII in RFC 2231 form, encoded words decoded first. */
static void add_parameters(struct header_writer *w, struct slice rest, struct slice skip)
{
	const struct slice all = rest;
	struct header_parameter parameter;
	struct buf value;
	struct buf decoded;

	buf_init(&value, 1u << 16);
	buf_init(&decoded, 1u << 18);
	while (header_next_parameter(&rest, &parameter) && !value.failed && !decoded.failed) {
		buf_reset(&value);
		buf_reset(&decoded);
		if (!is_visible(parameter.name) || parameter.name.len > 32 ||
		    slice_equal_nocase(parameter.name, skip))
			continue;
		if (slice_find_char(parameter.name, '*') >= 0) {
			if (!is_visible(parameter.value))
				continue;
			/* RFC 2231 already: the value has its own form and goes as it is. */
			buf_add_slice(&value, parameter.name);
			buf_add_char(&value, '=');
			buf_add_slice(&value, parameter.value);
			buf_add_char(w->out, ';');
			w->column++;
			header_add_token(w, SLICE(" "), buf_slice(&value));
			continue;
		}
		header_unquote(&value, parameter.value);
		header_decode_words(&decoded, buf_slice(&value));
		if (!utf8_is_ascii(buf_slice(&decoded)) && has_extended(all, parameter.name))
			continue;
		header_add_parameter(w, parameter.name, buf_slice(&decoded));
	}
	w->out->failed |= value.failed || decoded.failed;
	buf_done(&value);
	buf_done(&decoded);
}

static bool has_long_line(struct slice value, size_t before)
{
	while (value.ptr) {
		if (slice_split(&value, '\n').len + before > HEADER_LINE_MAX)
			return true;
		before = 0;
	}
	return false;
}

/* Written anew, for it is not ASCII; `value` is without folds. */
static bool add_rewritten(struct compiler *c, const struct mime_header *header, struct slice value,
			  struct buf *out)
{
	struct header_writer w;

	header_begin(&w, out, header->name, MESSAGE_UTF8);
	if (slice_equal_nocase(header->name, SLICE("Content-Disposition")) ||
	    slice_equal_nocase(header->name, SLICE("Content-Type"))) {
		struct slice first = slice_split(&value, ';');

		if (!utf8_is_ascii(first))
			return refuse(c, header, "it can hold ASCII only");
		header_add_tokens(&w, first);
		add_parameters(&w, value, SLICE_NONE);
	} else {
		header_add_text(&w, value);
	}
	return header_end(&w) || refuse(c, header, "a line would be over 998 octets");
}

/* A field that is kept: as it stands when that is legal, else written anew. */
static bool add_kept(struct compiler *c, const struct mime_header *header, struct buf *out)
{
	struct slice value = header->value;
	struct buf flat;
	bool done;

	for (size_t i = 0; i < value.len; i++) {
		if (((u8)value.ptr[i] < 0x20 && value.ptr[i] != '\t' && value.ptr[i] != '\n') ||
		    value.ptr[i] == 0x7f)
			return refuse(c, header, "it holds a control character");
	}
	if (utf8_is_ascii(value)) {
		if (has_long_line(value, header->name.len + 1))
			return refuse(c, header, "a line is over 998 octets");
		header_add_kept(out, header->name, value);
		return true;
	}
	buf_init(&flat, 1u << 16);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] != '\n')
			buf_add_char(&flat, value.ptr[i]);
	}
	out->failed |= flat.failed;
	done = add_rewritten(c, header, buf_slice(&flat), out);
	buf_done(&flat);
	return done;
}

/* Content-Type with the charset or the boundary that this product chose. */
static bool add_type(struct compiler *c, struct mime_part *part, struct buf *out)
{
	struct header_writer w;
	char boundary[64];
	struct buf text = { .ptr = boundary, .size = sizeof(boundary), .max = sizeof(boundary) };

	header_begin(&w, out, SLICE("Content-Type"), MESSAGE_UTF8);
	header_add_token(&w, SLICE(" "), part->type);
	if (part->is_multipart) {
		buf_add_slice(&text, c->message->boundary);
		buf_add_char(&text, '_');
		buf_add_u64(&text, part->number);
		add_parameters(&w, part->parameters, SLICE("boundary"));
		header_add_parameter(&w, SLICE("boundary"), buf_slice(&text));
	} else {
		if (part->out_charset.len > 0)
			header_add_parameter(&w, SLICE("charset"), part->out_charset);
		add_parameters(&w, part->parameters, SLICE("charset"));
	}
	return header_end(&w) ||
	       error_set(c->error, "%s:%u: Content-Type: a line would be over 998 octets",
			 c->message->name, part->type_line);
}

bool compile_part_header(struct compiler *c, struct mime_part *part, bool top, struct buf *out)
{
	struct slice rest = part->headers;
	struct mime_header header;
	u32 line = part->header_line;
	bool own_type = part->is_multipart || part->is_text;
	bool have_type = false;
	int more;

	while ((more = mime_next_header(&rest, &line, c->message->name, &header, c->error)) > 0) {
		bool is_type = slice_equal_nocase(header.name, SLICE("Content-Type"));

		if (top && !slice_has_prefix_nocase(header.name, SLICE("Content-")))
			continue;
		if (!c->options->literal && slice_find(header.value, SLICE("{{")) >= 0)
			return refuse(c, &header, "a merge field cannot stand here");
		if (!utf8_is_valid(header.value))
			return refuse(c, &header, "this is not valid UTF-8");
		if (slice_equal_nocase(header.name, SLICE("Content-Transfer-Encoding")) ||
		    slice_equal_nocase(header.name, SLICE("MIME-Version")) || (is_type && own_type))
			continue;
		have_type |= is_type;
		if (!add_kept(c, &header, out))
			return false;
	}
	if (more < 0 || (!have_type && !add_type(c, part, out)))
		return false;
	if (part->cte) {
		buf_add_text(out, "Content-Transfer-Encoding: ");
		buf_add_text(out, part->cte);
		buf_add(out, "\r\n", 2);
	}
	return !out->failed;
}

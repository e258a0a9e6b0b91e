#include "message/mime.h"

#include "base/buf.h"
#include "base/text.h"
#include "message/header.h"

/* One parse in progress. */
struct reader {
	struct arena *arena;
	const char *source;
	struct error *error;
	u32 parts;
	bool too_long; /* a parameter could not be kept whole */
};

int mime_next_header(struct slice *rest, u32 *line, const char *source, struct mime_header *header,
		     struct error *error)
{
	size_t end = 0;
	u32 start = *line;
	i64 colon;
	struct slice raw;

	if (rest->len == 0)
		return 0;
	/* A field ends at a line end that no white space follows (RFC 5322 section 2.2.3). */
	for (;;) {
		i64 at = slice_find_char(slice_from(*rest, end), '\n');

		end = at < 0 ? rest->len : end + (size_t)at + 1;
		++*line;
		if (end >= rest->len || (rest->ptr[end] != ' ' && rest->ptr[end] != '\t'))
			break;
	}
	raw = slice_first(*rest, end);
	*rest = slice_from(*rest, end);
	if (raw.len > 0 && raw.ptr[raw.len - 1] == '\n')
		raw.len--;
	colon = slice_find_char(raw, ':');
	if (colon <= 0) {
		error_set(error, "%s:%u: a header field needs a name and a colon", source, start);
		return -1;
	}
	header->name = slice_trim(slice_first(raw, (size_t)colon));
	header->value = slice_from(raw, (size_t)colon + 1);
	header->line = start;
	for (size_t i = 0; i < header->name.len; i++) {
		/* A dot in front would have to be stuffed; no field in use has one. */
		if (header->name.ptr[i] > 0x20 && header->name.ptr[i] < 0x7f &&
		    (i > 0 || header->name.ptr[0] != '.'))
			continue;
		error_set(error,
			  "%s:%u: a header field's name has a character that names cannot have",
			  source, start);
		return -1;
	}
	if (slice_find(header->name, SLICE("{{")) >= 0) {
		error_set(error, "%s:%u: a merge field cannot stand in a header field's name",
			  source, start);
		return -1;
	}
	if (header->name.len == 0 || header->name.len > 64) {
		error_set(error, "%s:%u: a header field's name has 1 to 64 characters", source,
			  start);
		return -1;
	}
	return 1;
}

static u32 count_lines(struct slice s)
{
	u32 n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '\n';
	return n;
}

static struct slice unquoted(struct reader *r, struct slice value)
{
	struct buf text;
	struct slice copy;

	buf_init(&text, 4096);
	header_unquote(&text, value);
	copy = arena_copy_buf(r->arena, &text);
	r->too_long |= !copy.ptr;
	buf_done(&text);
	return copy;
}

static struct slice parameter_of(struct reader *r, const struct mime_part *part, struct slice name)
{
	struct slice rest = part->parameters;
	struct header_parameter parameter;

	while (header_next_parameter(&rest, &parameter)) {
		if (slice_equal_nocase(parameter.name, name))
			return unquoted(r, parameter.value);
	}
	return SLICE_NONE;
}

static struct slice trim_all(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t' || s.ptr[0] == '\n'))
		s = slice_from(s, 1);
	while (s.len > 0 &&
	       (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\n'))
		s.len--;
	return s;
}

static bool read_encoding(struct reader *r, struct mime_part *part,
			  const struct mime_header *header)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} known[] = { { "7bit", MIME_7BIT },
		      { "8bit", MIME_8BIT },
		      { "quoted-printable", MIME_QUOTED },
		      { "base64", MIME_BASE64 } };
	struct slice name = trim_all(header->value);

	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_equal_nocase(name, slice_of(known[i].name))) {
			part->encoding = known[i].encoding;
			return true;
		}
	}
	return error_set(r->error,
			 "%s:%u: Content-Transfer-Encoding must be 7bit, 8bit, "
			 "quoted-printable or base64",
			 r->source, header->line);
}

/* Content-Type and Content-Transfer-Encoding; the other fields are only checked for shape. */
static bool read_headers(struct reader *r, struct mime_part *part)
{
	struct slice rest = part->headers;
	struct mime_header header;
	u32 line = part->header_line;
	bool have_type = false;
	bool have_encoding = false;
	int more;

	part->type = SLICE("text/plain");
	part->type_line = part->header_line;
	while ((more = mime_next_header(&rest, &line, r->source, &header, r->error)) > 0) {
		bool is_type = slice_equal_nocase(header.name, SLICE("Content-Type"));
		bool is_encoding =
			slice_equal_nocase(header.name, SLICE("Content-Transfer-Encoding"));

		if ((is_type && have_type) || (is_encoding && have_encoding))
			return error_set(r->error, "%s:%u: %.*s is given twice", r->source,
					 header.line, SLICE_FMT(header.name));
		if (is_type) {
			struct slice value = header.value;

			part->type = trim_all(slice_split(&value, ';'));
			part->parameters = value.ptr ? value : SLICE_NONE;
			part->type_line = header.line;
		}
		if (is_encoding && !read_encoding(r, part, &header))
			return false;
		have_type |= is_type;
		have_encoding |= is_encoding;
	}
	if (more < 0)
		return false;
	if (slice_find_char(part->type, '/') <= 0)
		return error_set(r->error, "%s:%u: Content-Type needs a type and a subtype",
				 r->source, part->type_line);
	for (size_t i = 0; i < part->type.len; i++) {
		if (part->type.ptr[i] <= 0x20 || part->type.ptr[i] > 0x7e ||
		    part->type.ptr[i] == '{')
			return error_set(r->error,
					 "%s:%u: Content-Type has a character that it cannot have",
					 r->source, part->type_line);
	}
	return true;
}

static void judge_type(struct reader *r, struct mime_part *part)
{
	struct slice type = part->type;

	part->is_text = slice_has_prefix_nocase(type, SLICE("text/"));
	part->is_html = slice_equal_nocase(type, SLICE("text/html")) ||
			slice_equal_nocase(type, SLICE("text/x-amp-html"));
	part->is_opaque = slice_has_prefix_nocase(type, SLICE("message/")) ||
			  slice_equal_nocase(type, SLICE("multipart/signed"));
	part->is_multipart = slice_has_prefix_nocase(type, SLICE("multipart/")) && !part->is_opaque;
	part->charset = parameter_of(r, part, SLICE("charset"));
}

/* 1: a delimiter of this boundary; 2: the closing one. */
static int delimiter_of(struct slice line, struct slice boundary)
{
	struct slice rest;

	if (!slice_has_prefix(line, SLICE("--")) ||
	    !slice_has_prefix(slice_from(line, 2), boundary))
		return 0;
	rest = slice_from(line, 2 + boundary.len);
	if (slice_trim(rest).len == 0)
		return 1;
	return slice_has_prefix(rest, SLICE("--")) && slice_trim(slice_from(rest, 2)).len == 0 ? 2
											       : 0;
}

static struct mime_part *read_entity(struct reader *r, struct slice text, u32 line, u32 depth);

static bool add_child(struct reader *r, struct mime_part ***end, struct slice text, u32 line,
		      u32 depth)
{
	struct mime_part *child;

	if (text.len > 0) /* the line end in front of a delimiter belongs to the delimiter */
		text.len--;
	child = read_entity(r, text, line, depth + 1);
	if (!child)
		return false;
	**end = child;
	*end = &child->next;
	return true;
}

static bool read_children(struct reader *r, struct mime_part *part, u32 depth)
{
	struct slice boundary = parameter_of(r, part, SLICE("boundary"));
	struct slice rest = part->body;
	struct mime_part **end = &part->children;
	const char *start = NULL;
	u32 start_line = 0;
	u32 line = part->body_line;

	if (r->too_long)
		return error_set(r->error, "%s:%u: Content-Type is too long", r->source,
				 part->type_line);
	if (boundary.len == 0)
		return error_set(r->error, "%s:%u: a multipart needs a boundary", r->source,
				 part->type_line);
	while (rest.ptr) {
		struct slice text = slice_split(&rest, '\n');
		int delimiter = delimiter_of(text, boundary);

		line++;
		if (delimiter == 0)
			continue;
		if (start &&
		    !add_child(r, &end, (struct slice){ start, (size_t)(text.ptr - start) },
			       start_line, depth))
			return false;
		if (delimiter == 2 && part->children)
			return true;
		start = rest.ptr;
		start_line = line;
	}
	return error_set(r->error, "%s:%u: the multipart has no closing boundary line", r->source,
			 part->type_line);
}

static struct mime_part *read_entity(struct reader *r, struct slice text, u32 line, u32 depth)
{
	struct mime_part *part = arena_take(r->arena, sizeof(*part));
	i64 gap = text.len > 0 && text.ptr[0] == '\n' ? 0 : slice_find(text, SLICE("\n\n"));

	if (!part || depth > MIME_DEPTH_MAX || r->parts >= MIME_PARTS_MAX) {
		error_set(r->error,
			  "%s:%u: there are too many MIME parts, or too many inside each other",
			  r->source, line);
		return NULL;
	}
	part->number = r->parts++;
	part->header_line = line;
	if (text.len > 0 && text.ptr[0] == '\n')
		part->body = slice_from(text, 1);
	else if (gap < 0)
		part->headers = text;
	else
		part->body = slice_from(text, (size_t)gap + 2);
	if (gap > 0)
		part->headers = slice_first(text, (size_t)gap + 1);
	part->body_line = line + count_lines(slice_first(text, text.len - part->body.len));
	if (!read_headers(r, part))
		return NULL;
	judge_type(r, part);
	if (r->too_long) {
		error_set(r->error, "%s:%u: Content-Type is too long", r->source, part->type_line);
		return NULL;
	}
	if (part->is_multipart &&
	    (part->encoding == MIME_QUOTED || part->encoding == MIME_BASE64)) {
		error_set(r->error, "%s:%u: a multipart cannot be quoted-printable or base64",
			  r->source, part->type_line);
		return NULL;
	}
	if (part->is_multipart && !read_children(r, part, depth))
		return NULL;
	return part;
}

struct mime_part *mime_parse(struct arena *arena, const char *source, struct slice text, u32 line,
			     struct error *error)
{
	struct reader r = { .arena = arena, .source = source, .error = error };

	return read_entity(&r, text, line, 0);
}

#include "smtp/mail.h"

#include "base/text.h"

#include <string.h>

#define TYPE_MAX 128          /* of a type's name; RFC 6838 has 127 for each half */
#define CONTENT_TYPE_MAX 1024 /* with all parameters */

/* A tree that is being read. */
struct reader {
	struct arena *arena;
	struct mail_part *first;
	struct mail_part *last;
	u32 count;
	bool full; /* of the arena */
};

bool mail_next_line(struct slice *rest, struct slice *line)
{
	if (!rest->ptr || rest->len == 0)
		return false;
	*line = slice_split(rest, '\n');
	/* Some hosts write CR CR LF. */
	while (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

void mail_split(struct slice text, struct slice *headers, struct slice *body)
{
	struct slice rest = text;
	struct slice line;

	*headers = text;
	*body = slice_from(text, text.len);
	while (mail_next_line(&rest, &line)) {
		if (line.len > 0)
			continue;
		*headers = slice_first(text, (size_t)(line.ptr - text.ptr));
		*body = rest.ptr ? rest : *body;
		return;
	}
}

static bool is_field_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
			return false;
	}
	return name.len > 0;
}

/* Takes the lines that go on with the field whose value starts at `start`; returns that value. */
static struct slice take_folds(struct slice *rest, const char *start, struct slice line)
{
	while (rest->ptr && rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t')) {
		if (!mail_next_line(rest, &line))
			break;
	}
	return (struct slice){ start, (size_t)(line.ptr + line.len - start) };
}

bool mail_next_field(struct slice *rest, struct mail_field *field)
{
	struct slice line;

	while (mail_next_line(rest, &line)) {
		i64 colon = slice_find_char(line, ':');

		if (colon <= 0)
			continue;
		/* RFC 5322 section 4.5: white space may stand in front of the colon. */
		field->name = slice_trim(slice_first(line, (size_t)colon));
		if (line.ptr[0] == ' ' || line.ptr[0] == '\t' || !is_field_name(field->name))
			continue;
		field->value = take_folds(rest, line.ptr + colon + 1, line);
		return true;
	}
	return false;
}

struct slice mail_find(struct slice headers, struct slice name)
{
	struct mail_field field;

	while (mail_next_field(&headers, &field)) {
		if (slice_equal_nocase(field.name, name))
			return field.value;
	}
	return SLICE_NONE;
}

/* ---- the tree ---- */

static struct slice copy_lower(struct arena *arena, struct slice s)
{
	struct slice copy = arena_copy(arena, s);

	if (copy.ptr)
		ascii_lower_in_place((char *)(uintptr_t)copy.ptr, copy.len);
	return copy;
}

static bool is_type(struct slice type)
{
	i64 slash = slice_find_char(type, '/');

	return slash > 0 && (size_t)slash + 1 < type.len && is_field_name(type);
}

static enum mail_encoding encoding_of(struct slice name)
{
	if (slice_equal_nocase(name, SLICE("quoted-printable")))
		return MAIL_ENCODING_QUOTED;
	return slice_equal_nocase(name, SLICE("base64")) ? MAIL_ENCODING_BASE64
							  : MAIL_ENCODING_PLAIN;
}

static struct slice bare_field(struct reader *r, const struct mail_part *part, struct slice name,
			       size_t max)
{
	return mail_bare(r->arena, slice_first(mail_find(part->headers, name), max));
}

/* Reads head and type of one part and appends it to the list. NULL: no room, or enough of them. */
static struct mail_part *add_part(struct reader *r, struct slice text, u32 depth)
{
	struct slice encoding;
	struct slice rest;
	struct mail_part *part;

	if (r->count == MAIL_PARTS_MAX)
		return NULL;
	part = arena_take(r->arena, sizeof(*part));
	if (!part)
		goto full;
	part->depth = depth;
	mail_split(text, &part->headers, &part->body);
	part->parameters = bare_field(r, part, SLICE("Content-Type"), CONTENT_TYPE_MAX);
	encoding = bare_field(r, part, SLICE("Content-Transfer-Encoding"), TYPE_MAX);
	if (!part->parameters.ptr || !encoding.ptr)
		goto full;
	part->encoding = encoding_of(encoding);
	rest = part->parameters;
	rest = slice_trim(slice_split(&rest, ';'));
	part->type = copy_lower(r->arena, slice_first(rest, TYPE_MAX));
	if (!part->type.ptr)
		goto full;
	if (!is_type(part->type))
		part->type = SLICE("text/plain");
	if (r->last)
		r->last->next = part;
	else
		r->first = part;
	r->last = part;
	r->count++;
	return part;
full:
	r->full = true;
	return NULL;
}

enum delimiter { DELIMITER_NONE, DELIMITER_OPEN, DELIMITER_CLOSE };

static enum delimiter delimiter_of(struct slice line, struct slice boundary)
{
	struct slice rest;

	if (line.len < boundary.len + 2 || line.ptr[0] != '-' || line.ptr[1] != '-' ||
	    !slice_has_prefix(slice_from(line, 2), boundary))
		return DELIMITER_NONE;
	rest = slice_trim(slice_from(line, 2 + boundary.len));
	if (rest.len == 0)
		return DELIMITER_OPEN;
	return slice_equal(rest, SLICE("--")) ? DELIMITER_CLOSE : DELIMITER_NONE;
}

/* The boundary that a line in front of a Content- field seems to have, or NULL. */
static struct slice guess_boundary(struct slice body)
{
	struct slice before = SLICE_NONE;
	struct slice line;

	while (mail_next_line(&body, &line)) {
		if (before.len > 2 && before.len < MAIL_BOUNDARY_MAX &&
		    slice_has_prefix(before, SLICE("--")) &&
		    slice_has_prefix_nocase(line, SLICE("Content-")))
			return slice_trim(slice_from(before, 2));
		before = line;
	}
	return SLICE_NONE;
}

static bool has_delimiter(struct slice body, struct slice boundary)
{
	struct slice line;

	while (mail_next_line(&body, &line)) {
		if (delimiter_of(line, boundary) == DELIMITER_OPEN)
			return true;
	}
	return false;
}

/* What the part says, if that occurs in it; else what is found there. NULL pointer: neither. */
static struct slice boundary_of(struct reader *r, const struct mail_part *part)
{
	struct slice boundary;

	if (!mail_parameter(r->arena, part->parameters, SLICE("boundary"), &boundary)) {
		r->full = true;
		return SLICE_NONE;
	}
	/* White space at its end was added on the way (RFC 2046 section 5.1.1). */
	boundary = slice_trim(boundary);
	if (boundary.len > 0 && boundary.len <= MAIL_BOUNDARY_MAX &&
	    has_delimiter(part->body, boundary))
		return boundary;
	return guess_boundary(part->body);
}

/* The text between two delimiters: the line end in front of a delimiter belongs to that. */
static struct slice between(const char *start, const char *end)
{
	if (end > start && end[-1] == '\n')
		end--;
	if (end > start && end[-1] == '\r')
		end--;
	return (struct slice){ start, (size_t)(end - start) };
}

/* Descends at most MAIL_DEPTH_MAX times. */
static void read_part(struct reader *r, struct slice text, u32 depth)
{
	struct mail_part *part = add_part(r, text, depth);
	const char *start = NULL;
	struct slice boundary;
	struct slice rest;
	struct slice line;

	if (!part || depth == MAIL_DEPTH_MAX ||
	    !slice_has_prefix(part->type, SLICE("multipart/")))
		return;
	boundary = boundary_of(r, part);
	if (!boundary.ptr)
		return;
	part->is_multipart = true;
	rest = part->body;
	while (mail_next_line(&rest, &line) && !r->full && r->count < MAIL_PARTS_MAX) {
		enum delimiter delimiter = delimiter_of(line, boundary);

		if (delimiter == DELIMITER_NONE)
			continue;
		if (start)
			read_part(r, between(start, line.ptr), depth + 1);
		start = rest.ptr;
		if (delimiter == DELIMITER_CLOSE)
			return;
	}
	/* The closing delimiter is missing: the message was cut off. */
	if (start && start < part->body.ptr + part->body.len)
		read_part(r, between(start, part->body.ptr + part->body.len), depth + 1);
}

struct mail_part *mail_read(struct arena *arena, struct slice message)
{
	struct reader r = { .arena = arena };

	read_part(&r, message, 0);
	return r.full ? NULL : r.first;
}

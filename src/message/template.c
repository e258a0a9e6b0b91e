#include "message/template.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/html.h"

#include <string.h>

#define MARK '\xff'
#define MARK_SIZE 4

/* One parse in progress. */
struct parser {
	struct template_set *set;
	const struct template_source *source;
	enum template_place place;
	struct html html;
	struct buf *marked;
	struct error *error;
	size_t at;
	size_t counted; /* bytes whose line ends are in `newlines` */
	u32 newlines;
};

u32 template_line(const struct template_source *source, size_t offset)
{
	u32 line = 0;

	for (size_t i = 0; i < offset && i < source->text.len; i++)
		line += source->text.ptr[i] == '\n';
	if (source->lines)
		return line < source->line_count ? source->lines[line] : source->line;
	return source->line + line;
}

/* As template_line, but counts on from the last call, so that many fields cost one walk. */
static u32 line_here(struct parser *p)
{
	for (; p->counted < p->at; p->counted++)
		p->newlines += p->source->text.ptr[p->counted] == '\n';
	if (p->source->lines)
		return p->newlines < p->source->line_count ? p->source->lines[p->newlines]
							   : p->source->line;
	return p->source->line + p->newlines;
}

static bool refuse(const struct parser *p, const char *what, struct slice shown)
{
	return error_set(p->error, "%s:%u: %s%s%.*s%s", p->source->name,
			 template_line(p->source, p->at), what, shown.len ? " \"" : "",
			 (int)min_size(shown.len, 60), shown.ptr ? shown.ptr : "",
			 shown.len ? "\"" : "");
}

static bool find_column(const struct template_set *set, struct slice name, i32 *column)
{
	static const struct {
		const char *name;
		i32 column;
	} built_in[] = { { "email", FIELD_EMAIL },
			 { "_token", FIELD_TOKEN },
			 { "_campaign", FIELD_CAMPAIGN },
			 { "_date", FIELD_DATE } };

	for (size_t i = 0; i < array_count(built_in); i++) {
		if (slice_equal(name, slice_of(built_in[i].name))) {
			*column = built_in[i].column;
			return true;
		}
	}
	for (size_t i = 0; i < set->options->column_count; i++) {
		if (slice_equal(name, set->options->columns[i])) {
			*column = (i32)i;
			return true;
		}
	}
	return false;
}

static char peek(const struct parser *p, size_t ahead)
{
	size_t at = p->at + ahead;

	return at < p->source->text.len ? p->source->text.ptr[at] : '\0';
}

static void skip_blanks(struct parser *p)
{
	while (peek(p, 0) == ' ' || peek(p, 0) == '\t')
		p->at++;
}

/* A field or filter name: up to white space, bar, colon, brace or line end. */
static struct slice take_name(struct parser *p)
{
	size_t start;

	skip_blanks(p);
	start = p->at;
	while (p->at < p->source->text.len && !strchr(" \t\n|:{}\"", peek(p, 0)))
		p->at++;
	return (struct slice){ p->source->text.ptr + start, p->at - start };
}

/* The quoted argument of `default:`. */
static bool take_argument(struct parser *p, struct slice *argument)
{
	struct buf text;
	bool done = false;

	skip_blanks(p);
	if (peek(p, 0) != ':')
		return refuse(p, "default needs a text: {{name|default:\"friend\"}}", SLICE_NONE);
	p->at++;
	skip_blanks(p);
	if (peek(p, 0) != '"')
		return refuse(p, "the text of default needs straight double quotes", SLICE_NONE);
	p->at++;
	buf_init(&text, 1u << 16);
	for (; p->at < p->source->text.len && peek(p, 0) != '\n'; p->at++) {
		char c = peek(p, 0);

		if (c == '"') {
			done = true;
			p->at++;
			break;
		}
		if (c == '\\' && (peek(p, 1) == '"' || peek(p, 1) == '\\')) {
			p->at++;
			c = peek(p, 0);
		}
		buf_add_char(&text, c);
	}
	if (done)
		*argument = arena_copy(p->set->arena, buf_slice(&text));
	done = done ? argument->ptr != NULL && !text.failed
		    : refuse(p, "the text of default has no closing quote", SLICE_NONE);
	buf_done(&text);
	return done;
}

static bool take_filter(struct parser *p, struct template_field *field)
{
	static const char *const names[] = { "default", "raw", "upper", "lower", "trim", "url" };
	struct slice name = take_name(p);
	size_t filter = 0;

	while (filter < array_count(names) && !slice_equal(name, slice_of(names[filter])))
		filter++;
	if (filter == array_count(names))
		return refuse(p, "unknown filter", name.len ? name : SLICE("(none)"));
	if (field->filter_count == TEMPLATE_FILTERS_MAX)
		return refuse(p, "too many filters on one field", SLICE_NONE);
	if (filter == FILTER_DEFAULT) {
		if (field->fallback.ptr)
			return refuse(p, "default is given twice", SLICE_NONE);
		if (!take_argument(p, &field->fallback))
			return false;
	}
	if (filter == FILTER_RAW) {
		if (field->place != PLACE_HTML || p->html.state != HTML_TEXT)
			return refuse(p, "raw is for HTML text only", SLICE_NONE);
		field->raw = true;
	}
	if (filter == FILTER_URL &&
	    (field->place == PLACE_HTML_QUERY || field->place == PLACE_HEADER_URL))
		return true; /* done by itself there, once */
	field->filters[field->filter_count++] = (u8)filter;
	return true;
}

/* Decides how a value must be escaped where this field stands. */
static bool choose_place(struct parser *p, struct template_field *field)
{
	const char *why = NULL;

	field->place = (u8)p->place;
	if (p->place != PLACE_HTML)
		return true;
	switch (html_place(&p->html, &why)) {
	case HTML_PLACE_QUERY:
		field->place = PLACE_HTML_QUERY;
		return true;
	case HTML_PLACE_REFUSED:
		return refuse(p, why, SLICE_NONE);
	default:
		return true;
	}
}

static void add_mark(struct parser *p, const struct template_field *field)
{
	u32 index = (u32)(p->set->fields.len / sizeof(*field));
	char mark[MARK_SIZE] = { MARK, (char)(0x80 | (index >> 14 & 0x7f)),
				 (char)(0x80 | (index >> 7 & 0x7f)),
				 (char)(0x80 | (index & 0x7f)) };

	buf_add(&p->set->fields, field, sizeof(*field));
	buf_add(p->marked, mark, MARK_SIZE);
}

/* Stands behind the opening braces. */
static bool take_field(struct parser *p)
{
	struct template_field field = { .line = line_here(p) };
	size_t start = p->at;
	struct slice name;

	if (!choose_place(p, &field))
		return false;
	name = take_name(p);
	skip_blanks(p);
	if (peek(p, 0) != '|' && peek(p, 0) != '}') {
		p->at = start;
		return refuse(
			p,
			"a field that starts with {{ does not end with }} ({{{{ gives two braces)",
			SLICE_NONE);
	}
	if (!find_column(p->set, name, &field.column))
		return refuse(p, "unknown field", name.len ? name : SLICE("(none)"));
	field.name = arena_copy(p->set->arena, name);
	while (peek(p, 0) == '|') {
		p->at++;
		if (!take_filter(p, &field))
			return false;
		skip_blanks(p);
	}
	if (peek(p, 0) != '}' || peek(p, 1) != '}') {
		p->at = start;
		return refuse(
			p,
			"a field that starts with {{ does not end with }} ({{{{ gives two braces)",
			SLICE_NONE);
	}
	p->at += 2;
	if (!field.name.ptr || p->set->fields.len / sizeof(field) >= TEMPLATE_FIELDS_MAX)
		return refuse(p, "there are too many fields", SLICE_NONE);
	add_mark(p, &field);
	return true;
}

static void add_literal(struct parser *p, struct slice literal)
{
	buf_add_slice(p->marked, literal);
	if (p->place == PLACE_HTML)
		html_feed(&p->html, literal);
}

bool template_parse(struct template_set *set, const struct template_source *source,
		    enum template_place place, struct buf *marked, struct error *error)
{
	struct parser p = {
		.set = set, .source = source, .place = place, .marked = marked, .error = error
	};
	i64 bad = utf8_find_bad(source->text);
	i64 nul = slice_find_char(source->text, '\0');

	p.at = bad >= 0 ? (size_t)bad : nul >= 0 ? (size_t)nul : 0;
	if (bad >= 0)
		return refuse(&p, "this is not valid UTF-8", SLICE_NONE);
	if (nul >= 0)
		return refuse(&p, "there is a NUL byte", SLICE_NONE);
	html_init(&p.html);
	if (set->options->literal) {
		add_literal(&p, source->text);
		p.at = source->text.len;
	}
	while (p.at < source->text.len) {
		struct slice rest = slice_from(source->text, p.at);
		i64 open = slice_find(rest, SLICE("{{"));

		if (open < 0) {
			add_literal(&p, rest);
			break;
		}
		add_literal(&p, slice_first(rest, (size_t)open));
		p.at += (size_t)open + 2;
		if (peek(&p, 0) == '{' && peek(&p, 1) == '{') {
			add_literal(&p, SLICE("{{"));
			p.at += 2;
		} else if (!take_field(&p)) {
			return false;
		}
	}
	if (marked->failed || set->fields.failed)
		return refuse(&p, "the template is too big", SLICE_NONE);
	return true;
}

bool template_next(struct slice *rest, struct slice *literal, i32 *field)
{
	i64 at = slice_find_char(*rest, MARK);
	const u8 *mark;

	*field = -1;
	*literal = *rest;
	if (at < 0) {
		*rest = SLICE_NONE;
		return literal->len > 0;
	}
	literal->len = (size_t)at;
	mark = (const u8 *)rest->ptr + at;
	*field = (mark[1] & 0x7f) << 14 | (mark[2] & 0x7f) << 7 | (mark[3] & 0x7f);
	*rest = slice_from(*rest, (size_t)at + MARK_SIZE);
	return true;
}

bool template_has_fields(struct slice marked)
{
	return slice_find_char(marked, MARK) >= 0;
}

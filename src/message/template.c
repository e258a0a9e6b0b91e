#include "message/template.h"

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/template_parts.h"

#include <string.h>

#define MARK '\xff'
#define MARK_SIZE 4

u32 template_line_below(const struct template_source *source, u32 newlines)
{
	if (source->lines)
		return newlines < source->line_count ? source->lines[newlines] : source->line;
	return source->line + newlines;
}

u32 template_line(const struct template_source *source, size_t offset, const char **name)
{
	const struct template_origin *origin = NULL;
	size_t from = 0;
	u32 newlines = 0;

	for (size_t i = 0; i < source->origin_count && source->origins[i].at <= offset; i++)
		origin = &source->origins[i];
	if (origin)
		from = origin->at;
	for (size_t i = from; i < offset && i < source->text.len; i++)
		newlines += source->text.ptr[i] == '\n';
	*name = origin ? origin->name : source->name;
	return origin ? origin->line + newlines : template_line_below(source, newlines);
}

/* As template_line, but counts on from the last call, so that many fields cost one walk. */
void template_set_line(struct template_parser *p, struct template_field *field)
{
	const struct template_source *source = p->source;
	const struct template_origin *origin;

	while (p->origin < source->origin_count && source->origins[p->origin].at <= p->at) {
		p->counted = source->origins[p->origin++].at;
		p->newlines = 0;
	}
	for (; p->counted < p->at; p->counted++)
		p->newlines += source->text.ptr[p->counted] == '\n';
	origin = p->origin > 0 ? &source->origins[p->origin - 1] : NULL;
	field->line = origin ? origin->line + p->newlines
			     : template_line_below(source, p->newlines);
	field->block = origin && origin->name != source->name ? origin->name : NULL;
}

bool template_refuse(const struct template_parser *p, const char *what, struct slice shown)
{
	const char *name;
	u32 line = template_line(p->source, p->at, &name);

	return error_set(p->error, "%s:%u: %s%s%.*s%s", name, line, what, shown.len ? " \"" : "",
			 (int)min_size(shown.len, 60), shown.ptr ? shown.ptr : "",
			 shown.len ? "\"" : "");
}

/* What stands for the loop's item: `this`, or the name that the loop gave it. */
static bool find_item(const struct template_parser *p, struct slice name, bool shadows, u32 *loop)
{
	for (u32 i = p->loop_count; i > 0; i--) {
		bool own = p->loops[i - 1].ptr && slice_equal(name, p->loops[i - 1]);
		bool any = i == p->loop_count &&
			   slice_equal(name, shadows ? SLICE("this") : SLICE("item"));

		if (any || (shadows && own)) {
			*loop = i - 1;
			return true;
		}
	}
	return false;
}

/* `shadows`: names that hide a column of the same name; else those that a column hides. */
static bool find_of_loop(const struct template_parser *p, struct slice name, bool shadows,
			 struct template_field *field)
{
	static const struct {
		const char *name;
		i32 column;
	} counts[] = { { "_index", FIELD_INDEX },
		       { "_first", FIELD_FIRST },
		       { "_last", FIELD_LAST } };
	i64 dot = slice_find_char(name, '.');
	u32 loop = 0;

	if (p->loop_count == 0)
		return false;
	for (size_t i = 0; i < array_count(counts) && shadows; i++) {
		if (slice_equal(name, slice_of(counts[i].name))) {
			field->column = counts[i].column;
			field->loop = (u8)(p->loop_count - 1);
			return true;
		}
	}
	if (!find_item(p, dot < 0 ? name : slice_first(name, (size_t)dot), shadows, &loop))
		return false;
	field->column = FIELD_ITEM;
	field->loop = (u8)loop;
	field->member = dot < 0 ? SLICE_NONE : slice_from(name, (size_t)dot + 1);
	return true;
}

static bool find_column(const struct template_parser *p, struct slice name,
			struct template_field *field)
{
	static const struct {
		const char *name;
		i32 column;
	} built_in[] = { { "email", FIELD_EMAIL },
			 { "_token", FIELD_TOKEN },
			 { "_campaign", FIELD_CAMPAIGN },
			 { "_date", FIELD_DATE } };
	const struct message_options *options = p->set->options;

	if (find_of_loop(p, name, true, field))
		return true;
	for (size_t i = 0; i < array_count(built_in); i++) {
		if (slice_equal(name, slice_of(built_in[i].name))) {
			field->column = built_in[i].column;
			return true;
		}
	}
	for (size_t i = 0; i < options->column_count; i++) {
		if (slice_equal(name, options->columns[i])) {
			field->column = (i32)i;
			return true;
		}
	}
	return find_of_loop(p, name, false, field);
}

char template_peek(const struct template_parser *p, size_t ahead)
{
	size_t at = p->at + ahead;

	return at < p->source->text.len ? p->source->text.ptr[at] : '\0';
}

void template_skip_blanks(struct template_parser *p)
{
	while (template_peek(p, 0) == ' ' || template_peek(p, 0) == '\t')
		p->at++;
}

/* Up to white space, bar, colon, brace, quote or line end, or what else ends it. */
static struct slice take_name(struct template_parser *p, const char *ends)
{
	size_t start;

	template_skip_blanks(p);
	start = p->at;
	while (p->at < p->source->text.len && !strchr(ends, template_peek(p, 0)))
		p->at++;
	return (struct slice){ p->source->text.ptr + start, p->at - start };
}

struct slice template_take_name(struct template_parser *p)
{
	return take_name(p, " \t\n|:{}\"=!<>()");
}

bool template_take_text(struct template_parser *p, struct slice *argument)
{
	struct buf text;
	bool done = false;

	template_skip_blanks(p);
	if (template_peek(p, 0) != '"')
		return template_refuse(p, "a text needs straight double quotes", SLICE_NONE);
	p->at++;
	buf_init(&text, 1u << 16);
	for (; p->at < p->source->text.len && template_peek(p, 0) != '\n'; p->at++) {
		char c = template_peek(p, 0);

		if (c == '"') {
			done = true;
			p->at++;
			break;
		}
		if (c == '\\' && (template_peek(p, 1) == '"' || template_peek(p, 1) == '\\')) {
			p->at++;
			c = template_peek(p, 0);
		}
		buf_add_char(&text, c);
	}
	if (done)
		*argument = arena_copy(p->set->arena, buf_slice(&text));
	done = done ? (argument->ptr != NULL && !text.failed) ||
			      template_refuse(p, "the text is too long", SLICE_NONE)
		    : template_refuse(p, "the text has no closing quote", SLICE_NONE);
	buf_done(&text);
	return done;
}

/* The quoted argument behind the colon of `default` and `date`. */
static bool take_argument(struct template_parser *p, const char *example, struct slice *argument)
{
	template_skip_blanks(p);
	if (template_peek(p, 0) != ':')
		return template_refuse(p, example, SLICE_NONE);
	p->at++;
	if (argument->ptr)
		return template_refuse(p, "the filter is given twice", SLICE_NONE);
	return template_take_text(p, argument);
}

static bool take_filter(struct template_parser *p, struct template_field *field)
{
	static const char *const names[] = { "default", "raw",	"upper", "lower",
					     "trim",	"url",	"date",	 "number" };
	struct slice name = take_name(p, " \t\n|:{}\"=!<>()");
	size_t filter = 0;

	while (filter < array_count(names) && !slice_equal(name, slice_of(names[filter])))
		filter++;
	if (filter == array_count(names))
		return template_refuse(p, "unknown filter", name.len ? name : SLICE("(none)"));
	if (field->filter_count == TEMPLATE_FILTERS_MAX)
		return template_refuse(p, "too many filters on one field", SLICE_NONE);
	if (filter == FILTER_DEFAULT &&
	    !take_argument(p, "default needs a text: {{name|default:\"friend\"}}",
			   &field->fallback))
		return false;
	if (filter == FILTER_DATE &&
	    !take_argument(p, "date needs a format: {{day|date:\"YYYY-MM-DD\"}}", &field->format))
		return false;
	if (filter == FILTER_RAW) {
		if (field->place != PLACE_HTML || p->html.state != HTML_TEXT)
			return template_refuse(p, "raw is for HTML text only", SLICE_NONE);
		field->raw = true;
	}
	if (filter == FILTER_URL &&
	    (field->place == PLACE_HTML_QUERY || field->place == PLACE_HEADER_URL))
		return true; /* done by itself there, once */
	field->filters[field->filter_count++] = (u8)filter;
	return true;
}

bool template_take_operand(struct template_parser *p, struct slice name,
			   struct template_field *field)
{
	if (!find_column(p, name, field))
		return template_refuse(p, "unknown field", name.len ? name : SLICE("(none)"));
	field->name = arena_copy(p->set->arena, name);
	if (field->member.ptr)
		field->member = slice_from(field->name, name.len - field->member.len);
	while (template_peek(p, 0) == '|') {
		p->at++;
		if (!take_filter(p, field))
			return false;
		template_skip_blanks(p);
	}
	return field->name.ptr || template_refuse(p, "out of memory", SLICE_NONE);
}

/* Decides how a value must be escaped where this field stands. */
static bool choose_place(struct template_parser *p, struct template_field *field)
{
	const char *why = NULL;

	field->place = (u8)p->place;
	if (p->place != PLACE_HTML)
		return true;
	switch (html_place(&p->html, &why)) {
	case HTML_PLACE_QUERY:
		field->place = PLACE_HTML_QUERY;
		return true;
	case HTML_PLACE_URL:
		field->place = PLACE_HTML_URL;
		return true;
	case HTML_PLACE_REFUSED:
		return template_refuse(p, why, SLICE_NONE);
	default:
		return true;
	}
}

static void make_mark(char mark[MARK_SIZE], u32 number)
{
	mark[0] = MARK;
	for (u32 i = 1; i < MARK_SIZE; i++)
		mark[i] = (char)(0x80 | (number >> (21 - 7 * i) & 0x7f));
}

struct template_field *template_at(const struct template_parser *p, u32 number)
{
	return (struct template_field *)(void *)p->set->fields.ptr + number;
}

bool template_add(struct template_parser *p, const struct template_field *field, u32 *number)
{
	u32 index = (u32)(p->set->fields.len / sizeof(*field));
	char mark[MARK_SIZE];

	if (index >= TEMPLATE_FIELDS_MAX)
		return template_refuse(p, "there are too many fields", SLICE_NONE);
	make_mark(mark, index);
	buf_add(&p->set->fields, field, sizeof(*field));
	buf_add(p->marked, mark, MARK_SIZE);
	*number = index;
	return (!p->set->fields.failed && !p->marked->failed) ||
	       template_refuse(p, "the template is too big", SLICE_NONE);
}

/* Stands behind the opening braces. */
static bool take_field(struct template_parser *p)
{
	struct template_field field = { .kind = TEMPLATE_FIELD };
	size_t start = p->at;
	struct slice name;
	u32 number;

	template_set_line(p, &field);
	if (!choose_place(p, &field))
		return false;
	name = take_name(p, " \t\n|:{}\"");
	template_skip_blanks(p);
	if (template_peek(p, 0) == '|' || template_peek(p, 0) == '}') {
		if (!template_take_operand(p, name, &field))
			return false;
		if (template_peek(p, 0) == '}' && template_peek(p, 1) == '}') {
			p->at += 2;
			html_value(&p->html);
			return template_add(p, &field, &number);
		}
	}
	p->at = start;
	return template_refuse(
		p, "a field that starts with {{ does not end with }} ({{{{ gives two braces)",
		SLICE_NONE);
}

static void add_literal(struct template_parser *p, struct slice literal)
{
	buf_add_slice(p->marked, literal);
	if (p->place == PLACE_HTML)
		html_feed(&p->html, literal);
}

/* A column may have a name that begins like a turn's. */
static bool is_column(struct template_parser *p)
{
	struct template_field field = { 0 };
	size_t before = p->at;
	struct slice name = take_name(p, " \t\n|:{}\"");

	p->at = before;
	return find_column(p, name, &field);
}

/* Blocks are in their places before a text is parsed. */
static bool refuse_block(struct template_parser *p)
{
	if (p->place != PLACE_HTML && p->place != PLACE_TEXT)
		return template_refuse(p, "a block cannot stand in a header field", SLICE_NONE);
	p->at++;
	return template_refuse(p, "there is no block", take_name(p, " \t\n|:{}\""));
}

/* Stands behind the opening braces of something. */
static bool take_tag(struct template_parser *p)
{
	char c = template_peek(p, 0);

	if (c == '{' && template_peek(p, 1) == '{') {
		add_literal(p, SLICE("{{"));
		p->at += 2;
		return true;
	}
	if (c == '>' && !is_column(p))
		return refuse_block(p);
	return (c == '#' || c == '/') && !is_column(p) ? template_take_turn(p) : take_field(p);
}

bool template_parse(struct template_set *set, const struct template_source *source,
		    enum template_place place, struct buf *marked, struct error *error)
{
	struct template_parser p = {
		.set = set, .source = source, .place = place, .marked = marked, .error = error
	};
	i64 bad = utf8_find_bad(source->text);
	i64 nul = slice_find_char(source->text, '\0');

	p.at = bad >= 0 ? (size_t)bad : nul >= 0 ? (size_t)nul : 0;
	if (bad >= 0)
		return template_refuse(&p, "this is not valid UTF-8", SLICE_NONE);
	if (nul >= 0)
		return template_refuse(&p, "there is a NUL byte", SLICE_NONE);
	html_init(&p.html);
	if (set->options->literal) {
		buf_add_slice(marked, source->text);
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
		if (!take_tag(&p))
			return false;
	}
	if (!template_all_closed(&p))
		return false;
	if (marked->failed || set->fields.failed)
		return template_refuse(&p, "the template is too big", SLICE_NONE);
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

struct slice template_behind(struct slice marked, u32 field)
{
	char mark[MARK_SIZE];
	i64 at;

	make_mark(mark, field);
	at = slice_find(marked, (struct slice){ mark, MARK_SIZE });

	ASSERT(at >= 0);
	return slice_from(marked, (size_t)at + MARK_SIZE);
}

bool template_has_fields(struct slice marked)
{
	return slice_find_char(marked, MARK) >= 0;
}

/*
 * Conditions and loops: tags that say where the text goes on. A tag alone on its line takes the
 * line with it. In HTML every clause ends where in a tag or text the others do, so that what
 * follows has one place, whichever way was taken.
 */
#include "message/template_parts.h"

#include "base/text.h"
#include "message/template_tag.h"

static struct template_open *innermost(struct template_parser *p)
{
	return p->depth > 0 ? &p->open[p->depth - 1] : NULL;
}

static bool add_turn(struct template_parser *p, struct template_field *turn,
		     enum template_kind kind, u32 *number)
{
	turn->kind = (u8)kind;
	turn->target = TEMPLATE_NONE;
	return template_add(p, turn, number);
}

/* HTML can take a turn here; the place is noted as it is on either side of it. */
static bool check_html(struct template_parser *p)
{
	const char *why = NULL;

	return p->place != PLACE_HTML || html_turn(&p->html, &why) ||
	       template_refuse(p, why, SLICE_NONE);
}

/* NULL: refused. */
static struct template_open *open_turn(struct template_parser *p,
				       const struct template_field *turn, bool is_loop)
{
	struct template_open *open;

	if (p->depth == TEMPLATE_DEPTH_MAX) {
		template_refuse(p, "conditions and loops are nested too deeply", SLICE_NONE);
		return NULL;
	}
	open = &p->open[p->depth++];
	*open = (struct template_open){ .is_loop = is_loop,
					.line = turn->line,
					.block = turn->block,
					.waits = TEMPLATE_NONE,
					.skips = TEMPLATE_NONE,
					.before = p->html };
	return open;
}

static bool take_if(struct template_parser *p, struct template_field *turn)
{
	struct template_open *open;

	if (!template_take_condition(p, turn))
		return false;
	open = open_turn(p, turn, false);
	return open && add_turn(p, turn, TURN_TEST, &open->waits);
}

static bool take_each(struct template_parser *p, struct template_field *turn)
{
	struct template_field list = { .place = PLACE_TEST };
	struct slice alias = SLICE_NONE;
	struct template_open *open;
	struct slice name;

	if (p->place == PLACE_HEADER || p->place == PLACE_HEADER_URL)
		return template_refuse(p, "a loop cannot stand in a header field", SLICE_NONE);
	name = template_take_name(p);
	if (!template_take_operand(p, name, &list))
		return false;
	if (list.filter_count > 0)
		return template_refuse(p, "a list has no filters", SLICE_NONE);
	template_skip_blanks(p);
	if (template_peek(p, 0) != '}') {
		if (!slice_equal(template_take_name(p), SLICE("as")))
			return template_refuse(
				p, "a loop is {{#each list}} or {{#each list as item}}",
				SLICE_NONE);
		alias = arena_copy(p->set->arena, template_take_name(p));
		if (alias.len == 0 || slice_find_char(alias, '.') >= 0)
			return template_refuse(p, "an item needs a name without dots", SLICE_NONE);
	}
	if (p->loop_count == TEMPLATE_LOOPS_MAX)
		return template_refuse(p, "loops are nested too deeply", SLICE_NONE);
	list.line = turn->line;
	list.block = turn->block;
	open = open_turn(p, turn, true);
	if (!open || !add_turn(p, &list, TURN_EACH, &open->each))
		return false;
	open->waits = open->each;
	p->loops[p->loop_count++] = alias;
	return true;
}

/* The clause in front of this tag is over; the next one begins where the first one did. */
static bool end_clause(struct template_parser *p, struct template_open *open)
{
	bool same = p->place != PLACE_HTML ||
		    (open->is_loop && !open->has_else ? html_same(&p->html, &open->before)
						      : !open->has_end ||
							      html_join(&p->html, &open->end));

	if (!same)
		return template_refuse(
			p,
			open->is_loop && !open->has_else
				? "the loop does not end where in the HTML it began"
				: "the parts of a condition do not end in the same place of "
				  "the HTML: a tag or an attribute must begin and end in one",
			SLICE_NONE);
	open->end = p->html;
	open->has_end = true;
	p->html = open->before;
	return true;
}

/* Behind a clause: to the end of all. What failed so far goes on behind this mark. */
static bool add_skip(struct template_parser *p, struct template_open *open,
		     struct template_field *turn)
{
	u32 number;

	if (!add_turn(p, turn, TURN_SKIP, &number))
		return false;
	template_at(p, number)->target = open->skips;
	open->skips = number;
	if (open->waits != TEMPLATE_NONE)
		template_at(p, open->waits)->target = number;
	open->waits = TEMPLATE_NONE;
	return true;
}

static bool add_next(struct template_parser *p, struct template_open *open,
		     struct template_field *turn)
{
	u32 number;

	if (!add_turn(p, turn, TURN_NEXT, &number))
		return false;
	template_at(p, number)->target = open->each;
	p->loop_count--;
	return true;
}

static bool take_else(struct template_parser *p, struct template_field *turn, bool is_elif)
{
	struct template_open *open = innermost(p);

	if (!open || open->has_else || (is_elif && open->is_loop))
		return template_refuse(p, "there is nothing open that this could belong to",
				       turn->name);
	if (!end_clause(p, open) || (open->is_loop && !add_next(p, open, turn)) ||
	    !add_skip(p, open, turn))
		return false;
	open->has_else = !is_elif;
	return !is_elif || (template_take_condition(p, turn) &&
			    add_turn(p, turn, TURN_TEST, &open->waits));
}

static bool take_end(struct template_parser *p, struct template_field *turn, bool is_loop)
{
	struct template_open *open = innermost(p);
	u32 number;
	u32 skip;

	if (!open || open->is_loop != is_loop)
		return template_refuse(p, "there is nothing open that this could end", turn->name);
	if (!end_clause(p, open))
		return false;
	/* Without an else the other way is the empty one. */
	if (!open->has_else && p->place == PLACE_HTML &&
	    !html_join(&open->end, &p->html))
		return template_refuse(
			p,
			"what the condition adds does not end where in the HTML it began: a tag or "
			"an attribute must begin and end in it",
			SLICE_NONE);
	p->html = open->end;
	if (open->is_loop && !open->has_else && !add_next(p, open, turn))
		return false;
	if (!add_turn(p, turn, TURN_END, &number))
		return false;
	if (open->waits != TEMPLATE_NONE)
		template_at(p, open->waits)->target = number;
	for (skip = open->skips; skip != TEMPLATE_NONE;) {
		struct template_field *field = template_at(p, skip);

		skip = field->target;
		field->target = number;
	}
	p->depth--;
	return true;
}

/* Blanks between the line's beginning and the braces; TEMPLATE_NONE when there is more. */
static u32 blanks_before(const struct template_parser *p, size_t braces)
{
	const char *text = p->source->text.ptr;
	size_t at = braces;

	while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
		at--;
	return at == 0 || text[at - 1] == '\n' ? (u32)(braces - at) : TEMPLATE_NONE;
}

/* Behind a tag that is alone on its line, with the line's end. */
static bool is_alone_behind(const struct template_parser *p, size_t *behind)
{
	size_t at = p->at;
	struct slice text = p->source->text;

	while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
		at++;
	*behind = at + (at < text.len);
	return at == text.len || text.ptr[at] == '\n';
}

static bool take_word(struct template_parser *p, struct slice word, struct template_field *turn)
{
	if (slice_equal(word, SLICE("#if")))
		return take_if(p, turn);
	if (slice_equal(word, SLICE("#each")))
		return take_each(p, turn);
	if (slice_equal(word, SLICE("#elif")))
		return take_else(p, turn, true);
	if (slice_equal(word, SLICE("#else")))
		return take_else(p, turn, false);
	if (slice_equal(word, SLICE("/if")) || slice_equal(word, SLICE("/each")))
		return take_end(p, turn, word.len > 3);
	return template_refuse(
		p, "unknown tag: the language has #if #elif #else /if #each /each, not", word);
}

bool template_take_turn(struct template_parser *p)
{
	struct template_field turn = { .place = PLACE_TEST };
	size_t start = p->at;
	u32 blanks = blanks_before(p, start - 2);
	bool in_text = p->place == PLACE_TEXT ||
		       (p->place == PLACE_HTML && p->html.state == HTML_TEXT);
	size_t behind;
	size_t length = template_tag_length(slice_from(p->source->text, start - 2));
	struct slice word;

	if (length == 0)
		return template_refuse(p,
				       "a tag that starts with {{ does not end with }} on its line",
				       SLICE_NONE);
	template_set_line(p, &turn);
	turn.name = arena_copy(p->set->arena,
			       (struct slice){ p->source->text.ptr + start, length - 4 });
	if (!turn.name.ptr)
		return template_refuse(p, "out of memory", SLICE_NONE);
	word = template_take_name(p);
	p->at = start + length - 2;
	if (in_text && blanks != TEMPLATE_NONE && is_alone_behind(p, &behind))
		p->marked->len -= min_size(blanks, p->marked->len);
	else
		behind = p->at;
	p->at = start + word.len;
	if (!check_html(p) || !take_word(p, word, &turn))
		return false;
	template_skip_blanks(p);
	if (p->at != start + length - 4)
		return template_refuse(p, "this is more than the tag can hold",
				       slice_first(slice_from(p->source->text, p->at),
						   start + length - 4 - p->at));
	p->at = behind;
	return true;
}

bool template_all_closed(struct template_parser *p)
{
	const struct template_open *open = innermost(p);

	if (!open)
		return true;
	p->at = p->source->text.len;
	return error_set(p->error, "%s:%u: what begins here with %s has no %s",
			 open->block ? open->block : p->source->name, open->line,
			 open->is_loop ? "{{#each}}" : "{{#if}}",
			 open->is_loop ? "{{/each}}" : "{{/if}}");
}

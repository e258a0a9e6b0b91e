/* Fields that leave a gap where a recipient has no value. */
#include "message/review_parts.h"

#include "base/text.h"
#include "message/template.h"
#include "message/template_tag.h"

struct gaps {
	struct reviewer *r;
	enum review_part part;
	struct slice around[TEMPLATE_DEPTH_MAX]; /* the conditions and loops that are open */
	u32 depth;
};

/* A condition around it asks for the field, or a loop has it for its item. */
static bool is_asked_for(const struct gaps *g, struct slice name)
{
	for (u32 i = 0; i < g->depth; i++) {
		if (slice_find(g->around[i], name) >= 0)
			return true;
	}
	return false;
}

/* Whether a filter of that name stands behind one of the bars, outside quotes. */
static bool has_filter(struct slice filters, struct slice filter)
{
	bool quoted = false;

	for (size_t i = 0; i < filters.len; i++) {
		char c = filters.ptr[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == '|' &&
			 slice_has_prefix(slice_trim(slice_from(filters, i + 1)), filter))
			return true;
	}
	return false;
}

static bool may_be_empty(const struct review_input *input, struct slice name)
{
	for (size_t i = 0; i < input->column_count; i++) {
		if (slice_equal(name, input->columns[i]))
			return !input->may_be_empty || input->may_be_empty[i];
	}
	return false;
}

static void take_field(struct gaps *g, struct slice inner, u32 line)
{
	const struct review_input *input = g->r->input;
	i64 bar = slice_find_char(inner, '|');
	struct slice name = slice_trim(bar < 0 ? inner : slice_first(inner, (size_t)bar));
	struct slice filters = bar < 0 ? SLICE_NONE : slice_from(inner, (size_t)bar);

	for (size_t i = 0; i < input->unsubscribe_field_count; i++) {
		if (slice_equal(name, input->unsubscribe_fields[i]))
			return;
	}
	if (may_be_empty(input, name) && !has_filter(filters, SLICE("default")) &&
	    !is_asked_for(g, name))
		review_add(g->r, REVIEW_FIELD_MAY_BE_EMPTY, g->part, line, name);
}

static void take_turn(struct gaps *g, struct slice inner)
{
	if (slice_has_prefix(inner, SLICE("#if")) || slice_has_prefix(inner, SLICE("#each"))) {
		if (g->depth < TEMPLATE_DEPTH_MAX)
			g->around[g->depth++] = inner;
	} else if (slice_has_prefix(inner, SLICE("#elif")) && g->depth > 0) {
		g->around[g->depth - 1] = inner;
	} else if (inner.ptr[0] == '/' && g->depth > 0) {
		g->depth--;
	}
}

void review_fields(struct reviewer *r, struct slice text, enum review_part part)
{
	struct gaps g = { .r = r, .part = part };
	u32 line = 1;

	while (text.len > 0) {
		size_t tag = text.ptr[0] == '{' ? template_tag_length(text) : 0;
		struct slice inner = slice_from(slice_first(text, tag > 4 ? tag - 2 : 0), 2);

		line += text.ptr[0] == '\n';
		if (inner.len > 0 && (inner.ptr[0] == '#' || inner.ptr[0] == '/'))
			take_turn(&g, inner);
		else if (inner.len > 0 && inner.ptr[0] != '>')
			take_field(&g, inner, line);
		text = slice_from(text, tag > 0 ? tag : 1);
	}
}

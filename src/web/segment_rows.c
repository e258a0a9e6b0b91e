#include "web/segment_rows.h"

#include "base/text.h"
#include "campaign/segment_words.h"

#include <stdio.h>

#define TEXTS_MAX (4 * SEGMENT_TEXT_MAX)

void segment_rows_init(struct segment_rows *rows)
{
	*rows = (struct segment_rows){ .count = 0 };
	buf_init(&rows->texts, TEXTS_MAX);
}

void segment_rows_done(struct segment_rows *rows)
{
	buf_done(&rows->texts);
}

/* ---- what a row is about ---- */

void segment_row_what(const struct segment_row *row, char out[32])
{
	if (row->id > 0)
		snprintf(out, 32, "%s:%u", segment_subject_word(row->subject), row->id);
	else
		snprintf(out, 32, "%s", segment_subject_word(row->subject));
}

static bool needs_name(enum segment_subject subject)
{
	return subject == SEGMENT_ATTRIBUTE || segment_is_of_list(subject);
}

static bool read_what(struct segment_row *row, struct slice what,
		      const struct segment_names *names)
{
	struct slice word = slice_split(&what, ':');
	struct segment_named named = { .id = 0 };
	bool is_known;

	*row = (struct segment_row){ .name = SLICE("") };
	if (!segment_subject_of(word, &row->subject))
		return false;
	if (!needs_name(row->subject))
		return !what.ptr;
	if (!what.ptr || !slice_to_u32(what, &row->id) || row->id == 0)
		return false;
	named.id = row->id;
	is_known = row->subject == SEGMENT_ATTRIBUTE ? names->attribute(names->owner, &named) :
						       names->list(names->owner, &named);
	if (is_known) {
		row->name = named.name;
		row->type = named.type;
	}
	return true;
}

/* The first operator that goes with it. */
static enum segment_operator usual_operator(const struct segment_row *row)
{
	for (u32 op = 0; op < SEGMENT_OPERATORS; op++) {
		if (segment_takes(row->subject, row->type, (enum segment_operator)op))
			return (enum segment_operator)op;
	}
	return SEGMENT_EVER;
}

bool segment_rows_add(struct segment_rows *rows, struct slice what,
		      const struct segment_names *names)
{
	struct segment_row *row = &rows->rows[rows->count];

	if (rows->count == SEGMENT_ROWS_MAX || !read_what(row, what, names))
		return false;
	row->op = usual_operator(row);
	rows->count++;
	return true;
}

void segment_rows_remove(struct segment_rows *rows, u32 index)
{
	if (index >= rows->count)
		return;
	rows->count--;
	for (u32 i = index; i < rows->count; i++)
		rows->rows[i] = rows->rows[i + 1];
}

static struct slice get(const struct form *form, const char *name, u32 index)
{
	char full[32];

	snprintf(full, sizeof(full), "%s.%u", name, index);
	return form_text(form, full);
}

void segment_rows_of_form(struct segment_rows *rows, const struct form *form,
			  const struct segment_names *names)
{
	rows->is_any = form_has(form, "any") && slice_equal(form_text(form, "any"), SLICE("1"));
	for (u32 i = 0; i < SEGMENT_ROWS_MAX; i++) {
		struct segment_row *row = &rows->rows[rows->count];
		enum segment_operator op;

		if (!segment_rows_add(rows, get(form, "what", i), names))
			continue;
		if (segment_operator_of(get(form, "op", i), &op))
			row->op = op;
		row->value = get(form, "value", i);
		row->campaign = get(form, "campaign", i);
		row->link = get(form, "link", i);
		row->is_not = get(form, "not", i).len > 0;
	}
}

/* ---- from a tree ---- */

/* What stands between values of a list. */
static const struct slice marks[] = { SLICE(","), SLICE("\n"), SLICE("、"), SLICE("，") };

/* Whether it comes back as it is from a field, or from a list in one. */
static bool is_plain(struct slice value, bool is_listed)
{
	for (size_t i = 0; i < array_count(marks) && is_listed; i++) {
		if (slice_find(value, marks[i]) >= 0)
			return false;
	}
	return slice_trim(value).len == value.len && slice_find_char(value, '\r') < 0;
}

static struct slice keep(struct segment_rows *rows, size_t begin)
{
	return (struct slice){ rows->texts.ptr + begin, rows->texts.len - begin };
}

static struct slice keep_number(struct segment_rows *rows, u32 number)
{
	size_t begin = rows->texts.len;

	if (number > 0)
		buf_add_u64(&rows->texts, number);
	return keep(rows, begin);
}

static bool add_test(struct segment_rows *rows, const struct segment_node *test, bool is_not)
{
	struct segment_row *row = &rows->rows[rows->count];
	size_t begin = rows->texts.len;

	if (rows->count == SEGMENT_ROWS_MAX)
		return false;
	*row = (struct segment_row){ .subject = test->subject,
				     .op = test->op,
				     .type = test->type,
				     .name = test->name,
				     .is_not = is_not };
	for (u32 i = 0; i < test->value_count; i++) {
		if (!is_plain(test->values[i], test->op == SEGMENT_IN))
			return false;
		buf_add_text(&rows->texts, i > 0 ? ", " : "");
		buf_add_slice(&rows->texts, test->values[i]);
	}
	if (segment_takes_days(test->op))
		buf_add_u64(&rows->texts, test->days);
	row->value = keep(rows, begin);
	if (needs_name(test->subject)) {
		row->id = test->id;
	} else {
		row->campaign = keep_number(rows, test->id);
		row->link = keep_number(rows, test->link);
	}
	rows->count++;
	return true;
}

static bool add_child(struct segment_rows *rows, const struct segment_node *node)
{
	if (node->kind == SEGMENT_NOT && node->first->kind == SEGMENT_TEST)
		return add_test(rows, node->first, true);
	return node->kind == SEGMENT_TEST && add_test(rows, node, false);
}

bool segment_rows_of_tree(struct segment_rows *rows, const struct segment *segment)
{
	const struct segment_node *root = segment->root;

	/* Slices into it are given out: it does not grow. */
	if (!buf_reserve(&rows->texts, TEXTS_MAX))
		return false;
	if (root->kind != SEGMENT_ALL && root->kind != SEGMENT_ANY)
		return add_child(rows, root);
	if (root->kind == SEGMENT_ANY && !root->first)
		return false; /* no rows are everybody */
	rows->is_any = root->kind == SEGMENT_ANY;
	for (const struct segment_node *child = root->first; child; child = child->next) {
		if (!add_child(rows, child))
			return false;
	}
	return !rows->texts.failed;
}

/* ---- to a tree ---- */

/* The next value of several: behind commas, Japanese ones among them, or on a line. */
static struct slice next_value(struct slice *rest)
{
	size_t at = rest->len;
	size_t len = 0;
	struct slice value;

	for (size_t i = 0; i < array_count(marks); i++) {
		i64 found = slice_find(*rest, marks[i]);

		if (found >= 0 && (size_t)found < at) {
			at = (size_t)found;
			len = marks[i].len;
		}
	}
	value = slice_first(*rest, at);
	*rest = slice_from(*rest, at + len);
	while (value.len > 0 && value.ptr[value.len - 1] == '\r')
		value.len--;
	return slice_trim(value);
}

static bool set_values(struct segment *segment, struct segment_node *test, struct slice text)
{
	struct slice rest = text;
	size_t count = 0;

	if (test->op != SEGMENT_IN)
		return segment_make_values(segment, test, 1) &&
		       segment_set_value(segment, test, 0, text);
	while (rest.len > 0)
		count += next_value(&rest).len > 0;
	if (count == 0 || count > SEGMENT_VALUES_MAX || !segment_make_values(segment, test, count))
		return false;
	for (size_t i = 0; i < count;) {
		struct slice value = next_value(&text);

		if (value.len > 0 && !segment_set_value(segment, test, i++, value))
			return false;
	}
	return true;
}

static bool set_number(struct slice text, u32 most, u32 *number, const char *what,
		       struct error *error)
{
	*number = 0;
	return text.len == 0 || (slice_to_u32(text, number) && *number <= most) ||
	       error_set(error, "%s is a whole number", what);
}

static struct segment_node *make_test(struct segment *segment, const struct segment_row *row,
				      struct error *error)
{
	struct segment_node *test = segment_add(segment, SEGMENT_TEST);

	if (!test) {
		error_set(error, "no memory");
		return NULL;
	}
	test->subject = row->subject;
	test->op = row->op;
	test->id = row->id;
	if (segment_is_behaviour(row->subject) &&
	    (!set_number(row->campaign, UINT32_MAX, &test->id, "a campaign", error) ||
	     !set_number(row->link, UINT32_MAX, &test->link, "a link", error)))
		return NULL;
	if (segment_takes_days(row->op)) {
		if (!set_number(row->value, SEGMENT_DAYS_MAX, &test->days, "the days", error))
			return NULL;
	} else if (segment_takes_values(row->op)) {
		if (row->value.len == 0 || !set_values(segment, test, row->value)) {
			error_set(error, "a value is missing");
			return NULL;
		}
	}
	return test;
}

static struct segment_node *make_child(struct segment *segment, const struct segment_row *row,
				       struct error *error)
{
	struct segment_node *test = make_test(segment, row, error);
	struct segment_node *not;

	if (!test || !row->is_not)
		return test;
	not = segment_add(segment, SEGMENT_NOT);
	if (not)
		not->first = test;
	else
		error_set(error, "no memory");
	return not;
}

static bool make_tree(struct segment *segment, const struct segment_rows *rows,
		      const struct segment_node *children[SEGMENT_ROWS_MAX], u32 *bad_row,
		      struct error *error)
{
	struct segment_node **at;

	/* Without rows it is everybody, whatever is chosen. */
	segment->root = segment_add(segment, rows->is_any && rows->count > 0 ? SEGMENT_ANY :
									       SEGMENT_ALL);
	if (!segment->root)
		return error_set(error, "no memory");
	at = &segment->root->first;
	for (u32 i = 0; i < rows->count; i++) {
		*bad_row = i;
		*at = make_child(segment, &rows->rows[i], error);
		if (!*at)
			return false;
		children[i] = rows->rows[i].is_not ? (*at)->first : *at;
		at = &(*at)->next;
	}
	*bad_row = SEGMENT_ROWS_MAX;
	return true;
}

struct segment *segment_rows_settle(const struct segment_rows *rows,
				    const struct segment_names *names, u32 *bad_row,
				    struct error *error)
{
	const struct segment_node *children[SEGMENT_ROWS_MAX] = { NULL };
	struct segment *segment = segment_open();
	struct segment_problem problem;

	*bad_row = SEGMENT_ROWS_MAX;
	if (!segment) {
		error_set(error, "no memory");
		return NULL;
	}
	if (make_tree(segment, rows, children, bad_row, error)) {
		if (segment_settle(segment, names, &problem))
			return segment;
		*error = problem.error;
		for (u32 i = 0; i < rows->count; i++) {
			if (children[i] == problem.node)
				*bad_row = i;
		}
	}
	segment_free(segment);
	return NULL;
}

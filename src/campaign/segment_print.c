#include "campaign/segment_words.h"

#include "base/text.h"

static void print_string(struct buf *out, struct slice text)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text.ptr[i]);
	}
	buf_add_char(out, '"');
}

static void print_value(const struct segment_node *test, size_t index, struct buf *out)
{
	if (test->type == SEGMENT_TEXT && test->subject != SEGMENT_STATE)
		print_string(out, test->values[index]);
	else
		buf_add_slice(out, test->values[index]);
}

static void print_days(const struct segment_node *test, struct buf *out)
{
	buf_add_format(out, "%u day%s", test->days, test->days == 1 ? "" : "s");
}

static void print_comparison(const struct segment_node *test, struct buf *out)
{
	static const char *const days[] = { [SEGMENT_IS] = "on",
					    [SEGMENT_IS_NOT] = "!=",
					    [SEGMENT_LESS] = "before",
					    [SEGMENT_AT_MOST] = "until",
					    [SEGMENT_AT_LEAST] = "since",
					    [SEGMENT_MORE] = "after" };

	if (test->type == SEGMENT_DATE && test->op <= SEGMENT_MORE)
		buf_add_format(out, " %s ", days[test->op]);
	else
		buf_add_format(out, " %s ", segment_operator_word(test->op));
	print_value(test, 0, out);
}

static void print_operator(const struct segment_node *test, struct buf *out)
{
	switch (test->op) {
	case SEGMENT_EVER:
		return;
	case SEGMENT_EMPTY:
		buf_add_text(out, " is empty");
		return;
	case SEGMENT_IN:
		buf_add_text(out, " in (");
		for (u32 i = 0; i < test->value_count; i++) {
			buf_add_text(out, i > 0 ? ", " : "");
			print_value(test, i, out);
		}
		buf_add_char(out, ')');
		return;
	case SEGMENT_ANNIVERSARY:
		buf_add_text(out, test->days == 0 ? " anniversary today" : " anniversary within ");
		if (test->days > 0)
			print_days(test, out);
		return;
	case SEGMENT_WITHIN:
	case SEGMENT_WITHIN_NEXT:
	case SEGMENT_OLDER:
		buf_add_format(out, " %s ", segment_operator_word(test->op));
		print_days(test, out);
		return;
	case SEGMENT_THIS_MONTH:
		buf_add_format(out, " %s", segment_operator_word(test->op));
		return;
	default:
		print_comparison(test, out);
	}
}

static void print_name(const struct segment_node *test, enum segment_spelling spelling,
		       struct buf *out)
{
	bool by_id = test->id > 0 && (spelling == SEGMENT_BY_ID || !test->name.ptr);

	if (by_id && test->subject == SEGMENT_ATTRIBUTE)
		buf_add_format(out, "attribute #%u", test->id);
	else if (by_id)
		buf_add_format(out, "#%u", test->id);
	else if (test->subject != SEGMENT_ATTRIBUTE)
		print_string(out, test->name);
	else if (segment_is_reserved(test->name) || ascii_is_digit(test->name.ptr[0]))
		buf_add_format(out, "attribute.%.*s", SLICE_FMT(test->name));
	else
		buf_add_slice(out, test->name);
}

static void print_test(const struct segment_node *test, enum segment_spelling spelling,
		       struct buf *out)
{
	if (test->subject == SEGMENT_ATTRIBUTE) {
		print_name(test, spelling, out);
	} else if (segment_is_of_list(test->subject)) {
		buf_add_text(out, test->subject == SEGMENT_LEFT	   ? "left list " :
				  test->subject == SEGMENT_PENDING ? "pending in list " :
								     "in list ");
		print_name(test, spelling, out);
	} else {
		buf_add_text(out, segment_subject_word(test->subject));
		if (test->id > 0)
			buf_add_format(out, " campaign %u", test->id);
		if (test->link > 0)
			buf_add_format(out, " link %u", test->link);
	}
	print_operator(test, out);
}

static bool is_group(const struct segment_node *node)
{
	return (node->kind == SEGMENT_ALL || node->kind == SEGMENT_ANY) && node->first;
}

/* Every group within another one stands in brackets, whether it would need them or not. */
static void print_below(const struct segment_node *node, enum segment_spelling spelling,
			struct buf *out)
{
	if (is_group(node))
		buf_add_char(out, '(');
	segment_print(node, spelling, out);
	if (is_group(node))
		buf_add_char(out, ')');
}

void segment_print(const struct segment_node *node, enum segment_spelling spelling,
		   struct buf *out)
{
	if (node->kind == SEGMENT_TEST) {
		print_test(node, spelling, out);
	} else if (node->kind == SEGMENT_NOT) {
		buf_add_text(out, "not ");
		print_below(node->first, spelling, out);
	} else if (!node->first) {
		buf_add_text(out, node->kind == SEGMENT_ALL ? "everyone" : "nobody");
	} else {
		for (const struct segment_node *child = node->first; child; child = child->next) {
			print_below(child, spelling, out);
			if (child->next)
				buf_add_text(out, node->kind == SEGMENT_ALL ? " and " : " or ");
		}
	}
}

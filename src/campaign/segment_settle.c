#include "base/calendar.h"
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/segment_match.h"
#include "campaign/segment_program.h"
#include "campaign/segment_words.h"
#include "message/address.h"

#define BIT(op) (1u << (op))
#define WHOLE (BIT(SEGMENT_IS) | BIT(SEGMENT_IS_NOT) | BIT(SEGMENT_IN))

struct settler {
	struct segment *segment;
	const struct segment_names *names;
	struct segment_problem *problem;
	u32 depth;
};

#define REFUSE(settler, node, ...)                                                                 \
	(point_at((settler), (node)), error_set(&(settler)->problem->error, __VA_ARGS__))

static void point_at(struct settler *settler, const struct segment_node *node)
{
	settler->problem->node = node;
	settler->problem->column = node->column;
}

/* ---- names ---- */

static const char *noun_of(const struct segment_node *test)
{
	return test->subject == SEGMENT_ATTRIBUTE ? "attribute" : "list";
}

/* `type` is the attribute's; of a list it is left alone. */
static bool settle_name(struct settler *settler, struct segment_node *test,
			enum segment_type *type)
{
	struct segment_named named = { test->name, test->id, *type };
	const struct segment_names *names = settler->names;
	bool is_known = test->subject == SEGMENT_ATTRIBUTE ?
				names->attribute(names->owner, &named) :
				names->list(names->owner, &named);

	if (!is_known && test->name.ptr)
		return REFUSE(settler, test, "there is no %s \"%.*s\"", noun_of(test),
			      SLICE_FMT(test->name));
	if (!is_known)
		return REFUSE(settler, test, "there is no %s #%u any more", noun_of(test),
			      test->id);
	test->id = named.id;
	*type = named.type;
	test->name = arena_copy(&settler->segment->arena, named.name);
	return test->name.ptr || REFUSE(settler, test, "no memory");
}

/* ---- what goes with what ---- */

static const char *type_text(enum segment_type type)
{
	static const char *const texts[] = { [SEGMENT_TEXT] = "a text",
					     [SEGMENT_NUMBER] = "a number",
					     [SEGMENT_DATE] = "a date",
					     [SEGMENT_YES_NO] = "yes or no" };

	return texts[type];
}

/* ---- values ---- */

static bool put_value(struct settler *settler, struct segment_node *test, u32 index,
		      struct slice value)
{
	return segment_set_value(settler->segment, test, index, value) ||
	       REFUSE(settler, test, "no memory");
}

static bool settle_number(struct settler *settler, struct segment_node *test, u32 index)
{
	char form[SEGMENT_VALUE_MAX + 1];
	struct slice value = test->values[index];
	size_t len = segment_number_form(form, value);

	if (len == 0)
		return REFUSE(settler, test, "%.*s is no number", SLICE_FMT(value));
	return put_value(settler, test, index, (struct slice){ form, len });
}

static bool settle_yes_no(struct settler *settler, struct segment_node *test, u32 index)
{
	struct slice value = test->values[index];
	bool is_yes = slice_equal_nocase(value, SLICE("yes")) || slice_equal(value, SLICE("1"));
	bool is_no = slice_equal_nocase(value, SLICE("no")) || slice_equal(value, SLICE("0"));

	if (!is_yes && !is_no)
		return REFUSE(settler, test, "%.*s is neither yes nor no", SLICE_FMT(value));
	return put_value(settler, test, index, is_yes ? SLICE("yes") : SLICE("no"));
}

static bool settle_state(struct settler *settler, struct segment_node *test, u32 index)
{
	struct slice value = test->values[index];
	enum contact_state state;

	if (!segment_state_of(value, &state))
		return REFUSE(settler, test,
			      "%.*s is no state: there are pending, active, bounced, unsubscribed "
			      "and complained",
			      SLICE_FMT(value));
	return put_value(settler, test, index, slice_of(segment_state_word(state)));
}

/* Whole domains are compared as addresses have them: in A-labels. */
static bool settle_domain(struct settler *settler, struct segment_node *test, u32 index)
{
	char text[SEGMENT_VALUE_MAX + 2] = "x@";
	struct slice value = test->values[index];
	struct address address;
	struct error error;
	size_t len = min_size(value.len, sizeof(text) - 2);

	memcpy(text + 2, value.ptr, len);
	if (!address_parse(&address, (struct slice){ text, len + 2 }, &error))
		return REFUSE(settler, test, "%.*s is no domain", SLICE_FMT(value));
	return put_value(settler, test, index,
			 (struct slice){ address.domain, address.domain_len });
}

static bool settle_value(struct settler *settler, struct segment_node *test,
			 enum segment_type type, u32 index)
{
	struct slice value = test->values[index];
	bool is_whole = BIT(test->op) & WHOLE;
	i32 day;

	if (value.len == 0)
		return REFUSE(settler, test, "no value is empty: ask whether it is empty");
	if (value.len > SEGMENT_VALUE_MAX)
		return REFUSE(settler, test, "the value is longer than %d bytes",
			      SEGMENT_VALUE_MAX);
	if (!utf8_is_valid(value))
		return REFUSE(settler, test, "the value is no UTF-8");
	if (test->subject == SEGMENT_STATE)
		return settle_state(settler, test, index);
	if (test->subject == SEGMENT_DOMAIN && is_whole)
		return settle_domain(settler, test, index);
	if (type == SEGMENT_NUMBER)
		return settle_number(settler, test, index);
	if (type == SEGMENT_YES_NO)
		return settle_yes_no(settler, test, index);
	return type != SEGMENT_DATE || calendar_parse(value, &day) ||
	       REFUSE(settler, test, "%.*s is no day such as 2026-11-30", SLICE_FMT(value));
}

static bool settle_values(struct settler *settler, struct segment_node *test,
			  enum segment_type type)
{
	bool takes = segment_takes_values(test->op);
	bool is_right = takes ? test->value_count > 0 &&
					(test->op == SEGMENT_IN || test->value_count == 1) :
				test->value_count == 0;

	if (!is_right)
		return REFUSE(settler, test, "%s takes %s", segment_operator_word(test->op),
			      !takes			? "no value" :
			      test->op == SEGMENT_IN ? "values" :
						       "one value");
	for (u32 i = 0; i < test->value_count; i++) {
		if (!settle_value(settler, test, type, i))
			return false;
	}
	return true;
}

/* ---- tests ---- */

static bool settle_behaviour(struct settler *settler, const struct segment_node *test)
{
	if (test->link > 0 && (test->subject != SEGMENT_CLICKED || test->id == 0))
		return REFUSE(settler, test, "a link is one of a campaign that was clicked");
	if (test->link > SEGMENT_LINKS_MAX)
		return REFUSE(settler, test, "who clicked is known of the first %d links",
			      SEGMENT_LINKS_MAX);
	return true;
}

static bool settle_operator(struct settler *settler, const struct segment_node *test,
			    enum segment_type type)
{
	const char *word = segment_operator_word(test->op);

	if (segment_takes(test->subject, type, test->op))
		return true;
	if (test->subject == SEGMENT_ATTRIBUTE)
		return REFUSE(settler, test, "\"%s\" cannot be asked of %.*s, which is %s", word,
			      SLICE_FMT(test->name), type_text(type));
	return REFUSE(settler, test, "\"%s\" cannot be asked of \"%s\"", word,
		      segment_subject_word(test->subject));
}

static bool settle_test(struct settler *settler, struct segment_node *test)
{
	bool is_named = test->subject == SEGMENT_ATTRIBUTE || segment_is_of_list(test->subject);
	enum segment_type type = SEGMENT_TEXT;

	if (is_named && !settle_name(settler, test, &type))
		return false;
	if (segment_is_moment(test->subject))
		type = SEGMENT_DATE;
	if (!settle_operator(settler, test, type) || !settle_values(settler, test, type))
		return false;
	if (!segment_takes_days(test->op) && test->days > 0)
		return REFUSE(settler, test, "\"%s\" takes no days",
			      segment_operator_word(test->op));
	if (test->days > SEGMENT_DAYS_MAX)
		return REFUSE(settler, test, "at most %d days", SEGMENT_DAYS_MAX);
	test->type = type;
	return settle_behaviour(settler, test);
}

static bool settle_node(struct settler *settler, struct segment_node *node)
{
	bool is_good = true;

	if (settler->depth == SEGMENT_DEPTH_MAX)
		return REFUSE(settler, node, "the condition is nested too deeply");
	if (node->kind == SEGMENT_TEST)
		return settle_test(settler, node);
	settler->depth++;
	for (struct segment_node *child = node->first; child && is_good; child = child->next)
		is_good = settle_node(settler, child);
	settler->depth--;
	return is_good;
}

/* ---- the canonical shape ---- */

static bool is_kind_group(const struct segment_node *node, enum segment_kind kind)
{
	return node->kind == kind && kind != SEGMENT_TEST && kind != SEGMENT_NOT;
}

/*
 * Groups within groups of their kind are one, a group of one is that one, and "not not" is nothing.
 * Returns what stands for the node; its `next` is the node's.
 */
static struct segment_node *shape(struct segment_node *node)
{
	struct segment_node *next = node->next;
	struct segment_node **at = &node->first;

	while (*at) {
		struct segment_node *child = shape(*at);
		struct segment_node *behind = child->next;

		if (is_kind_group(node, child->kind)) {
			/* Its children stand in its place; without any it was nothing. */
			*at = child->first;
			while (*at)
				at = &(*at)->next;
			*at = behind;
		} else {
			*at = child;
			at = &child->next;
		}
	}
	if (node->kind == SEGMENT_NOT && node->first && node->first->kind == SEGMENT_NOT)
		node = node->first->first;
	else if (is_kind_group(node, node->kind) && node->first && !node->first->next)
		node = node->first;
	node->next = next;
	return node;
}

static void number(struct segment *segment, struct segment_node *node)
{
	node->number = (u16)segment->node_count++;
	for (struct segment_node *child = node->first; child; child = child->next)
		number(segment, child);
}

bool segment_settle(struct segment *segment, const struct segment_names *names,
		    struct segment_problem *problem)
{
	struct settler settler = { segment, names, problem, 0 };

	ASSERT(segment->root && !segment->program);
	*problem = (struct segment_problem){ .column = 1 };
	if (!settle_node(&settler, segment->root))
		return false;
	segment->root = shape(segment->root);
	segment->node_count = 0;
	number(segment, segment->root);
	return segment_compile(segment) || REFUSE(&settler, segment->root, "no memory");
}

#include "campaign/segment_program.h"

#include "base/check.h"
#include "base/text.h"
#include "campaign/segment_match.h"
#include "campaign/segment_words.h"

#include <stdlib.h>

/* ---- what a test compares with ---- */

static bool is_folded(const struct segment_node *test)
{
	return test->subject == SEGMENT_EMAIL || test->subject == SEGMENT_DOMAIN ||
	       (test->subject == SEGMENT_ATTRIBUTE && test->type == SEGMENT_TEXT);
}

static bool fold_values(struct segment *segment, struct segment_step *step)
{
	const struct segment_node *test = step->test;
	struct slice *values =
		arena_take(&segment->arena, test->value_count * sizeof(*values) + 1);

	if (!values)
		return false;
	for (u32 i = 0; i < test->value_count; i++) {
		char *text = arena_take(&segment->arena, test->values[i].len + 1);

		if (!text)
			return false;
		values[i] = (struct slice){ text, segment_fold(text, test->values[i]) };
	}
	if (test->op == SEGMENT_IN)
		qsort(values, test->value_count, sizeof(*values), slice_order);
	step->values = values;
	return true;
}

static u32 states_of(const struct segment_node *test)
{
	u32 states = 0;

	for (u32 i = 0; i < test->value_count; i++) {
		enum contact_state state;

		/* Settling has looked at them. */
		if (segment_state_of(test->values[i], &state))
			states |= 1u << state;
	}
	return test->op == SEGMENT_IS_NOT ? ~states : states;
}

static bool add_step(struct segment *segment, const struct segment_node *test, u16 yes, u16 no)
{
	struct segment_step *step = &segment->program->steps[segment->program->step_count++];

	*step = (struct segment_step){ .test = test,
				       .yes = yes,
				       .no = no,
				       .values = test->values,
				       .value_count = test->value_count };
	if (test->subject == SEGMENT_STATE)
		step->states = states_of(test);
	return !is_folded(test) || fold_values(segment, step);
}

/* ---- the order of a group ---- */

static u32 cost_of(const struct segment_node *node)
{
	u32 cost = 0;

	if (node->kind != SEGMENT_TEST) {
		for (const struct segment_node *child = node->first; child; child = child->next)
			cost += 1 + cost_of(child);
		return cost;
	}
	switch (node->subject) {
	case SEGMENT_STATE:
	case SEGMENT_CREATED:
	case SEGMENT_CHANGED:
		return 1;
	case SEGMENT_CONSENT:
		return 200;
	case SEGMENT_SENT:
	case SEGMENT_OPENED:
	case SEGMENT_CLICKED:
		return node->id > 0 ? 50 : 60;
	default:
		return node->op == SEGMENT_CONTAINS || node->op == SEGMENT_IN ? 6 : 4;
	}
}

struct child {
	const struct segment_node *node;
	u32 cost;
};

static int costlier_first(const void *a, const void *b)
{
	const struct child *left = a;
	const struct child *right = b;

	if (left->cost != right->cost)
		return left->cost > right->cost ? -1 : 1;
	/* The one that was written first is asked first, so it is emitted last. */
	return left->node->number > right->node->number ? -1 : 1;
}

static bool emit(struct segment *segment, const struct segment_node *node, u16 yes, u16 no,
		 u16 *entry);

/* Backwards: each child needs to know where the next one begins. */
static bool emit_group(struct segment *segment, const struct segment_node *group, u16 yes, u16 no,
		       u16 *entry)
{
	size_t count = 0;
	struct child *children;

	for (const struct segment_node *child = group->first; child; child = child->next)
		count++;
	children = arena_take(&segment->arena, count * sizeof(*children) + 1);
	if (!children)
		return false;
	count = 0;
	for (const struct segment_node *child = group->first; child; child = child->next)
		children[count++] = (struct child){ child, cost_of(child) };
	qsort(children, count, sizeof(*children), costlier_first);
	*entry = group->kind == SEGMENT_ALL ? yes : no;
	for (size_t i = 0; i < count; i++) {
		bool is_good = group->kind == SEGMENT_ALL ?
				       emit(segment, children[i].node, *entry, no, entry) :
				       emit(segment, children[i].node, yes, *entry, entry);

		if (!is_good)
			return false;
	}
	return true;
}

static bool emit(struct segment *segment, const struct segment_node *node, u16 yes, u16 no,
		 u16 *entry)
{
	switch (node->kind) {
	case SEGMENT_NOT:
		return emit(segment, node->first, no, yes, entry);
	case SEGMENT_TEST:
		*entry = segment->program->step_count;
		return add_step(segment, node, yes, no);
	default:
		return emit_group(segment, node, yes, no, entry);
	}
}

bool segment_compile(struct segment *segment)
{
	size_t size = sizeof(struct segment_program) +
		      segment->node_count * sizeof(struct segment_step);

	segment->program = arena_take(&segment->arena, size);
	return segment->program && emit(segment, segment->root, SEGMENT_HOLDS, SEGMENT_FAILS,
					&segment->program->begin);
}

/* ---- anchors ---- */

static bool is_anchor(const struct segment_node *test)
{
	return segment_is_of_list(test->subject) ||
	       (segment_is_behaviour(test->subject) && test->id > 0);
}

static void find_anchors(const struct segment_node *node, struct segment_anchor *anchors,
			 size_t max, size_t *count)
{
	if (node->kind == SEGMENT_TEST && is_anchor(node) && *count < max) {
		/* Every test of a time fails when there is none, but for "not on that day". */
		if (node->op != SEGMENT_IS_NOT)
			anchors[(*count)++] = (struct segment_anchor){ node->subject, node->id };
	} else if (node->kind == SEGMENT_ALL) {
		for (const struct segment_node *child = node->first; child; child = child->next)
			find_anchors(child, anchors, max, count);
	}
}

size_t segment_anchors(const struct segment *segment, struct segment_anchor *anchors, size_t max)
{
	size_t count = 0;

	ASSERT(segment->program);
	find_anchors(segment->root, anchors, max, &count);
	return count;
}

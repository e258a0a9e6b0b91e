/* Conditions and loops at work: where this recipient's text goes on. */
#include "message/value.h"

#include "base/check.h"
#include "base/text.h"
#include "message/list_value.h"
#include "message/value_number.h"

bool value_step(struct value_maker *maker, u32 number)
{
	if (++maker->steps <= VALUE_STEPS_MAX)
		return true;
	return value_refuse(maker, &maker->message->fields[number],
			    "the text takes more steps than a message may");
}

/* A list holds an item that is `text`; a text holds `text`. */
static bool contains(struct slice value, struct slice text)
{
	struct slice rest;
	struct slice item;
	bool is_text;

	if (!value_is_list(value))
		return slice_find(value, text) >= 0;
	list_value_open(value, &rest, &is_text);
	while (list_value_next(&rest, is_text, &item)) {
		if (slice_equal(item, text))
			return true;
	}
	return false;
}

/* As numbers where the right side is one, or both are; *order is not set when they are no match. */
static bool compare(const struct template_test *test, struct slice left, struct slice right,
		    int *order)
{
	struct value_number a;
	struct value_number b;
	bool numbers = value_number_read(left, &a) && value_number_read(right, &b);

	if (numbers && (test->is_number || test->has_right)) {
		*order = value_number_compare(&a, &b);
		return true;
	}
	if (test->is_number)
		return false;
	/* By octets, which in UTF-8 is by code points. */
	*order = slice_order(&left, &right);
	return true;
}

static bool is_empty(struct slice value)
{
	return value.len == 0 || (value_is_list(value) && value.len == 1);
}

static bool judge(const struct template_test *test, struct slice left, struct slice right)
{
	int order = 0;

	switch (test->what) {
	case TEST_PRESENT:
		return !is_empty(left);
	case TEST_EMPTY:
		return is_empty(left);
	case TEST_CONTAINS:
		return contains(left, right);
	}
	/* What is no number differs from every number, and is on neither side of it. */
	if (!compare(test, left, right, &order))
		return test->what == TEST_UNEQUAL;
	switch (test->what) {
	case TEST_EQUAL:
		return order == 0;
	case TEST_UNEQUAL:
		return order != 0;
	case TEST_LESS:
		return order < 0;
	case TEST_LESS_EQUAL:
		return order <= 0;
	case TEST_GREATER:
		return order > 0;
	default:
		return order >= 0;
	}
}

static int run_test(struct value_maker *maker, const struct template_test *test)
{
	struct slice left;
	struct slice right = test->text;

	if (!value_filtered(maker, &test->left, &left))
		return -1;
	/* It has no filters, so that the left one's buffer stays. */
	if (test->has_right && !value_filtered(maker, &test->right, &right))
		return -1;
	return judge(test, left, right);
}

/* 1: it holds. Results are bits of a stack, the last one lowest. */
static int run_condition(struct value_maker *maker, const struct template_condition *condition)
{
	u64 stack = 0;

	for (u32 i = 0; i < condition->count; i++) {
		const struct template_test *test = &condition->tests[i];
		int result;

		switch (test->what) {
		case TEST_NOT:
			stack ^= 1;
			break;
		case TEST_AND:
			stack = stack >> 1 & (stack | ~1ull);
			break;
		case TEST_OR:
			stack = stack >> 1 | (stack & 1);
			break;
		default:
			result = run_test(maker, test);
			if (result < 0)
				return -1;
			stack = stack << 1 | (u64)result;
			break;
		}
	}
	return (int)(stack & 1);
}

static bool next_item(struct value_loop *loop)
{
	loop->index++;
	return list_value_next(&loop->rest, loop->is_text, &loop->item);
}

static int start_loop(struct value_maker *maker, const struct template_field *turn, u32 *target)
{
	struct value_loop *loop = &maker->loops[maker->loop_count];
	struct slice value;

	ASSERT(maker->loop_count < TEMPLATE_LOOPS_MAX);
	if (!value_filtered(maker, turn, &value))
		return -1;
	loop->index = 0;
	list_value_open(value, &loop->rest, &loop->is_text);
	*target = turn->target;
	if (!next_item(loop))
		return 1;
	maker->loop_count++;
	return 0;
}

int value_turn(struct value_maker *maker, u32 number, u32 *target)
{
	const struct template_field *turn = &maker->message->fields[number];
	int result;

	*target = turn->target;
	switch (turn->kind) {
	case TURN_TEST:
		result = run_condition(maker, turn->condition);
		return result < 0 ? -1 : !result;
	case TURN_SKIP:
		return 1;
	case TURN_EACH:
		return start_loop(maker, turn, target);
	case TURN_NEXT:
		if (next_item(&maker->loops[maker->loop_count - 1]))
			return 1;
		maker->loop_count--;
		return 0;
	default:
		return 0;
	}
}

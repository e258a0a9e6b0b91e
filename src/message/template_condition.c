/* Conditions: `age >= 20 and not (plan = "free" or tags contains "x")`, read to postfix order. */
#include "message/template_parts.h"

#include "base/text.h"
#include "message/value_number.h"

#define PARENTHESES_MAX 16

/* A condition being read. */
struct reader {
	struct template_parser *p;
	struct template_test tests[TEMPLATE_TESTS_MAX];
	u32 count;
	u32 depth; /* of parentheses and of `not` */
};

static bool refuse(const struct reader *r, const char *why, struct slice shown)
{
	return template_refuse(r->p, why, shown);
}

static bool add(struct reader *r, const struct template_test *test)
{
	if (r->count == TEMPLATE_TESTS_MAX)
		return refuse(r, "the condition is too long", SLICE_NONE);
	r->tests[r->count++] = *test;
	return true;
}

static bool add_operator(struct reader *r, enum template_operator what)
{
	return add(r, &(struct template_test){ .what = (u8)what });
}

/* Takes the word, when it is the next one. */
static bool take_word(struct reader *r, struct slice word)
{
	size_t before = r->p->at;

	if (slice_equal(template_take_name(r->p), word))
		return true;
	r->p->at = before;
	return false;
}

static bool take_sign(struct reader *r, struct template_test *test)
{
	static const struct {
		struct slice sign;
		u8 what;
	} signs[] = {
		{ SLICE("!="), TEST_UNEQUAL },	     { SLICE("<="), TEST_LESS_EQUAL },
		{ SLICE(">="), TEST_GREATER_EQUAL }, { SLICE("=="), TEST_EQUAL },
		{ SLICE("="), TEST_EQUAL },	     { SLICE("<"), TEST_LESS },
		{ SLICE(">"), TEST_GREATER },
	};
	struct slice rest;

	template_skip_blanks(r->p);
	rest = slice_from(r->p->source->text, r->p->at);
	for (size_t i = 0; i < array_count(signs); i++) {
		if (slice_has_prefix(rest, signs[i].sign)) {
			r->p->at += signs[i].sign.len;
			test->what = signs[i].what;
			return true;
		}
	}
	if (!take_word(r, SLICE("contains")))
		return false;
	test->what = TEST_CONTAINS;
	return true;
}

/* A text in quotes, a number, or another field, which has no filters. */
static bool take_right(struct reader *r, struct template_test *test)
{
	struct template_parser *p = r->p;
	struct value_number number;
	struct slice name;

	template_skip_blanks(p);
	if (template_peek(p, 0) == '"')
		return template_take_text(p, &test->text);
	name = template_take_name(p);
	if (value_number_read(name, &number)) {
		test->is_number = true;
		test->text = arena_copy(p->set->arena, name);
		return test->text.ptr || refuse(r, "out of memory", SLICE_NONE);
	}
	test->has_right = true;
	test->right.place = PLACE_TEST;
	template_set_line(p, &test->right);
	if (template_peek(p, 0) == '|')
		return refuse(r, "filters stand on the left side of a comparison", SLICE_NONE);
	return template_take_operand(p, name, &test->right);
}

static bool take_comparison(struct reader *r)
{
	struct template_parser *p = r->p;
	struct template_test test = { .what = TEST_PRESENT, .left.place = PLACE_TEST };
	struct slice name = template_take_name(p);

	template_set_line(p, &test.left);
	if (name.len == 0)
		return refuse(r, "a condition needs a field: {{#if name = \"x\"}}", SLICE_NONE);
	if (!template_take_operand(p, name, &test.left))
		return false;
	if (take_sign(r, &test)) {
		if (!take_right(r, &test))
			return false;
	} else if (take_word(r, SLICE("empty"))) {
		test.what = TEST_EMPTY;
	}
	return add(r, &test);
}

static bool take_or(struct reader *r);

static bool take_not(struct reader *r)
{
	bool done;

	if (r->depth == PARENTHESES_MAX)
		return refuse(r, "the condition is nested too deeply", SLICE_NONE);
	r->depth++;
	if (take_word(r, SLICE("not"))) {
		done = take_not(r) && add_operator(r, TEST_NOT);
	} else {
		template_skip_blanks(r->p);
		if (template_peek(r->p, 0) == '(') {
			r->p->at++;
			done = take_or(r);
			template_skip_blanks(r->p);
			if (done && template_peek(r->p, 0) != ')')
				done = refuse(r, "a ) is missing", SLICE_NONE);
			r->p->at += done;
		} else {
			done = take_comparison(r);
		}
	}
	r->depth--;
	return done;
}

static bool take_and(struct reader *r)
{
	if (!take_not(r))
		return false;
	while (take_word(r, SLICE("and"))) {
		if (!take_not(r) || !add_operator(r, TEST_AND))
			return false;
	}
	return true;
}

static bool take_or(struct reader *r)
{
	if (!take_and(r))
		return false;
	while (take_word(r, SLICE("or"))) {
		if (!take_and(r) || !add_operator(r, TEST_OR))
			return false;
	}
	return true;
}

bool template_take_condition(struct template_parser *p, struct template_field *field)
{
	struct reader r = { .p = p };
	struct template_condition *condition = arena_take(p->set->arena, sizeof(*condition));
	struct slice tests;

	if (!take_or(&r))
		return false;
	tests = arena_copy(p->set->arena, (struct slice){ (const char *)r.tests,
							  r.count * sizeof(r.tests[0]) });
	if (!condition || !tests.ptr)
		return refuse(&r, "out of memory", SLICE_NONE);
	condition->tests = (struct template_test *)(void *)(uintptr_t)tests.ptr;
	condition->count = r.count;
	field->condition = condition;
	return true;
}

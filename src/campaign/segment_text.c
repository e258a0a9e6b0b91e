#include "campaign/segment_lexer.h"
#include "campaign/segment_words.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>

/*
 *	or      = and { "or" and }
 *	and     = unary { "and" unary }
 *	unary   = "not" unary | "(" or ")" | test
 */
struct parser {
	struct segment *segment;
	struct segment_lexer lexer;
	struct segment_problem *problem;
	u32 depth;
	bool failed;
};

static struct segment_node *parse_or(struct parser *parser);

/* The first refusal is the one that is told. Returns NULL. */
static struct segment_node *refuse(struct parser *parser, const char *what)
{
	const struct segment_lexer *lexer = &parser->lexer;

	if (parser->failed)
		return NULL;
	parser->failed = true;
	parser->problem->column = segment_lexer_column(lexer);
	if (lexer->token == SEGMENT_TOKEN_BAD)
		parser->problem->error = lexer->error;
	else if (lexer->token == SEGMENT_TOKEN_END)
		error_set(&parser->problem->error, "%s is missing at the end", what);
	else
		error_set(&parser->problem->error, "%s is expected here, not %.*s", what,
			  (int)min_size(lexer->word.len, 40), lexer->word.ptr);
	return NULL;
}

static struct segment_node *add(struct parser *parser, enum segment_kind kind)
{
	struct segment_node *node = segment_add(parser->segment, kind);

	if (node) {
		node->column = segment_lexer_column(&parser->lexer);
		return node;
	}
	if (!parser->failed) {
		parser->failed = true;
		parser->problem->column = segment_lexer_column(&parser->lexer);
		error_set(&parser->problem->error, "the condition has more than %d parts",
			  SEGMENT_NODES_MAX);
	}
	return NULL;
}

/* ---- tokens ---- */

static bool is_word(const struct parser *parser, const char *word)
{
	return parser->lexer.token == SEGMENT_TOKEN_WORD &&
	       slice_equal_nocase(parser->lexer.word, slice_of(word));
}

static bool is_sign(const struct parser *parser, const char *sign)
{
	return parser->lexer.token == SEGMENT_TOKEN_SIGN &&
	       slice_equal(parser->lexer.word, slice_of(sign));
}

static bool take_word(struct parser *parser, const char *word)
{
	bool is_it = is_word(parser, word);

	if (is_it)
		segment_lexer_next(&parser->lexer);
	return is_it;
}

static bool take_sign(struct parser *parser, const char *sign)
{
	bool is_it = is_sign(parser, sign);

	if (is_it)
		segment_lexer_next(&parser->lexer);
	return is_it;
}

static bool want_word(struct parser *parser, const char *word)
{
	return take_word(parser, word) || refuse(parser, word);
}

static bool want_sign(struct parser *parser, const char *sign)
{
	return take_sign(parser, sign) || refuse(parser, sign);
}

static bool want_number(struct parser *parser, u32 least, u32 most, u32 *number)
{
	if (parser->lexer.token != SEGMENT_TOKEN_NUMBER ||
	    !slice_to_u32(parser->lexer.word, number) || *number < least || *number > most) {
		char what[64];

		snprintf(what, sizeof(what), "a whole number from %u to %u", least, most);
		return refuse(parser, what);
	}
	segment_lexer_next(&parser->lexer);
	return true;
}

/* "30 days" */
static bool want_days(struct parser *parser, struct segment_node *test)
{
	if (!want_number(parser, 0, SEGMENT_DAYS_MAX, &test->days))
		return false;
	return take_word(parser, "day") || want_word(parser, "days");
}

/* The string without its escapes. */
static bool unescape(const struct segment_lexer *lexer, struct buf *out)
{
	struct slice word = lexer->word;

	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] == '\\')
			i++;
		buf_add_char(out, word.ptr[i]);
	}
	return !out->failed;
}

static bool take_string(struct parser *parser, struct slice *out)
{
	struct buf text;
	bool is_good;

	buf_init(&text, SEGMENT_VALUE_MAX);
	is_good = unescape(&parser->lexer, &text);
	if (is_good)
		*out = arena_copy(&parser->segment->arena, buf_slice(&text));
	buf_done(&text);
	if (!is_good || !out->ptr)
		return refuse(parser, "a shorter text");
	segment_lexer_next(&parser->lexer);
	return true;
}

/* ---- values ---- */

static bool want_value(struct parser *parser, struct segment_node *test, size_t index)
{
	const struct segment_lexer *lexer = &parser->lexer;
	enum segment_type type = SEGMENT_TEXT;

	if (lexer->token == SEGMENT_TOKEN_STRING)
		return take_string(parser, &test->values[index]);
	if (lexer->token == SEGMENT_TOKEN_NUMBER)
		type = SEGMENT_NUMBER;
	else if (lexer->token == SEGMENT_TOKEN_DATE)
		type = SEGMENT_DATE;
	else if (is_word(parser, "yes") || is_word(parser, "no"))
		type = SEGMENT_YES_NO;
	else if (lexer->token != SEGMENT_TOKEN_WORD || test->subject != SEGMENT_STATE)
		return refuse(parser, "a value (a text stands between \"\")");
	test->type = type;
	if (lexer->word.len > SEGMENT_VALUE_MAX ||
	    !segment_set_value(parser->segment, test, index, lexer->word))
		return refuse(parser, "a shorter value");
	segment_lexer_next(&parser->lexer);
	return true;
}

static bool want_one_value(struct parser *parser, struct segment_node *test)
{
	if (!segment_make_values(parser->segment, test, 1))
		return refuse(parser, "less to keep (there is no memory), or nothing");
	return want_value(parser, test, 0);
}

/* How many values stand in the brackets, so that there is room for them. */
static size_t count_values(const struct parser *parser)
{
	struct segment_lexer ahead = parser->lexer;
	size_t count = 1;

	while (ahead.token != SEGMENT_TOKEN_END && ahead.token != SEGMENT_TOKEN_BAD &&
	       !(ahead.token == SEGMENT_TOKEN_SIGN && ahead.word.ptr[0] == ')')) {
		count += ahead.token == SEGMENT_TOKEN_SIGN && ahead.word.ptr[0] == ',';
		segment_lexer_next(&ahead);
	}
	return count;
}

static bool want_values(struct parser *parser, struct segment_node *test)
{
	size_t count;

	test->op = SEGMENT_IN;
	if (!want_sign(parser, "("))
		return false;
	count = count_values(parser);
	if (count > SEGMENT_VALUES_MAX || !segment_make_values(parser->segment, test, count))
		return refuse(parser, "a shorter list");
	for (size_t i = 0; i < count; i++) {
		if ((i > 0 && !want_sign(parser, ",")) || !want_value(parser, test, i))
			return false;
	}
	return want_sign(parser, ")");
}

/* ---- operators ---- */

/* What compares by itself: signs, and the words for days. */
static bool take_comparison(struct parser *parser, struct segment_node *test)
{
	static const struct {
		const char *word;
		enum segment_operator op;
	} words[] = { { "before", SEGMENT_LESS }, { "until", SEGMENT_AT_MOST },
		      { "on", SEGMENT_IS },	  { "since", SEGMENT_AT_LEAST },
		      { "after", SEGMENT_MORE } };

	for (size_t i = 0; i < array_count(words); i++) {
		if (take_word(parser, words[i].word)) {
			test->op = words[i].op;
			if (parser->lexer.token != SEGMENT_TOKEN_DATE)
				return refuse(parser, "a day such as 2026-11-30");
			return true;
		}
	}
	if (parser->lexer.token != SEGMENT_TOKEN_SIGN ||
	    !segment_operator_of(parser->lexer.word, &test->op) || test->op > SEGMENT_MORE)
		return false;
	segment_lexer_next(&parser->lexer);
	return true;
}

static bool take_text_operator(struct parser *parser, struct segment_node *test)
{
	if (take_word(parser, "contains"))
		test->op = SEGMENT_CONTAINS;
	else if (take_word(parser, "begins"))
		test->op = SEGMENT_BEGINS;
	else if (take_word(parser, "ends"))
		test->op = SEGMENT_ENDS;
	else
		return false;
	if (test->op != SEGMENT_CONTAINS)
		(void)take_word(parser, "with");
	return true;
}

/* Behind "anniversary". */
static bool want_anniversary(struct parser *parser, struct segment_node *test)
{
	test->op = SEGMENT_ANNIVERSARY;
	if (take_word(parser, "today"))
		return true;
	if (take_word(parser, "this")) {
		test->op = SEGMENT_THIS_MONTH;
		return want_word(parser, "month");
	}
	if (!want_word(parser, "within"))
		return false;
	(void)take_word(parser, "next");
	return want_days(parser, test);
}

/* Operators that need no value; false without a refusal: it is none of them. */
static bool take_time_operator(struct parser *parser, struct segment_node *test)
{
	if (take_word(parser, "within")) {
		test->op = SEGMENT_WITHIN;
		if (take_word(parser, "next"))
			test->op = SEGMENT_WITHIN_NEXT;
		else
			(void)take_word(parser, "last");
		return want_days(parser, test);
	}
	if (take_word(parser, "older")) {
		test->op = SEGMENT_OLDER;
		return want_word(parser, "than") && want_days(parser, test);
	}
	if (take_word(parser, "anniversary"))
		return want_anniversary(parser, test);
	return take_comparison(parser, test) && want_one_value(parser, test);
}

static struct segment_node *negate(struct parser *parser, struct segment_node *node)
{
	struct segment_node *not = node ? add(parser, SEGMENT_NOT) : NULL;

	if (not) {
		not->first = node;
		not->column = node->column;
	}
	return not;
}

/* Behind a subject that has values. */
static struct segment_node *parse_operator(struct parser *parser, struct segment_node *test)
{
	bool is_not;

	if (take_word(parser, "is")) {
		is_not = take_word(parser, "not");
		test->op = SEGMENT_EMPTY;
		if (!want_word(parser, "empty"))
			return NULL;
		return is_not ? negate(parser, test) : test;
	}
	is_not = take_word(parser, "not");
	if (take_text_operator(parser, test)) {
		if (!want_one_value(parser, test))
			return NULL;
	} else if (take_word(parser, "in")) {
		if (!want_values(parser, test))
			return NULL;
	} else if (is_not || !take_time_operator(parser, test)) {
		return refuse(parser, "a comparison (=, contains, in, is empty, ...)");
	}
	return is_not ? negate(parser, test) : test;
}

/* Behind a subject that is a time by itself: what time is asked for may be left out. */
static struct segment_node *parse_moment(struct parser *parser, struct segment_node *test)
{
	test->op = SEGMENT_EVER;
	if (!take_time_operator(parser, test) && parser->failed)
		return NULL;
	return test;
}

/* ---- tests ---- */

static bool want_name(struct parser *parser, struct segment_node *test)
{
	if (parser->lexer.token == SEGMENT_TOKEN_STRING)
		return take_string(parser, &test->name);
	if (parser->lexer.token != SEGMENT_TOKEN_ID ||
	    !slice_to_u32(slice_from(parser->lexer.word, 1), &test->id) || test->id == 0)
		return refuse(parser, "the name of a list, between \"\",");
	segment_lexer_next(&parser->lexer);
	return true;
}

static struct segment_node *parse_list(struct parser *parser, struct segment_node *test,
				       enum segment_subject subject)
{
	test->subject = subject;
	if (!want_word(parser, "list") || !want_name(parser, test))
		return NULL;
	return parse_moment(parser, test);
}

static struct segment_node *parse_behaviour(struct parser *parser, struct segment_node *test)
{
	if (take_word(parser, "campaign") && !want_number(parser, 1, UINT32_MAX, &test->id))
		return NULL;
	if (test->id > 0 && test->subject == SEGMENT_CLICKED && take_word(parser, "link") &&
	    !want_number(parser, 1, SEGMENT_LINKS_MAX, &test->link))
		return NULL;
	return parse_moment(parser, test);
}

static struct segment_node *parse_attribute(struct parser *parser, struct segment_node *test,
					    struct slice word)
{
	test->subject = SEGMENT_ATTRIBUTE;
	if (slice_equal_nocase(word, SLICE("attribute"))) {
		if (parser->lexer.token != SEGMENT_TOKEN_ID || !want_name(parser, test))
			return refuse(parser, "the number of an attribute, such as #3,");
		return parse_operator(parser, test);
	}
	if (slice_has_prefix_nocase(word, SLICE("attribute.")))
		word = slice_from(word, 10);
	if (word.len > SEGMENT_VALUE_MAX)
		return refuse(parser, "a shorter name");
	test->name = arena_copy(&parser->segment->arena, word);
	return test->name.ptr ? parse_operator(parser, test) : refuse(parser, "memory");
}

static struct segment_node *parse_test(struct parser *parser)
{
	struct segment_node *test;
	struct slice word = parser->lexer.word;

	if (parser->lexer.token != SEGMENT_TOKEN_WORD)
		return refuse(parser, "a condition");
	test = add(parser, SEGMENT_TEST);
	if (!test)
		return NULL;
	segment_lexer_next(&parser->lexer);
	if (slice_equal_nocase(word, SLICE("in")))
		return parse_list(parser, test, SEGMENT_MEMBER);
	if (slice_equal_nocase(word, SLICE("left")))
		return parse_list(parser, test, SEGMENT_LEFT);
	if (slice_equal_nocase(word, SLICE("pending")))
		return want_word(parser, "in") ? parse_list(parser, test, SEGMENT_PENDING) : NULL;
	if (!segment_subject_of(word, &test->subject) || test->subject == SEGMENT_ATTRIBUTE ||
	    test->subject == SEGMENT_MEMBER)
		return parse_attribute(parser, test, word);
	if (segment_is_behaviour(test->subject))
		return parse_behaviour(parser, test);
	return segment_is_moment(test->subject) ? parse_moment(parser, test) :
						  parse_operator(parser, test);
}

static struct segment_node *parse_never(struct parser *parser)
{
	struct segment_node *test = add(parser, SEGMENT_TEST);

	if (!test)
		return NULL;
	if (parser->lexer.token != SEGMENT_TOKEN_WORD ||
	    !segment_subject_of(parser->lexer.word, &test->subject) ||
	    !segment_is_behaviour(test->subject))
		return refuse(parser, "sent, opened or clicked");
	segment_lexer_next(&parser->lexer);
	return negate(parser, parse_behaviour(parser, test));
}

static struct segment_node *parse_unary(struct parser *parser)
{
	struct segment_node *node = NULL;

	if (parser->depth == SEGMENT_DEPTH_MAX)
		return refuse(parser, "a condition that is nested less deeply");
	parser->depth++;
	if (take_sign(parser, "(")) {
		node = parse_or(parser);
		if (node && !want_sign(parser, ")"))
			node = NULL;
	} else if (take_word(parser, "not")) {
		node = negate(parser, parse_unary(parser));
	} else if (take_word(parser, "never")) {
		node = parse_never(parser);
	} else if (take_word(parser, "everyone")) {
		node = add(parser, SEGMENT_ALL);
	} else if (take_word(parser, "nobody")) {
		node = add(parser, SEGMENT_ANY);
	} else {
		node = parse_test(parser);
	}
	parser->depth--;
	return node;
}

/* One, or a group of several that stand between the same word. */
static struct segment_node *parse_group(struct parser *parser, const char *word,
					enum segment_kind kind,
					struct segment_node *(*parse)(struct parser *parser))
{
	struct segment_node *node = parse(parser);
	struct segment_node *last = node;
	struct segment_node *group = NULL;

	while (node && take_word(parser, word)) {
		struct segment_node *more = parse(parser);

		if (more && !group) {
			group = add(parser, kind);
			if (group)
				group->first = node;
		}
		if (!more || !group)
			return NULL;
		last->next = more;
		last = more;
	}
	return group ? group : node;
}

static struct segment_node *parse_and(struct parser *parser)
{
	return parse_group(parser, "and", SEGMENT_ALL, parse_unary);
}

static struct segment_node *parse_or(struct parser *parser)
{
	return parse_group(parser, "or", SEGMENT_ANY, parse_and);
}

bool segment_read_text(struct segment *segment, struct slice text, struct segment_problem *problem)
{
	struct parser parser = { .segment = segment, .problem = problem };

	*problem = (struct segment_problem){ .column = 1 };
	if (text.len > SEGMENT_TEXT_MAX)
		return error_set(&problem->error, "the condition is longer than %d bytes",
				 SEGMENT_TEXT_MAX);
	if (!utf8_is_valid(text))
		return error_set(&problem->error, "the condition is no UTF-8");
	segment_lexer_init(&parser.lexer, text);
	if (parser.lexer.token == SEGMENT_TOKEN_END)
		segment->root = add(&parser, SEGMENT_ALL);
	else
		segment->root = parse_or(&parser);
	if (segment->root && parser.lexer.token != SEGMENT_TOKEN_END)
		segment->root = refuse(&parser, "\"and\", \"or\" or the end");
	return segment->root != NULL;
}

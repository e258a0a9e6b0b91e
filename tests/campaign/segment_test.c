/* What segment.h promises of the text: what it may say, what is refused and where, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "campaign/segment_names.h"
#include "campaign/segment_program.h"

#include <stdio.h>
#include <string.h>

static void must_print(const struct segment *segment, enum segment_spelling spelling,
		       const char *wanted)
{
	struct buf out;

	buf_init(&out, 65536);
	segment_print(segment->root, spelling, &out);
	assert_false(out.failed);
	assert_string_equal(buf_text(&out), wanted);
	buf_done(&out);
}

static void reads_as(const char *text, const char *wanted)
{
	struct segment_problem problem;
	struct segment *segment = segment_of_text(slice_of(text), &segment_test_names, &problem);

	if (!segment)
		fail_msg("%s: %u: %s", text, problem.column, problem.error.text);
	must_print(segment, SEGMENT_BY_NAME, wanted);
	segment_free(segment);
}

static void stays(const char *text)
{
	reads_as(text, text);
}

static void is_refused(const char *text, u32 column, const char *why)
{
	struct segment_problem problem;
	struct segment *segment = segment_of_text(slice_of(text), &segment_test_names, &problem);

	if (segment)
		fail_msg("%s is not refused", text);
	if (!strstr(problem.error.text, why) || problem.column != column)
		fail_msg("%s: %u: %s", text, problem.column, problem.error.text);
}

static void every_test_reads_and_prints_as_it_is_written(void **state)
{
	static const char *const texts[] = {
		"everyone",
		"nobody",
		"state = active",
		"state != bounced",
		"state in (active, pending)",
		"email begins \"info@\"",
		"domain in (\"docomo.ne.jp\", \"ezweb.ne.jp\")",
		"created before 2026-01-01",
		"changed within 7 days",
		"created older than 1 day",
		"prefecture = \"東京\"",
		"prefecture != \"a \\\"b\\\" \\\\\"",
		"prefecture contains \"京\"",
		"plan ends \"plus\"",
		"plan in (\"gold\", \"silver\")",
		"plan is empty",
		"points = 12.5",
		"points >= -3",
		"points in (1, 2, 3)",
		"birthday on 2000-02-29",
		"birthday != 2000-02-29",
		"birthday since 1990-01-01",
		"birthday until 1999-12-31",
		"birthday after 2000-01-01",
		"contract_end within 30 days",
		"contract_end within next 30 days",
		"contract_end older than 30 days",
		"birthday anniversary today",
		"birthday anniversary within 7 days",
		"birthday anniversary this month",
		"wants_paper = yes",
		"wants_paper != no",
		"attribute.state = \"x\"",
		"attribute.2nd is empty",
		"in list \"vip\"",
		"left list \"vip\" within 30 days",
		"pending in list \"news\" older than 3 days",
		"in list \"a \\\"quoted\\\\\\\" one\" since 2026-04-01",
		"consent",
		"consent older than 365 days",
		"sent",
		"sent campaign 12",
		"opened within 90 days",
		"opened campaign 4294967295 on 2026-11-30",
		"clicked campaign 12 link 3 after 2026-11-01",
		"not opened",
		"state = active and (in list \"vip\" or not (plan = \"a\" and plan != \"b\"))",
		"(opened or clicked) and not (sent and left list \"news\")",
	};

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++)
		stays(texts[i]);
}

static void what_people_write_otherwise_means_the_same(void **state)
{
	(void)state;
	reads_as("", "everyone");
	reads_as("  \n", "everyone");
	reads_as("prefecture=\"東京\" AND opened WITHIN LAST 30 days\nand not in list \"VIP\"",
		 "prefecture = \"東京\" and opened within 30 days and not in list \"vip\"");
	reads_as("prefecture　= \"東京\"", "prefecture = \"東京\"");
	reads_as("never opened", "not opened");
	reads_as("never clicked campaign 3", "not clicked campaign 3");
	reads_as("plan is not empty", "not plan is empty");
	reads_as("plan not in (\"a\")", "not plan in (\"a\")");
	reads_as("plan not contains \"a\"", "not plan contains \"a\"");
	reads_as("email begins with \"a\"", "email begins \"a\"");
	reads_as("birthday >= 2000-01-01", "birthday since 2000-01-01");
	reads_as("birthday = \"2000-01-01\"", "birthday on 2000-01-01");
	reads_as("points > 007.50", "points > 7.5");
	reads_as("points = -0", "points = 0");
	reads_as("points = \"12\"", "points = 12");
	reads_as("plan = 3", "plan = \"3\"");
	reads_as("state = \"Active\"", "state = active");
	reads_as("wants_paper = 1", "wants_paper = yes");
	reads_as("domain = \"例え.JP\"", "domain = \"xn--r8jz45g.jp\"");
	reads_as("attribute.plan is empty", "plan is empty");
	reads_as("Prefecture is empty", "prefecture is empty");
}

static void redundant_groups_go(void **state)
{
	(void)state;
	reads_as("((plan is empty))", "plan is empty");
	reads_as("sent and (opened and (clicked))", "sent and opened and clicked");
	reads_as("(sent or opened) or clicked", "sent or opened or clicked");
	reads_as("not not sent", "sent");
	reads_as("not (not (sent and opened)) and clicked", "sent and opened and clicked");
	reads_as("everyone and sent", "sent");
	reads_as("nobody or sent", "sent");
	reads_as("everyone and everyone", "everyone");
	reads_as("sent and nobody", "sent and nobody");
}

static void names_change_and_what_is_kept_by_ids_does_not(void **state)
{
	struct segment_problem problem;
	struct segment *segment = segment_of_text(
		SLICE("plan = \"a\" and in list \"vip\" and attribute.state is empty"),
		&segment_test_names, &problem);

	(void)state;
	assert_non_null(segment);
	must_print(segment, SEGMENT_BY_ID,
		   "attribute #5 = \"a\" and in list #1 and attribute #6 is empty");
	segment_free(segment);
	reads_as("attribute #5 = \"a\" and not pending in list #3",
		 "plan = \"a\" and not pending in list \"a \\\"quoted\\\\\\\" one\"");
	is_refused("sent and in list #9", 10, "there is no list #9 any more");
	is_refused("attribute #90 is empty", 1, "there is no attribute #90 any more");
}

static void mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	is_refused("prefecture", 11, "a comparison");
	is_refused("prefecture =", 13, "a value");
	is_refused("prefecture = 東京", 14, "no meaning");
	is_refused("prefecture = \"東京", 14, "no \" at its end");
	is_refused("\"東京\" = prefecture", 1, "a condition is expected");
	is_refused("prefecture = \"東京\" plan", 19, "\"and\", \"or\" or the end");
	is_refused("sent and", 9, "a condition is missing at the end");
	is_refused("(sent or opened", 16, ") is missing at the end");
	is_refused("in list", 8, "the name of a list");
	is_refused("in list \"nix\"", 1, "there is no list \"nix\"");
	is_refused("sent and colour = \"x\"", 10, "there is no attribute \"colour\"");
	is_refused("points contains 3", 1, "\"contains\" cannot be asked of points");
	is_refused("points = \"many\"", 1, "many is no number");
	is_refused("birthday on 2025-02-29", 1, "2025-02-29 is no day");
	is_refused("birthday on 2026", 13, "a day such as");
	is_refused("birthday > \"soon\"", 1, "soon is no day");
	is_refused("wants_paper = \"maybe\"", 1, "neither yes nor no");
	is_refused("wants_paper > 1", 1, "cannot be asked");
	is_refused("state = gone", 1, "gone is no state");
	is_refused("domain = \"a b\"", 1, "no domain");
	is_refused("created", 1, "\"ever\" cannot be asked of \"created\"");
	is_refused("opened within 30", 17, "days is missing at the end");
	is_refused("opened within 36501 days", 15, "from 0 to 36500");
	is_refused("opened within -1 days", 15, "a whole number");
	is_refused("opened contains \"x\"", 8, "\"and\", \"or\" or the end");
	is_refused("plan = \"\"", 1, "no value is empty");
	is_refused("clicked campaign 0", 18, "from 1 to");
	is_refused("clicked campaign 1 link 65", 25, "from 1 to 64");
	is_refused("points = 3kg", 10, "letters follow a number");
	is_refused("a ! b", 3, "no meaning");
	is_refused("\xff", 1, "no UTF-8");
}

static void size_and_depth_have_a_limit(void **state)
{
	static char text[SEGMENT_TEXT_MAX + 100];
	struct buf long_text;

	(void)state;
	memset(text, '(', 10000);
	is_refused(text, SEGMENT_DEPTH_MAX + 1, "nested less deeply");
	for (size_t i = 0; i < 10000; i += 4)
		memcpy(text + i, "not ", 5);
	is_refused(text, SEGMENT_DEPTH_MAX * 4 + 1, "nested less deeply");
	memset(text, ' ', SEGMENT_TEXT_MAX + 1);
	is_refused(text, 1, "longer than");
	buf_init(&long_text, SEGMENT_TEXT_MAX);
	for (size_t i = 0; i < SEGMENT_NODES_MAX; i++)
		buf_add_text(&long_text, i > 0 ? " or sent" : "sent");
	is_refused(buf_text(&long_text), 8 * SEGMENT_NODES_MAX - 7, "more than");
	buf_reset(&long_text);
	buf_add_text(&long_text, "points in (0");
	for (size_t i = 0; i < SEGMENT_VALUES_MAX; i++)
		buf_add_format(&long_text, ",%zu", i);
	buf_add_text(&long_text, ")");
	is_refused(buf_text(&long_text), 12, "a shorter list");
	buf_reset(&long_text);
	buf_add_text(&long_text, "plan = \"");
	for (size_t i = 0; i <= SEGMENT_VALUE_MAX; i++)
		buf_add_char(&long_text, 'x');
	buf_add_text(&long_text, "\"");
	is_refused(buf_text(&long_text), 8, "a shorter text");
	buf_done(&long_text);
}

static void anchors_are_what_all_must_have(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {
		{ "in list \"vip\"", 1 },
		{ "in list \"vip\" and (state = active and opened campaign 5)", 2 },
		{ "in list \"vip\" or sent", 0 },
		{ "not in list \"vip\"", 0 },
		{ "opened", 0 },
		{ "everyone", 0 },
		{ "in list \"vip\" != 2026-01-01 and state = active", 0 },
		{ "left list \"news\" within 3 days and not (clicked campaign 2)", 1 },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct segment_anchor anchors[4];
		struct segment_problem problem;
		struct segment *segment =
			segment_of_text(slice_of(cases[i].text), &segment_test_names, &problem);

		assert_non_null(segment);
		assert_int_equal(segment_anchors(segment, anchors, 4), cases[i].count);
		segment_free(segment);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_test_reads_and_prints_as_it_is_written),
		cmocka_unit_test(what_people_write_otherwise_means_the_same),
		cmocka_unit_test(redundant_groups_go),
		cmocka_unit_test(names_change_and_what_is_kept_by_ids_does_not),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(size_and_depth_have_a_limit),
		cmocka_unit_test(anchors_are_what_all_must_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

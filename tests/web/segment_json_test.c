/* What segment_json.h promises: the same tree as the text's, and where a mistake is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "campaign/segment_people.h"
#include "web/segment_json.h"

#define TREES 400

static struct segment *read_json(const char *text, char pointer[SEGMENT_POINTER_MAX],
				 struct error *error)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	struct segment *segment = segment_open();
	struct segment_problem problem;

	assert_non_null(json);
	assert_non_null(segment);
	if (!segment_json_read(segment, json, pointer, error)) {
		segment_free(segment);
		segment = NULL;
	} else if (!segment_settle(segment, &segment_test_names, &problem)) {
		segment_json_pointer(segment, problem.node, pointer);
		*error = problem.error;
		segment_free(segment);
		segment = NULL;
	}
	json_decref(json);
	return segment;
}

static void reads_as(const char *json, const char *wanted)
{
	char pointer[SEGMENT_POINTER_MAX];
	struct error error;
	struct segment *segment = read_json(json, pointer, &error);
	struct buf text;

	if (!segment)
		fail_msg("%s: %s: %s", json, pointer, error.text);
	buf_init(&text, 10000);
	segment_print(segment->root, SEGMENT_BY_NAME, &text);
	assert_string_equal(buf_text(&text), wanted);
	buf_done(&text);
	segment_free(segment);
}

static void json_says_what_text_says(void **state)
{
	(void)state;
	reads_as("{\"all\":[]}", "everyone");
	reads_as("{\"any\":[]}", "nobody");
	reads_as("{\"test\":\"state\",\"op\":\"in\",\"values\":[\"active\",\"pending\"]}",
		 "state in (active, pending)");
	reads_as("{\"all\":[{\"test\":\"attribute\",\"name\":\"prefecture\",\"op\":\"=\",\"value\":\"東京\"},"
		 "{\"test\":\"opened\",\"op\":\"within\",\"days\":30},"
		 "{\"not\":{\"test\":\"member\",\"name\":\"vip\"}}]}",
		 "prefecture = \"東京\" and opened within 30 days and not in list \"vip\"");
	reads_as("{\"test\":\"attribute\",\"id\":2,\"op\":\">=\",\"value\":12.5}", "points >= 12.5");
	reads_as("{\"test\":\"attribute\",\"name\":\"points\",\"op\":\"<\",\"value\":-3}", "points < -3");
	reads_as("{\"test\":\"attribute\",\"name\":\"wants_paper\",\"op\":\"=\",\"value\":true}",
		 "wants_paper = yes");
	reads_as("{\"test\":\"attribute\",\"name\":\"birthday\",\"op\":\"anniversary this month\"}",
		 "birthday anniversary this month");
	reads_as("{\"test\":\"clicked\",\"campaign\":12,\"link\":3}", "clicked campaign 12 link 3");
	reads_as("{\"test\":\"sent\",\"op\":\"<\",\"value\":\"2026-11-30\"}", "sent before 2026-11-30");
	reads_as("{\"test\":\"pending\",\"id\":1,\"op\":\"older than\",\"days\":3}",
		 "pending in list \"vip\" older than 3 days");
}

static void is_refused(const char *json, const char *wanted, const char *why)
{
	char pointer[SEGMENT_POINTER_MAX];
	struct error error;
	struct segment *segment = read_json(json, pointer, &error);

	if (segment)
		fail_msg("%s is not refused", json);
	if (strcmp(pointer, wanted) != 0 || !strstr(error.text, why))
		fail_msg("%s: %s: %s", json, pointer, error.text);
}

static void mistakes_are_pointed_at(void **state)
{
	(void)state;
	is_refused("[]", "", "an object");
	is_refused("{}", "", "has a test, or");
	is_refused("{\"all\":[],\"any\":[]}", "", "has a test, or");
	is_refused("{\"all\":{}}", "/all", "a list");
	is_refused("{\"all\":[{\"all\":[]},{\"any\":[5]}]}", "/all/1/any/0", "an object");
	is_refused("{\"not\":{\"test\":\"mood\"}}", "/not/test", "no such test");
	is_refused("{\"test\":5}", "/test", "no such test");
	is_refused("{\"test\":\"sent\",\"op\":\"maybe\"}", "/op", "no such operator");
	is_refused("{\"test\":\"sent\",\"op\":5}", "/op", "no such operator");
	is_refused("{\"test\":\"sent\",\"colour\":5}", "", "colour is no field");
	is_refused("{\"test\":\"state\",\"campaign\":5}", "", "campaign is no field");
	is_refused("{\"test\":\"sent\",\"name\":\"x\"}", "/name", "has no name");
	is_refused("{\"test\":\"member\"}", "/name", "missing");
	is_refused("{\"test\":\"member\",\"id\":-1}", "/id", "whole number");
	is_refused("{\"test\":\"member\",\"name\":\"nix\"}", "", "there is no list");
	is_refused("{\"any\":[{\"test\":\"sent\"},{\"test\":\"member\",\"id\":77}]}", "/any/1", "any more");
	is_refused("{\"test\":\"attribute\",\"name\":\"plan\",\"op\":\"=\",\"value\":{}}", "/value",
		   "a value is");
	is_refused("{\"test\":\"state\",\"op\":\"=\",\"value\":\"a\",\"values\":[\"a\"]}",
		   "/values", "not both");
	is_refused("{\"test\":\"attribute\",\"name\":\"plan\",\"op\":\"in\",\"values\":[\"a\",[]]}",
		   "/values/1", "a value is");
	is_refused("{\"test\":\"attribute\",\"name\":\"plan\",\"op\":\"in\",\"values\":[]}", "/values",
		   "empty");
	is_refused("{\"test\":\"attribute\",\"name\":\"plan\",\"op\":\"=\"}", "", "takes one value");
	is_refused("{\"test\":\"attribute\",\"name\":\"plan\",\"op\":\"empty\",\"value\":\"a\"}", "",
		   "takes no value");
	is_refused("{\"test\":\"opened\",\"days\":3}", "", "takes no days");
	is_refused("{\"test\":\"opened\",\"op\":\"within\",\"days\":99999}", "", "at most");
	is_refused("{\"test\":\"opened\",\"campaign\":1,\"link\":2}", "", "a link is");
	is_refused("{\"test\":\"clicked\",\"link\":2}", "", "a link is");
}

static void depth_has_a_limit_and_its_pointer_too(void **state)
{
	struct buf json;

	(void)state;
	buf_init(&json, 100000);
	for (u32 i = 0; i < 1000; i++)
		buf_add_text(&json, "{\"not\":");
	buf_add_text(&json, "{\"all\":[]}");
	for (u32 i = 0; i < 1000; i++)
		buf_add_text(&json, "}");
	is_refused(buf_text(&json), "/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not",
		   "too deeply");
	buf_done(&json);
}

static void random_conditions_are_the_same_in_both_spellings(void **state)
{
	struct random r;
	struct buf text;

	(void)state;
	random_seed(&r, 77);
	buf_init(&text, SEGMENT_TEXT_MAX);
	for (u32 i = 0; i < TREES; i++) {
		struct tree *tree = tree_make(&r, 3);
		char pointer[SEGMENT_POINTER_MAX];
		struct segment_problem problem;
		struct segment *by_text;
		struct segment *by_json = segment_open();
		struct error error;
		json_t *json;
		json_t *same;

		buf_reset(&text);
		tree_print(tree, &r, &text);
		by_text = segment_of_text(buf_slice(&text), &segment_test_names, &problem);
		tree_free(tree);
		if (!by_text) {
			assert_non_null(strstr(problem.error.text, "nested"));
			segment_free(by_json);
			continue;
		}
		json = segment_json_of(by_text->root);
		if (!segment_json_read(by_json, json, pointer, &error))
			fail_msg("%s: %s: %s", buf_text(&text), pointer, error.text);
		assert_true(segment_settle(by_json, &segment_test_names, &problem));
		same = segment_json_of(by_json->root);
		assert_true(json_equal(json, same));
		json_decref(json);
		json_decref(same);
		segment_free(by_text);
		segment_free(by_json);
	}
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_says_what_text_says),
		cmocka_unit_test(mistakes_are_pointed_at),
		cmocka_unit_test(depth_has_a_limit_and_its_pointer_too),
		cmocka_unit_test(random_conditions_are_the_same_in_both_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

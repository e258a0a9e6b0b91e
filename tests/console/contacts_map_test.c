/* What contacts.h promises of columns as one types them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console/contacts.h"

#include <stdlib.h>
#include <string.h>

static json_t *made;

static int set_up(void **state)
{
	(void)state;
	made = json_pack("{s:[{s:s,s:{s:s}},{s:s,s:{s:s,s:s}},{s:s,s:{s:s}}]}", "columns", "name",
			 "メール", "suggestion", "target", "email", "name", "Rank", "suggestion",
			 "target", "attribute", "attribute", "rank", "name", "メモ", "suggestion",
			 "target", "ignore");
	return made ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(made);
	return 0;
}

/* The columns as JSON in one line. */
static void must_map(const char *map, const char *wanted)
{
	struct error error = { "" };
	json_t *columns = contacts_map(made, map, &error);
	char *text;

	if (!columns)
		fail_msg("%s", error.text);
	text = json_dumps(columns, JSON_COMPACT);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(columns);
}

static void what_is_not_said_is_as_it_was_found_out(void **state)
{
	(void)state;
	must_map(NULL, "[{\"target\":\"email\"},{\"target\":\"attribute\",\"attribute\":\"rank\"},"
		       "{\"target\":\"ignore\"}]");
	must_map("メモ=memo",
		 "[{\"target\":\"email\"},{\"target\":\"attribute\",\"attribute\":\"rank\"},"
		 "{\"target\":\"attribute\",\"attribute\":\"memo\"}]");
}

static void columns_go_by_name_by_number_and_all_the_others(void **state)
{
	(void)state;
	must_map("#1=email, Rank = state ,*=ignore",
		 "[{\"target\":\"email\"},{\"target\":\"state\"},{\"target\":\"ignore\"}]");
	must_map("*=ignore,#2=list:news",
		 "[{\"target\":\"ignore\"},{\"target\":\"list\",\"list\":\"news\"},"
		 "{\"target\":\"ignore\"}]");
	must_map("*=ignore,#1=email,#3=new:memo",
		 "[{\"target\":\"email\"},{\"target\":\"ignore\"},"
		 "{\"target\":\"new\",\"name\":\"memo\",\"type\":\"text\"}]");
	must_map("*=ignore,#1=email,#3=new:born:date",
		 "[{\"target\":\"email\"},{\"target\":\"ignore\"},"
		 "{\"target\":\"new\",\"name\":\"born\",\"type\":\"date\"}]");
}

static void what_makes_no_sense_is_named(void **state)
{
	static const struct {
		const char *map;
		const char *named;
	} rows[] = { { "Size=size", "\"Size\"" }, { "#4=ignore", "\"#4\"" }, { "#0=ignore", "\"#0\"" },
		     { "Rank", "\"Rank\"" },	  { "Rank=", "\"Rank\"" },   { "=rank", "\"\"" } };

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct error error = { "" };

		assert_null(contacts_map(made, rows[i].map, &error));
		assert_non_null(strstr(error.text, rows[i].named));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_said_is_as_it_was_found_out),
		TEST(columns_go_by_name_by_number_and_all_the_others),
		TEST(what_makes_no_sense_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

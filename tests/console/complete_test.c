/* What may come next in a line. */
#include "base/text.h"
#include "console/command.h"
#include "console/complete.h"
#include "console/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct words words;
static struct completions found;
static enum name_kind asked_kind;

static void names(enum name_kind kind, struct completions *completions)
{
	asked_kind = kind;
	if (kind == NAME_CAMPAIGN) {
		completions_offer(completions, "spring", "running");
		completions_offer(completions, "spring sale", "ready");
		completions_offer(completions, "autumn", "done");
	}
}

static void complete(const char *line)
{
	completions_done(&found);
	asked_kind = NAME_NONE;
	complete_line(slice_of(line), false, &words, names, &found);
}

static bool has(const char *word)
{
	for (size_t i = 0; i < found.count; i++) {
		if (strcmp(found.items[i].word, word) == 0)
			return true;
	}
	return false;
}

static void test_an_empty_line_offers_every_first_word_once(void **state)
{
	u32 campaigns = 0;

	(void)state;
	complete("");
	assert_true(has("queue") && has("status") && has("help") && has("exit") && has("check"));
	for (size_t i = 0; i < found.count; i++)
		campaigns += strcmp(found.items[i].word, "campaign") == 0;
	assert_int_equal(campaigns, 1);
}

static void test_only_words_with_that_beginning_are_offered(void **state)
{
	(void)state;
	complete("camp");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.items[0].word, "campaign");
	complete("zzz");
	assert_int_equal(found.count, 0);
}

static void test_behind_a_group_stand_its_commands(void **state)
{
	(void)state;
	complete("campaign ");
	assert_true(has("create") && has("report"));
	assert_false(has("list"));
	complete("help campaign re");
	assert_int_equal(found.count, 2);
	assert_int_equal(completions_common(&found), 2);
	complete("hikyaku queue li");
	assert_string_equal(found.items[0].word, "list");
}

static void test_names_are_asked_for_where_they_belong(void **state)
{
	(void)state;
	complete("campaign status sp");
	assert_int_equal(asked_kind, NAME_CAMPAIGN);
	assert_int_equal(found.count, 2);
	assert_int_equal(completions_common(&found), 6);
	complete("queue list --campaign ");
	assert_int_equal(asked_kind, NAME_CAMPAIGN);
	assert_int_equal(found.count, 3);
	complete("queue suspend --site ");
	assert_int_equal(asked_kind, NAME_SITE);
	complete("service restart ");
	assert_int_equal(asked_kind, NAME_SERVICE);
	complete("campaign create --template ");
	assert_int_equal(asked_kind, NAME_FILE);
	complete("campaign status --json s");
	assert_int_equal(found.count, 2);
}

static void test_options_are_those_of_the_command(void **state)
{
	(void)state;
	complete("queue list --");
	assert_true(has("--rows") && has("--limit") && has("--help"));
	assert_false(has("--bits"));
	complete("status ");
	assert_true(has("--watch"));
	complete("keys new --type ");
	assert_int_equal(found.count, 2);
	assert_true(has("rsa") && has("ed25519"));
	complete("keys new --selector ");
	assert_int_equal(found.count, 0);
	assert_string_equal(found.hint, "NAME");
}

static void test_every_command_gives_its_options_away_and_does_nothing(void **state)
{
	struct option options[COMMAND_OPTIONS_MAX];

	(void)state;
	for (size_t i = 0; i < command_count(); i++) {
		size_t count = command_options(command_at(i), options);

		assert_true(count < COMMAND_OPTIONS_MAX);
		for (size_t k = 0; k < count; k++)
			assert_non_null(options[k].name);
	}
	complete("check ");
	assert_true(has("identity"));
	complete("dig example.jp M");
	assert_int_equal(asked_kind, NAME_TYPE);
}

static void test_words_of_the_usage_are_offered(void **state)
{
	(void)state;
	complete("queue doubt ");
	assert_int_equal(found.count, 3);
	assert_true(has("list") && has("resend") && has("drop"));
}

static void test_the_word_that_is_typed_is_told_with_its_place(void **state)
{
	(void)state;
	complete("campaign status \"spring s");
	assert_int_equal(found.count, 1);
	assert_int_equal(found.start, 16);
	assert_int_equal(found.quote, '"');
	assert_int_equal(found.typed.len, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_line_offers_every_first_word_once),
		cmocka_unit_test(test_only_words_with_that_beginning_are_offered),
		cmocka_unit_test(test_behind_a_group_stand_its_commands),
		cmocka_unit_test(test_names_are_asked_for_where_they_belong),
		cmocka_unit_test(test_options_are_those_of_the_command),
		cmocka_unit_test(test_every_command_gives_its_options_away_and_does_nothing),
		cmocka_unit_test(test_words_of_the_usage_are_offered),
		cmocka_unit_test(test_the_word_that_is_typed_is_told_with_its_place),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	completions_done(&found);
	return failed;
}

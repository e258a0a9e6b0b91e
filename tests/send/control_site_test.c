/* The control socket: limits of receivers, who says so, and what operators set while it runs. */
#include "daemon.h"

/* An option of an answer with options, as "value from". */
static const char *option_of(const struct answer *answer, const char *name)
{
	const json_t *options = json_object_get(answer->reply, "options");
	static char text[256];

	for (size_t i = 0; i < json_array_size(options); i++) {
		const json_t *option = json_array_get(options, i);

		if (strcmp(text_of(option, "option"), name) != 0)
			continue;
		snprintf(text, sizeof(text), "%s %s", text_of(option, "value"),
			 text_of(option, "from"));
		return text;
	}
	return "none";
}

static struct answer show(const char *name, const char *options)
{
	json_t *request = with(command("site.show"), "name", name);

	return ask(options ? with(request, "options", options) : request);
}

static void assert_option(const char *name, const char *option, const char *want)
{
	struct answer answer = show(name, NULL);

	assert_string_equal(option_of(&answer, option), want);
	answer_done(&answer);
}

static void every_limit_says_where_it_comes_from(void **state)
{
	struct answer answer = show("gmail", NULL);

	(void)state;
	assert_string_equal(text_of(answer.reply, "rule"), "gmail");
	assert_string_equal(text_of(answer.reply, "site"), "");
	assert_string_equal(option_of(&answer, "messages-per-session"), "90 provider");
	assert_string_equal(option_of(&answer, "depth"), "4 built-in");
	answer_done(&answer);
	assert_option("default", "sessions", "2 file");
	assert_refused(command("site.show"), "bad-request");
}

static void what_is_set_counts_more_than_the_file_and_lasts(void **state)
{
	struct answer answer;

	(void)state;
	answer = ask(with(with(command("site.set"), "name", "gmail"), "options",
			  "rate=5 per-hour=2000"));
	assert_string_equal(option_of(&answer, "rate"), "5 set");
	assert_string_equal(option_of(&answer, "per-hour"), "2000 set");
	assert_string_equal(option_of(&answer, "sessions"), "20 provider");
	answer_done(&answer);
	daemon_stop();
	daemon_start();
	assert_option("gmail", "rate", "5 set");
	assert_option("gmail", "per-hour", "2000 set");
	/* One is taken back, then all. */
	answer = ask(with(with(command("site.set"), "name", "gmail"), "options", "rate="));
	assert_string_equal(option_of(&answer, "rate"), "0 built-in");
	assert_string_equal(option_of(&answer, "per-hour"), "2000 set");
	answer_done(&answer);
	answer = ask(with(command("site.unset"), "name", "gmail"));
	assert_string_equal(option_of(&answer, "per-hour"), "0 built-in");
	answer_done(&answer);
	assert_refused(with(command("site.unset"), "name", "gmail"), "bad-request");
	daemon_stop();
	daemon_start();
	assert_option("gmail", "per-hour", "0 built-in");
}

static void a_site_is_set_by_a_domain_whose_mail_goes_there(void **state)
{
	struct answer answer;

	(void)state;
	answer = ask(with(with(command("site.set"), "name", "any.example"), "options",
			  "sessions=3"));
	assert_string_equal(option_of(&answer, "sessions"), "3 set");
	answer_done(&answer);
	/* It is about that one, not about all that have the default's limits. */
	assert_option("default", "sessions", "2 file");
}

static void to_try_changes_nothing(void **state)
{
	struct answer answer = show("gmail", "rate=7 sessions=1");

	(void)state;
	assert_string_equal(option_of(&answer, "rate"), "7 set");
	assert_string_equal(option_of(&answer, "sessions"), "1 set");
	answer_done(&answer);
	assert_option("gmail", "rate", "0 built-in");
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"rate", "rate=fast", "speed=1", "mx=x.example", "sessions=0", "", " ", "rate=5 sessions",
	};

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_refused(with(with(command("site.set"), "name", "gmail"), "options", bad[i]),
			       "bad-request");
	assert_option("gmail", "rate", "0 built-in");
	assert_refused(with(command("site.forgive"), "name", "gmail"), "bad-request");
}

static void rules_are_listed_the_default_first(void **state)
{
	struct answer answer = ask(command("site.list"));

	(void)state;
	assert_int_equal(number_of(answer.reply, "count"), json_array_size(answer.items));
	assert_true(json_array_size(answer.items) > 30);
	assert_string_equal(text_of(json_array_get(answer.items, 0), "rule"), "default");
	assert_string_equal(text_of(find_item(&answer, "rule", "docomo"), "from"), "provider");
	answer_done(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_limit_says_where_it_comes_from),
		TEST(what_is_set_counts_more_than_the_file_and_lasts),
		TEST(a_site_is_set_by_a_domain_whose_mail_goes_there),
		TEST(to_try_changes_nothing),
		TEST(nonsense_is_refused_and_changes_nothing),
		TEST(rules_are_listed_the_default_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The control socket: what came back of mail. */
#include "daemon.h"

static json_t *report(const char *key, const char *to, const char *kind)
{
	return json_pack("{s:s, s:[s], s:s, s:s}", "key", key, "to", to, "kind", kind, "form",
			 "dsn");
}

static json_t *of(json_t *reports)
{
	return json_pack("{s:s, s:o}", "command", "inbound.report", "reports", reports);
}

static void each_report_has_its_result_in_order(void **state)
{
	struct answer answer;
	const json_t *results;

	(void)state;
	answer = ask(of(json_pack("[o, o, o]",
				  report("k1", "bounce-"
					       "0123456789abcdefghijklmnopqrstuv0123456789abc"
					       "@courier.example",
					 "hard"),
				  report("k2", "postmaster@courier.example", "unknown"),
				  report("k3", "postmaster@courier.example", "delayed"))));
	results = json_object_get(answer.reply, "results");
	assert_int_equal(json_array_size(results), 3);
	assert_string_equal(json_string_value(json_array_get(results, 0)), "forged");
	assert_string_equal(json_string_value(json_array_get(results, 1)), "other");
	assert_string_equal(json_string_value(json_array_get(results, 2)), "nothing");
	answer_done(&answer);
}

static void what_the_reader_says_of_its_spool_is_part_of_the_status(void **state)
{
	struct answer answer;
	const json_t *inbound;

	(void)state;
	answer = ask(command("status"));
	assert_null(json_object_get(answer.reply, "inbound"));
	answer_done(&answer);
	answer = ask(json_pack("{s:s, s:[], s:i, s:i, s:i}", "command", "inbound.report",
			       "reports", "files", 7, "bytes", 70, "oldest_ms", 700));
	assert_int_equal(json_array_size(json_object_get(answer.reply, "results")), 0);
	answer_done(&answer);
	answer = ask(command("status"));
	inbound = json_object_get(answer.reply, "inbound");
	assert_int_equal(number_of(inbound, "files"), 7);
	assert_int_equal(number_of(inbound, "oldest_ms"), 700);
	assert_int_equal(number_of(inbound, "bounced"), 0);
	answer_done(&answer);
}

static json_t *with_person(json_t *person)
{
	json_t *one = report("k", "postmaster@courier.example", "hard");

	json_object_set_new(one, "people", json_pack("[o]", person));
	return of(json_pack("[o]", one));
}

static void what_no_reader_of_ours_writes_is_refused(void **state)
{
	json_t *many = json_array();

	(void)state;
	assert_refused(command("inbound.report"), "bad-request");
	assert_refused(of(json_string("x")), "bad-request");
	assert_refused(of(json_pack("[i]", 1)), "bad-request");
	assert_refused(of(json_pack("[o]", report("", "a@b", "hard"))), "bad-request");
	assert_refused(of(json_pack("[o]", report("k", "a@b", "hardest"))), "bad-request");
	assert_refused(of(json_pack("[{s:s, s:[], s:s, s:s}]", "key", "k", "to", "kind", "hard",
				    "form", "dsn")),
		       "bad-request");
	assert_refused(with_person(json_pack("{s:s}", "kind", "nobody")), "bad-request");
	assert_refused(with_person(json_pack("{s:s, s:s}", "kind", "hard", "status", "5.1")),
		       "bad-request");
	assert_refused(with_person(json_pack("{s:s, s:s}", "kind", "hard", "status", "5.1.1.1")),
		       "bad-request");
	assert_refused(with_person(json_pack("{s:s, s:s}", "kind", "hard", "rank", "x")),
		       "bad-request");
	assert_refused(of(json_pack("[{s:s, s:[s], s:s, s:s, s:s}]", "key", "k", "to", "a@b",
				    "kind", "hard", "form", "dsn", "people", "x")),
		       "bad-request");
	for (u32 i = 0; i < 65; i++)
		json_array_append_new(many, report("k", "postmaster@courier.example", "hard"));
	assert_refused(of(many), "bad-request");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_report_has_its_result_in_order),
		TEST(what_the_reader_says_of_its_spool_is_part_of_the_status),
		TEST(what_no_reader_of_ours_writes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

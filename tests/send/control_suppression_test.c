/* The control socket: addresses that get no mail. */
#include "daemon.h"

static json_t *of(const char *name, const char *address)
{
	return json_pack("{s:s, s:[s]}", "command", name, "addresses", address);
}

static size_t listed(void)
{
	struct answer answer = ask(command("suppression.list"));
	size_t count = json_array_size(answer.items);

	assert_int_equal(number_of(answer.reply, "count"), count);
	answer_done(&answer);
	return count;
}

static void an_address_is_added_shown_and_removed(void **state)
{
	struct answer answer;
	const json_t *item;

	(void)state;
	assert_int_equal(ask_number(with(with(of("suppression.add", "Ann@X.example"), "reason",
					      "complaint"),
					 "text", "by phone"),
				    "count"),
			 1);
	answer = ask(with(command("suppression.show"), "address", "ann@x.example"));
	item = json_array_get(answer.items, 0);
	assert_string_equal(text_of(item, "address"), "ann@x.example");
	assert_true(json_is_true(json_object_get(item, "active")));
	item = json_array_get(json_object_get(item, "history"), 0);
	assert_string_equal(text_of(item, "reason"), "complaint");
	assert_string_equal(text_of(item, "text"), "by phone");
	answer_done(&answer);
	assert_int_equal(listed(), 1);
	/* It lasts. */
	daemon_stop();
	daemon_start();
	assert_int_equal(listed(), 1);
	assert_int_equal(ask_number(of("suppression.remove", "ann@x.example"), "count"), 1);
	assert_int_equal(listed(), 0);
	answer = ask(with(command("suppression.show"), "address", "ann@x.example"));
	item = json_array_get(answer.items, 0);
	assert_true(json_is_false(json_object_get(item, "active")));
	assert_int_equal(json_array_size(json_object_get(item, "history")), 2);
	answer_done(&answer);
}

static void nonsense_is_refused_and_nothing_of_it_counts(void **state)
{
	(void)state;
	assert_refused(of("suppression.add", "nobody"), "bad-request");
	assert_refused(json_pack("{s:s, s:[s,s]}", "command", "suppression.add", "addresses",
				 "ann@x.example", "bob"),
		       "bad-request");
	assert_refused(json_pack("{s:s, s:[i]}", "command", "suppression.add", "addresses", 1),
		       "bad-request");
	assert_refused(json_pack("{s:s, s:[]}", "command", "suppression.add", "addresses"),
		       "bad-request");
	assert_refused(command("suppression.add"), "bad-request");
	assert_refused(with(of("suppression.add", "ann@x.example"), "reason", "hunch"),
		       "bad-request");
	assert_refused(with(of("suppression.add", "ann@x.example"), "customer", "b.example"),
		       "not-found");
	assert_refused(with(of("suppression.remove", "ann@x.example"), "reason", "manual"),
		       "bad-request");
	assert_int_equal(listed(), 0);
}

static void the_list_is_read_in_parts_and_searched(void **state)
{
	char address[32];
	char next[64] = "";
	struct answer answer;
	size_t found = 0;
	u32 parts = 0;
	bool is_end;

	(void)state;
	for (u32 i = 0; i < 25; i++) {
		snprintf(address, sizeof(address), "p%u@%s.example", i, i % 5 ? "x" : "y");
		assert_int_equal(ask_number(with(of("suppression.add", address), "reason",
						 i % 2 ? "complaint" : "manual"),
					    "count"),
				 1);
	}
	assert_int_equal(listed(), 25);
	do {
		json_t *request = json_pack("{s:s, s:i}", "command", "suppression.list", "limit", 7);

		answer = ask(next[0] ? with(request, "after", next) : request);
		assert_in_range(json_array_size(answer.items), parts < 3 ? 7 : 0, 7);
		found += json_array_size(answer.items);
		is_end = !json_object_get(answer.reply, "next");
		snprintf(next, sizeof(next), "%s", is_end ? "" : text_of(answer.reply, "next"));
		answer_done(&answer);
		parts++;
	} while (!is_end);
	assert_int_equal(found, 25);
	assert_int_equal(parts, 4);
	assert_int_equal(ask_number(with(command("suppression.list"), "contains", "@Y.exa"),
				    "count"),
			 5);
	assert_int_equal(ask_number(with(command("suppression.list"), "reason", "complaint"),
				    "count"),
			 12);
	assert_int_equal(ask_number(with(with(command("suppression.list"), "reason", "manual"),
					 "contains", "p2@"),
				    "count"),
			 1);
	assert_refused(with(command("suppression.list"), "after", "7"), "bad-request");
	assert_refused(with(command("suppression.list"), "reason", "removed"), "bad-request");
}

static void a_list_of_a_customer_is_a_scope_of_its_own(void **state)
{
	struct answer answer;
	const json_t *item;

	(void)state;
	assert_int_equal(ask_number(with(with(of("suppression.add", "ann@x.example"), "customer",
					      "courier.example"),
					 "list", "weekly"),
				    "count"),
			 1);
	answer = ask(with(command("suppression.show"), "address", "ann@x.example"));
	assert_int_equal(number_of(answer.reply, "count"), 1);
	item = json_array_get(answer.items, 0);
	assert_string_equal(text_of(item, "customer"), "courier.example");
	assert_string_equal(text_of(item, "list"), "weekly");
	answer_done(&answer);
	assert_refused(with(of("suppression.add", "ann@x.example"), "list", "weekly"),
		       "bad-request");
	assert_refused(with(with(of("suppression.add", "ann@x.example"), "customer", "courier.example"),
			    "list", ""),
		       "bad-request");
	assert_int_equal(ask_number(with(of("suppression.remove", "ann@x.example"), "customer",
					 "courier.example"),
				    "count"),
			 1);
	assert_int_equal(listed(), 1);
	assert_int_equal(ask_number(with(with(of("suppression.remove", "ann@x.example"),
					      "customer", "courier.example"),
					 "list", "weekly"),
				    "count"),
			 1);
	assert_int_equal(listed(), 0);
}

static void must_find(size_t i, const struct answer *answer, u64 number, const char *reason)
{
	const json_t *item = json_array_get(answer->items, i);

	assert_int_equal(number_of(item, "number"), number);
	assert_string_equal(text_of(item, "reason"), reason);
}

static void those_that_nobody_s_mail_goes_to_are_found_among_many(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(ask_number(with(of("suppression.add", "ann@x.example"), "reason",
					 "complaint"),
				    "count"),
			 1);
	/* What weighs most counts, not what came last. */
	assert_int_equal(ask_number(with(of("suppression.add", "ann@x.example"), "reason",
					 "unsubscribe"),
				    "count"),
			 1);
	/* The one customer that there is: it is as good as everybody. */
	assert_int_equal(ask_number(with(with(of("suppression.add", "bob@x.example"), "customer",
					      "courier.example"),
					 "reason", "unsubscribe"),
				    "count"),
			 1);
	/* A list, and who is back, are not. */
	assert_int_equal(ask_number(with(with(of("suppression.add", "cat@x.example"), "customer",
					      "courier.example"),
					 "list", "weekly"),
				    "count"),
			 1);
	assert_int_equal(ask_number(of("suppression.add", "dan@x.example"), "count"), 1);
	assert_int_equal(ask_number(of("suppression.remove", "dan@x.example"), "count"), 1);
	assert_int_equal(ask_number(of("suppression.add", "eve@x.example"), "count"), 1);
	answer = ask(json_pack("{s:s, s:[s,s,s,s,s,s]}", "command", "suppression.find",
			       "addresses", "nobody@x.example", "BOB@x.example", "cat@x.example",
			       "dan@x.example", "eve@x.example", "ann@x.example"));
	assert_int_equal(number_of(answer.reply, "count"), 3);
	assert_int_equal(json_array_size(answer.items), 3);
	must_find(0, &answer, 1, "unsubscribe");
	must_find(1, &answer, 4, "manual");
	must_find(2, &answer, 5, "complaint");
	answer_done(&answer);
	assert_refused(of("suppression.find", "nobody"), "bad-request");
	assert_refused(command("suppression.find"), "bad-request");
}

static void many_are_listed_in_slices(void **state)
{
	(void)state;
	for (u32 batch = 0; batch < 12; batch++) {
		json_t *addresses = json_array();
		char text[64];

		for (u32 i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "u%u.%u@x.example", batch, i);
			json_array_append_new(addresses, json_string(text));
		}
		assert_int_equal(ask_number(json_pack("{s:s, s:o}", "command", "suppression.add",
						      "addresses", addresses),
					    "count"),
				 1000);
	}
	assert_int_equal(listed(), 12000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_added_shown_and_removed),
		TEST(nonsense_is_refused_and_nothing_of_it_counts),
		TEST(the_list_is_read_in_parts_and_searched),
		TEST(a_list_of_a_customer_is_a_scope_of_its_own),
		TEST(those_that_nobody_s_mail_goes_to_are_found_among_many),
		TEST(many_are_listed_in_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

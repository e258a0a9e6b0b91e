/*
 * The control socket: the delivery log, looked through and followed, and its readers.
 */
#include "daemon.h"

#include "base/net_address.h"

#define DAY_MS (24 * 3600 * MS_PER_S)

static u64 begin_ms;

static void must(enum store_result result)
{
	assert_int_equal(result, STORE_OK);
}

/* Entry n is of a minute after the one before; every tenth one is refused at one site. */
static void add_entries(struct queue *queue, u32 first, u32 count)
{
	must(queue_begin(queue));
	for (u32 i = first; i < first + count; i++) {
		char address[64];
		struct queue_log_entry entry = { .wall_ms = begin_ms + i * 60000ull,
						 .age_ms = clock_wall_ms(),
						 .id = { 1, 1 + i % 3, 1 + i },
						 .outcome = i % 10 ? LOG_DELIVERED : LOG_FAILED,
						 .reply_class = i % 10 ? 0 : SMTP_CLASS_RATE,
						 .code = i % 10 ? 250 : 550,
						 .site = i % 10 ? SLICE("mx.d.example") :
								  SLICE("mx.slow.example"),
						 .source = { .family = 4, .ip = { 192, 0, 2, 9 } },
						 .tls = LOG_TLS_13,
						 .tls_policy = LOG_POLICY_DANE,
						 .tls_proven = true,
						 .bytes = 4711,
						 .host = SLICE("mx [192.0.2.1]"),
						 .reply = SLICE("well \xff") };

		snprintf(address, sizeof(address), "u%u@d%u.example", i % 100, i % 7);
		entry.address = slice_of(address);
		must(queue_log_add(queue, &entry));
	}
	must(queue_commit(queue));
}

static void with_entries(u32 count)
{
	char path[128];
	struct store_params params = { .path = path,
				       .map_size = 64 << 20,
				       .map_size_max = 256 << 20 };
	struct queue *queue;
	struct error error;

	begin_ms = clock_wall_ms() - DAY_MS;
	create("news", 3, 2);
	daemon_stop();
	snprintf(path, sizeof(path), "%s/data/queue", the.dir);
	queue = queue_open(&params, &error);
	assert_non_null(queue);
	add_entries(queue, 1, count);
	queue_close(queue);
	daemon_start();
}

static json_t *log_show(const char *key, const char *value)
{
	return key ? with(command("log.show"), key, value) : command("log.show");
}

static json_t *with_number(json_t *request, const char *key, u64 value)
{
	json_object_set_new(request, key, json_integer((json_int_t)value));
	return request;
}

static json_t *with_words(json_t *request, const char *key, const char *word)
{
	json_object_set_new(request, key, json_pack("[s]", word));
	return request;
}

static u64 count_of(json_t *request)
{
	return ask_number(request, "count");
}

static void an_entry_tells_all_that_is_known_of_it(void **state)
{
	struct answer answer;
	const json_t *entry;

	(void)state;
	with_entries(20);
	answer = ask(log_show("recipient", "u10@d3.example"));
	assert_int_equal(json_array_size(answer.items), 1);
	entry = json_array_get(answer.items, 0);
	assert_int_equal(number_of(entry, "number"), 10);
	assert_string_equal(text_of(entry, "outcome"), "failed");
	assert_string_equal(text_of(entry, "class"), "rate");
	assert_string_equal(text_of(entry, "campaign"), "news");
	assert_string_equal(text_of(entry, "customer"), "courier.example");
	assert_string_equal(text_of(entry, "kind"), "bulk");
	assert_string_equal(text_of(entry, "message"), "1.2.11");
	assert_string_equal(text_of(entry, "site"), "mx.slow.example");
	assert_string_equal(text_of(entry, "source"), "192.0.2.9");
	assert_string_equal(text_of(entry, "tls"), "TLSv1.3");
	assert_string_equal(text_of(entry, "tls_policy"), "dane");
	assert_true(json_is_true(json_object_get(entry, "tls_proven")));
	assert_int_equal(number_of(entry, "bytes"), 4711);
	assert_string_equal(text_of(entry, "reply"), "well ?");
	answer_done(&answer);
}

static void entries_are_picked_by_each_condition(void **state)
{
	(void)state;
	with_entries(3000);
	assert_int_equal(count_of(log_show(NULL, NULL)), 3000);
	assert_int_equal(count_of(log_show("recipient", "u10@d3.example")), 5);
	assert_int_equal(count_of(log_show("domain", "D3.Example")), 429);
	assert_int_equal(count_of(log_show("site", "mx.slow.example")), 300);
	assert_int_equal(count_of(log_show("campaign", "news")), 3000);
	assert_int_equal(count_of(log_show("message", "1.2.11")), 1);
	assert_int_equal(count_of(with_words(log_show(NULL, NULL), "outcomes", "failed")), 300);
	assert_int_equal(count_of(with_words(log_show(NULL, NULL), "classes", "rate")), 300);
	assert_int_equal(count_of(with_number(log_show(NULL, NULL), "since_ms",
					      begin_ms + 1000 * 60000)), 2001);
	assert_int_equal(count_of(with_number(log_show(NULL, NULL), "until_ms",
					      begin_ms + 1000 * 60000)), 999);
	assert_int_equal(count_of(with_number(log_show("site", "mx.slow.example"), "after", 2990)),
			 1);
	assert_refused(log_show("campaign", "nothing"), "not-found");
	assert_refused(log_show("recipient", "nobody"), "bad-request");
	assert_refused(log_show("message", "<x@y.example>"), "not-found");
	assert_refused(with_words(log_show(NULL, NULL), "outcomes", "queued"), "bad-request");
	assert_refused(with_words(log_show(NULL, NULL), "classes", "weather"), "bad-request");
}

static void pages_go_on_where_the_last_one_ended_in_both_directions(void **state)
{
	(void)state;
	with_entries(1000);
	for (int newest_first = 0; newest_first < 2; newest_first++) {
		u64 after = 0;
		u64 seen = 0;
		bool more = true;

		while (more) {
			json_t *request = log_show(NULL, NULL);
			struct answer answer;

			with_number(with_number(request, "after", after), "limit", 333);
			json_object_set_new(request, "newest_first", json_boolean(newest_first));
			answer = ask(request);
			for (size_t i = 0; i < json_array_size(answer.items); i++, seen++)
				assert_int_equal(number_of(json_array_get(answer.items, i),
							   "number"),
						 newest_first ? 1000 - seen : 1 + seen);
			more = json_is_true(json_object_get(answer.reply, "more"));
			after = number_of(answer.reply, "next");
			assert_int_equal(number_of(answer.reply, "last"), 1000);
			answer_done(&answer);
		}
		assert_int_equal(seen, 1000);
	}
}

static void a_search_ends_with_the_work_that_it_may_do(void **state)
{
	struct answer answer;
	u64 after = 0;
	u64 found = 0;
	u32 pages = 0;

	(void)state;
	with_entries(1000);
	for (bool more = true; more; pages++) {
		answer = ask(with_number(with_number(log_show("domain", "d3.example"), "work", 100),
					 "after", after));
		assert_int_equal(answer.end, CONTROL_REPLY);
		found += number_of(answer.reply, "count");
		after = number_of(answer.reply, "next");
		more = json_is_true(json_object_get(answer.reply, "more"));
		answer_done(&answer);
	}
	assert_int_equal(found, 143);
	assert_true(pages >= 10);
}

/* Bounced by hand: that is logged while somebody follows. */
static void what_happens_is_followed_as_it_is_committed(void **state)
{
	struct control_client *client;
	struct error error;
	json_t *json;

	(void)state;
	with_entries(5);
	client = client_open();
	assert_int_equal(control_client_request(client,
						json_pack("{s:s, s:b, s:i, s:i}", "command",
							  "log.show", "follow", 1, "after", 4,
							  "limit", 4),
						&error),
			 CONTROL_SENT);
	assert_int_equal(control_client_next(client, &json, &error), CONTROL_ITEM);
	assert_int_equal(number_of(json, "number"), 5);
	json_decref(json);
	ask_number(json_pack("{s:s, s:i}", "command", "campaign.start", "id", 1), "id");
	ask_number(json_pack("{s:s, s:i}", "command", "campaign.cancel", "id", 1), "id");
	for (u64 number = 6; number < 9; number++) {
		assert_int_equal(control_client_next(client, &json, &error), CONTROL_ITEM);
		assert_int_equal(number_of(json, "number"), number);
		json_decref(json);
	}
	assert_int_equal(control_client_next(client, &json, &error), CONTROL_REPLY);
	json_decref(json);
	control_client_close(client);
}

static json_t *reader_put(const char *name)
{
	return with(command("reader.put"), "name", name);
}

static void a_reader_begins_at_the_end_and_says_how_far_he_is(void **state)
{
	struct answer answer;

	(void)state;
	with_entries(20);
	assert_int_equal(ask_number(reader_put("crm"), "position"), 20);
	assert_int_equal(ask_number(with_number(reader_put("crm"), "position", 4), "waiting"), 16);
	assert_int_equal(ask_number(with(with_number(reader_put("crm"), "posted", 7), "note",
					 "503 again"),
				    "position"),
			 4);
	daemon_stop();
	daemon_start();
	answer = ask(command("reader.list"));
	assert_int_equal(json_array_size(answer.items), 1);
	assert_int_equal(number_of(answer.reply, "last"), 20);
	assert_int_equal(number_of(json_array_get(answer.items, 0), "position"), 4);
	assert_int_equal(number_of(json_array_get(answer.items, 0), "posted"), 7);
	assert_string_equal(text_of(json_array_get(answer.items, 0), "note"), "503 again");
	answer_done(&answer);
	assert_refused(reader_put("a b"), "bad-request");
	assert_refused(reader_put(""), "bad-request");
	assert_refused(command("reader.put"), "bad-request");
}

static void a_reader_is_resumed_tested_and_removed_by_an_operator(void **state)
{
	struct answer answer;

	(void)state;
	ask_number(with_number(with_number(reader_put("crm"), "suspended_ms", 5), "failing_ms", 4),
		   "position");
	answer = ask(with(command("reader.resume"), "name", "crm"));
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(number_of(answer.reply, "suspended_ms"), 0);
	assert_int_equal(number_of(answer.reply, "failing_ms"), 0);
	answer_done(&answer);
	assert_int_equal(ask_number(with(command("reader.test"), "name", "crm"), "tests_wanted"), 1);
	answer = ask(with(with(command("reader.tested"), "name", "crm"), "note", "ok: 204"));
	assert_int_equal(number_of(answer.reply, "tests_done"), 1);
	assert_string_equal(text_of(answer.reply, "test_note"), "ok: 204");
	answer_done(&answer);
	assert_refused(with(command("reader.test"), "name", "nobody"), "not-found");
	assert_refused(with(command("reader.resume"), "name", "nobody"), "not-found");
	answer = ask(with(command("reader.remove"), "name", "crm"));
	assert_int_equal(answer.end, CONTROL_REPLY);
	answer_done(&answer);
	assert_refused(with(command("reader.remove"), "name", "crm"), "not-found");
}

#define daemon_test(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(an_entry_tells_all_that_is_known_of_it),
		daemon_test(entries_are_picked_by_each_condition),
		daemon_test(pages_go_on_where_the_last_one_ended_in_both_directions),
		daemon_test(a_search_ends_with_the_work_that_it_may_do),
		daemon_test(what_happens_is_followed_as_it_is_committed),
		daemon_test(a_reader_begins_at_the_end_and_says_how_far_he_is),
		daemon_test(a_reader_is_resumed_tested_and_removed_by_an_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

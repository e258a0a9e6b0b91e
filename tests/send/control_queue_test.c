/*
 * The control socket: rows that wait, are held or are over. The queue is brought into that state
 * while no sender runs, with the sender's own store.
 */
#include "daemon.h"

#define HOUR_MS (3600 * MS_PER_S)

static void must(enum store_result result)
{
	assert_int_equal(result, STORE_OK);
}

/* ---- a queue with rows at every place ---- */

static void take_row(struct queue *queue, u32 lane, u32 seq, struct queue_row *row)
{
	const struct row_ref ref = { .place = ROW_LANE, .id = { 1, lane, seq } };

	must(queue_row_get(queue, &ref, row));
}

static void move_row(struct queue *queue, u32 lane, u32 seq, u32 place, u64 due_ms)
{
	struct queue_row row;
	struct row_ref from;

	take_row(queue, lane, seq, &row);
	from = row.ref;
	row.ref.place = place;
	row.ref.due_ms = due_ms;
	row.attempts = 1;
	row.first_ms = row.since_ms = clock_wall_ms();
	row.last_code = 451;
	row.host = SLICE("mx.example [192.0.2.1]");
	row.reply = SLICE("try later \xff"); /* what a peer says need not be UTF-8 */
	must(queue_row_move(queue, &from, &row));
}

static void log_row(struct queue *queue, u32 lane, u32 seq, u32 outcome, bool ends)
{
	struct queue_row row;
	char address[64];
	struct queue_log_entry entry = { .wall_ms = clock_wall_ms(),
					 .age_ms = clock_wall_ms(),
					 .id = { 1, lane, seq },
					 .outcome = outcome,
					 .code = 250,
					 .enhanced = { 2, 0, 0 },
					 .attempts = 1,
					 .host = SLICE("mx.example [192.0.2.1]"),
					 .reply = SLICE("ok") };

	if (outcome == LOG_EXPIRED || outcome == LOG_DEFERRED)
		entry.reply_class = SMTP_CLASS_MAILBOX_FULL;
	take_row(queue, lane, seq, &row);
	slice_copy(address, sizeof(address), row.address);
	entry.address = slice_of(address);
	must(queue_log_add(queue, &entry));
	if (ends)
		must(queue_row_delete(queue, &row.ref));
}

/*
 * Campaign 1, paused, of 10 rows at two domains: u0 delivered, u2 expired after a deferral, u1 and
 * u3 deferred, u4 held, five in their lanes.
 */
static void scatter(struct queue *queue)
{
	struct queue_campaign campaign;

	must(queue_begin(queue));
	must(queue_campaign_get(queue, 1, &campaign));
	log_row(queue, 1, 1, LOG_DELIVERED, true);
	log_row(queue, 1, 2, LOG_DEFERRED, false);
	log_row(queue, 1, 2, LOG_EXPIRED, true);
	move_row(queue, 2, 1, ROW_DEFERRED, clock_wall_ms() + HOUR_MS);
	move_row(queue, 2, 2, ROW_DEFERRED, clock_wall_ms() + 2 * HOUR_MS);
	log_row(queue, 1, 3, LOG_HELD, false);
	move_row(queue, 1, 3, ROW_DOUBT, 0);
	campaign.state = CAMPAIGN_PAUSED;
	campaign.started_ms = campaign.created_ms;
	campaign.delivered = 1;
	campaign.failed = 1;
	campaign.expired = 1;
	campaign.deferrals = 3;
	campaign.deferred = 2;
	campaign.doubts = 1;
	campaign.held = 1;
	must(queue_campaign_put(queue, &campaign));
	must(queue_commit(queue));
}

static void with_scattered_rows(void)
{
	char path[128];
	struct store_params params = { .path = path,
				       .map_size = 64 << 20,
				       .map_size_max = 256 << 20 };
	struct queue *queue;
	struct error error;

	create("news", 10, 2);
	daemon_stop();
	snprintf(path, sizeof(path), "%s/data/queue", the.dir);
	queue = queue_open(&params, &error);
	assert_non_null(queue);
	scatter(queue);
	queue_close(queue);
	daemon_start();
}

/* ---- helpers ---- */

static size_t report_count(const char *outcome)
{
	struct answer answer = ask(json_pack("{s:s, s:i, s:[s]}", "command", "campaign.report",
					     "id", 1, "outcomes", outcome));
	size_t count = json_array_size(answer.items);

	assert_int_equal(answer.end, CONTROL_REPLY);
	answer_done(&answer);
	return count;
}

static u64 campaign_number(const char *field)
{
	struct answer answer = ask(json_pack("{s:s, s:i}", "command", "campaign.status", "id", 1));
	u64 number = number_of(json_array_get(answer.items, 0), field);

	answer_done(&answer);
	return number;
}

/* ---- reports and lists ---- */

static void a_report_has_final_held_and_waiting_rows_in_this_order_once_each(void **state)
{
	static const char *const order[] = { "delivered", "expired", "held",   "queued", "queued",
					     "queued",    "queued",  "queued", "queued", "queued" };
	struct answer answer;

	(void)state;
	with_scattered_rows();
	answer = ask(json_pack("{s:s, s:i}", "command", "campaign.report", "id", 1));
	assert_int_equal(json_array_size(answer.items), array_count(order));
	for (size_t i = 0; i < array_count(order); i++)
		assert_string_equal(text_of(json_array_get(answer.items, i), "outcome"), order[i]);
	assert_string_equal(text_of(json_array_get(answer.items, 0), "class"), "");
	assert_string_equal(text_of(json_array_get(answer.items, 1), "class"), "mailbox-full");
	for (u32 i = 0; i < 10; i++) {
		char address[64];

		snprintf(address, sizeof(address), "u%u@d%u.example", i, i % 2);
		find_item(&answer, "address", address);
	}
	answer_done(&answer);
}

static void a_report_in_pages_of_one_row_is_the_same(void **state)
{
	char after[256] = "";
	u64 total = 0;
	bool more = true;

	(void)state;
	with_scattered_rows();
	while (more) {
		struct answer answer =
			ask(json_pack("{s:s, s:i, s:s*, s:i}", "command", "campaign.report", "id",
				      1, "after", after[0] ? after : NULL, "limit", 1));

		assert_int_equal(answer.end, CONTROL_REPLY);
		total += json_array_size(answer.items);
		more = json_is_true(json_object_get(answer.reply, "more"));
		snprintf(after, sizeof(after), "%s", text_of(answer.reply, "next"));
		answer_done(&answer);
	}
	assert_int_equal(total, 10);
}

static void a_report_of_some_outcomes_has_these_only(void **state)
{
	(void)state;
	with_scattered_rows();
	assert_int_equal(report_count("delivered"), 1);
	assert_int_equal(report_count("failed"), 1);
	assert_int_equal(report_count("expired"), 1);
	assert_int_equal(report_count("cancelled"), 0);
	assert_int_equal(report_count("queued"), 7);
	assert_int_equal(report_count("held"), 1);
	assert_int_equal(report_count("deferred"), 1);
	assert_int_equal(report_count("in-doubt"), 1);
}

static void deferred_rows_are_listed_in_the_order_of_their_time(void **state)
{
	struct answer first;
	struct answer second;

	(void)state;
	with_scattered_rows();
	first = ask(json_pack("{s:s, s:b, s:i}", "command", "queue.list", "rows", 1, "limit", 1));
	assert_int_equal(json_array_size(first.items), 1);
	assert_string_equal(text_of(json_array_get(first.items, 0), "address"), "u1@d1.example");
	assert_string_equal(text_of(json_array_get(first.items, 0), "campaign"), "news");
	assert_string_equal(text_of(json_array_get(first.items, 0), "reason"), "try later ?");
	assert_true(json_is_true(json_object_get(first.reply, "more")));
	second = ask(json_pack("{s:s, s:b, s:s}", "command", "queue.list", "rows", 1, "after",
			       text_of(first.reply, "next")));
	assert_int_equal(json_array_size(second.items), 1);
	assert_string_equal(text_of(json_array_get(second.items, 0), "address"), "u3@d1.example");
	assert_false(json_is_true(json_object_get(second.reply, "more")));
	answer_done(&first);
	answer_done(&second);
	assert_int_equal(ask_number(json_pack("{s:s, s:b, s:s}", "command", "queue.list", "rows", 1,
					      "domain", "D0.Example"),
				    "count"),
			 0);
	assert_refused(json_pack("{s:s, s:b, s:s}", "command", "queue.list", "rows", 1, "campaign",
				 "olds"),
		       "not-found");
}

static void sites_show_what_waits_for_them(void **state)
{
	struct answer answer;
	json_t *site;

	(void)state;
	with_scattered_rows();
	answer = ask(command("queue.list"));
	site = find_item(&answer, "site", RELAY);
	assert_int_equal(number_of(site, "deferred"), 2);
	assert_string_equal(text_of(site, "state"), "open");
	answer_done(&answer);
	answer = ask(command("status"));
	assert_int_equal(number_of(json_object_get(answer.reply, "queue"), "waiting"), 5);
	assert_int_equal(number_of(json_object_get(answer.reply, "queue"), "deferred"), 2);
	assert_int_equal(number_of(json_object_get(answer.reply, "queue"), "held"), 1);
	assert_int_equal(number_of(json_object_get(answer.reply, "campaigns"), "paused"), 1);
	assert_string_equal(text_of(answer.reply, "state"), "running");
	answer_done(&answer);
}

static void a_lane_that_waits_is_counted_in_full(void **state)
{
	struct answer answer;
	json_t *site;

	(void)state;
	/* Suspended, so that all rows stay where they are. */
	create("news", 5000, 3);
	ask_number(with(command("queue.suspend"), "site", RELAY), "count");
	ask_number(json_pack("{s:s, s:i}", "command", "campaign.start", "id", 1), "id");
	for (;;) {
		answer = ask(command("queue.list"));
		site = find_item(&answer, "site", RELAY);
		if (number_of(site, "queued") > 0)
			break;
		answer_done(&answer);
	}
	assert_int_equal(number_of(site, "queued"), 5000);
	assert_string_equal(text_of(site, "state"), "suspended");
	answer_done(&answer);
}

static void an_address_is_found_wherever_it_is(void **state)
{
	static const char *const states[][2] = {
		{ "u0@d0.example", "delivered" }, { "u2@d0.example", "expired" },
		{ "u1@d1.example", "deferred" },  { "u4@d0.example", "held" },
		{ "u6@d0.example", "waiting" },   { "u9@D1.Example", "waiting" },
	};
	struct answer answer;

	(void)state;
	with_scattered_rows();
	for (size_t i = 0; i < array_count(states); i++) {
		answer = ask(with(command("queue.show"), "address", states[i][0]));
		assert_int_equal(json_array_size(answer.items), 1);
		assert_string_equal(text_of(json_array_get(answer.items, 0), "state"),
				    states[i][1]);
		assert_string_equal(text_of(json_array_get(answer.items, 0), "campaign"), "news");
		answer_done(&answer);
	}
	answer = ask(with(command("queue.show"), "address", "u2@d0.example"));
	assert_int_equal(
		json_array_size(json_object_get(json_array_get(answer.items, 0), "history")), 2);
	answer_done(&answer);
	assert_int_equal(
		ask_number(with(command("queue.show"), "address", "u9@d0.example"), "count"), 0);
	assert_refused(with(command("queue.show"), "address", "nobody"), "bad-request");
}

/* ---- what operators do ---- */

static void deferred_rows_are_made_due_by_what_was_selected(void **state)
{
	(void)state;
	with_scattered_rows();
	assert_refused(command("queue.retry"), "bad-request");
	assert_int_equal(ask_number(with(command("queue.retry"), "domain", "d0.example"), "count"),
			 0);
	assert_int_equal(
		ask_number(with(command("queue.retry"), "address", "u1@d1.example"), "count"), 1);
	assert_int_equal(
		ask_number(with(command("queue.retry"), "domain", "d1.example"), "count") > 0, 1);
	assert_int_equal(campaign_number("deferred"), 2);
	assert_refused(with(command("queue.retry"), "campaign", "olds"), "not-found");
}

static void deferred_rows_that_are_given_up_have_failed(void **state)
{
	(void)state;
	with_scattered_rows();
	assert_refused(json_pack("{s:s, s:b}", "command", "queue.bounce", "all", 1), "bad-request");
	assert_refused(with(with(command("queue.bounce"), "domain", "d0.example"), "address",
			    "u1@d1.example"),
		       "bad-request");
	assert_int_equal(ask_number(with(with(command("queue.bounce"), "campaign", "1"), "address",
					 "u1@d1.example"),
				    "count"),
			 1);
	assert_int_equal(campaign_number("failed"), 2);
	assert_int_equal(campaign_number("deferred"), 1);
	assert_int_equal(report_count("failed"), 2);
}

static void held_rows_are_listed_and_resent(void **state)
{
	struct answer answer;

	(void)state;
	with_scattered_rows();
	answer = ask(with(command("queue.doubt"), "action", "list"));
	assert_int_equal(json_array_size(answer.items), 1);
	assert_string_equal(text_of(json_array_get(answer.items, 0), "address"), "u4@d0.example");
	assert_true(number_of(json_array_get(answer.items, 0), "since_ms") > 0);
	answer_done(&answer);
	assert_refused(with(command("queue.doubt"), "action", "resend"), "bad-request");
	assert_refused(with(command("queue.doubt"), "action", "forget"), "bad-request");
	assert_int_equal(ask_number(with(with(command("queue.doubt"), "action", "resend"),
					 "campaign", "news"),
				    "count"),
			 1);
	assert_int_equal(campaign_number("held"), 0);
	assert_int_equal(campaign_number("queued"), 8);
}

static void held_rows_that_are_dropped_have_failed(void **state)
{
	(void)state;
	with_scattered_rows();
	assert_int_equal(ask_number(json_pack("{s:s, s:s, s:b}", "command", "queue.doubt", "action",
					      "drop", "all", 1),
				    "count"),
			 1);
	assert_int_equal(campaign_number("held"), 0);
	assert_int_equal(campaign_number("failed"), 2);
}

static void a_sender_that_was_refused_nothing_knows_of_no_unknown_replies(void **state)
{
	struct answer answer;

	(void)state;
	with_scattered_rows();
	answer = ask(command("queue.unknown"));
	assert_int_equal(json_array_size(answer.items), 0);
	assert_int_equal(number_of(answer.reply, "count"), 0);
	assert_int_equal(number_of(answer.reply, "total"), 0);
	answer_done(&answer);
	assert_refused(with(command("queue.unknown"), "site", RELAY), "bad-request");
}

static void a_site_is_suspended_by_its_name_or_a_domain(void **state)
{
	struct answer answer;

	(void)state;
	assert_refused(with(command("queue.suspend"), "site", "mx.nowhere.example"), "not-found");
	assert_refused(command("queue.suspend"), "bad-request");
	assert_refused(with(command("queue.resume"), "site", RELAY), "not-found");
	assert_int_equal(
		ask_number(with(command("queue.suspend"), "domain", "any.example"), "count"), 1);
	answer = ask(command("status"));
	assert_string_equal(
		text_of(json_array_get(json_object_get(answer.reply, "sites"), 0), "site"), RELAY);
	assert_string_equal(
		text_of(json_array_get(json_object_get(answer.reply, "sites"), 0), "state"),
		"suspended");
	answer_done(&answer);
	/* It lasts. */
	daemon_stop();
	daemon_start();
	assert_int_equal(ask_number(with(command("queue.resume"), "site", RELAY), "count"), 1);
	answer = ask(command("queue.list"));
	assert_int_equal(json_array_size(answer.items), 0);
	answer_done(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_report_has_final_held_and_waiting_rows_in_this_order_once_each),
		TEST(a_report_in_pages_of_one_row_is_the_same),
		TEST(a_report_of_some_outcomes_has_these_only),
		TEST(deferred_rows_are_listed_in_the_order_of_their_time),
		TEST(sites_show_what_waits_for_them),
		TEST(a_lane_that_waits_is_counted_in_full),
		TEST(an_address_is_found_wherever_it_is),
		TEST(deferred_rows_are_made_due_by_what_was_selected),
		TEST(deferred_rows_that_are_given_up_have_failed),
		TEST(held_rows_are_listed_and_resent),
		TEST(held_rows_that_are_dropped_have_failed),
		TEST(a_sender_that_was_refused_nothing_knows_of_no_unknown_replies),
		TEST(a_site_is_suspended_by_its_name_or_a_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The delivery log as it is kept: for whom its entries wait, how long, and what is said of those who
 * came too late; what an entry tells of how its message went.
 */
#include "planner_fixture.h"

#include "delivery/planner_log.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"
#define SOURCE "address \"192.0.2.7\" { ehlo = \"mail.a.example\" }"
#define DAY 86400

static void add_entries(struct fixture *f, u32 count)
{
	struct queue *queue = planner_queue(f->planner);
	struct queue_log_entry entry = { .wall_ms = f->wall_ms,
					 .age_ms = f->planner->time.age_ms,
					 .outcome = LOG_DELIVERED,
					 .id = { 1, 1, 1 },
					 .address = SLICE("ann@x.test") };

	assert_int_equal(queue_begin(queue), STORE_OK);
	for (u32 i = 0; i < count; i++)
		assert_int_equal(queue_log_add(queue, &entry), STORE_OK);
	assert_int_equal(queue_commit(queue), STORE_OK);
}

static u64 first_number(struct fixture *f)
{
	struct queue *queue = planner_queue(f->planner);
	struct queue_log_entry entry;

	assert_int_equal(queue_begin(queue), STORE_OK);
	assert_int_equal(queue_log_next(queue, 0, &entry), STORE_OK);
	queue_abort(queue);
	return entry.number;
}

static void put_reader(struct fixture *f, const char *name, u64 position)
{
	struct planner_reader reader = { .position = position };
	struct error error = { "" };

	slice_copy(reader.name, sizeof(reader.name), slice_of(name));
	if (!planner_reader_put(f->planner, &reader, &error))
		fail_msg("%s", error.text);
}

static const struct planner_reader *reader_of(struct fixture *f, const char *name)
{
	const struct planner_reader *reader = planner_reader_find(f->planner, slice_of(name));

	assert_non_null(reader);
	return reader;
}

static void how_far_a_reader_is_outlives_the_sender(void **state)
{
	struct planner_reader reader = { .name = "crm", .position = 7, .posted = 6, .failed = 2,
					 .failing_ms = 3, .suspended_ms = 4,
					 .note = "it answered 410\nsaid twice" };
	struct error error = { "" };
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	add_entries(&f, 20);
	assert_true(planner_reader_put(f.planner, &reader, &error));
	put_reader(&f, "other", 3);
	put_reader(&f, "gone", 3);
	assert_true(planner_reader_remove(f.planner, SLICE("gone"), &error));
	assert_false(planner_reader_remove(f.planner, SLICE("gone"), &error));
	start_again(&f);
	assert_non_null(planner_reader_at(f.planner, 1));
	assert_null(planner_reader_at(f.planner, 2));
	assert_int_equal(reader_of(&f, "other")->position, 3);
	assert_int_equal(reader_of(&f, "crm")->position, 7);
	assert_int_equal(reader_of(&f, "crm")->posted, 6);
	assert_int_equal(reader_of(&f, "crm")->failed, 2);
	assert_int_equal(reader_of(&f, "crm")->failing_ms, 3);
	assert_int_equal(reader_of(&f, "crm")->suspended_ms, 4);
	assert_string_equal(reader_of(&f, "crm")->note, reader.note);
	fixture_close(&f);
}

static void entries_wait_for_a_reader_as_long_as_configured(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	add_entries(&f, 20);
	put_reader(&f, "crm", 5);
	pass(&f, 31 * DAY);
	/* Those that he has taken are gone, the others are not. */
	assert_int_equal(first_number(&f), 6);
	assert_int_equal(reader_of(&f, "crm")->lost, 0);
	put_reader(&f, "crm", 8);
	pass(&f, 120);
	assert_int_equal(first_number(&f), 9);
	pass(&f, 7 * DAY);
	assert_int_equal(first_number(&f), 20);
	assert_int_equal(reader_of(&f, "crm")->position, 19);
	assert_int_equal(reader_of(&f, "crm")->lost, 11);
	start_again(&f);
	assert_int_equal(reader_of(&f, "crm")->lost, 11);
	fixture_close(&f);
}

static void a_log_that_is_too_large_loses_its_oldest_entries(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	add_entries(&f, 30000);
	put_reader(&f, "crm", 5);
	pass(&f, 120);
	assert_int_equal(first_number(&f), 1);
	f.config.queue.log_size_max = 1 << 20;
	pass(&f, 10);
	assert_in_range(first_number(&f), 10000, 29000);
	assert_int_equal(reader_of(&f, "crm")->lost, first_number(&f) - 1 - 5);
	fixture_close(&f);
}

static void positions_that_no_entry_has_are_put_right(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	add_entries(&f, 20);
	put_reader(&f, "ahead", 1000);
	assert_int_equal(reader_of(&f, "ahead")->position, 20);
	pass(&f, 39 * DAY);
	/* Who is new has lost nothing. */
	put_reader(&f, "new", 0);
	assert_int_equal(reader_of(&f, "new")->position, 19);
	assert_int_equal(reader_of(&f, "new")->lost, 0);
	fixture_close(&f);
}

static void a_test_is_asked_for_and_answered(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	put_reader(&f, "crm", 0);
	assert_false(planner_reader_ask_test(f.planner, SLICE("nobody")));
	assert_true(planner_reader_ask_test(f.planner, SLICE("crm")));
	assert_int_equal(reader_of(&f, "crm")->tests_wanted, 1);
	assert_int_equal(reader_of(&f, "crm")->tests_done, 0);
	assert_true(planner_reader_test_done(f.planner, SLICE("crm"), SLICE("200 in 3 ms")));
	assert_int_equal(reader_of(&f, "crm")->tests_done, 1);
	assert_string_equal(reader_of(&f, "crm")->test_note, "200 in 3 ms");
	fixture_close(&f);
}

static void an_entry_says_where_from_where_and_how(void **state)
{
	struct queue_log_entry entry;
	struct fixture f;
	struct lease *lease;

	(void)state;
	fixture_open(&f, SOURCE, "");
	zone_set("x.test", MX_OK, 100000, "mx.x.test=20.0.0.1");
	send_to(&f, "x.test", 1);
	settle(&f);
	lease = next_lease(&f);
	assert_non_null(lease);
	lease->host = lease->path->targets[0].address;
	lease->tls = LOG_TLS_12;
	lease->tls_policy = LOG_POLICY_OPPORTUNISTIC;
	lease->tls_proven = true;
	lease->bytes = 1234;
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_int_equal(queue_begin(planner_queue(f.planner)), STORE_OK);
	assert_int_equal(queue_log_next(planner_queue(f.planner), 0, &entry), STORE_OK);
	assert_true(slice_equal(entry.site, SLICE("mx.x.test")));
	assert_memory_equal(entry.source.ip, ((u8[]){ 192, 0, 2, 7 }), 4);
	assert_int_equal(entry.tls, LOG_TLS_12);
	assert_int_equal(entry.tls_policy, LOG_POLICY_OPPORTUNISTIC);
	assert_true(entry.tls_proven);
	assert_int_equal(entry.bytes, 1234);
	queue_abort(planner_queue(f.planner));
	fixture_close(&f);
}

static void a_message_is_known_by_what_a_receiver_saw_of_it(void **state)
{
	const struct mailing *mailing;
	struct row_id id = { 0 };
	struct row_id row = { 7, 3, 42 };
	struct lease *lease;
	char token[MAILING_TOKEN_MAX];
	char text[256];
	struct fixture f;
	struct buf sender;
	size_t len;

	(void)state;
	fixture_open(&f, ANY, "");
	zone_set("x.test", MX_OK, 100000, "mx.x.test=20.0.0.1");
	send_to(&f, "x.test", 1);
	settle(&f);
	lease = next_lease(&f);
	assert_non_null(lease);
	mailing = lease->mailing;
	len = mailing_token(mailing, MAILING_IDENTITY, &row, token);
	snprintf(text, sizeof(text), " <%.*s.7@a.example>", (int)len, token);
	assert_true(planner_log_message(f.planner, slice_of(text), &id));
	assert_memory_equal(&id, &row, sizeof(id));
	buf_init(&sender, 256);
	mailing_add_sender(mailing, &row, &sender);
	id = (struct row_id){ 0 };
	assert_true(planner_log_message(f.planner, buf_slice(&sender), &id));
	assert_memory_equal(&id, &row, sizeof(id));
	buf_done(&sender);
	id = (struct row_id){ 0 };
	assert_true(planner_log_message(f.planner, SLICE("7.3.42"), &id));
	assert_memory_equal(&id, &row, sizeof(id));
	assert_false(planner_log_message(f.planner, SLICE("<x@a.example>"), &id));
	assert_false(planner_log_message(f.planner, SLICE("7.3"), &id));
	assert_false(planner_log_message(f.planner, SLICE(""), &id));
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_far_a_reader_is_outlives_the_sender),
		cmocka_unit_test(entries_wait_for_a_reader_as_long_as_configured),
		cmocka_unit_test(a_log_that_is_too_large_loses_its_oldest_entries),
		cmocka_unit_test(positions_that_no_entry_has_are_put_right),
		cmocka_unit_test(a_test_is_asked_for_and_answered),
		cmocka_unit_test(an_entry_says_where_from_where_and_how),
		cmocka_unit_test(a_message_is_known_by_what_a_receiver_saw_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

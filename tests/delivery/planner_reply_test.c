/* What the planner makes of refusals: class in the log, metrics, the tally of unknown words. */
#include "planner_fixture.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"

static void open_with(struct fixture *f, const char *replies)
{
	fixture_open(f, ANY, replies);
	zone_set("x.test", MX_OK, 100000, "mx.lunar.test=20.0.0.1");
}

/* What a worker reports of a lease that the host answered. */
static void refuse(struct fixture *f, enum smtp_verdict verdict, u16 code, u16 detail,
		   const char *words)
{
	struct lease *lease = next_lease(f);

	assert_non_null(lease);
	lease->stage = SMTP_STAGE_RCPT;
	lease->code = code;
	lease->enhanced[0] = detail ? code / 100 : 0;
	lease->enhanced[1] = detail ? 7 : 0;
	lease->enhanced[2] = detail;
	lease->host = lease->path->targets[0].address;
	give_back(f, lease, verdict, words);
}

/* The newest entry of the delivery log with that outcome. */
static enum smtp_class logged_class(struct fixture *f, u32 outcome)
{
	struct queue *queue = planner_queue(f->planner);
	struct queue_log_entry entry = { 0 };
	enum smtp_class class = SMTP_CLASS_COUNT;

	assert_int_equal(queue_begin(queue), STORE_OK);
	while (queue_log_next(queue, entry.number, &entry) == STORE_OK) {
		if (entry.outcome == outcome)
			class = entry.reply_class;
	}
	queue_abort(queue);
	return class;
}

static u64 counted(struct fixture *f, enum smtp_class class)
{
	return metric_get(&metrics_planner(f->metrics)->replies[class]);
}

static void a_refusal_gets_its_class_in_log_and_metrics(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "");
	send_to(&f, "x.test", 5);
	settle(&f);
	refuse(&f, SMTP_VERDICT_PERMANENT, 550, 0, "User unknown");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_FAILED), SMTP_CLASS_BAD_MAILBOX);
	refuse(&f, SMTP_VERDICT_TEMPORARY, 452, 0, "Mailbox full");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_DEFERRED), SMTP_CLASS_MAILBOX_FULL);
	refuse(&f, SMTP_VERDICT_TEMPORARY, 0, 0, "connection refused");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_DEFERRED), SMTP_CLASS_TRANSIENT_HOST);
	refuse(&f, SMTP_VERDICT_LOCAL, 552, 0, "message is larger than the host takes");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_FAILED), SMTP_CLASS_CONTENT);
	refuse(&f, SMTP_VERDICT_ACCEPTED, 250, 0, "User unknown, but never mind");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_DELIVERED), SMTP_CLASS_NONE);
	/* What nobody said is not counted as said. */
	assert_int_equal(counted(&f, SMTP_CLASS_BAD_MAILBOX), 1);
	assert_int_equal(counted(&f, SMTP_CLASS_MAILBOX_FULL), 1);
	assert_int_equal(counted(&f, SMTP_CLASS_TRANSIENT_HOST), 0);
	assert_int_equal(counted(&f, SMTP_CLASS_NONE), 0);
	assert_int_equal(planner_unknown_replies(f.planner)->total, 0);
	fixture_close(&f);
}

static void unknown_words_are_tallied_with_host_and_example(void **state)
{
	const struct reply_shape *shapes[REPLY_TALLY_MAX];
	struct fixture f;

	(void)state;
	open_with(&f, "");
	send_to(&f, "x.test", 3);
	settle(&f);
	refuse(&f, SMTP_VERDICT_PERMANENT, 550, 0, "Wrong moon phase 17");
	refuse(&f, SMTP_VERDICT_PERMANENT, 550, 0, "Wrong moon phase 18");
	refuse(&f, SMTP_VERDICT_TEMPORARY, 450, 1, "4.7.1 Hm");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_FAILED), SMTP_CLASS_UNKNOWN);
	assert_int_equal(logged_class(&f, LOG_DEFERRED), SMTP_CLASS_POLICY);
	assert_int_equal(counted(&f, SMTP_CLASS_UNKNOWN), 2);
	assert_int_equal(counted(&f, SMTP_CLASS_POLICY), 1);
	assert_int_equal(reply_tally_sort(planner_unknown_replies(f.planner), shapes), 2);
	assert_int_equal(shapes[0]->count, 2);
	assert_int_equal(shapes[0]->class, SMTP_CLASS_UNKNOWN);
	assert_memory_equal(shapes[0]->example, "Wrong moon phase 18", shapes[0]->example_len);
	assert_memory_equal(shapes[0]->host, "mx.lunar.test", shapes[0]->host_len);
	assert_int_equal(shapes[1]->class, SMTP_CLASS_POLICY);
	fixture_close(&f);
}

static void the_operators_patterns_are_asked_first_and_at_their_hosts(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "reply \"moon\" { class = rate code = 5 text = {\"moon\", \"phase\"}\n"
		      "mx = {\"*.lunar.test\"} }\n"
		      "reply \"sun\" { class = content text = {\"moon\"} mx = {\"*.solar.test\"} }\n"
		      "reply \"known\" { class = reputation text = {\"user unknown\"} }\n");
	send_to(&f, "x.test", 2);
	settle(&f);
	refuse(&f, SMTP_VERDICT_PERMANENT, 550, 0, "Wrong moon phase 17");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_DEFERRED), SMTP_CLASS_RATE);
	refuse(&f, SMTP_VERDICT_PERMANENT, 550, 0, "User unknown");
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_DEFERRED), SMTP_CLASS_REPUTATION);
	assert_int_equal(planner_unknown_replies(f.planner)->total, 0);
	fixture_close(&f);
}

static void what_dns_says_of_a_domain_has_a_class_too(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "");
	zone_set("null.test", MX_NULL, 100, "");
	send_to(&f, "null.test", 1);
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_FAILED), SMTP_CLASS_BAD_MAILBOX);
	zone_set("empty.test", MX_NO_HOST, 100, "");
	send_to(&f, "empty.test", 1);
	settle(&f);
	assert_int_equal(logged_class(&f, LOG_FAILED), SMTP_CLASS_DNS);
	assert_int_equal(counted(&f, SMTP_CLASS_BAD_MAILBOX), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_gets_its_class_in_log_and_metrics),
		cmocka_unit_test(unknown_words_are_tallied_with_host_and_example),
		cmocka_unit_test(the_operators_patterns_are_asked_first_and_at_their_hosts),
		cmocka_unit_test(what_dns_says_of_a_domain_has_a_class_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What comes back of mail that was sent: what is believed, and what follows from it. */
#include "planner_fixture.h"

#include "delivery/inbound.h"

#define CUSTOMER                                                                                   \
	"address \"any\" { ehlo = \"mail.a.example\" } unsubscribe-mailto = "                     \
	"\"leave-{{_token}}@a.example\""

struct sent {
	u32 campaign;
	char bounce[3][128]; /* envelope senders of the three rows */
	char leave[128];     /* unsubscribe address of the first row */
	char message_id[128];
	char shared[128];    /* the envelope sender of a mailing that is the same for all */
};

static void add_token(char out[128], const char *format, const struct mailing *mailing,
		      enum mailing_purpose purpose, const struct row_id *id)
{
	char token[MAILING_TOKEN_MAX + 1];

	token[mailing_token(mailing, purpose, id, token)] = '\0';
	snprintf(out, 128, format, token);
}

/* A campaign to r0, r1 and r2 of x.test that is delivered, and over. */
static void send_all(struct fixture *f, struct sent *sent, const char *list)
{
	const struct mailing *mailing;
	struct row_id id;

	sent->campaign = send_to(f, "x.test", 3);
	mailing = planner_campaign(f->planner, sent->campaign)->mailing;
	slice_copy(planner_campaign(f->planner, sent->campaign)->record.list, 64, slice_of(list));
	for (u32 i = 0; i < 3; i++) {
		id = (struct row_id){ sent->campaign, 1, i + 1 };
		add_token(sent->bounce[i], "bounce-%s@a.example", mailing, MAILING_BOUNCE, &id);
	}
	id.seq = 1;
	add_token(sent->leave, "leave-%s@a.example", mailing, MAILING_UNSUBSCRIBE, &id);
	add_token(sent->message_id, "%s.7@a.example", mailing, MAILING_IDENTITY, &id);
	id = (struct row_id){ sent->campaign, 0, 0 };
	add_token(sent->shared, "bounce-%s@a.example", mailing, MAILING_BOUNCE, &id);
	settle(f);
	answer_all(f, SMTP_VERDICT_ACCEPTED);
	assert_int_equal(campaign_of(f, sent->campaign).state, CAMPAIGN_DONE);
	assert_null(planner_campaign(f->planner, sent->campaign));
}

static struct inbound_report report_to(const char *key, const char *to, enum report_kind kind)
{
	return (struct inbound_report){ .key = slice_of(key),
					.to = { slice_of(to) },
					.to_count = 1,
					.kind = kind,
					.form = kind == REPORT_HARD || kind == REPORT_SOFT
							? REPORT_FORM_DSN
							: REPORT_FORM_TEXT };
}

static void name(struct inbound_report *report, const char *address, enum report_reason reason)
{
	report->people[report->people_count++] = (struct inbound_person){
		.kind = report->kind,
		.reason = reason,
		.address = slice_of(address),
		.words = SLICE("no such user"),
		.host = SLICE("mx.test"),
		.status = { 5, 1, 1 },
		.code = 550,
	};
}

static enum inbound_result apply(struct fixture *f, const struct inbound_report *report)
{
	enum inbound_result result;
	struct error error = { "" };

	if (!planner_inbound(f->planner, &report, 1, &result, &error))
		fail_msg("%s", error.text);
	return result;
}

static bool is_suppressed_in(struct fixture *f, const char *scope, const char *address)
{
	struct queue *queue = planner_queue(f->planner);
	struct queue_suppression s;
	bool is_so;

	assert_int_equal(queue_begin(queue), STORE_OK);
	is_so = queue_suppression_get(queue, slice_of(scope), slice_of(address), &s) == STORE_OK &&
		s.is_active;
	queue_abort(queue);
	return is_so;
}

/* How many entries of that outcome the log has; the last one's texts. */
static u32 count_log(struct fixture *f, enum log_outcome outcome, char last[256])
{
	struct queue_log_entry entry;
	u64 number = 0;
	u32 count = 0;

	assert_int_equal(queue_begin(planner_queue(f->planner)), STORE_OK);
	while (queue_log_next(planner_queue(f->planner), number, &entry) == STORE_OK) {
		number = entry.number;
		if (entry.outcome != outcome)
			continue;
		count++;
		snprintf(last, 256, "%.*s %u %u.%u.%u %s %.*s %.*s", SLICE_FMT(entry.address),
			 entry.code, entry.enhanced[0], entry.enhanced[1], entry.enhanced[2],
			 smtp_class_name(entry.reply_class), SLICE_FMT(entry.host),
			 SLICE_FMT(entry.reply));
	}
	queue_abort(planner_queue(f->planner));
	return count;
}

static void a_bounce_is_logged_counted_and_suppresses_once(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;
	char last[256];

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "");
	report = report_to("k1", sent.bounce[1], REPORT_HARD);
	name(&report, "somebody@else.test", REPORT_REASON_MAILBOX);
	for (u32 round = 0; round < 3; round++) {
		assert_int_equal(apply(&f, &report), round ? INBOUND_AGAIN : INBOUND_BOUNCED);
		assert_int_equal(campaign_of(&f, sent.campaign).bounced, 1);
		assert_int_equal(count_log(&f, LOG_BOUNCED, last), 1);
		/* Also after a crash between the commit and the end of the reader's file. */
		if (round == 1)
			start_again(&f);
	}
	/* Where the mail went in the end is somebody else: the row says who. */
	assert_string_equal(last, "r1@x.test 550 5.1.1 bad-mailbox mx.test no such user");
	assert_true(is_suppressed_in(&f, "", "r1@x.test"));
	assert_false(is_suppressed_in(&f, "", "somebody@else.test"));
	send_to(&f, "x.test", 3);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 2);
	fixture_close(&f);
}

static void a_token_that_was_not_made_here_is_not_believed(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;
	char last[256];

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "");
	sent.bounce[0][20] = sent.bounce[0][20] == 'a' ? 'b' : 'a';
	report = report_to("k1", sent.bounce[0], REPORT_HARD);
	name(&report, "r0@x.test", REPORT_REASON_MAILBOX);
	assert_int_equal(apply(&f, &report), INBOUND_FORGED);
	/* Not even when the rest of it is genuine: the address decides. */
	report.message_id = slice_of(sent.message_id);
	assert_int_equal(apply(&f, &report), INBOUND_FORGED);
	sent.leave[20] = sent.leave[20] == 'a' ? 'b' : 'a';
	report = report_to("k2", sent.leave, REPORT_UNSUBSCRIBE);
	assert_int_equal(apply(&f, &report), INBOUND_FORGED);
	/* A token of another purpose is none. */
	memmove(sent.bounce[1] + 6, sent.bounce[1] + 7, strlen(sent.bounce[1]) - 6);
	memcpy(sent.bounce[1], "leave-", 6);
	report = report_to("k3", sent.bounce[1], REPORT_UNSUBSCRIBE);
	assert_int_equal(apply(&f, &report), INBOUND_FORGED);
	assert_int_equal(f.planner->suppressed.count, 0);
	assert_int_equal(campaign_of(&f, sent.campaign).bounced, 0);
	assert_int_equal(count_log(&f, LOG_BOUNCED, last) + count_log(&f, LOG_UNSUBSCRIBED, last), 0);
	assert_int_equal(f.planner->m->reports[METRICS_REPORT_FORGED], 4);
	fixture_close(&f);
}

static void what_asks_for_nothing_changes_nothing(void **state)
{
	static const enum report_kind kinds[] = { REPORT_DELAYED, REPORT_NOTICE };
	struct inbound_report report;
	struct fixture f;
	struct sent sent;
	char last[256];

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "");
	for (u32 i = 0; i < array_count(kinds); i++) {
		report = report_to("k1", sent.bounce[0], kinds[i]);
		report.form = REPORT_FORM_DSN;
		name(&report, "r0@x.test", REPORT_REASON_FULL);
		assert_int_equal(apply(&f, &report), INBOUND_NOTHING);
	}
	report = report_to("k2", sent.bounce[0], REPORT_AUTO_REPLY);
	assert_int_equal(apply(&f, &report), INBOUND_AUTO_REPLY);
	assert_int_equal(count_log(&f, LOG_AUTO_REPLY, last), 1);
	/* A person who answers to the envelope sender, and mail about something else. */
	report = report_to("k3", sent.bounce[0], REPORT_UNKNOWN);
	assert_int_equal(apply(&f, &report), INBOUND_OTHER);
	report = report_to("k4", "postmaster@a.example", REPORT_HARD);
	assert_int_equal(apply(&f, &report), INBOUND_OTHER);
	report = report_to("k5", "postmaster@a.example", REPORT_AUTO_REPLY);
	assert_int_equal(apply(&f, &report), INBOUND_NOTHING);
	assert_int_equal(f.planner->suppressed.count, 0);
	assert_int_equal(campaign_of(&f, sent.campaign).bounced, 0);
	fixture_close(&f);
}

static void full_mailboxes_count_and_other_failures_do_not(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;
	char key[8];

	(void)state;
	fixture_open(&f, CUSTOMER, "suppression { soft = 3 }");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "");
	for (u32 i = 0; i < 8; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		report = report_to(key, sent.bounce[0], REPORT_SOFT);
		name(&report, "r0@x.test", i % 2 ? REPORT_REASON_POLICY : REPORT_REASON_FULL);
		assert_int_equal(apply(&f, &report), INBOUND_BOUNCED);
		assert_int_equal(is_suppressed_in(&f, "", "r0@x.test"), i >= 4);
	}
	assert_int_equal(campaign_of(&f, sent.campaign).bounced, 8);
	fixture_close(&f);
}

static void a_complaint_is_about_all_mail_of_the_customer(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;
	char last[256];

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "weekly");
	/* To one address for all mail: what it holds of ours says which row is meant. */
	report = report_to("k1", "abuse@a.example", REPORT_COMPLAINT);
	report.form = REPORT_FORM_FEEDBACK;
	report.message_id = slice_of(sent.message_id);
	report.words = SLICE("abuse, by SomeISP");
	assert_int_equal(apply(&f, &report), INBOUND_COMPLAINED);
	assert_true(is_suppressed_in(&f, "a.example", "r0@x.test"));
	assert_false(is_suppressed_in(&f, "", "r0@x.test"));
	assert_int_equal(count_log(&f, LOG_COMPLAINED, last), 1);
	assert_string_equal(last, "r0@x.test 0 0.0.0   abuse, by SomeISP");
	report = report_to("k2", "abuse@a.example", REPORT_COMPLAINT);
	report.mail_from = slice_of(sent.bounce[1]);
	assert_int_equal(apply(&f, &report), INBOUND_COMPLAINED);
	assert_true(is_suppressed_in(&f, "a.example", "r1@x.test"));
	assert_int_equal(campaign_of(&f, sent.campaign).complained, 2);
	report = report_to("k3", "abuse@a.example", REPORT_COMPLAINT);
	assert_int_equal(apply(&f, &report), INBOUND_OTHER);
	fixture_close(&f);
}

static void mail_to_the_unsubscribe_address_leaves_the_list(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;
	char last[256];

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "weekly");
	report = report_to("k1", sent.leave, REPORT_HARD);
	name(&report, "r0@x.test", REPORT_REASON_POLICY);
	assert_int_equal(apply(&f, &report), INBOUND_BOUNCED);
	report = report_to("k2", sent.leave, REPORT_UNKNOWN);
	assert_int_equal(apply(&f, &report), INBOUND_UNSUBSCRIBED);
	assert_true(is_suppressed_in(&f, "a.example/weekly", "r0@x.test"));
	assert_false(is_suppressed_in(&f, "a.example", "r0@x.test"));
	assert_int_equal(campaign_of(&f, sent.campaign).unsubscribed, 1);
	assert_int_equal(count_log(&f, LOG_UNSUBSCRIBED, last), 1);
	assert_string_equal(last, "r0@x.test 0 0.0.0   by mail");
	/* A campaign that is no issue of a list: it is the customer's mail. */
	send_all(&f, &sent, "");
	report = report_to("k3", sent.leave, REPORT_AUTO_REPLY);
	assert_int_equal(apply(&f, &report), INBOUND_UNSUBSCRIBED);
	assert_true(is_suppressed_in(&f, "a.example", "r0@x.test"));
	fixture_close(&f);
}

static void of_a_shared_sender_only_recipients_of_that_campaign_are_believed(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "");
	report = report_to("k1", sent.shared, REPORT_HARD);
	name(&report, "victim@y.test", REPORT_REASON_MAILBOX);
	name(&report, "victim@x.test", REPORT_REASON_MAILBOX);
	name(&report, "no address", REPORT_REASON_MAILBOX);
	assert_int_equal(apply(&f, &report), INBOUND_UNKNOWN);
	assert_int_equal(f.planner->suppressed.count, 0);
	name(&report, "R2@X.test", REPORT_REASON_MAILBOX);
	report.people[3].original = SLICE("r0@x.test");
	name(&report, "r1@x.test", REPORT_REASON_MAILBOX);
	assert_int_equal(apply(&f, &report), INBOUND_BOUNCED);
	assert_true(is_suppressed_in(&f, "", "r0@x.test"));
	assert_true(is_suppressed_in(&f, "", "r1@x.test"));
	assert_false(is_suppressed_in(&f, "", "r2@x.test"));
	assert_int_equal(campaign_of(&f, sent.campaign).bounced, 2);
	fixture_close(&f);
}

/* Of a campaign that runs the record is in memory, and is written by the next turn again. */
static void a_running_campaign_counts_too(void **state)
{
	struct inbound_report report;
	struct row_id id;
	struct fixture f;
	char to[128];

	(void)state;
	fixture_open(&f, CUSTOMER, "");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	id = (struct row_id){ send_to(&f, "x.test", 3), 1, 2 };
	add_token(to, "bounce-%s@a.example", planner_campaign(f.planner, id.campaign)->mailing,
		  MAILING_BOUNCE, &id);
	report = report_to("k1", to, REPORT_COMPLAINT);
	assert_int_equal(apply(&f, &report), INBOUND_COMPLAINED);
	settle(&f);
	/* Before his turn came. */
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 2);
	assert_int_equal(campaign_of(&f, id.campaign).complained, 1);
	assert_int_equal(campaign_of(&f, id.campaign).cancelled, 1);
	assert_int_equal(campaign_of(&f, id.campaign).delivered, 2);
	fixture_close(&f);
}

static void whom_nobody_knows_any_more_is_said_so(void **state)
{
	struct inbound_report report;
	struct fixture f;
	struct sent sent;

	(void)state;
	fixture_open(&f, CUSTOMER, "suppression { remember = 30d }");
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
	send_all(&f, &sent, "");
	pass(&f, 29 * 86400);
	report = report_to("k1", sent.bounce[0], REPORT_HARD);
	assert_int_equal(apply(&f, &report), INBOUND_BOUNCED);
	assert_true(is_suppressed_in(&f, "", "r0@x.test") == false); /* no word of why */
	pass(&f, 2 * 86400);
	report = report_to("k2", sent.bounce[0], REPORT_HARD);
	assert_int_equal(apply(&f, &report), INBOUND_UNKNOWN);
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bounce_is_logged_counted_and_suppresses_once),
		cmocka_unit_test(a_token_that_was_not_made_here_is_not_believed),
		cmocka_unit_test(what_asks_for_nothing_changes_nothing),
		cmocka_unit_test(full_mailboxes_count_and_other_failures_do_not),
		cmocka_unit_test(a_complaint_is_about_all_mail_of_the_customer),
		cmocka_unit_test(mail_to_the_unsubscribe_address_leaves_the_list),
		cmocka_unit_test(of_a_shared_sender_only_recipients_of_that_campaign_are_believed),
		cmocka_unit_test(a_running_campaign_counts_too),
		cmocka_unit_test(whom_nobody_knows_any_more_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

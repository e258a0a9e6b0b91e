/* Addresses that get no mail: how they become such, and that they get nothing more. */
#include "planner_fixture.h"

#include "message/address.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"

static void open_it(struct fixture *f, const char *more)
{
	fixture_open(f, ANY, more);
	zone_set("x.test", MX_OK, 86400 * 7, "mx.test=20.0.0.1");
}

static struct lease *must_lend(struct fixture *f)
{
	struct lease *lease;

	settle(f);
	lease = next_lease(f);
	assert_non_null(lease);
	return lease;
}

static void refuse(struct fixture *f, struct lease *lease, enum smtp_verdict verdict, u16 code,
		   const char *words)
{
	lease->code = code;
	lease->stage = SMTP_STAGE_RCPT;
	give_back(f, lease, verdict, words);
	settle(f);
}

static void order(struct fixture *f, const char *address, enum suppression_reason reason)
{
	const struct planner_suppress_order one = { .address = slice_of(address),
						    .reason = reason,
						    .text = SLICE("by hand") };
	struct error error = { "" };

	if (!planner_suppress(f->planner, &one, 1, &error))
		fail_msg("%s", error.text);
}

static void order_in(struct fixture *f, const char *scope, const char *address,
		     enum suppression_reason reason)
{
	const struct planner_suppress_order one = { .scope = slice_of(scope),
						    .address = slice_of(address),
						    .reason = reason };
	struct error error = { "" };

	if (!planner_suppress(f->planner, &one, 1, &error))
		fail_msg("%s", error.text);
}

/* Whether a campaign of that list and kind is lent for its one recipient. */
static bool is_sent(struct fixture *f, const char *list, u32 kind)
{
	u32 id = send_to(f, "x.test", 1);
	struct queue_campaign *record = &planner_campaign(f->planner, id)->record;
	struct lease *lease;

	slice_copy(record->list, sizeof(record->list), slice_of(list));
	record->kind = kind;
	settle(f);
	lease = next_lease(f);
	if (!lease)
		return false;
	give_back(f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(f);
	return true;
}

/* The newest entry of the delivery log. */
static void last_log(struct fixture *f, struct queue_log_entry *entry, char text[256])
{
	u64 number = 0;

	assert_int_equal(queue_begin(planner_queue(f->planner)), STORE_OK);
	while (queue_log_next(planner_queue(f->planner), number, entry) == STORE_OK)
		number = entry->number;
	slice_copy(text, 256, entry->reply);
	queue_abort(planner_queue(f->planner));
}

static void who_has_no_mailbox_gets_no_other_mail(void **state)
{
	struct queue_log_entry entry;
	struct fixture f;
	char text[256];
	u32 id;

	(void)state;
	open_it(&f, "");
	send_to(&f, "x.test", 1);
	refuse(&f, must_lend(&f), SMTP_VERDICT_PERMANENT, 550, "no such user here");
	start_again(&f);
	id = send_to(&f, "x.test", 2);
	give_back(&f, must_lend(&f), SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_null(next_lease(&f));
	assert_int_equal(campaign_of(&f, id).delivered, 1);
	assert_int_equal(campaign_of(&f, id).cancelled, 1);
	assert_int_equal(campaign_of(&f, id).state, CAMPAIGN_DONE);
	last_log(&f, &entry, text);
	assert_int_equal(entry.outcome, LOG_DELIVERED);
	assert_int_equal(f.planner->m->suppressed_rows, 1);
	fixture_close(&f);
}

static void a_refusal_that_is_not_about_the_mailbox_suppresses_nobody(void **state)
{
	static const char *const words[] = { "message looks like spam",
					     "your address is on our block list", "hm" };
	struct fixture f;

	(void)state;
	open_it(&f, "");
	for (u32 i = 0; i < 3; i++) {
		send_to(&f, "x.test", 1);
		refuse(&f, must_lend(&f), SMTP_VERDICT_PERMANENT, 554, words[i]);
	}
	assert_int_equal(f.planner->suppressed.count, 0);
	fixture_close(&f);
}

static void one_suppressed_in_the_middle_of_a_campaign_gets_nothing_more(void **state)
{
	struct queue_log_entry entry;
	struct fixture f;
	char text[256];
	u32 id;

	(void)state;
	open_it(&f, "");
	id = send_to(&f, "x.test", 3);
	settle(&f);
	/* All three are deferred: rows at rest that come again by their time. */
	assert_int_equal(answer_all(&f, SMTP_VERDICT_TEMPORARY), 3);
	order(&f, "r1@x.test", SUPPRESSION_COMPLAINT);
	pass(&f, 30);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 2);
	assert_int_equal(campaign_of(&f, id).cancelled, 1);
	assert_int_equal(campaign_of(&f, id).delivered, 2);
	last_log(&f, &entry, text);
	fixture_close(&f);
}

static void the_log_says_since_when_and_why(void **state)
{
	struct queue_log_entry entry;
	struct fixture f;
	char text[256];

	(void)state;
	open_it(&f, "");
	order(&f, "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	send_to(&f, "x.test", 1);
	settle(&f);
	assert_null(next_lease(&f));
	last_log(&f, &entry, text);
	assert_int_equal(entry.outcome, LOG_CANCELLED);
	assert_non_null(strstr(text, "suppressed since 20"));
	assert_non_null(strstr(text, ": unsubscribe (by hand)"));
	fixture_close(&f);
}

static void a_mailbox_that_is_full_five_times_in_a_row_is_given_up(void **state)
{
	struct fixture f;

	(void)state;
	open_it(&f, "suppression { soft = 5 }");
	for (u32 i = 0; i < 12; i++) {
		send_to(&f, "x.test", 1);
		/* Four times full, once taken: it begins anew. Then five times full. */
		if (i == 4)
			give_back(&f, must_lend(&f), SMTP_VERDICT_ACCEPTED, "ok");
		else if (i < 10)
			refuse(&f, must_lend(&f), SMTP_VERDICT_PERMANENT, 552, "mailbox full");
		settle(&f);
		assert_null(next_lease(&f));
	}
	assert_int_equal(f.planner->m->suppressed_rows, 2);
	fixture_close(&f);
}

static void thresholds_are_the_operators(void **state)
{
	struct fixture f;

	(void)state;
	open_it(&f, "suppression { hard = false soft = 0 }");
	for (u32 i = 0; i < 7; i++) {
		send_to(&f, "x.test", 1);
		refuse(&f, must_lend(&f), SMTP_VERDICT_PERMANENT, 550,
		       i % 2 ? "mailbox full" : "no such user here");
	}
	assert_int_equal(f.planner->suppressed.count, 0);
	fixture_close(&f);
}

static void who_leaves_a_list_gets_the_customers_other_mail(void **state)
{
	struct fixture f;

	(void)state;
	open_it(&f, "");
	order_in(&f, "a.example/weekly", "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	for (u32 round = 0; round < 2; round++) {
		assert_false(is_sent(&f, "weekly", CAMPAIGN_BULK));
		assert_true(is_sent(&f, "daily", CAMPAIGN_BULK));
		assert_true(is_sent(&f, "week", CAMPAIGN_BULK));
		assert_true(is_sent(&f, "", CAMPAIGN_BULK));
		start_again(&f);
	}
	order_in(&f, "a.example/weekly", "r0@x.test", SUPPRESSION_REMOVED);
	assert_true(is_sent(&f, "weekly", CAMPAIGN_BULK));
	fixture_close(&f);
}

static void who_left_still_gets_what_he_waits_for(void **state)
{
	struct fixture f;

	(void)state;
	open_it(&f, "");
	order_in(&f, "a.example", "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	assert_false(is_sent(&f, "", CAMPAIGN_BULK));
	assert_false(is_sent(&f, "weekly", CAMPAIGN_BULK));
	assert_true(is_sent(&f, "", CAMPAIGN_TRANSACTIONAL));
	/* A complaint is worse, whatever comes behind it. */
	order_in(&f, "a.example", "r0@x.test", SUPPRESSION_COMPLAINT);
	order_in(&f, "a.example", "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	assert_false(is_sent(&f, "", CAMPAIGN_TRANSACTIONAL));
	order_in(&f, "a.example", "r0@x.test", SUPPRESSION_REMOVED);
	order_in(&f, "a.example", "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	assert_true(is_sent(&f, "", CAMPAIGN_TRANSACTIONAL));
	assert_false(is_sent(&f, "", CAMPAIGN_BULK));
	fixture_close(&f);
}

static void scopes_of_lists_are_told_for_looking_up(void **state)
{
	char scope[SUPPRESSION_SCOPE_MAX + 1] = "";
	char room[SUPPRESSION_SCOPE_MAX + 1];
	char longest[SUPPRESSION_SCOPE_MAX + 1];
	struct fixture f;

	(void)state;
	open_it(&f, "");
	memset(longest, 'c', 200);
	memset(longest + 200, 'l', SUPPRESSION_SCOPE_MAX - 200);
	longest[SUPPRESSION_SCOPE_MAX] = '\0';
	longest[200] = '/';
	order_in(&f, longest, "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	order_in(&f, "a.example/daily", "r0@x.test", SUPPRESSION_UNSUBSCRIBE);
	order_in(&f, "a.example/daily", "r1@x.test", SUPPRESSION_UNSUBSCRIBE);
	order_in(&f, "a.example", "r1@x.test", SUPPRESSION_UNSUBSCRIBE);
	assert_int_equal(queue_begin(planner_queue(f.planner)), STORE_OK);
	assert_true(planner_next_list(f.planner, scope));
	assert_string_equal(scope, "a.example/daily");
	assert_true(planner_next_list(f.planner, scope));
	assert_string_equal(scope, longest);
	assert_false(planner_next_list(f.planner, scope));
	queue_abort(planner_queue(f.planner));
	assert_true(slice_equal(planner_scope_of_list(room, SLICE("a.example"), SLICE("daily")),
				SLICE("a.example/daily")));
	assert_true(slice_equal(planner_scope_of_list(room, SLICE("a.example"), SLICE_NONE),
				SLICE("a.example")));
	fixture_close(&f);
}

/* docomo and au say so of mailboxes that only filter. */
#define STRIKES "site \"carrier\" { mx = {\"mx.test\"} bad-mailbox-strikes = 2 }"

static void strike(struct fixture *f)
{
	send_to(f, "x.test", 1);
	refuse(f, must_lend(f), SMTP_VERDICT_PERMANENT, 550, "no such user here");
}

static void a_carrier_that_errs_has_to_say_it_again_days_later(void **state)
{
	struct queue_suppression s;
	struct fixture f;

	(void)state;
	open_it(&f, STRIKES);
	strike(&f);
	/* At once, and again after two days: the same one. */
	strike(&f);
	pass(&f, 2 * 86400);
	strike(&f);
	assert_int_equal(queue_begin(planner_queue(f.planner)), STORE_OK);
	assert_int_equal(queue_suppression_get(planner_queue(f.planner), SLICE_NONE,
					       SLICE("r0@x.test"), &s),
			 STORE_OK);
	assert_false(s.is_active);
	assert_int_equal(s.strikes, 1);
	assert_int_equal(s.event_count, 1);
	assert_int_equal(s.events[0].reason, SUPPRESSION_STRIKE);
	queue_abort(planner_queue(f.planner));
	pass(&f, 86400);
	strike(&f);
	assert_false(is_sent(&f, "", CAMPAIGN_BULK));
	fixture_close(&f);
}

static void mail_that_is_taken_between_two_strikes_undoes_the_first(void **state)
{
	struct fixture f;

	(void)state;
	open_it(&f, STRIKES);
	for (u32 i = 0; i < 3; i++) {
		strike(&f);
		pass(&f, 4 * 86400);
		assert_true(is_sent(&f, "", CAMPAIGN_BULK));
	}
	strike(&f);
	pass(&f, 4 * 86400);
	strike(&f);
	assert_false(is_sent(&f, "", CAMPAIGN_BULK));
	fixture_close(&f);
}

static void who_is_taken_off_the_list_has_mail_again_and_keeps_his_history(void **state)
{
	struct queue_suppression s;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	order(&f, "r0@x.test", SUPPRESSION_MANUAL);
	order(&f, "r0@x.test", SUPPRESSION_REMOVED);
	send_to(&f, "x.test", 1);
	give_back(&f, must_lend(&f), SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_int_equal(queue_begin(planner_queue(f.planner)), STORE_OK);
	assert_int_equal(queue_suppression_get(planner_queue(f.planner), SLICE_NONE,
					       SLICE("r0@x.test"), &s),
			 STORE_OK);
	assert_false(s.is_active);
	assert_int_equal(s.event_count, 2);
	assert_int_equal(s.events[0].reason, SUPPRESSION_MANUAL);
	assert_int_equal(s.events[1].reason, SUPPRESSION_REMOVED);
	queue_abort(planner_queue(f.planner));
	fixture_close(&f);
}

/* `a..b@x` goes as "a..b"@x, and both are one address; so are other cases of letters. */
static void spellings_of_one_address_are_one(void **state)
{
	static const struct {
		const char *wire;
		const char *key;
	} cases[] = {
		{ "Ann.Lee@x.test", "ann.lee@x.test" },
		{ "\"a..b\"@x.test", "a..b@x.test" },
		{ "\"a \\\"b\\\\\"@x.test", "a \"b\\@x.test" },
		{ "\"a@b\"@x.test", "a@b@x.test" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct address address;
		struct error error;
		char room[ADDRESS_WIRE_MAX];
		struct buf key;
		size_t len = address_key_of_wire(room, slice_of(cases[i].wire));

		assert_int_equal(len, strlen(cases[i].key));
		assert_memory_equal(room, cases[i].key, len);
		/* As it is made of what was parsed. */
		assert_true(address_parse(&address, slice_of(cases[i].wire), &error));
		buf_init(&key, 500);
		address_add_key(&address, &key);
		assert_string_equal(buf_text(&key), cases[i].key);
		buf_done(&key);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_no_mailbox_gets_no_other_mail),
		cmocka_unit_test(a_refusal_that_is_not_about_the_mailbox_suppresses_nobody),
		cmocka_unit_test(one_suppressed_in_the_middle_of_a_campaign_gets_nothing_more),
		cmocka_unit_test(the_log_says_since_when_and_why),
		cmocka_unit_test(a_mailbox_that_is_full_five_times_in_a_row_is_given_up),
		cmocka_unit_test(thresholds_are_the_operators),
		cmocka_unit_test(who_leaves_a_list_gets_the_customers_other_mail),
		cmocka_unit_test(who_left_still_gets_what_he_waits_for),
		cmocka_unit_test(scopes_of_lists_are_told_for_looking_up),
		cmocka_unit_test(a_carrier_that_errs_has_to_say_it_again_days_later),
		cmocka_unit_test(mail_that_is_taken_between_two_strikes_undoes_the_first),
		cmocka_unit_test(who_is_taken_off_the_list_has_mail_again_and_keeps_his_history),
		cmocka_unit_test(spellings_of_one_address_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

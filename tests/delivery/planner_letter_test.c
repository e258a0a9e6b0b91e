/* Letters: single messages that are accepted durably, once, and sent like all mail. */
#include "planner_fixture.h"

#include "delivery/planner_letter.h"
#include "message/message.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"
#define MAIL                                                                                       \
	"From: a@a.example\nTo: x@x.test\nSubject: {{no field}}\nDate: Mon, 30 Nov 2026 10:00:00 " \
	"+0900\nMessage-ID: <1@a.example>\n\nhello {{name}}\n"

struct bringer {
	struct letter_wait wait;
	struct letter_recipient to[4];
	char addresses[4][64];
	struct buf options;
	u32 told;
	enum letter_result result;
	char sentence[256];
};

static void on_done(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	struct bringer *b = container_of(wait, struct bringer, wait);

	b->told++;
	b->result = result;
	snprintf(b->sentence, sizeof(b->sentence), "%s", sentence);
}

/* A letter of somebody's own to `count` recipients at a domain. */
static void bring(struct fixture *f, struct bringer *b, const char *key, const char *whole,
		  const char *domain, u32 count)
{
	const struct planner_options options = { .literal = true };

	memset(b, 0, sizeof(*b));
	buf_init(&b->options, 256);
	planner_options_pack(&options, &b->options);
	for (u32 i = 0; i < count; i++) {
		snprintf(b->addresses[i], sizeof(b->addresses[i]), "r%u@%s", i, domain);
		b->to[i].address = slice_of(b->addresses[i]);
		b->to[i].notify = LETTER_NOTIFY_FAILURE;
		b->to[i].orcpt = SLICE("rfc822;r@x.test");
	}
	b->wait.done = on_done;
	b->wait.letter = (struct letter){
		.key = slice_of(key),
		.customer = SLICE("a.example"),
		.kind = LETTER_SUBMITTED,
		.sender = SLICE("a@a.example"),
		.source = { .whole = slice_of(whole), .options = buf_slice(&b->options) },
		.recipients = b->to,
		.recipient_count = count,
	};
	planner_letter_add(f->planner, &b->wait);
}

/* Brought, and one turn later answered so. */
static struct row_id must_be_told(struct fixture *f, struct bringer *b, enum letter_result result)
{
	settle(f);
	buf_done(&b->options);
	assert_int_equal(b->told, 1);
	if (b->result != result)
		fail_msg("result %d: %s", b->result, b->sentence);
	return b->wait.id;
}

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

static bool letter_of(struct fixture *f, struct row_id id, struct queue_letter *letter)
{
	enum store_result result;

	assert_int_equal(queue_begin(planner_queue(f->planner)), STORE_OK);
	result = queue_letter_get(planner_queue(f->planner), id.campaign, id.domain, letter);
	queue_abort(planner_queue(f->planner));
	return result == STORE_OK;
}

static bool has_content(struct fixture *f, struct row_id id)
{
	struct slice content;
	enum store_result result;

	assert_int_equal(queue_begin(planner_queue(f->planner)), STORE_OK);
	result = queue_letter_content_get(planner_queue(f->planner), id.campaign, id.domain,
					  &content);
	queue_abort(planner_queue(f->planner));
	return result == STORE_OK;
}

static void a_letter_is_sent_to_each_of_its_recipients(void **state)
{
	struct queue_letter letter;
	struct message_facts facts;
	struct bringer b;
	struct row_id id;
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "spool/1", MAIL, "x.test", 2);
	id = must_be_told(&f, &b, LETTER_KEPT);
	lease = must_lend(&f);
	message_facts(lease->mailing->message, &facts);
	assert_int_equal(facts.field_uses, 0);
	assert_int_equal(lease->values_head, 3 + 15);
	assert_int_equal(lease->values.len, 3 + 15);
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_true(letter_of(&f, id, &letter));
	assert_int_equal(letter.delivered, 1);
	assert_false(letter_is_over(&letter));
	assert_true(has_content(&f, id));
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 1);
	assert_true(letter_of(&f, id, &letter));
	assert_int_equal(letter.delivered, 2);
	assert_true(letter_is_over(&letter));
	assert_false(has_content(&f, id));
	assert_int_equal(campaign_of(&f, id.campaign).delivered, 2);
	assert_int_equal(campaign_of(&f, id.campaign).deferred, 0);
	assert_int_equal(campaign_of(&f, id.campaign).state, CAMPAIGN_RUNNING);
	fixture_close(&f);
}

static void the_same_key_is_the_same_letter_also_after_a_restart(void **state)
{
	struct bringer b;
	struct row_id id;
	struct row_id again;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "spool/1", MAIL, "x.test", 1);
	id = must_be_told(&f, &b, LETTER_KEPT);
	bring(&f, &b, "spool/1", MAIL, "x.test", 1);
	again = must_be_told(&f, &b, LETTER_KNOWN);
	assert_memory_equal(&id, &again, sizeof(id));
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 1);
	start_again(&f);
	bring(&f, &b, "spool/1", MAIL, "x.test", 1);
	must_be_told(&f, &b, LETTER_KNOWN);
	assert_null(next_lease(&f));
	assert_int_equal(campaign_of(&f, id.campaign).total, 1);
	fixture_close(&f);
}

static void two_letters_of_one_turn_with_the_same_key_are_one(void **state)
{
	struct bringer a;
	struct bringer b;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &a, "spool/1", MAIL, "x.test", 1);
	bring(&f, &b, "spool/1", MAIL, "x.test", 1);
	must_be_told(&f, &a, LETTER_KEPT);
	must_be_told(&f, &b, LETTER_KNOWN);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 1);
	fixture_close(&f);
}

static void what_cannot_be_sent_is_refused_with_a_sentence_and_nothing_is_kept(void **state)
{
	struct bringer b;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "1", "From: a@b.example\nSubject: s\n\nx\n", "x.test", 1);
	must_be_told(&f, &b, LETTER_REFUSED);
	assert_non_null(strstr(b.sentence, "From is of b.example"));
	bring(&f, &b, "1", "Subject: s\n\nx\n", "x.test", 1);
	must_be_told(&f, &b, LETTER_REFUSED);
	assert_non_null(strstr(b.sentence, "message:1: there is no From field"));
	bring(&f, &b, "1", MAIL, "x.test", 1);
	b.wait.letter.customer = SLICE("nobody.example");
	must_be_told(&f, &b, LETTER_REFUSED);
	bring(&f, &b, "1", MAIL, "x.test", 1);
	must_be_told(&f, &b, LETTER_KEPT);
	fixture_close(&f);
}

static void a_letter_waits_behind_no_campaign_that_is_due(void **state)
{
	struct lease *lease;
	struct bringer b;
	struct row_id id;
	struct fixture f;
	u32 campaign;

	(void)state;
	open_it(&f, "site \"mx.test\" { mx = {\"mx.test\"} sessions = 1 }");
	campaign = send_to(&f, "x.test", 3);
	settle(&f);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_TEMPORARY), 3);
	start_again(&f);
	bring(&f, &b, "1", MAIL, "x.test", 1);
	id = must_be_told(&f, &b, LETTER_KEPT);
	lease = must_lend(&f);
	assert_int_equal(lease->ref.id.campaign, id.campaign);
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	pass(&f, 15);
	assert_int_equal(answer_all(&f, SMTP_VERDICT_ACCEPTED), 3);
	assert_int_equal(campaign_of(&f, campaign).delivered, 3);
	fixture_close(&f);
}

static void a_letter_that_was_out_at_a_crash_is_sent_again_with_the_same_content(void **state)
{
	struct queue_letter letter;
	struct lease *lease;
	struct bringer b;
	struct row_id id;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "1", MAIL, "x.test", 1);
	id = must_be_told(&f, &b, LETTER_KEPT);
	lease = must_lend(&f);
	atomic_store(&lease->slot->state, JOURNAL_DOT_SENT);
	start_again(&f);
	settle(&f);
	assert_null(next_lease(&f));
	assert_true(has_content(&f, id));
	pass(&f, 1000);
	lease = must_lend(&f);
	assert_true(lease->flags & ROW_WAS_IN_DOUBT);
	assert_non_null(lease->mailing->message);
	give_back(&f, lease, SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	assert_true(letter_of(&f, id, &letter));
	assert_int_equal(letter.delivered, 1);
	fixture_close(&f);
}

static void a_letter_has_a_time_of_its_own(void **state)
{
	struct queue_letter letter;
	struct bringer b;
	struct row_id id;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "1", MAIL, "x.test", 1);
	b.wait.letter.expire_after_ms = 60000;
	id = must_be_told(&f, &b, LETTER_KEPT);
	for (u32 i = 0; i < 10; i++) {
		answer_all(&f, SMTP_VERDICT_TEMPORARY);
		pass(&f, 11);
	}
	assert_true(letter_of(&f, id, &letter));
	assert_int_equal(letter.failed, 1);
	assert_int_equal(campaign_of(&f, id.campaign).expired, 1);
	assert_false(has_content(&f, id));
	fixture_close(&f);
}

static void a_head_is_forgotten_a_day_after_its_letter(void **state)
{
	struct queue_letter letter;
	struct bringer b;
	struct row_id id;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "1", MAIL, "x.test", 1);
	id = must_be_told(&f, &b, LETTER_KEPT);
	answer_all(&f, SMTP_VERDICT_ACCEPTED);
	pass(&f, 23 * 3600);
	assert_true(letter_of(&f, id, &letter));
	pass(&f, 2 * 3600);
	assert_false(letter_of(&f, id, &letter));
	bring(&f, &b, "1", MAIL, "x.test", 1);
	assert_int_not_equal(must_be_told(&f, &b, LETTER_KEPT).domain, id.domain);
	fixture_close(&f);
}

static void letters_wait_while_they_are_paused_and_cannot_be_cancelled(void **state)
{
	struct error error = { "" };
	struct bringer b;
	struct row_id id;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "1", MAIL, "x.test", 1);
	id = must_be_told(&f, &b, LETTER_KEPT);
	answer_all(&f, SMTP_VERDICT_ACCEPTED);
	assert_true(planner_campaign_pause(f.planner, id.campaign, &error));
	bring(&f, &b, "2", MAIL, "x.test", 1);
	must_be_told(&f, &b, LETTER_KEPT);
	assert_null(next_lease(&f));
	assert_null(planner_campaign_cancel(f.planner, id.campaign, &error));
	assert_non_null(strstr(error.text, "stands for ever"));
	assert_true(planner_campaign_resume(f.planner, id.campaign, &error));
	give_back(&f, must_lend(&f), SMTP_VERDICT_ACCEPTED, "ok");
	settle(&f);
	fixture_close(&f);
}

static void who_leaves_is_not_told(void **state)
{
	struct bringer b;
	struct fixture f;

	(void)state;
	open_it(&f, "");
	bring(&f, &b, "1", MAIL, "x.test", 1);
	planner_letter_leave(f.planner, &b.wait);
	buf_done(&b.options);
	settle(&f);
	assert_int_equal(b.told, 0);
	assert_null(next_lease(&f));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_is_sent_to_each_of_its_recipients),
		cmocka_unit_test(the_same_key_is_the_same_letter_also_after_a_restart),
		cmocka_unit_test(two_letters_of_one_turn_with_the_same_key_are_one),
		cmocka_unit_test(
			what_cannot_be_sent_is_refused_with_a_sentence_and_nothing_is_kept),
		cmocka_unit_test(a_letter_waits_behind_no_campaign_that_is_due),
		cmocka_unit_test(
			a_letter_that_was_out_at_a_crash_is_sent_again_with_the_same_content),
		cmocka_unit_test(a_letter_has_a_time_of_its_own),
		cmocka_unit_test(a_head_is_forgotten_a_day_after_its_letter),
		cmocka_unit_test(letters_wait_while_they_are_paused_and_cannot_be_cancelled),
		cmocka_unit_test(who_leaves_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/smtp_class.h"
#include "delivery/outcome.h"

#define HOUR_MS (60ull * 60 * 1000)

static struct outcome_input an_hour_old(enum smtp_verdict verdict)
{
	return (struct outcome_input){
		.verdict = verdict,
		.now_ms = 1000000 * HOUR_MS,
		.since_ms = 999999 * HOUR_MS,
		.expire_after_ms = 72 * HOUR_MS,
		.campaign_state = CAMPAIGN_RUNNING,
		.doubt_policy = DOUBT_RESEND,
	};
}

static void an_accepted_message_is_delivered_whatever_became_of_its_campaign(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_ACCEPTED);

	(void)state;
	assert_int_equal(outcome_decide(&in), OUTCOME_DELIVERED);
	in.campaign_state = CAMPAIGN_CANCELLED;
	assert_int_equal(outcome_decide(&in), OUTCOME_DELIVERED);
	in.campaign_state = CAMPAIGN_PAUSED;
	assert_int_equal(outcome_decide(&in), OUTCOME_DELIVERED);
}

static void what_can_never_go_fails_at_once(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_PERMANENT);

	(void)state;
	assert_int_equal(outcome_decide(&in), OUTCOME_FAILED);
	in.verdict = SMTP_VERDICT_LOCAL;
	assert_int_equal(outcome_decide(&in), OUTCOME_FAILED);
}

static void a_refusal_of_the_sender_is_not_the_recipients(void **state)
{
	static const u8 sender[] = { SMTP_CLASS_REPUTATION, SMTP_CLASS_RATE,
				     SMTP_CLASS_AUTH_FAILURE, SMTP_CLASS_DNS };
	static const u8 others[] = { SMTP_CLASS_NONE,	      SMTP_CLASS_UNKNOWN,
				     SMTP_CLASS_BAD_MAILBOX,  SMTP_CLASS_MAILBOX_FULL,
				     SMTP_CLASS_POLICY,	      SMTP_CLASS_CONTENT,
				     SMTP_CLASS_GREYLISTED,   SMTP_CLASS_PROTOCOL };
	struct outcome_input in = an_hour_old(SMTP_VERDICT_PERMANENT);

	(void)state;
	for (size_t i = 0; i < sizeof(sender); i++) {
		in = an_hour_old(SMTP_VERDICT_PERMANENT);
		in.reply_class = sender[i];
		assert_int_equal(outcome_decide(&in), OUTCOME_DEFER);
		in.since_ms = in.now_ms - in.expire_after_ms;
		assert_int_equal(outcome_decide(&in), OUTCOME_EXPIRED);
		in.campaign_state = CAMPAIGN_CANCELLED;
		assert_int_equal(outcome_decide(&in), OUTCOME_CANCELLED);
		in.blocks_fail = true;
		assert_int_equal(outcome_decide(&in), OUTCOME_FAILED);
	}
	in = an_hour_old(SMTP_VERDICT_PERMANENT);
	for (size_t i = 0; i < sizeof(others); i++) {
		in.reply_class = others[i];
		assert_int_equal(outcome_decide(&in), OUTCOME_FAILED);
	}
}

static void a_temporary_failure_is_deferred_until_its_time_is_over(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_TEMPORARY);

	(void)state;
	assert_int_equal(outcome_decide(&in), OUTCOME_DEFER);
	in.since_ms = in.now_ms - in.expire_after_ms + 1;
	assert_int_equal(outcome_decide(&in), OUTCOME_DEFER);
	in.since_ms = in.now_ms - in.expire_after_ms;
	assert_int_equal(outcome_decide(&in), OUTCOME_EXPIRED);
}

static void a_clock_that_was_set_back_expires_nothing(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_TEMPORARY);

	(void)state;
	in.now_ms = in.since_ms - 2 * HOUR_MS;
	assert_int_equal(outcome_decide(&in), OUTCOME_DEFER);
	in.now_ms = 0;
	assert_int_equal(outcome_decide(&in), OUTCOME_DEFER);
}

static void doubt_is_resent_or_held_as_the_campaign_says(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_IN_DOUBT);

	(void)state;
	assert_int_equal(outcome_decide(&in), OUTCOME_DOUBT);
	in.doubt_policy = DOUBT_HOLD;
	assert_int_equal(outcome_decide(&in), OUTCOME_HOLD);
}

static void doubt_of_a_cancelled_campaign_is_never_sent_again(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_IN_DOUBT);

	(void)state;
	in.campaign_state = CAMPAIGN_CANCELLED;
	assert_int_equal(outcome_decide(&in), OUTCOME_HOLD);
}

static void what_was_not_sent_goes_back_without_an_attempt(void **state)
{
	struct outcome_input in = an_hour_old(SMTP_VERDICT_UNSENT);

	(void)state;
	assert_int_equal(outcome_decide(&in), OUTCOME_RETURN);
	assert_int_equal(outcome_log_name(OUTCOME_RETURN), 0);
	in.campaign_state = CAMPAIGN_PAUSED;
	assert_int_equal(outcome_decide(&in), OUTCOME_RETURN);
	in.campaign_state = CAMPAIGN_CANCELLED;
	assert_int_equal(outcome_decide(&in), OUTCOME_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_message_is_delivered_whatever_became_of_its_campaign),
		cmocka_unit_test(what_can_never_go_fails_at_once),
		cmocka_unit_test(a_refusal_of_the_sender_is_not_the_recipients),
		cmocka_unit_test(a_temporary_failure_is_deferred_until_its_time_is_over),
		cmocka_unit_test(a_clock_that_was_set_back_expires_nothing),
		cmocka_unit_test(doubt_is_resent_or_held_as_the_campaign_says),
		cmocka_unit_test(doubt_of_a_cancelled_campaign_is_never_sent_again),
		cmocka_unit_test(what_was_not_sent_goes_back_without_an_attempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "delivery/outcome.h"

#include "base/smtp_class.h"

static bool is_expired(const struct outcome_input *in)
{
	if (in->deadline_ms > 0 && in->now_ms >= in->deadline_ms)
		return true;
	/* After a power cut the clock may be some seconds behind what rows were noted with. */
	return in->now_ms > in->since_ms && in->now_ms - in->since_ms >= in->expire_after_ms;
}

static enum outcome_action try_again(const struct outcome_input *in)
{
	if (in->campaign_state == CAMPAIGN_CANCELLED)
		return OUTCOME_CANCELLED;
	return is_expired(in) ? OUTCOME_EXPIRED : OUTCOME_DEFER;
}

enum outcome_action outcome_decide(const struct outcome_input *in)
{
	bool cancelled = in->campaign_state == CAMPAIGN_CANCELLED;

	switch (in->verdict) {
	case SMTP_VERDICT_ACCEPTED:
		return OUTCOME_DELIVERED;
	case SMTP_VERDICT_PERMANENT:
		/* The recipient is not what it is about: it may have the message once we may. */
		if (smtp_class_is_about_sender(in->reply_class) && !in->blocks_fail)
			return try_again(in);
		return OUTCOME_FAILED;
	case SMTP_VERDICT_LOCAL:
		return OUTCOME_FAILED;
	case SMTP_VERDICT_TEMPORARY:
		return try_again(in);
	case SMTP_VERDICT_IN_DOUBT:
		/* Of a cancelled campaign nothing is sent again, so the row waits on the list. */
		if (cancelled || in->doubt_policy == DOUBT_HOLD)
			return OUTCOME_HOLD;
		return OUTCOME_DOUBT;
	default:
		return cancelled ? OUTCOME_CANCELLED : OUTCOME_RETURN;
	}
}

u32 outcome_log_name(enum outcome_action action)
{
	static const u32 names[] = {
		[OUTCOME_DELIVERED] = LOG_DELIVERED, [OUTCOME_FAILED] = LOG_FAILED,
		[OUTCOME_EXPIRED] = LOG_EXPIRED,     [OUTCOME_CANCELLED] = LOG_CANCELLED,
		[OUTCOME_DEFER] = LOG_DEFERRED,	     [OUTCOME_DOUBT] = LOG_IN_DOUBT,
		[OUTCOME_HOLD] = LOG_HELD,	     [OUTCOME_RETURN] = 0,
	};

	return names[action];
}

/*
 * What a verdict means for a row: the one place that decides it. Protocol code reports what the
 * receiver said and how far the message had gone; this turns it into what the store is told. Pure.
 */
#ifndef DELIVERY_OUTCOME_H
#define DELIVERY_OUTCOME_H

#include "base/types.h"
#include "smtp/client.h"
#include "store/queue.h"

enum outcome_action {
	OUTCOME_DELIVERED, /* final */
	OUTCOME_FAILED,    /* final: the receiver, or the message itself, makes it impossible */
	OUTCOME_EXPIRED,   /* final: temporary failures until its time was over */
	OUTCOME_CANCELLED, /* final: the campaign was cancelled meanwhile */
	OUTCOME_DEFER,     /* again at due time, an attempt counted */
	OUTCOME_DOUBT,     /* in doubt: resend later */
	OUTCOME_HOLD,      /* in doubt: the operator decides */
	OUTCOME_RETURN,    /* never tried: back to its place, at once */
};

struct outcome_input {
	enum smtp_verdict verdict;
	u64 now_ms;          /* both by the clock that ages are measured with */
	u64 since_ms;        /* first attempt of the row */
	u64 expire_after_ms; /* of the campaign */
	u64 deadline_ms;     /* of the campaign: from then on nothing is tried again; 0: none */
	u32 campaign_state;  /* enum queue_campaign_state */
	u32 doubt_policy;    /* enum queue_doubt_policy */
	u32 reply_class;     /* enum smtp_class */
	bool blocks_fail;    /* a refusal for who we are is final (config_retry) */
};

enum outcome_action outcome_decide(const struct outcome_input *input);
/* What the delivery log calls it. OUTCOME_RETURN is not logged: 0. */
u32 outcome_log_name(enum outcome_action action);

#endif

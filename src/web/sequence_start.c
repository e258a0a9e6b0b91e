#include "web/sequence_start.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/audience_sequence.h"
#include "web/identity_wait.h"
#include "web/mailing_review.h"
#include "web/mailing_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sequence_start_read(struct slice words, u32 *overrides)
{
	*overrides = 0;
	while (words.len > 0) {
		struct slice word = slice_split(&words, ',');
		u32 at = 0;

		while (at < MAILING_STOPS && !slice_equal(word, slice_of(mailing_stop_name(at))))
			at++;
		if (at == MAILING_STOPS)
			return false;
		*overrides |= 1u << at;
	}
	return true;
}

void sequence_start_write(u32 overrides, char out[SEQUENCE_START_WORDS])
{
	size_t len = 0;

	out[0] = '\0';
	for (u32 i = 0; i < MAILING_STOPS; i++) {
		if (overrides & (1u << i))
			len += (size_t)snprintf(out + len, SEQUENCE_START_WORDS - len, "%s%s",
						len > 0 ? "," : "", mailing_stop_name(i));
	}
}

/* What must be mended in that step's mail, as the order's trouble. */
static void note_findings(struct sequence_order *order, u32 step, const struct review *review)
{
	struct mailing_stops stops = { .review = *review };
	struct buf why;

	buf_init(&why, sizeof(order->error.text));
	mailing_stops_findings(&stops, order->language, &why);
	error_set(&order->error, "%.*s", SLICE_FMT(buf_slice(&why)));
	buf_done(&why);
	order->outcome = SEQUENCE_IS_WRONG;
	order->wrong_step = step;
	order->wants_override = MAILING_STOP_FINDINGS;
	snprintf(order->pointer, sizeof(order->pointer), "/steps/%u", step);
}

/* One that cannot be composed is told of by the order, at its field. False: no memory. */
static bool look_at_step(struct call *call, struct sequence_order *order, u32 step)
{
	struct audience_campaign campaign;
	struct mailing_preview *preview;
	struct review review;
	bool is_composed;
	bool ok = true;

	if (order->overrides & MAILING_STOP_FINDINGS ||
	    audience_campaign_get(call->web->reader, step, &campaign) != STORE_OK)
		return true;
	preview = mailing_preview_make(call, &campaign, NULL, &is_composed);
	if (!preview)
		return false;
	if (preview->rows.walk) {
		ok = mailing_review_make(call, preview, &review);
		if (ok && review.counts[REVIEW_MUST] > 0)
			note_findings(order, step, &review);
	}
	mailing_preview_free(preview);
	return ok;
}

/* *wants_dns: nothing else is in its way. False: no memory. */
static bool look(struct call *call, struct sequence_order *order, bool *wants_dns)
{
	struct audience_sequence sequence;
	struct error why;
	bool ok = audience_begin_read(call->web->reader) == STORE_OK;

	*wants_dns = false;
	if (ok && audience_sequence_get(call->web->reader, order->id, &sequence) == STORE_OK) {
		for (u32 i = 0; i < sequence.step_count && ok && order->wants_override == 0; i++)
			ok = look_at_step(call, order, sequence.steps[i].id);
		*wants_dns = order->wants_override == 0 &&
			     !sequence_is_vouched_for(order, call->web->reader, &sequence, &why);
	}
	audience_abort(call->web->reader);
	return ok;
}

/* ---- while DNS is asked ---- */

struct start {
	struct identity_wait wait;
	struct sequence_order *order;
	sequence_answer *answer;
};

static void on_dns(struct identity_wait *wait)
{
	struct start *start = container_of(wait, struct start, wait);

	start->order->now_ms = clock_wall_ms();
	sequence_order_give(start->order, wait->call, start->answer);
	free(start);
}

static void on_gone(struct identity_wait *wait)
{
	struct start *start = container_of(wait, struct start, wait);

	sequence_order_free(start->order);
	free(start);
}

static bool ask_dns(struct sequence_order *order, struct call *call, sequence_answer *answer)
{
	struct start *start = calloc(1, sizeof(*start));

	if (!start)
		return false;
	start->wait.done = on_dns;
	start->wait.drop = on_gone;
	start->order = order;
	start->answer = answer;
	identity_wait_begin(&start->wait, call);
	return true;
}

void sequence_start_give(struct sequence_order *order, struct call *call, sequence_answer *answer)
{
	bool wants_dns;
	bool ok = look(call, order, &wants_dns);

	if (ok && wants_dns && ask_dns(order, call, answer))
		return;
	if (ok && order->wants_override == 0 && !wants_dns) {
		sequence_order_give(order, call, answer);
		return;
	}
	if (ok && !wants_dns)
		answer(call, &order->base);
	else
		call_refuse(call, 503, NULL, "its steps cannot be looked at now");
	sequence_order_free(order);
}

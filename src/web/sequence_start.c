#include "web/sequence_start.h"

#include "base/clock.h"
#include "base/text.h"
#include "campaign/issue.h"
#include "store/audience_sequence.h"
#include "web/identity.h"
#include "web/identity_wait.h"
#include "web/mailing_review.h"
#include "web/mailing_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 4096

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

struct start {
	struct call *call;
	struct sequence_order *order;
	sequence_answer *answer;
	struct identity_wait wait;
	struct buf reasons; /* against it, for the audit */
};

/* ---- looking ---- */

static void forget(struct start *start)
{
	struct sequence_order *order = start->order;

	json_decref(order->findings);
	json_decref(order->identity);
	order->findings = NULL;
	order->identity = NULL;
	order->stops = 0;
	order->pointer[0] = '\0';
	order->outcome = SEQUENCE_IS_DONE;
	order->now_ms = clock_wall_ms();
	buf_reset(&start->reasons);
}

/* The first obstacle is what the order's error tells. */
static void note_stop(struct sequence_order *order, enum mailing_stop stop, const char *pointer,
		      const char *what, struct slice why)
{
	order->stops |= stop;
	if ((order->overrides & stop) || order->pointer[0])
		return;
	snprintf(order->pointer, sizeof(order->pointer), "%s", pointer);
	error_set(&order->error, "%s%.*s", what, SLICE_FMT(why));
}

/* What must be mended in that step's mail. */
static void note_findings(struct start *start, u32 step, const struct review *review)
{
	struct mailing_stops stops = { .review = *review };
	struct sequence_order *order = start->order;
	json_t *found = mailing_review_json(review, order->language);
	char pointer[32];
	struct buf why;

	for (size_t i = 0; i < json_array_size(found); i++)
		json_object_set_new(json_array_get(found, i), "step", json_integer(step));
	if (!order->findings)
		order->findings = json_array();
	json_array_extend(order->findings, found);
	json_decref(found);
	buf_init(&why, LINE_MAX);
	mailing_stops_findings(&stops, LANGUAGE_ENGLISH, &why);
	snprintf(pointer, sizeof(pointer), "/steps/%u", step);
	note_stop(order, MAILING_STOP_FINDINGS, pointer, "", buf_slice(&why));
	buf_add_format(&start->reasons, "%sstep %u: %s", start->reasons.len > 0 ? " " : "", step,
		       buf_text(&why));
	buf_done(&why);
}

/* *can_go: the order would take it; what it refuses is told by it, at its field. */
static bool look_at_step(struct start *start, u32 step, bool *can_go)
{
	struct audience_campaign campaign;
	struct mailing_preview *preview;
	struct review review;
	bool is_composed;
	bool ok = true;

	if (audience_campaign_get(start->call->web->reader, step, &campaign) != STORE_OK) {
		*can_go = false;
		return true;
	}
	preview = mailing_preview_make(start->call, &campaign, NULL, &is_composed);
	if (!preview)
		return false;
	*can_go = preview->rows.walk != NULL;
	if (*can_go) {
		ok = mailing_review_make(start->call, preview, &review);
		if (ok && review.counts[REVIEW_MUST] > 0)
			note_findings(start, step, &review);
	}
	mailing_preview_free(preview);
	return ok;
}

/* Receivers refuse mail of a domain that neither SPF nor DKIM vouches for. */
static void look_at_identity(struct start *start, const struct audience_sequence *sequence)
{
	struct sequence_order *order = start->order;
	struct error ignored;
	struct address from;
	struct buf why;

	if (!order->base.web->config->web.check_identity ||
	    !issue_from(sequence->of[SEQUENCE_FROM], &from, &ignored))
		return;
	slice_copy(order->customer, sizeof(order->customer), slice_of(from.domain));
	order->identity = identity_latest(start->call->web->reader, slice_of(from.domain));
	if (identity_vouches(order->identity, order->now_ms))
		return;
	buf_init(&why, LINE_MAX);
	buf_add_format(&why, "%s: ", from.domain);
	identity_add_failures(order->identity, order->now_ms, &why);
	note_stop(order, MAILING_STOP_IDENTITY, "/from", "receivers would refuse mail of ",
		  buf_slice(&why));
	buf_add_format(&start->reasons, "%sidentity of %s", start->reasons.len > 0 ? " " : "",
		       buf_text(&why));
	buf_done(&why);
}

static bool look_at(struct start *start, const struct audience_sequence *sequence)
{
	struct sequence_order *order = start->order;
	bool can_go = true;
	bool ok = true;

	/* What was agreed to is what was seen. */
	if (order->seen_version > 0 && order->seen_version != sequence->version)
		order->overrides = 0;
	order->looked_version = sequence->version;
	for (u32 i = 0; i < sequence->step_count && ok && can_go; i++)
		ok = look_at_step(start, sequence->steps[i].id, &can_go);
	if (ok && can_go && sequence->step_count > 0)
		look_at_identity(start, sequence);
	/* The order tells what it cannot take, before anything else. */
	if (!can_go)
		order->stops = 0;
	return ok;
}

/* Of one that is not there, or runs, the order itself tells. False: no memory. */
static bool look(struct start *start)
{
	struct audience_txn *txn = start->call->web->reader;
	struct audience_sequence sequence;
	bool ok = audience_begin_read(txn) == STORE_OK;

	forget(start);
	if (ok && audience_sequence_get(txn, start->order->id, &sequence) == STORE_OK &&
	    (sequence.state == AUDIENCE_SEQUENCE_DRAFT ||
	     sequence.state == AUDIENCE_SEQUENCE_PAUSED))
		ok = look_at(start, &sequence);
	audience_abort(txn);
	return ok;
}

/* ---- the end ---- */

static void free_start(struct start *start)
{
	if (start->order)
		sequence_order_free(start->order);
	buf_done(&start->reasons);
	free(start);
}

static void decide(struct start *start)
{
	struct sequence_order *order = start->order;

	if (order->stops & ~order->overrides) {
		order->outcome = SEQUENCE_IS_STOPPED;
		start->answer(start->call, &order->base);
	} else {
		order->overridden = order->stops;
		slice_copy(order->reasons, sizeof(order->reasons),
			   slice_first(buf_slice(&start->reasons), sizeof(order->reasons) - 1));
		start->order = NULL;
		sequence_order_give(order, start->call, start->answer);
	}
	free_start(start);
}

static void step(struct start *start)
{
	const struct sequence_order *order = start->order;

	if (!look(start)) {
		call_refuse(start->call, 503, NULL, "its steps cannot be looked at now");
		free_start(start);
	} else if (start->wait.asked == 0 &&
		   (order->stops & ~order->overrides & MAILING_STOP_IDENTITY)) {
		identity_wait_begin(&start->wait, start->call);
	} else {
		decide(start);
	}
}

static void on_dns(struct identity_wait *wait)
{
	step(container_of(wait, struct start, wait));
}

static void on_gone(struct identity_wait *wait)
{
	free_start(container_of(wait, struct start, wait));
}

void sequence_start_give(struct sequence_order *order, struct call *call, sequence_answer *answer)
{
	struct start *start = calloc(1, sizeof(*start));

	if (!start) {
		sequence_order_free(order);
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	start->call = call;
	start->order = order;
	start->answer = answer;
	start->wait.done = on_dns;
	start->wait.drop = on_gone;
	buf_init(&start->reasons, LINE_MAX);
	step(start);
}

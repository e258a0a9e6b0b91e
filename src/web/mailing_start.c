#include "web/mailing_start.h"

#include "base/clock.h"
#include "base/text.h"
#include "web/identity.h"
#include "web/identity_wait.h"
#include "web/trouble.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX 4096

struct mailing_start {
	struct call *call;
	struct mailing_order *order;
	u32 overrides;
	u64 seen_ms; /* what they are about */
	mailing_stopped *stopped;
	struct identity_wait wait;
	struct mailing_stops stops;
};

const char *mailing_stop_name(u32 index)
{
	static const char *const names[MAILING_STOPS] = { "findings", "identity" };

	return index < MAILING_STOPS ? names[index] : NULL;
}

/* ---- the reasons ---- */

void mailing_stops_findings(const struct mailing_stops *stops, enum language language,
			    struct buf *out)
{
	for (u32 i = 0; i < stops->review.count; i++) {
		if (stops->review.findings[i].severity != REVIEW_MUST)
			continue;
		if (i > 0)
			buf_add_char(out, ' ');
		trouble_add_finding(&stops->review.findings[i], language, out);
	}
}

void mailing_stops_identity(const struct mailing_stops *stops, struct buf *out)
{
	identity_add_failures(stops->identity, clock_wall_ms(), out);
}

/* For the audit: what was overridden, and why it should not have been. */
static void note_overridden(struct mailing_start *start)
{
	struct mailing_order *order = start->order;
	struct buf line;

	order->overridden = start->stops.stops & start->overrides;
	if (order->overridden == 0)
		return;
	buf_init(&line, LINE_MAX);
	if (order->overridden & MAILING_STOP_FINDINGS) {
		buf_add_text(&line, "findings: ");
		mailing_stops_findings(&start->stops, LANGUAGE_ENGLISH, &line);
	}
	if (order->overridden & MAILING_STOP_IDENTITY) {
		buf_add_format(&line, "%sidentity of %s: ", line.len > 0 ? " " : "",
			       start->stops.customer);
		mailing_stops_identity(&start->stops, &line);
	}
	slice_copy(order->reasons, sizeof(order->reasons),
		   slice_first(buf_slice(&line), sizeof(order->reasons) - 1));
	buf_done(&line);
}

/* ---- looking ---- */

/* Of one that is no draft, and one that began, the order itself says what can be done. */
static bool is_to_begin(const struct audience_campaign *campaign)
{
	return campaign->state == AUDIENCE_CAMPAIGN_DRAFT ||
	       (campaign->state == AUDIENCE_CAMPAIGN_PAUSED && campaign->sender == 0);
}

static void forget(struct mailing_stops *stops)
{
	mailing_preview_free(stops->preview);
	json_decref(stops->identity);
	*stops = (struct mailing_stops){ .stops = 0 };
}

/* *can_go: the order would take it; what it refuses is told by it, at its field. */
static bool look_at_mail(struct mailing_start *start, const struct audience_campaign *campaign,
			 bool *can_go)
{
	struct mailing_stops *stops = &start->stops;
	bool is_composed;

	stops->preview = mailing_preview_make(start->call, campaign, NULL, &is_composed);
	*can_go = stops->preview && stops->preview->rows.walk;
	if (!*can_go)
		return stops->preview != NULL;
	if (!mailing_review_make(start->call, stops->preview, &stops->review))
		return false;
	if (stops->review.counts[REVIEW_MUST] > 0)
		stops->stops |= MAILING_STOP_FINDINGS;
	return true;
}

/* False: no memory, or the store cannot be read. */
static bool look(struct mailing_start *start)
{
	struct call *call = start->call;
	struct audience_txn *txn = call->web->reader;
	struct mailing_stops *stops = &start->stops;
	struct audience_campaign campaign;
	enum store_result result;
	bool can_go;
	bool ok;

	forget(stops);
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = audience_campaign_get(txn, start->order->change.id, &campaign);
	ok = result == STORE_OK || result == STORE_NOT_FOUND;
	if (result == STORE_OK && is_to_begin(&campaign)) {
		if (start->seen_ms > 0 && start->seen_ms != campaign.changed_ms)
			start->overrides = 0;
		stops->changed_ms = campaign.changed_ms;
		slice_copy(stops->customer, sizeof(stops->customer), campaign.customer);
		ok = look_at_mail(start, &campaign, &can_go);
		if (ok && can_go && call->web->config->web.check_identity) {
			stops->identity = identity_latest(txn, campaign.customer);
			if (!identity_vouches(stops->identity, clock_wall_ms()))
				stops->stops |= MAILING_STOP_IDENTITY;
		}
	}
	audience_abort(txn);
	return ok;
}

/* ---- the end ---- */

static void free_start(struct mailing_start *start)
{
	if (start->order)
		mailing_order_free(start->order);
	forget(&start->stops);
	free(start);
}

static void decide(struct mailing_start *start)
{
	struct call *call = start->call;
	struct mailing_order *order = start->order;

	if (start->stops.stops & ~start->overrides) {
		start->stopped(call, &start->stops);
	} else {
		note_overridden(start);
		order->seen_ms = start->stops.changed_ms;
		start->order = NULL;
		call_give_order(call, &order->base);
	}
	free_start(start);
}

static bool wants_dns(const struct mailing_start *start)
{
	return start->wait.asked == 0 &&
	       (start->stops.stops & ~start->overrides & MAILING_STOP_IDENTITY);
}

static void step(struct mailing_start *start)
{
	if (!look(start)) {
		struct call *call = start->call;

		free_start(start);
		call_refuse(call, 503, NULL, "the campaign cannot be looked at now");
		return;
	}
	if (wants_dns(start))
		identity_wait_begin(&start->wait, start->call);
	else
		decide(start);
}

static void on_dns(struct identity_wait *wait)
{
	step(container_of(wait, struct mailing_start, wait));
}

static void on_gone(struct identity_wait *wait)
{
	free_start(container_of(wait, struct mailing_start, wait));
}

void mailing_start(struct call *call, struct mailing_order *order, u32 overrides, u64 seen_ms,
		   mailing_stopped *stopped)
{
	struct mailing_start *start = calloc(1, sizeof(*start));

	if (!start) {
		mailing_order_free(order);
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	start->call = call;
	start->order = order;
	start->overrides = overrides;
	start->seen_ms = seen_ms;
	start->stopped = stopped;
	start->wait.done = on_dns;
	start->wait.drop = on_gone;
	step(start);
}

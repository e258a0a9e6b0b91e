/*
 * queue.retry, queue.bounce, queue.doubt, campaign.cancel: orders to rows at rest. The planner
 * carries them out over many turns, to their end even if the client goes away; here is who waits
 * for it.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define PAUSE_FIRST_MS 1 /* an order about a few rows is carried out by then */
#define PAUSE_MAX_MS 64
#define PROGRESS_NS NS_PER_S

struct order_stream {
	struct control_stream stream;
	struct planner_sweep *sweep;
	u32 campaign; /* the one that is cancelled: the answer is about it; 0: rows are counted */
	u64 told_ns;
};

static void order_free(struct control_stream *stream)
{
	struct order_stream *order = container_of(stream, struct order_stream, stream);

	planner_sweep_leave(order->sweep);
	free(order);
}

static void tell_progress(struct control_link *link, struct order_stream *order,
			  const struct planner_sweep_status *status)
{
	u64 now = control_now_ns(link->control);

	if (now - order->told_ns < PROGRESS_NS)
		return;
	order->told_ns = now;
	link_item(link, json_pack("{s:{s:I, s:I}}", "progress", "looked",
				  (json_int_t)status->looked, "count", (json_int_t)status->count));
}

static bool order_step(struct control_link *link, struct control_stream *stream)
{
	struct order_stream *order = container_of(stream, struct order_stream, stream);
	struct planner_sweep_status status;
	struct error error;

	planner_sweep_look(order->sweep, &status);
	if (status.is_over && order->campaign) {
		control_reply_campaign(link, order->campaign);
		return false;
	}
	if (status.is_over) {
		link_reply(link, json_pack("{s:I}", "count", (json_int_t)status.count));
		return false;
	}
	if (planner_is_stopping(link->control->params.planner)) {
		error_set(&error,
			  "the sender ends: %llu recipients so far, its next start does the rest",
			  (unsigned long long)status.count);
		link_refuse(link, CONTROL_FAILED, error.text);
		return false;
	}
	tell_progress(link, order, &status);
	stream->pause_ms = min_u32(stream->pause_ms * 2, PAUSE_MAX_MS);
	return true;
}

/* Waits for the end of an order; NULL: it was refused. */
static void wait_for(struct control_link *link, struct planner_sweep *sweep, u32 campaign,
		     const struct error *error)
{
	struct order_stream *order;

	if (!sweep) {
		link_refuse(link, CONTROL_FAILED, error->text);
		return;
	}
	order = calloc(1, sizeof(*order));
	if (!order) {
		planner_sweep_leave(sweep);
		link_stream(link, NULL);
		return;
	}
	*order = (struct order_stream){ .stream = { .step = order_step,
						    .free = order_free,
						    .pause_ms = PAUSE_FIRST_MS },
					.sweep = sweep,
					.campaign = campaign,
					.told_ns = control_now_ns(link->control) };
	link_stream(link, &order->stream);
}

void control_cancel(struct control_link *link, u32 campaign)
{
	struct error error = { "" };

	wait_for(link, planner_campaign_cancel(link->control->params.planner, campaign, &error),
		 campaign, &error);
}

/* What a selection means, as the planner filters; texts are copied into `address`. */
static bool filter_of(struct control_link *link, const struct control_selection *selection,
		      struct planner_filter *filter, struct buf *address)
{
	struct address parsed;

	*filter = (struct planner_filter){ 0 };
	if (!control_find_word(link, selection->campaign, &filter->campaign))
		return false;
	if (selection->domain && !control_domain(link, selection->domain, address, &filter->domain))
		return false;
	if (!selection->address)
		return true;
	if (!control_address(link, selection->address, &parsed, address))
		return false;
	/* Both must hold: an address of another domain matches nothing, and that is a mistake. */
	if (selection->domain && strcasecmp(selection->domain, parsed.domain) != 0) {
		link_refuse(link, CONTROL_BAD_REQUEST, "the address is not of the domain");
		return false;
	}
	filter->domain = SLICE_NONE;
	filter->address = buf_slice(address);
	return true;
}

typedef struct planner_sweep *order_fn(struct planner *planner,
				       const struct planner_filter *filter, struct error *error);

static struct planner_sweep *resend_held(struct planner *planner,
					 const struct planner_filter *filter, struct error *error)
{
	return planner_doubt_settle(planner, filter, true, error);
}

static struct planner_sweep *drop_held(struct planner *planner,
				       const struct planner_filter *filter, struct error *error)
{
	return planner_doubt_settle(planner, filter, false, error);
}

static void order_run(struct control_link *link, const struct control_request *request,
		      const struct control_selection *selection, order_fn *give)
{
	struct planner_filter filter;
	struct buf address;
	struct error error = { "" };

	buf_init(&address, ADDRESS_WIRE_MAX + 1);
	if (!filter_of(link, selection, &filter, &address))
		goto out;
	log_info("send", "command", "command=%s action=%s campaign=%u domain=%.*s all=%d",
		 request->command, selection->action ? selection->action : "-", filter.campaign,
		 SLICE_FMT(filter.domain), selection->all);
	wait_for(link, give(link->control->params.planner, &filter, &error), 0, &error);
out:
	buf_done(&address);
}

/* An order that must say which recipients it means, by any of the words in `words`. */
static void order_selected(struct control_link *link, const struct control_request *request,
			   u32 words, order_fn *give)
{
	struct control_selection selection;
	struct error error;

	if (!control_read_selection(request, words, words, &selection, &error))
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else
		order_run(link, request, &selection, give);
}

void control_retry(struct control_link *link, const struct control_request *request)
{
	order_selected(link, request,
		       SELECT_CAMPAIGN | SELECT_DOMAIN | SELECT_ADDRESS | SELECT_ALL,
		       planner_retry);
}

void control_bounce(struct control_link *link, const struct control_request *request)
{
	order_selected(link, request, SELECT_CAMPAIGN | SELECT_DOMAIN | SELECT_ADDRESS,
		       planner_bounce);
}

void control_doubt(struct control_link *link, const struct control_request *request)
{
	static const char *const actions[] = { "list", "resend", "drop" };
	static order_fn *const orders[] = { NULL, resend_held, drop_held };
	const u32 must = SELECT_CAMPAIGN | SELECT_ADDRESS | SELECT_ALL;
	struct control_selection selection;
	struct error error;
	int action = -1;

	if (control_read_selection(request, must | SELECT_ACTION, 0, &selection, &error))
		action = control_word(selection.action, request->command, "action", actions,
				      array_count(actions), &error);
	/* Only listing may be about everything without saying so. */
	if (action > 0 &&
	    !control_read_selection(request, must | SELECT_ACTION, must, &selection, &error))
		action = -1;
	if (action < 0)
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else if (action == 0)
		control_doubt_list(link, &selection);
	else
		order_run(link, request, &selection, orders[action]);
}

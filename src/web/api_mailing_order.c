/*
 * /api/v1/mailings/{}/schedule, pause, resume, cancel: what becomes of a draft. The order is kept
 * here; the thread that brings contacts (bringer.h) carries it out.
 */
#include "base/clock.h"
#include "base/text.h"
#include "store/audience_hold.h"
#include "web/bringer.h"
#include "web/campaign_rows.h"
#include "web/field.h"
#include "web/mailing.h"
#include "web/route.h"

#include <stdlib.h>
#include <string.h>

#define STATE(name) (1u << AUDIENCE_CAMPAIGN_##name)

static enum store_result audit(struct audience_txn *txn, const struct mailing_order *order, u32 id)
{
	char object[32];

	snprintf(object, sizeof(object), "mailing %u", id);
	return call_audit(txn, &order->author, order->action, slice_of(object));
}

static void show(struct mailing_order *order, const struct audience_campaign *c)
{
	order->shown = *c;
	slice_copy(order->customer, sizeof(order->customer), c->customer);
	order->shown.customer = slice_of(order->customer);
	order->shown.reason = SLICE("");
	order->shown.draft = SLICE_NONE;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);

	order->is_wrong = false;
	return campaign_change_apply(&order->change, txn);
}

static void answer(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);
	char pointer[FIELD_POINTER_MAX];

	if (!call_order_is_well(call, base))
		return;
	if (!order->change.is_there) {
		call_refuse(call, 404, NULL, "there is no such mailing");
		return;
	}
	if (!order->change.is_done) {
		call_refuse(call, 409, NULL, "it is %s: that cannot be done now",
			    audience_campaign_state_names[order->change.state]);
		return;
	}
	if (order->is_wrong) {
		call_refuse(call, 422,
			    field_pointer(pointer, "", draft_field_name((u32)order->field)), "%s",
			    order->error.text);
		return;
	}
	bringer_wake(call->web->bringer);
	call_answer(call, 200, mailing_json(&order->shown, false));
}

static bool is_visible(struct call *call)
{
	struct audience_campaign campaign;
	bool is_there = mailing_find(call, &campaign);

	audience_abort(call->web->reader);
	return is_there;
}

static struct mailing_order *begin(struct call *call, const char *action, u32 from,
				   enum audience_campaign_state to)
{
	struct mailing_order *order;

	if (!is_visible(call))
		return NULL;
	order = mailing_order_new(call, action);
	if (!order)
		return NULL;
	order->change.id = mailing_id(call);
	order->change.from = from;
	order->to = to;
	order->base.order.apply = apply;
	order->base.answer = answer;
	return order;
}

/* ---- scheduling ---- */

/* What would be refused at the start is told now. */
static bool try_out(struct mailing_order *order, const struct audience_campaign *c,
		    struct audience_txn *txn, struct draft_plan *plan)
{
	struct campaign_rows *rows = calloc(1, sizeof(*rows));
	bool ok;

	*plan = (struct draft_plan){ 0 };
	if (!rows)
		return error_set(&order->error, "no memory");
	ok = campaign_rows_open(rows, txn, c,
				slice_of(order->base.web->config->web.url
						 ? order->base.web->config->web.url
						 : ""),
				order->base.web->links, true, &order->field, &order->error);
	*plan = rows->plan;
	campaign_rows_close(rows);
	free(rows);
	return ok;
}

static enum store_result edit_schedule(struct campaign_change *change, struct audience_campaign *c,
				       struct audience_txn *txn)
{
	struct mailing_order *order = change->context;
	struct draft_plan plan;

	c->start_ms = order->now_ms;
	if (!try_out(order, c, txn, &plan)) {
		order->is_wrong = true;
		c->start_ms = 0;
		return STORE_OK;
	}
	/* By each contact's own clock it begins where it is that late first. */
	if (plan.start_ms > 0)
		c->start_ms = draft_pass_ms(&plan, 0);
	order->field = DRAFT_AT;
	if (plan.start_ms > 0 && plan.start_ms < order->now_ms) {
		order->is_wrong = !error_set(&order->error, "this time is over");
		c->start_ms = 0;
		return STORE_OK;
	}
	c->start_ms = max_u64(c->start_ms, order->now_ms);
	c->state = AUDIENCE_CAMPAIGN_SCHEDULED;
	c->changed_ms = order->now_ms;
	show(order, c);
	return audit(txn, order, c->id);
}

void api_mailing_schedule(struct call *call)
{
	struct mailing_order *order =
		begin(call, "mailing.schedule", STATE(DRAFT), AUDIENCE_CAMPAIGN_SCHEDULED);

	if (!order)
		return;
	order->change.edit = edit_schedule;
	call_give_order(call, &order->base);
}

/* ---- the rest ---- */

static enum store_result edit_state(struct campaign_change *change, struct audience_campaign *c,
				    struct audience_txn *txn)
{
	struct mailing_order *order = change->context;

	c->state = order->to;
	c->changed_ms = order->now_ms;
	c->reason = SLICE("");
	/* Without one at the sender there is nothing left to do. */
	if (order->to == AUDIENCE_CAMPAIGN_CANCELLED && c->sender == 0 && change->state !=
								       AUDIENCE_CAMPAIGN_SCHEDULED)
		c->finished_ms = order->now_ms;
	show(order, c);
	return audit(txn, order, c->id);
}

/* To where it was; what never began is due now. */
static enum store_result edit_resume(struct campaign_change *change, struct audience_campaign *c,
				     struct audience_txn *txn)
{
	struct mailing_order *order = change->context;

	order->to = c->sender == 0 ? AUDIENCE_CAMPAIGN_SCHEDULED :
		    c->flags & AUDIENCE_CAMPAIGN_BROUGHT ? AUDIENCE_CAMPAIGN_SENDING :
							   AUDIENCE_CAMPAIGN_RUNNING;
	if (c->sender > 0)
		c->flags |= AUDIENCE_CAMPAIGN_RESUMES;
	else
		c->start_ms = max_u64(c->start_ms, order->now_ms);
	return edit_state(change, c, txn);
}

static enum store_result edit_to_draft(struct campaign_change *change,
				       struct audience_campaign *c, struct audience_txn *txn)
{
	c->start_ms = 0;
	return edit_state(change, c, txn);
}

static void give(struct call *call, const char *action, u32 from, enum audience_campaign_state to,
		 enum store_result (*edit)(struct campaign_change *, struct audience_campaign *,
					   struct audience_txn *))
{
	struct mailing_order *order = begin(call, action, from, to);

	if (!order)
		return;
	order->change.edit = edit;
	call_give_order(call, &order->base);
}

void api_mailing_pause(struct call *call)
{
	give(call, "mailing.pause", STATE(SCHEDULED) | STATE(RUNNING) | STATE(SENDING),
	     AUDIENCE_CAMPAIGN_PAUSED, edit_state);
}

void api_mailing_resume(struct call *call)
{
	give(call, "mailing.resume", STATE(PAUSED), AUDIENCE_CAMPAIGN_RUNNING, edit_resume);
}

void api_mailing_cancel(struct call *call)
{
	give(call, "mailing.cancel",
	     STATE(SCHEDULED) | STATE(RUNNING) | STATE(SENDING) | STATE(PAUSED),
	     AUDIENCE_CAMPAIGN_CANCELLED, edit_state);
}

/* What is only scheduled, or could not begin, can be edited again. */
void api_mailing_unschedule(struct call *call)
{
	give(call, "mailing.unschedule", STATE(SCHEDULED), AUDIENCE_CAMPAIGN_DRAFT,
	     edit_to_draft);
}

/* ---- what a restore held ---- */

static enum store_result apply_release(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);
	enum store_result result = audience_release(txn);

	return result == STORE_OK ? call_audit(txn, &order->author, order->action, SLICE(""))
				  : result;
}

static void answer_release(struct call *call, struct call_order *base)
{
	if (!call_order_is_well(call, base))
		return;
	bringer_wake(call->web->bringer);
	call_answer_nothing(call, 204);
}

/* After a backup was brought back, nothing begins by itself before somebody says so here. */
void api_hold_release(struct call *call)
{
	struct mailing_order *order = mailing_order_new(call, "hold.release");

	if (!order)
		return;
	order->base.order.apply = apply_release;
	order->base.answer = answer_release;
	call_give_order(call, &order->base);
}

void api_hold_show(struct call *call)
{
	bool is_held = false;
	enum store_result result = audience_begin_read(call->web->reader);

	if (result == STORE_OK)
		result = audience_is_held(call->web->reader, &is_held);
	audience_abort(call->web->reader);
	if (result == STORE_OK)
		call_answer(call, 200, json_pack("{s:b}", "held", is_held));
	else
		call_refuse(call, 500, NULL, "%s", audience_error_text(call->web->reader));
}

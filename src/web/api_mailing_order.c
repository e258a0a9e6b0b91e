/*
 * /api/v1/mailings/{}/schedule, pause, resume, cancel: what becomes of a draft. The order is kept
 * here; the thread that brings contacts (bringer.h) carries it out.
 */
#include "base/text.h"
#include "store/audience_hold.h"
#include "web/bringer.h"
#include "web/field.h"
#include "web/mailing.h"
#include "web/route.h"

#include <string.h>

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

/* The word of the path behind the mailing's id. */
static void give(struct call *call)
{
	struct mailing_order *order;

	if (!is_visible(call))
		return;
	order = mailing_order_new(call, "");
	if (!order)
		return;
	order->change.id = mailing_id(call);
	order->base.answer = answer;
	if (mailing_order_verb(order, strrchr(call->route->path, '/') + 1)) {
		call_give_order(call, &order->base);
		return;
	}
	mailing_order_free(order);
	call_refuse(call, 404, NULL, "there is no such order");
}

void api_mailing_schedule(struct call *call)
{
	give(call);
}

void api_mailing_unschedule(struct call *call)
{
	give(call);
}

void api_mailing_pause(struct call *call)
{
	give(call);
}

void api_mailing_resume(struct call *call)
{
	give(call);
}

void api_mailing_cancel(struct call *call)
{
	give(call);
}

/* ---- what a restore held ---- */

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
	order->base.order.apply = mailing_apply_release;
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

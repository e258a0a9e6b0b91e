/*
 * /api/v1/mailings/{}/schedule, pause, resume, cancel: what becomes of a draft. The order is kept
 * here; the thread that brings contacts (bringer.h) carries it out.
 */
#include "base/text.h"
#include "store/audience_hold.h"
#include "web/bringer.h"
#include "web/field.h"
#include "web/mailing_start.h"
#include "web/route.h"

#include <string.h>

static void answer(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);
	char pointer[FIELD_POINTER_MAX];

	if (!mailing_order_is_done(call, order))
		return;
	if (order->is_stale) {
		call_refuse(call, 409, NULL, "it was changed meanwhile: look at it again");
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

/* ---- what stops a start ---- */

static void answer_stopped(struct call *call, const struct mailing_stops *stops)
{
	json_t *names = json_array();
	json_t *more = json_pack("{s:o}", "override", names);
	struct buf why;

	buf_init(&why, 8192);
	for (u32 i = 0; i < MAILING_STOPS; i++) {
		if (stops->stops >> i & 1)
			json_array_append_new(names, json_string(mailing_stop_name(i)));
	}
	if (stops->stops & MAILING_STOP_FINDINGS) {
		json_object_set_new(more, "findings",
				    mailing_review_json(&stops->review, LANGUAGE_ENGLISH));
		buf_add_text(&why, "what was found has to be mended first: ");
		mailing_stops_findings(stops, LANGUAGE_ENGLISH, &why);
	}
	if (stops->stops & MAILING_STOP_IDENTITY) {
		if (stops->identity)
			json_object_set(more, "identity", stops->identity);
		buf_add_format(&why, "%sreceivers would refuse mail of %s: ",
			       why.len > 0 ? " " : "", stops->customer);
		mailing_stops_identity(stops, &why);
	}
	call_refuse_with(call, 422, more, "%s", buf_text(&why));
	buf_done(&why);
}

/* {"override": ["findings"]} */
static bool read_overrides(struct call *call, u32 *overrides)
{
	static const char *const known[] = { "override", NULL };
	char pointer[FIELD_POINTER_MAX];
	const json_t *list;

	*overrides = 0;
	if (!call->json)
		return true;
	if (!field_known(call, call->json, "", known) ||
	    !field_list(call, call->json, "", "override", MAILING_STOPS, &list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		u32 bit = 0;

		while (bit < MAILING_STOPS && (!name || strcmp(name, mailing_stop_name(bit)) != 0))
			bit++;
		if (bit == MAILING_STOPS) {
			call_refuse(call, 422, field_pointer_at(pointer, "/override", i),
				    "this is neither \"findings\" nor \"identity\"");
			return false;
		}
		*overrides |= 1u << bit;
	}
	return true;
}

/* ---- orders ---- */

/* The word of the path behind the mailing's id. */
static void give(struct call *call, bool starts)
{
	struct mailing_order *order;
	u32 overrides;

	if (!mailing_is_visible(call) || !read_overrides(call, &overrides))
		return;
	order = mailing_order_new(call, "");
	if (!order)
		return;
	order->change.id = mailing_id(call);
	order->base.answer = answer;
	if (!mailing_order_verb(order, strrchr(call->route->path, '/') + 1)) {
		mailing_order_free(order);
		call_refuse(call, 404, NULL, "there is no such order");
	} else if (starts) {
		mailing_start(call, order, overrides, 0, answer_stopped);
	} else {
		call_give_order(call, &order->base);
	}
}

void api_mailing_schedule(struct call *call)
{
	give(call, true);
}

void api_mailing_unschedule(struct call *call)
{
	give(call, false);
}

void api_mailing_pause(struct call *call)
{
	give(call, false);
}

void api_mailing_resume(struct call *call)
{
	give(call, true);
}

void api_mailing_cancel(struct call *call)
{
	give(call, false);
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

/* /api/v1/sequences: step mail, made, changed, started and looked at; its steps. */
#include "base/text.h"
#include "web/bringer.h"
#include "web/field.h"
#include "web/page.h"
#include "web/route.h"
#include "web/sequence_json.h"
#include "web/mailing_start.h"
#include "web/sequence_start.h"

#include <stdio.h>
#include <string.h>

/* ---- showing ---- */

void api_sequences_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_sequence sequence = { 0 };
	json_t *list = json_array();
	enum store_result result = audience_begin_read(txn);

	while (result == STORE_OK) {
		result = audience_sequence_after(txn, sequence.id, &sequence);
		if (result == STORE_OK && sequence_may_see(call, &sequence))
			json_array_append_new(list, sequence_json(txn, &sequence, false));
	}
	audience_abort(txn);
	if (result == STORE_NOT_FOUND) {
		call_answer(call, 200, json_pack("{s:o}", "sequences", list));
		return;
	}
	json_decref(list);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}

void api_sequence_show(struct call *call)
{
	struct audience_sequence sequence;
	bool is_there = sequence_find(call, &sequence);
	json_t *json = is_there ? sequence_json(call->web->reader, &sequence, true) : NULL;

	audience_abort(call->web->reader);
	if (is_there)
		call_answer(call, 200, json);
}

/* ---- reading ---- */

/* A member as text: forms have nothing else, programs may write what it is. */
static bool take_value(struct sequence_order *order, const json_t *value, struct slice *to)
{
	char number[24];

	if (json_is_null(value))
		*to = SLICE("");
	else if (json_is_string(value))
		*to = arena_copy(&order->arena, (struct slice){ json_string_value(value),
								json_string_length(value) });
	else if (json_is_boolean(value))
		*to = json_is_true(value) ? SLICE("yes") : SLICE("no");
	else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		*to = arena_copy(&order->arena, slice_of(number));
	} else {
		return false;
	}
	return to->ptr != NULL;
}

static bool take_members(struct call *call, struct sequence_order *order, bool is_step)
{
	char pointer[FIELD_POINTER_MAX];
	const char *name;
	json_t *value;

	json_object_foreach(call->json, name, value) {
		enum sequence_field field = SEQUENCE_FIELDS;
		enum step_field step = STEP_FIELDS;
		struct slice *to;

		if (is_step ? !step_field_find(slice_of(name), &step)
			    : !sequence_field_find(slice_of(name), &field)) {
			call_refuse(call, 422, field_pointer(pointer, "", name),
				    "there is no such member");
			return false;
		}
		to = is_step ? &order->step_texts.of[step] : &order->texts.of[field];
		if (!take_value(order, value, to)) {
			call_refuse(call, 422, field_pointer(pointer, "", name),
				    "this is text, a number, or true or false");
			return false;
		}
		if (is_step)
			order->step_texts.given |= 1u << step;
		else
			order->texts.given |= 1u << field;
	}
	return true;
}

/* ---- answering ---- */

/* With the same members as a mailing's refusal. */
static void refuse_stopped(struct call *call, const struct sequence_order *order)
{
	json_t *names = json_array();

	for (u32 i = 0; i < MAILING_STOPS; i++) {
		if (order->stops >> i & 1)
			json_array_append_new(names, json_string(mailing_stop_name(i)));
	}
	call_refuse_with(call, 422,
			 json_pack("{s:s, s:o, s:O*, s:O*}", "pointer", order->pointer, "override",
				   names, "findings", order->findings, "identity",
				   order->stops & MAILING_STOP_IDENTITY ? order->identity : NULL),
			 "%s", order->error.text);
}

/* What the order could not do. True: it is done. */
static bool is_done(struct call *call, const struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!call_order_is_well(call, base))
		return false;
	switch (order->outcome) {
	case SEQUENCE_IS_DONE:
		bringer_wake(call->web->bringer);
		return true;
	case SEQUENCE_IS_NOT_THERE:
		call_refuse(call, 404, NULL, "there is no such sequence");
		break;
	case SEQUENCE_HAS_NO_STEP:
		call_refuse(call, 404, NULL, "there is no such step");
		break;
	case SEQUENCE_HAS_NO_CONTACT:
		call_refuse(call, 404, NULL, "there is no such contact");
		break;
	case SEQUENCE_IS_IN_ANOTHER_STATE:
		call_refuse(call, 409, NULL, "it is %s: that cannot be done now",
			    audience_sequence_state_names[order->state]);
		break;
	case SEQUENCE_IS_TOO_MANY:
		call_refuse(call, 409, NULL, "there are as many as there may be");
		break;
	case SEQUENCE_IS_WRONG:
		call_refuse(call, 422, order->pointer, "%s", order->error.text);
		break;
	case SEQUENCE_IS_STOPPED:
		refuse_stopped(call, order);
		break;
	case SEQUENCE_IS_CHANGED:
		call_refuse(call, 409, NULL, "it was changed meanwhile: look at it again");
		break;
	}
	return false;
}

static void answer_with(struct call *call, u32 status, u32 id)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_sequence sequence;
	json_t *json = NULL;

	if (audience_begin_read(txn) == STORE_OK &&
	    audience_sequence_get(txn, id, &sequence) == STORE_OK)
		json = sequence_json(txn, &sequence, false);
	audience_abort(txn);
	call_answer(call, status, json);
}

static void answer_shown(struct call *call, struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!is_done(call, base))
		return;
	if (order->kind == SEQUENCE_CREATE)
		buf_add_format(&call->answer_head, "Location: /api/v1/sequences/%u\r\n",
			       order->id);
	answer_with(call, order->kind == SEQUENCE_CREATE ? 201 : 200, order->id);
}

static void answer_step(struct call *call, struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!is_done(call, base))
		return;
	if (order->kind == SEQUENCE_STEP_ADD)
		call_answer(call, 201, json_pack("{s:I}", "id", (json_int_t)order->step));
	else
		answer_with(call, 200, order->id);
}

static void answer_nothing(struct call *call, struct call_order *base)
{
	if (is_done(call, base))
		call_answer_nothing(call, 204);
}

/* ---- orders ---- */

static void give(struct call *call, enum sequence_act_kind kind)
{
	struct sequence_order *order = sequence_order_of_path(call, kind);

	if (order)
		sequence_order_give(order, call,
				    kind == SEQUENCE_DELETE ? answer_nothing : answer_shown);
}

static void give_texts(struct call *call, struct sequence_order *order)
{
	if (!order)
		return;
	if (!take_members(call, order, false)) {
		sequence_order_free(order);
		return;
	}
	if (!sequence_order_customer(order, call)) {
		call_refuse(call, 422, order->pointer, "%s", order->error.text);
		sequence_order_free(order);
		return;
	}
	sequence_order_give(order, call, answer_shown);
}

void api_sequences_create(struct call *call)
{
	give_texts(call, sequence_order_new(call, SEQUENCE_CREATE));
}

void api_sequence_change(struct call *call)
{
	give_texts(call, sequence_order_of_path(call, SEQUENCE_CHANGE));
}

void api_sequence_delete(struct call *call)
{
	give(call, SEQUENCE_DELETE);
}

/* `override=findings,identity` in the query: whatever the review and DNS say. */
void api_sequence_start(struct call *call)
{
	struct sequence_order *order = sequence_order_of_path(call, SEQUENCE_START);

	if (!order)
		return;
	if (sequence_start_read(call_query(call, "override"), &order->overrides)) {
		sequence_start_give(order, call, answer_shown);
		return;
	}
	call_refuse(call, 400, NULL, "override: findings, identity, or both with a comma between");
	sequence_order_free(order);
}

void api_sequence_pause(struct call *call)
{
	give(call, SEQUENCE_PAUSE);
}

void api_sequence_archive(struct call *call)
{
	give(call, SEQUENCE_ARCHIVE);
}

/* ---- steps ---- */

/* The step in the path, if there is one. */
static bool take_step(struct call *call, struct sequence_order *order)
{
	if (slice_to_u32(slice_of(call->second), &order->step) && order->step > 0)
		return true;
	call_refuse(call, 404, NULL, "there is no such step");
	sequence_order_free(order);
	return false;
}

void api_steps_add(struct call *call)
{
	struct sequence_order *order = sequence_order_of_path(call, SEQUENCE_STEP_ADD);

	if (!order)
		return;
	if (take_members(call, order, true))
		sequence_order_give(order, call, answer_step);
	else
		sequence_order_free(order);
}

void api_step_change(struct call *call)
{
	struct sequence_order *order = sequence_order_of_path(call, SEQUENCE_STEP_CHANGE);

	if (!order || !take_step(call, order))
		return;
	if (take_members(call, order, true))
		sequence_order_give(order, call, answer_step);
	else
		sequence_order_free(order);
}

void api_step_delete(struct call *call)
{
	struct sequence_order *order = sequence_order_of_path(call, SEQUENCE_STEP_DELETE);

	if (order && take_step(call, order))
		sequence_order_give(order, call, answer_nothing);
}

/* `place`: its number among the others, from 1. */
void api_step_move(struct call *call)
{
	static const char *const names[] = { "place", NULL };
	struct sequence_order *order = sequence_order_of_path(call, SEQUENCE_STEP_MOVE);
	u64 place = 0;

	if (!order || !take_step(call, order))
		return;
	if (!field_known(call, call->json, "", names) ||
	    !field_number(call, call->json, "", "place", SEQUENCE_STEPS_MAX, &place)) {
		sequence_order_free(order);
		return;
	}
	if (place == 0) {
		call_refuse(call, 422, "/place", "which place? From 1");
		sequence_order_free(order);
		return;
	}
	order->place = (u32)place - 1;
	sequence_order_give(order, call, answer_step);
}

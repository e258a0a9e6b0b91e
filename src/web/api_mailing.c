/* /api/v1/mailings: drafts of campaigns to contacts, made, shown, changed and deleted. */
#include "base/text.h"
#include "campaign/issue.h"
#include "web/field.h"
#include "web/mailing.h"
#include "web/route.h"
#include "web/setting.h"

#include <stdlib.h>
#include <string.h>

#define LIST_LIMIT 100
#define LIST_MAX 500

/* ---- showing ---- */

static bool add_texts(json_t *json, const struct audience_campaign *campaign, bool whole)
{
	struct draft draft;

	if (!draft_unpack(campaign->draft, &draft))
		return false;
	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		struct slice value = draft.of[i];

		if (value.len == 0 || (!whole && (i == DRAFT_TEXT || i == DRAFT_HTML)))
			continue;
		if (json_object_set_new(json, draft_field_name(i),
					json_stringn(value.ptr, value.len)) < 0)
			return false;
	}
	return true;
}

json_t *mailing_json(const struct audience_campaign *c, bool whole)
{
	json_t *json = json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
				 (json_int_t)c->id, "state",
				 audience_campaign_state_names[c->state], "campaign",
				 (json_int_t)c->sender, "created_ms", (json_int_t)c->created_ms,
				 "changed_ms", (json_int_t)c->changed_ms, "start_ms",
				 (json_int_t)c->start_ms, "started_ms", (json_int_t)c->started_ms,
				 "finished_ms", (json_int_t)c->finished_ms);

	if (json && (json_object_set_new(json, "customer",
					 json_stringn(c->customer.ptr, c->customer.len)) < 0 ||
		     json_object_set_new(json, "reason",
					 json_stringn(c->reason.ptr, c->reason.len)) < 0 ||
		     (c->draft.ptr && !add_texts(json, c, whole)))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static bool may_see(const struct call *call, const struct audience_campaign *campaign)
{
	return !call->key.customer[0] ||
	       slice_equal(campaign->customer, slice_of(call->key.customer));
}

u32 mailing_id(struct call *call)
{
	u32 id;

	if (slice_to_u32(slice_of(call->argument), &id) && id > 0)
		return id;
	call_refuse(call, 404, NULL, "there is no such mailing");
	return 0;
}

bool mailing_find(struct call *call, struct audience_campaign *campaign)
{
	u32 id = mailing_id(call);
	enum store_result result;

	if (id == 0)
		return false;
	result = audience_begin_read(call->web->reader);
	if (result == STORE_OK)
		result = audience_campaign_get(call->web->reader, id, campaign);
	if (result == STORE_OK && may_see(call, campaign))
		return true;
	if (result == STORE_OK || result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such mailing");
	else
		call_refuse(call, 500, NULL, "%s", audience_error_text(call->web->reader));
	return false;
}

bool mailing_is_visible(struct call *call)
{
	struct audience_campaign campaign;
	bool is_there = mailing_find(call, &campaign);

	audience_abort(call->web->reader);
	return is_there;
}

bool mailing_order_is_done(struct call *call, const struct mailing_order *order)
{
	if (!call_order_is_well(call, &order->base))
		return false;
	if (!order->change.is_there)
		call_refuse(call, 404, NULL, "there is no such mailing");
	else if (!order->change.is_done)
		call_refuse(call, 409, NULL, "it is %s: that cannot be done now",
			    audience_campaign_state_names[order->change.state]);
	return order->change.is_there && order->change.is_done;
}

void api_mailing_show(struct call *call)
{
	struct audience_campaign campaign;
	json_t *json = NULL;
	bool is_there = mailing_find(call, &campaign);

	if (is_there)
		json = mailing_json(&campaign, true);
	audience_abort(call->web->reader);
	if (is_there)
		call_answer(call, 200, json);
}

/* The newest ones first; `before` is an id. */
void api_mailings_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	u64 before = UINT32_MAX;
	u64 limit = LIST_LIMIT;
	json_t *list = json_array();
	enum store_result result;

	if (!web_query_number(call, SLICE("before"), &before) ||
	    !web_query_number(call, SLICE("limit"), &limit)) {
		json_decref(list);
		return;
	}
	campaign.id = (u32)min_u64(before, UINT32_MAX);
	result = audience_begin_read(txn);
	while (result == STORE_OK && json_array_size(list) < min_u64(limit, LIST_MAX)) {
		result = audience_campaign_before(txn, campaign.id, &campaign);
		if (result == STORE_OK && !(campaign.flags & AUDIENCE_CAMPAIGN_OF_STEP) &&
		    may_see(call, &campaign))
			json_array_append_new(list, mailing_json(&campaign, false));
	}
	audience_abort(txn);
	if (result == STORE_OK || result == STORE_NOT_FOUND) {
		call_answer(call, 200, json_pack("{s:o}", "mailings", list));
		return;
	}
	json_decref(list);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}

/* ---- reading texts ---- */

/* A member as text: forms have nothing else, programs may write what it is. */
static bool take_value(struct mailing_order *order, enum draft_field field, const json_t *value,
		       size_t length)
{
	struct slice *to = &order->draft.of[field];
	char number[24];

	if (json_is_null(value))
		*to = SLICE("");
	else if (json_is_string(value))
		*to = arena_copy(&order->arena, (struct slice){ json_string_value(value), length });
	else if (json_is_boolean(value))
		*to = json_is_true(value) ? SLICE("yes") : SLICE("no");
	else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		*to = arena_copy(&order->arena, slice_of(number));
	} else {
		return false;
	}
	order->given |= 1u << field;
	return to->ptr != NULL;
}

static bool take_member(struct call *call, struct mailing_order *order, const char *name,
			const json_t *value)
{
	char pointer[FIELD_POINTER_MAX];
	enum draft_problem problem;
	enum draft_field field;

	if (!draft_field_find(slice_of(name), &field)) {
		call_refuse(call, 422, field_pointer(pointer, "", name), "there is no such member");
		return false;
	}
	if (!take_value(order, field, value, json_string_length(value))) {
		call_refuse(call, 422, field_pointer(pointer, "", name),
			    "this is text, a number, or true or false, and not too long");
		return false;
	}
	problem = draft_check_field(field, order->draft.of[field]);
	if (problem == DRAFT_GOOD)
		return true;
	call_refuse(call, 422, field_pointer(pointer, "", name), "%s",
		    draft_problem_words(problem, false));
	return false;
}

/* Whose mail it is, by its From; a key of one customer sends for that one alone. */
static bool take_customer(struct call *call, struct mailing_order *order)
{
	struct address address;
	struct error error;

	if (order->draft.of[DRAFT_FROM].len == 0)
		return true;
	if (!issue_from(order->draft.of[DRAFT_FROM], &address, &error)) {
		call_refuse(call, 422, "/from", "%s", error.text);
		return false;
	}
	if (!config_customer_of(call->web->config, slice_of(address.domain)) ||
	    (call->key.customer[0] && strcmp(call->key.customer, address.domain) != 0)) {
		call_refuse(call, call->key.customer[0] ? 403 : 422, "/from",
			    "this is not a domain that may be sent for");
		return false;
	}
	slice_copy(order->customer, sizeof(order->customer), slice_of(address.domain));
	return true;
}

static struct mailing_order *read_order(struct call *call, const char *action)
{
	struct mailing_order *order = mailing_order_new(call, action);
	const char *name;
	json_t *value;
	bool ok = order != NULL;

	if (!order)
		return NULL;
	json_object_foreach(call->json, name, value) {
		ok = take_member(call, order, name, value);
		if (!ok)
			break;
	}
	if (ok && take_customer(call, order))
		return order;
	mailing_order_free(order);
	return NULL;
}

/* ---- making ---- */

static void answer_create(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);

	if (!call_order_is_well(call, base))
		return;
	buf_add_format(&call->answer_head, "Location: /api/v1/mailings/%u\r\n", order->shown.id);
	call_answer(call, 201, mailing_json(&order->shown, true));
}

/* Times and days go by the settings' clock, as in segments and pages, unless it is said. */
static void choose_zone(struct call *call, struct mailing_order *order)
{
	struct audience_txn *txn = call->web->reader;
	struct time_zone zone;

	if (order->draft.of[DRAFT_ZONE].len > 0 || audience_begin_read(txn) != STORE_OK)
		return;
	setting_zone(txn, &zone);
	order->draft.of[DRAFT_ZONE] = slice_of(zone.name);
	audience_abort(txn);
}

void api_mailings_create(struct call *call)
{
	struct mailing_order *order = read_order(call, "mailing.create");

	if (!order)
		return;
	if (!order->customer[0]) {
		mailing_order_free(order);
		call_refuse(call, 422, "/from", "there is no sender");
		return;
	}
	choose_zone(call, order);
	order->base.order.apply = mailing_apply_create;
	order->base.answer = answer_create;
	call_give_order(call, &order->base);
}

/* ---- changing ---- */

static void answer_change(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);

	if (mailing_order_is_done(call, order))
		call_answer(call, 200, mailing_json(&order->shown, true));
}

void api_mailing_change(struct call *call)
{
	struct mailing_order *order;

	if (!mailing_is_visible(call))
		return;
	order = read_order(call, "mailing.change");
	if (!order)
		return;
	order->change.id = mailing_id(call);
	order->change.from = 1u << AUDIENCE_CAMPAIGN_DRAFT;
	order->change.edit = mailing_edit_texts;
	order->base.order.apply = mailing_apply_change;
	order->base.answer = answer_change;
	call_give_order(call, &order->base);
}

/* ---- deleting ---- */

static void answer_delete(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);

	if (mailing_order_is_done(call, order))
		call_answer_nothing(call, 204);
}

void api_mailing_delete(struct call *call)
{
	struct mailing_order *order;

	if (!mailing_is_visible(call))
		return;
	order = mailing_order_new(call, "mailing.delete");
	if (!order)
		return;
	order->change.id = mailing_id(call);
	order->base.order.apply = mailing_apply_delete;
	order->base.answer = answer_delete;
	call_give_order(call, &order->base);
}

/* ---- to those who did not open ---- */

static void answer_resend(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);

	if (!call_order_is_well(call, base))
		return;
	if (!order->change.is_there)
		call_refuse(call, 404, NULL, "there is no such mailing");
	else if (!order->change.is_done)
		call_refuse(call, 409, NULL, "it was not sent, or its condition is too long");
	else
		answer_create(call, base);
}

void api_mailing_resend(struct call *call)
{
	static const char *const names[] = { "subject", NULL };
	struct mailing_order *order;

	if (!mailing_is_visible(call) || !field_known(call, call->json, "", names))
		return;
	order = read_order(call, "mailing.resend");
	if (!order)
		return;
	order->change.id = mailing_id(call);
	order->base.order.apply = mailing_apply_resend;
	order->base.answer = answer_resend;
	call_give_order(call, &order->base);
}

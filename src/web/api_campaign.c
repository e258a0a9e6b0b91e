/* /api/v1/campaigns: made, started and stopped by programs, and how far they are. */
#include "base/text.h"
#include "web/field.h"
#include "web/mail.h"
#include "web/route.h"

#include <stdio.h>
#include <string.h>

#define EXPIRE_MAX_S (30 * 86400)

/* ---- showing ---- */

/* A key of one customer sees that one's campaigns alone; letters are no campaign. */
static bool is_visible(const struct call *call, const json_t *campaign)
{
	const char *customer = json_string_value(json_object_get(campaign, "customer"));
	const char *kind = json_string_value(json_object_get(campaign, "kind"));

	return (!kind || strcmp(kind, "letters") != 0) &&
	       (!call->key.customer[0] || (customer && strcmp(customer, call->key.customer) == 0));
}

static void keep_visible(void *owner, const json_t *json)
{
	struct call *call = owner;

	/* The cast: a reference is counted, the value stays as it is. */
	if (is_visible(call, json))
		json_array_append(call->items, (json_t *)(uintptr_t)json);
}

static void on_list(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REPLIED)
		call_answer(call, 200, json_pack("{s:O}", "campaigns", call->items));
	else
		call_refuse_end(call, end, json);
}

static const struct exchange_events list_events = { keep_visible, on_list };

void api_campaigns_list(struct call *call)
{
	if (call_begin_items(call) &&
	    call_ask(call, &list_events, json_pack("{s:s}", "command", "campaign.status")))
		call_ask_end(call);
}

/* Names are never all digits, so that these are ids. */
static json_t *about(const struct call *call, const char *command)
{
	u64 id;

	if (slice_to_u64(slice_of(call->argument), &id))
		return json_pack("{s:s, s:I}", "command", command, "id", (json_int_t)id);
	return json_pack("{s:s, s:s}", "command", command, "name", call->argument);
}

/* Whether the one campaign was there and may be seen; else the call is answered. */
static bool has_found(struct call *call, enum exchange_end end, const json_t *json)
{
	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED) {
		call_refuse_end(call, end, json);
		return false;
	}
	if (json_array_size(call->items) == 1)
		return true;
	call_refuse(call, 404, NULL, "there is no such campaign");
	return false;
}

static void on_shown(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	if (has_found(call, end, json))
		call_answer(call, 200, json_incref(json_array_get(call->items, 0)));
}

static const struct exchange_events show_events = { keep_visible, on_shown };

void api_campaign_show(struct call *call)
{
	if (call_begin_items(call) && call_ask(call, &show_events, about(call, "campaign.status")))
		call_ask_end(call);
}

/* ---- starting and stopping ---- */

static void on_changed(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REPLIED)
		call_answer(call, 200, json_incref((json_t *)(uintptr_t)json));
	else
		call_refuse_end(call, end, json);
}

static const struct exchange_events change_events = { NULL, on_changed };

/* The word of the path behind the campaign's name. */
static void ask_change(struct call *call)
{
	char command[64];

	snprintf(command, sizeof(command), "campaign.%s", strrchr(call->route->path, '/') + 1);
	if (call_ask(call, &change_events, about(call, command)))
		call_ask_end(call);
}

static void on_looked(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	if (has_found(call, end, json))
		ask_change(call);
}

static const struct exchange_events look_events = { keep_visible, on_looked };

static void change(struct call *call)
{
	if (call_begin_items(call) && call_ask(call, &look_events, about(call, "campaign.status")))
		call_ask_end(call);
}

void api_campaign_start(struct call *call)
{
	change(call);
}

void api_campaign_pause(struct call *call)
{
	change(call);
}

void api_campaign_resume(struct call *call)
{
	change(call);
}

void api_campaign_cancel(struct call *call)
{
	change(call);
}

/* ---- making ---- */

static void on_made(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;
	json_int_t id = json_integer_value(json_object_get(json, "id"));

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED) {
		call_refuse_end(call, end, json);
		return;
	}
	snprintf(call->id, sizeof(call->id), "%lld", (long long)id);
	buf_add_format(&call->answer_head, "Location: /api/v1/campaigns/%s\r\n", call->id);
	call_answer(call, 201,
		    json_pack("{s:I, s:O, s:O}", "id", id, "total", json_object_get(json, "total"),
			      "rejected", call->items));
}

static void keep_item(void *owner, const json_t *json)
{
	struct call *call = owner;

	json_array_append(call->items, (json_t *)(uintptr_t)json);
}

static const struct exchange_events make_events = { keep_item, on_made };

static void ask_make(struct call *call, const struct mail *mail,
		     const struct mail_rows *rows, struct control_campaign_create *create)
{
	create->customer = mail->domain;
	create->source_name = "mail";
	mail_set_sizes(mail, create);
	memcpy(create->columns, rows->columns, sizeof(create->columns));
	create->column_count = rows->column_count;
	create->unsubscribe_url = mail->unsubscribe_url;
	create->unsubscribe_mailto = mail->unsubscribe_mailto;
	if (!call_ask(call, &make_events, control_create_json(create)))
		return;
	mail_add_data(mail, call->exchange);
	mail_rows_add(rows, call->exchange);
	exchange_end(call->exchange);
	call_ask_end(call);
}

static bool read_create(struct call *call, struct control_campaign_create *create)
{
	static const char *const names[] = { MAIL_FIELDS, "to",       "name", "list",
					     "kind",	  "expire_s", "deadline", NULL };
	const char *kind;
	u64 expire_s = 0;

	if (!field_known(call, call->json, "", names) ||
	    !field_text(call, call->json, "", "name", CONTROL_NAME_MAX, &create->name) ||
	    !field_text(call, call->json, "", "list", CONTROL_NAME_MAX, &create->list) ||
	    !field_text(call, call->json, "", "kind", 32, &kind) ||
	    !field_number(call, call->json, "", "expire_s", EXPIRE_MAX_S, &expire_s) ||
	    !field_moment(call, call->json, "", "deadline", &create->deadline_ms))
		return false;
	if (kind && strcmp(kind, "bulk") != 0 && strcmp(kind, "transactional") != 0) {
		call_refuse(call, 422, "/kind", "a kind is bulk or transactional");
		return false;
	}
	if (kind)
		create->kind = kind;
	create->expire_ms = expire_s * 1000;
	if (!create->name)
		call_refuse(call, 422, "/name", "a campaign has a name");
	return create->name != NULL;
}

void api_campaigns_create(struct call *call)
{
	struct control_campaign_create create = { .charset = "utf-8",
						  .encoding = "auto",
						  .kind = "bulk",
						  .require_unsubscribe = true };
	static _Thread_local struct mail_rows rows; /* too much for a stack */
	struct mail mail;

	mail_rows_init(&rows);
	mail_init(&mail);
	if (read_create(call, &create) && mail_rows_read(&rows, call) &&
	    mail_take(&mail, call, &rows)) {
		json_decref(call->items);
		call->items = json_incref(rows.rejected);
		ask_make(call, &mail, &rows, &create);
	}
	mail_done(&mail);
	mail_rows_done(&rows);
}

/* /api/v1/messages: single mails, each to one recipient or to thousands with their own values. */
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "control/letter.h"
#include "web/field.h"
#include "web/mail.h"
#include "web/route.h"

#include <string.h>

#define EXPIRE_MIN_S 60
#define EXPIRE_MAX_S (30 * 86400)
#define ID_BYTES 16
#define IDEMPOTENCY_KEY_MAX 255

/* ---- its name ---- */

/*
 * What the caller gets to ask by, and the sender keeps the letter by. With an Idempotency-Key it is
 * made of that and of the hash of the API key: the same call again has the same one, and nobody
 * else can guess it.
 */
static bool make_id(struct call *call)
{
	struct slice idempotency = call->idempotency;
	u8 bytes[SHA256_SIZE];

	if (idempotency.ptr && (idempotency.len == 0 || idempotency.len > IDEMPOTENCY_KEY_MAX ||
				field_has_control(idempotency))) {
		call_refuse(call, 400, NULL, "Idempotency-Key has 1 to %d bytes",
			    IDEMPOTENCY_KEY_MAX);
		return false;
	}
	if (idempotency.ptr)
		hmac_sha256(bytes, call->key.digest, SHA256_SIZE, idempotency.ptr,
			    idempotency.len);
	else
		random_bytes(bytes, sizeof(bytes));
	call->id[base32_encode(call->id, bytes, ID_BYTES)] = '\0';
	if (!idempotency.ptr || !repeats_differ(call->web->repeats, call->id, call->body_digest))
		return true;
	call_refuse(call, 422, NULL, "this Idempotency-Key came with another body before");
	return false;
}

/* ---- sending ---- */

static void on_kept(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED) {
		call_refuse_end(call, end, json);
		return;
	}
	/* What the sender knew already may have been another one, before our start. */
	if (call->idempotency.ptr && !json_is_true(json_object_get(json, "known")))
		repeats_note(call->web->repeats, call->id, call->body_digest);
	buf_add_format(&call->answer_head, "Location: /api/v1/messages/%s\r\n", call->id);
	call_answer(call, 202,
		    json_pack("{s:s, s:O, s:O, s:O}", "id", call->id, "accepted",
			      json_object_get(json, "recipients"), "known",
			      json_object_get(json, "known"), "rejected", call->items));
}

static const struct exchange_events send_events = { NULL, on_kept };

static void ask_send(struct call *call, const struct mail *mail, const struct mail_rows *rows,
		     u64 expire_s, const struct exchange_events *events)
{
	struct control_letter letter = {
		.content = { .customer = mail->domain,
			     .source_name = "mail",
			     .column_count = rows->column_count,
			     .charset = "utf-8",
			     .encoding = "auto",
			     .expire_ms = expire_s * 1000,
			     .unsubscribe_url = mail->unsubscribe_url,
			     .unsubscribe_mailto = mail->unsubscribe_mailto },
		.key = call->id,
		.kind = "submitted",
	};

	memcpy(letter.content.columns, rows->columns, sizeof(letter.content.columns));
	mail_set_sizes(mail, &letter.content);
	if (!call_ask(call, events, control_letter_json(&letter)))
		return;
	mail_add_data(mail, call->exchange);
	mail_rows_add_letter(rows, call->exchange);
	exchange_end(call->exchange);
	call_ask_end(call);
}

/* A letter has an age at which it is given up; a deadline is one that ends then. */
static bool read_send(struct call *call, u64 *expire_s)
{
	static const char *const names[] = { MAIL_FIELDS, "to", "expire_s", "deadline", NULL };
	u64 deadline_ms;
	u64 left_s;

	if (!field_known(call, call->json, "", names) ||
	    !field_number(call, call->json, "", "expire_s", EXPIRE_MAX_S, expire_s) ||
	    !field_moment(call, call->json, "", "deadline", &deadline_ms))
		return false;
	if (*expire_s > 0 && *expire_s < EXPIRE_MIN_S) {
		call_refuse(call, 422, "/expire_s", "at least %d seconds", EXPIRE_MIN_S);
		return false;
	}
	if (deadline_ms > 0) {
		left_s = (deadline_ms - min_u64(clock_wall_ms(), deadline_ms)) / 1000;
		left_s = max_u64(min_u64(left_s, EXPIRE_MAX_S), 1);
		*expire_s = *expire_s > 0 ? min_u64(*expire_s, left_s) : left_s;
	}
	return make_id(call);
}

void mail_send(struct call *call, const struct exchange_events *events)
{
	static _Thread_local struct mail_rows rows; /* too much for a stack */
	struct mail mail;
	u64 expire_s = 0;

	mail_rows_init(&rows);
	mail_init(&mail);
	if (read_send(call, &expire_s) && mail_rows_read(&rows, call) &&
	    mail_take(&mail, call, &rows)) {
		call->items = json_incref(rows.rejected);
		ask_send(call, &mail, &rows, expire_s, events);
	}
	mail_done(&mail);
	mail_rows_done(&rows);
}

void api_messages_send(struct call *call)
{
	mail_send(call, &send_events);
}

/* ---- what became of it ---- */

static void on_shown(void *owner, enum exchange_end end, const json_t *json)
{
	static const char *const names[] = { "state",  "recipients",  "delivered",
					     "failed", "accepted_ms", "expire_ms" };
	struct call *call = owner;
	json_t *answer;

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED) {
		call_refuse_end(call, end, json);
		return;
	}
	answer = json_pack("{s:O}", "id", json_object_get(json, "key"));
	for (size_t i = 0; answer && i < array_count(names); i++)
		json_object_set(answer, names[i], json_object_get(json, names[i]));
	call_answer(call, 200, answer);
}

static const struct exchange_events show_events = { NULL, on_shown };

void api_message_show(struct call *call)
{
	if (call_ask(call, &show_events,
		     json_pack("{s:s, s:s}", "command", "letter.status", "key", call->argument)))
		call_ask_end(call);
}

/* ---- and of each recipient ---- */

static void keep_recipient(void *owner, const json_t *json)
{
	struct call *call = owner;

	/* The cast: a reference is counted, the value stays as it is. */
	json_array_append(call->items, (json_t *)(uintptr_t)json);
}

static void on_recipients(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end != EXCHANGE_REPLIED)
		call_refuse_end(call, end, json);
	else
		call_answer(call, 200,
			    json_pack("{s:O, s:O, s:O}", "recipients", call->items, "more",
				      json_object_get(json, "more"), "next",
				      json_object_get(json, "next")));
}

static const struct exchange_events recipients_events = { keep_recipient, on_recipients };

void api_message_recipients(struct call *call)
{
	u64 after = 0;
	u64 limit = 0;

	if (!web_query_number(call, SLICE("after"), &after) ||
	    !web_query_number(call, SLICE("limit"), &limit))
		return;
	if (!call_begin_items(call))
		return;
	if (call_ask(call, &recipients_events,
		     json_pack("{s:s, s:s, s:I, s:I}", "command", "letter.recipients", "key",
			       call->argument, "after", (json_int_t)after, "limit",
			       (json_int_t)limit)))
		call_ask_end(call);
}

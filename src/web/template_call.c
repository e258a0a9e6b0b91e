#include "web/template_call.h"

#include "base/text.h"
#include "campaign/issue.h"
#include "web/mail.h"
#include "web/mailing.h"

#define FROM_MAX 2500

u32 template_number(const char *text)
{
	u32 number;

	return slice_to_u32(slice_of(text), &number) ? number : 0;
}

bool template_find(struct call *call, u32 number, struct audience_template *one,
		   struct audience_template_version *version)
{
	struct audience_txn *txn = call->web->reader;
	u32 id = template_number(call->argument);
	enum store_result result = audience_begin_read(txn);

	if (result == STORE_OK)
		result = id > 0 ? audience_template_get(txn, id, one) : STORE_NOT_FOUND;
	if (result == STORE_NOT_FOUND) {
		call_refuse(call, 404, NULL, "there is no such template");
		return false;
	}
	if (result == STORE_OK)
		result = audience_template_version(txn, id, number > 0 ? number : one->version,
						   version);
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such version of it");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
	return result == STORE_OK;
}

void template_look_at(const struct audience_template *one,
		      const struct audience_template_version *version, struct template_look *look)
{
	*look = (struct template_look){ .kind = one->kind, .name = one->name };
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++)
		look->of[i] = version->of[i];
}

/* ---- a test ---- */

static json_t *sample_of(const struct template_look *look)
{
	struct slice text = look->of[AUDIENCE_TEMPLATE_SAMPLE];
	json_t *sample;

	if (look->values)
		return json_deep_copy(look->values);
	sample = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(sample))
		return sample;
	json_decref(sample);
	return json_object();
}

/* As a program would call, each with the sample values. */
static void send_sample(struct call *call, u32 id, const struct template_look *look,
			struct slice from, const json_t *to,
			const struct exchange_events *events)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(to); i++)
		json_array_append_new(rows,
				      json_pack("{s:O, s:o}", "address", json_array_get(to, i),
						"values", sample_of(look)));
	json_decref(call->json);
	call->json = json_pack("{s:s%, s:I, s:o}", "from", from.ptr, from.len, "template",
			       (json_int_t)id, "to", rows);
	/* It reads for itself. */
	audience_abort(call->web->reader);
	if (!call->json)
		call_refuse(call, 503, NULL, "no memory");
	else
		mail_send(call, events);
}

static void send_draft(struct call *call, const struct template_look *look, json_t *to,
		       const struct exchange_events *events)
{
	struct audience_campaign campaign;
	struct buf draft;

	json_decref(call->json);
	call->json = json_pack("{s:O}", "to", to);
	if (call->json && look->contact)
		json_object_set_new(call->json, "contact", json_integer(look->contact->id));
	buf_init(&draft, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	if (call->json && template_campaign(call->web->reader, look, &draft, &campaign))
		mailing_test_of(call, &campaign, events);
	else
		call_refuse(call, 503, NULL, "no memory");
	buf_done(&draft);
}

/* The sender of the settings, whose domain is one of ours. */
static bool may_send(struct call *call, struct slice from)
{
	struct address address;
	struct error error;

	if (from.len > 0 && issue_from(from, &address, &error) &&
	    config_customer_of(call->web->config, slice_of(address.domain)))
		return true;
	call_refuse(call, 422, "/to",
		    "a test has the sender of the settings, which has to be set there first");
	return false;
}

void template_test(struct call *call, u32 id, const struct template_look *look, json_t *to,
		   const struct exchange_events *events)
{
	struct buf from;

	buf_init(&from, FROM_MAX);
	template_from(call->web->reader, &from);
	if (!may_send(call, buf_slice(&from))) {
		json_decref(to);
		buf_done(&from);
		return;
	}
	if (look->kind == AUDIENCE_TEMPLATE_PROGRAM)
		send_sample(call, id, look, buf_slice(&from), to, events);
	else
		send_draft(call, look, to, events);
	json_decref(to);
	buf_done(&from);
}

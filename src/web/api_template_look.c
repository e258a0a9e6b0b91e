/* /api/v1/templates/{}/preview and /test: a template as somebody will see it. */
#include "base/text.h"
#include "store/audience_contact.h"
#include "web/contact_search.h"
#include "web/field.h"
#include "web/mailing.h"
#include "web/route.h"
#include "web/template_call.h"

#define TEST_MAX 20 /* addresses */

static const char *const severities[] = { "must", "should", "may" };
static const char *const parts[] = { "message", "subject", "text", "html" };

static json_t *show_finding(const struct review_finding *finding)
{
	struct buf problem;
	struct buf advice;
	json_t *json;

	buf_init(&problem, 4096);
	buf_init(&advice, 4096);
	review_add_problem(finding, false, &problem);
	review_add_advice(finding, false, &advice);
	json = json_pack("{s:s, s:s, s:I, s:s%, s:s%}", "severity", severities[finding->severity],
			 "part", parts[finding->part], "line", (json_int_t)finding->line, "problem",
			 problem.ptr ? problem.ptr : "", problem.len, "advice",
			 advice.ptr ? advice.ptr : "", advice.len);
	buf_done(&problem);
	buf_done(&advice);
	return json;
}

static json_t *show(const struct template_preview *preview)
{
	const struct message_preview *message = &preview->message;
	json_t *findings = json_array();

	for (u32 i = 0; i < preview->review.count; i++)
		json_array_append_new(findings, show_finding(&preview->review.findings[i]));
	return json_pack("{s:s%, s:s%, s:s%, s:o}", "subject",
			 message->subject.len ? message->subject.ptr : "", message->subject.len,
			 "html", message->html.len ? message->html.ptr : "", message->html.len,
			 "text", message->text.len ? message->text.ptr : "", message->text.len,
			 "findings", findings);
}

/* Whose values: `contact`, an id; or `values`, of a program's. Within a transaction. */
static bool read_look(struct call *call, struct template_look *look, struct contact *contact)
{
	u64 id = 0;

	if (!field_object(call, call->json, "", "values", &look->values) ||
	    !field_number(call, call->json, "", "contact", UINT32_MAX, &id))
		return false;
	if (look->values && look->kind != AUDIENCE_TEMPLATE_PROGRAM) {
		call_refuse(call, 422, "/values", "its values are a contact's");
		return false;
	}
	if (id > 0 && look->kind == AUDIENCE_TEMPLATE_PROGRAM) {
		call_refuse(call, 422, "/contact", "its values come with each call");
		return false;
	}
	if (id > 0 && !contact_lend(call, (u32)id, contact))
		return false;
	look->contact = id > 0 ? contact : NULL;
	if (id == 0 && !contact_may_be_seen(call)) {
		*contact = (struct contact){ .address = SLICE(""), .values = SLICE("") };
		look->contact = contact;
	}
	return true;
}

void api_template_preview(struct call *call)
{
	static const char *const names[] = { "contact", "values", "version", NULL };
	struct audience_template_version version;
	struct template_preview *preview = NULL;
	struct audience_template one;
	struct template_look look;
	struct contact contact;
	u64 number = 0;
	bool ok = false;

	if (!field_known(call, call->json, "", names) ||
	    !field_number(call, call->json, "", "version", UINT32_MAX, &number))
		return;
	if (template_find(call, (u32)number, &one, &version)) {
		template_look_at(&one, &version, &look);
		if (read_look(call, &look, &contact)) {
			preview = template_preview_make(call, &look, &ok);
			if (ok)
				call_answer(call, 200, show(preview));
			else
				call_refuse(call, preview ? 422 : 503, NULL, "%s",
					    preview ? preview->error.text : "no memory");
		}
	}
	audience_abort(call->web->reader);
	template_preview_free(preview);
}

/* ---- a test ---- */

void api_template_test(struct call *call)
{
	static const char *const names[] = { "to", "contact", "values", NULL };
	struct audience_template_version version;
	struct audience_template one;
	struct template_look look;
	struct contact contact;
	const json_t *to;
	json_t *body;

	if (!field_known(call, call->json, "", names) ||
	    !field_list(call, call->json, "", "to", TEST_MAX, &to))
		return;
	if (json_array_size(to) == 0) {
		call_refuse(call, 422, "/to", "whom does it go to?");
		return;
	}
	body = json_incref(call->json);
	if (template_find(call, 0, &one, &version)) {
		template_look_at(&one, &version, &look);
		if (read_look(call, &look, &contact))
			template_test(call, one.id, &look, json_deep_copy(to), &api_test_events);
	}
	audience_abort(call->web->reader);
	json_decref(body);
}

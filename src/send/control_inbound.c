/*
 * inbound.report: what the role that takes mail in made of messages. It reads what strangers wrote,
 * so nothing of it is taken for granted here: kinds are words of ours, texts are bounded, and which
 * mail is meant is found out by the planner.
 */
#include "base/text.h"
#include "delivery/inbound.h"
#include "send/control_parts.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND "inbound.report"

struct reports {
	struct inbound_report all[INBOUND_REPORTS_MAX];
	const struct inbound_report *each[INBOUND_REPORTS_MAX];
	enum inbound_result results[INBOUND_REPORTS_MAX];
	u32 count;
};

/* ---- reading ---- */

/* The number of a word among `count` that `name_of` has. */
static bool read_word(const char *text, const char *(*name_of)(u32 value), u32 count, u32 *out,
		      struct error *error)
{
	if (!text)
		return true;
	for (u32 i = 0; i < count; i++) {
		if (strcmp(name_of(i), text) == 0) {
			*out = i;
			return true;
		}
	}
	return error_set(error, COMMAND ": \"%.32s\" is none of the words", text);
}

static const char *name_of_kind(u32 value)
{
	return report_kind_name((enum report_kind)value);
}

static const char *name_of_reason(u32 value)
{
	return report_reason_name((enum report_reason)value);
}

static const char *name_of_form(u32 value)
{
	return report_form_name((enum report_form)value);
}

/* "5.1.1" */
static bool read_status(const char *text, u16 status[3], struct error *error)
{
	struct slice rest = slice_of(text ? text : "");
	u32 number;

	for (size_t i = 0; text && i < 3; i++) {
		if (!rest.ptr || !slice_to_u32(slice_split(&rest, '.'), &number) || number > 999)
			return error_set(error, COMMAND ": \"%.32s\" is no status", text);
		status[i] = (u16)number;
	}
	return !rest.ptr || rest.len == 0 ||
	       error_set(error, COMMAND ": \"%.32s\" is no status", text);
}

static struct slice text_or_none(const char *text)
{
	return text ? slice_of(text) : SLICE_NONE;
}

static bool read_person(const json_t *json, struct inbound_person *person, struct error *error)
{
	const char *texts[7] = { NULL };
	u64 code = 0;
	const struct control_arg args[] = {
		{ "kind", CONTROL_TEXT, true, &texts[0] },
		{ "reason", CONTROL_TEXT, false, &texts[1] },
		{ "address", CONTROL_TEXT, false, &texts[2] },
		{ "original", CONTROL_TEXT, false, &texts[3] },
		{ "host", CONTROL_TEXT, false, &texts[4] },
		{ "words", CONTROL_TEXT, false, &texts[5] },
		{ "status", CONTROL_TEXT, false, &texts[6] },
		{ "code", CONTROL_NUMBER, false, &code },
	};
	u32 kind = REPORT_UNKNOWN;
	u32 reason = REPORT_REASON_NONE;

	if (!json_is_object(json))
		return error_set(error, COMMAND ": \"people\" must be a list of objects");
	if (!control_read(json, COMMAND, args, array_count(args), error) ||
	    !read_word(texts[0], name_of_kind, REPORT_COMPLAINT + 1, &kind, error) ||
	    !read_word(texts[1], name_of_reason, REPORT_REASON_SYSTEM + 1, &reason, error) ||
	    !read_status(texts[6], person->status, error))
		return false;
	person->kind = (enum report_kind)kind;
	person->reason = (enum report_reason)reason;
	person->address = text_or_none(texts[2]);
	person->original = text_or_none(texts[3]);
	person->host = text_or_none(texts[4]);
	person->words = text_or_none(texts[5]);
	person->code = (u16)min_u64(code, LOG_CODE_MAX);
	return true;
}

static bool read_people(const json_t *people, struct inbound_report *report, struct error *error)
{
	if (people && (!json_is_array(people) || json_array_size(people) > INBOUND_PEOPLE_MAX))
		return error_set(error, COMMAND ": \"people\": a list of at most %d",
				 INBOUND_PEOPLE_MAX);
	for (size_t i = 0; i < json_array_size(people); i++) {
		if (!read_person(json_array_get(people, i),
				 &report->people[report->people_count++], error))
			return false;
	}
	return true;
}

static bool read_to(const json_t *to, struct inbound_report *report, struct error *error)
{
	if (json_array_size(to) == 0 || json_array_size(to) > INBOUND_TO_MAX)
		return error_set(error, COMMAND ": \"to\": a list of 1 to %d texts",
				 INBOUND_TO_MAX);
	for (size_t i = 0; i < json_array_size(to); i++) {
		const char *text = json_string_value(json_array_get(to, i));

		if (!text)
			return error_set(error, COMMAND ": \"to\": a list of texts");
		report->to[report->to_count++] = slice_of(text);
	}
	return true;
}

static bool read_report(const json_t *json, struct inbound_report *report, struct error *error)
{
	const char *texts[6] = { NULL };
	json_t *to = NULL;
	json_t *people = NULL;
	const struct control_arg args[] = {
		{ "key", CONTROL_TEXT, true, &texts[0] },
		{ "kind", CONTROL_TEXT, true, &texts[1] },
		{ "form", CONTROL_TEXT, true, &texts[2] },
		{ "message_id", CONTROL_TEXT, false, &texts[3] },
		{ "mail_from", CONTROL_TEXT, false, &texts[4] },
		{ "words", CONTROL_TEXT, false, &texts[5] },
		{ "to", CONTROL_JSON, true, &to },
		{ "people", CONTROL_JSON, false, &people },
	};
	u32 kind = REPORT_UNKNOWN;
	u32 form = REPORT_FORM_NONE;

	if (!json_is_object(json))
		return error_set(error, COMMAND ": \"reports\" must be a list of objects");
	if (!control_read(json, COMMAND, args, array_count(args), error) ||
	    !read_word(texts[1], name_of_kind, REPORT_COMPLAINT + 1, &kind, error) ||
	    !read_word(texts[2], name_of_form, REPORT_FORM_REPLY + 1, &form, error) ||
	    !read_to(to, report, error) || !read_people(people, report, error))
		return false;
	report->key = slice_of(texts[0]);
	if (report->key.len == 0 || report->key.len > REPORT_KEY_MAX)
		return error_set(error, COMMAND ": \"key\" must have 1 to %d bytes",
				 REPORT_KEY_MAX);
	report->kind = (enum report_kind)kind;
	report->form = (enum report_form)form;
	report->message_id = text_or_none(texts[3]);
	report->mail_from = text_or_none(texts[4]);
	report->words = text_or_none(texts[5]);
	return true;
}

/* ---- answering ---- */

static void run(struct control_link *link, struct reports *reports)
{
	struct planner *planner = link->control->params.planner;
	struct error error;
	json_t *words = json_array();

	if (!planner_inbound(planner, reports->each, reports->count, reports->results, &error)) {
		json_decref(words);
		link_refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_FULL,
			    error.text);
		return;
	}
	for (u32 i = 0; i < reports->count; i++)
		json_array_append_new(words,
				      json_string(metrics_report_names[reports->results[i]]));
	link_reply(link, json_pack("{s:o}", "results", words));
}

static bool read_all(const json_t *list, struct reports *reports, struct error *error)
{
	if (!json_is_array(list) || json_array_size(list) > INBOUND_REPORTS_MAX)
		return error_set(error, COMMAND ": \"reports\": a list of at most %d",
				 INBOUND_REPORTS_MAX);
	for (; reports->count < json_array_size(list); reports->count++) {
		reports->each[reports->count] = &reports->all[reports->count];
		if (!read_report(json_array_get(list, reports->count),
				 &reports->all[reports->count], error))
			return false;
	}
	return true;
}

void control_inbound_report(struct control_link *link, const struct control_request *request)
{
	struct control_inbound *inbound = &link->control->inbound;
	struct control_inbound told = { 0 };
	json_t *list = NULL;
	const struct control_arg args[] = {
		{ "reports", CONTROL_JSON, true, &list },
		{ "files", CONTROL_NUMBER, false, &told.files },
		{ "bytes", CONTROL_NUMBER, false, &told.bytes },
		{ "oldest_ms", CONTROL_NUMBER, false, &told.oldest_ms },
	};
	struct reports *reports;
	struct error error;

	if (!control_read(request->json, COMMAND, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	reports = calloc(1, sizeof(*reports));
	if (!reports) {
		link_refuse(link, CONTROL_FAILED, "out of memory for reports");
		return;
	}
	told.at_ns = control_now_ns(link->control);
	*inbound = told;
	if (read_all(list, reports, &error))
		run(link, reports);
	else
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	free(reports);
}

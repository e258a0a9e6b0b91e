#include "receive/finding.h"

#include "base/text.h"

#include <stdio.h>

#define WORDS_MAX 200   /* as many as a log entry keeps */
#define ADDRESS_MAX 320
#define HOST_MAX 255

/* ---- the file ---- */

/* The rest of a line that begins with `word` and a space. */
static bool take_line(struct slice line, struct slice word, struct slice *value)
{
	if (!slice_has_prefix(line, word))
		return false;
	*value = slice_from(line, word.len);
	return true;
}

bool envelope_read(struct slice file, struct envelope *envelope)
{
	struct slice rest = file;
	struct slice to;

	*envelope = (struct envelope){ 0 };
	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		if (line.len == 0 && rest.ptr) {
			envelope->message = rest;
			return envelope->to_count > 0;
		}
		if (take_line(line, SLICE("to "), &to)) {
			if (envelope->to_count < FINDING_TO_MAX)
				envelope->to[envelope->to_count++] = to;
		} else if (!take_line(line, SLICE("client "), &envelope->client) &&
			   !take_line(line, SLICE("hello "), &envelope->hello) &&
			   !take_line(line, SLICE("from "), &envelope->from)) {
			return false;
		}
	}
	return false;
}

/* ---- the words ---- */

/* The first octets, not in the middle of a character. */
static struct slice cut(struct slice text, size_t max)
{
	size_t len = min_size(text.len, max);

	while (len > 0 && len < text.len && ((u8)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return slice_first(text, len);
}

/* Text that is none, or not in UTF-8, is left out. */
static void set_text(json_t *object, const char *name, struct slice text, size_t max)
{
	text = cut(text, max);
	if (text.len > 0)
		json_object_set_new(object, name, json_stringn(text.ptr, text.len));
}

static json_t *json_of_person(const struct report_recipient *person)
{
	json_t *json = json_object();
	char status[24];

	json_object_set_new(json, "kind", json_string(report_kind_name(person->kind)));
	json_object_set_new(json, "reason", json_string(report_reason_name(person->reason)));
	set_text(json, "address", person->address, ADDRESS_MAX);
	set_text(json, "original", person->original, ADDRESS_MAX);
	set_text(json, "host", person->remote, HOST_MAX);
	set_text(json, "words", person->diagnostic, WORDS_MAX);
	snprintf(status, sizeof(status), "%u.%u.%u", person->status[0], person->status[1],
		 person->status[2]);
	if (person->status[0] > 0)
		json_object_set_new(json, "status", json_string(status));
	if (person->code > 0)
		json_object_set_new(json, "code", json_integer(person->code));
	return json;
}

/* Of a complaint: "abuse, by SomeFBL/1.0". */
static void set_words(json_t *json, const struct report *report)
{
	const struct report_feedback *feedback = &report->feedback;
	struct slice by = feedback->user_agent.len > 0 ? feedback->user_agent
						       : report->reporting_mta;
	char text[WORDS_MAX + 64];

	if (report->kind != REPORT_COMPLAINT)
		return;
	snprintf(text, sizeof(text), "%.*s%s%.*s",
		 SLICE_FMT(cut(feedback->type, WORDS_MAX / 4)),
		 feedback->type.len > 0 && by.len > 0 ? ", by " : "",
		 SLICE_FMT(cut(by, WORDS_MAX / 2)));
	set_text(json, "words", slice_of(text), WORDS_MAX);
}

static json_t *json_of(const struct envelope *envelope, const struct report *report,
		       const char *key)
{
	json_t *json = json_object();
	json_t *to = json_array();
	json_t *people = json_array();

	json_object_set_new(json, "key", json_string(key));
	json_object_set_new(json, "kind", json_string(report_kind_name(report->kind)));
	json_object_set_new(json, "form", json_string(report_form_name(report->form)));
	for (u32 i = 0; i < envelope->to_count; i++)
		json_array_append_new(to, json_stringn(envelope->to[i].ptr, envelope->to[i].len));
	for (const struct report_recipient *person = report->recipients; person;
	     person = person->next)
		json_array_append_new(people, json_of_person(person));
	json_object_set_new(json, "to", to);
	json_object_set_new(json, "people", people);
	set_text(json, "message_id", report->original.message_id, ADDRESS_MAX);
	set_text(json, "mail_from", report->feedback.mail_from, ADDRESS_MAX);
	return json;
}

enum finding_result finding_make(struct slice file, const char *key, struct arena *arena,
				 struct finding *finding)
{
	struct envelope envelope;
	struct report report;

	if (!envelope_read(file, &envelope))
		return FINDING_BAD;
	finding->kind = report_read(envelope.message, &report, arena);
	finding->form = report.form;
	if (report.is_incomplete)
		return FINDING_NO_MEMORY;
	finding->json = json_of(&envelope, &report, key);
	if (!finding->json)
		return FINDING_NO_MEMORY;
	set_words(finding->json, &report);
	return FINDING_MADE;
}

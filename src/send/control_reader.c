/*
 * reader.*: who takes the entries of the delivery log one after the other, and how far he is. See
 * delivery/planner_log.h; the role `hook` is such a reader for each of its hooks.
 */
#include "base/log.h"
#include "base/text.h"
#include "delivery/planner_log.h"
#include "send/control_parts.h"

#include <string.h>

static json_t *reader_json(const struct planner_reader *r, u64 last)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o}", "name",
			 r->name, "position", (json_int_t)r->position, "waiting",
			 (json_int_t)(last > r->position ? last - r->position : 0), "lost",
			 (json_int_t)r->lost, "posted", (json_int_t)r->posted, "failed",
			 (json_int_t)r->failed, "failing_ms", (json_int_t)r->failing_ms,
			 "suspended_ms", (json_int_t)r->suspended_ms, "note",
			 answer_text_of(slice_of(r->note)), "tests_wanted",
			 (json_int_t)r->tests_wanted, "tests_done", (json_int_t)r->tests_done,
			 "test_note", answer_text_of(slice_of(r->test_note)));
}

/* Where the log ends; false: refused. */
static bool find_last(struct control_link *link, u64 *last)
{
	if (!slice_begin(link))
		return false;
	return slice_end(link, queue_log_last(planner_queue(link->control->params.planner), last));
}

static void reply_reader(struct control_link *link, const char *name)
{
	const struct planner_reader *reader =
		planner_reader_find(link->control->params.planner, slice_of(name));
	u64 last;

	if (reader && find_last(link, &last))
		link_reply(link, reader_json(reader, last));
}

/* The one argument of most commands. NULL: refused. */
static const char *read_name(struct control_link *link, const struct control_request *request)
{
	const char *name = NULL;
	const struct control_arg args[] = { { "name", CONTROL_TEXT, true, &name } };
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return NULL;
	}
	if (!planner_reader_find(link->control->params.planner, slice_of(name))) {
		error_set(&error, "the delivery log has no reader named \"%.64s\"", name);
		link_refuse(link, CONTROL_NOT_FOUND, error.text);
		return NULL;
	}
	return name;
}

void control_reader_list(struct control_link *link, const struct control_request *request)
{
	const struct planner *planner = link->control->params.planner;
	const struct planner_reader *reader;
	struct error error;
	size_t count = 0;
	u64 last;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!find_last(link, &last))
		return;
	for (; (reader = planner_reader_at(planner, count)); count++)
		link_item(link, reader_json(reader, last));
	link_reply(link, json_pack("{s:I, s:I}", "count", (json_int_t)count, "last",
				   (json_int_t)last));
}

static bool name_is_fine(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > PLANNER_READER_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_alpha(name[i]) && !ascii_is_digit(name[i]) && name[i] != '-' &&
		    name[i] != '_' && name[i] != '.')
			return false;
	}
	return true;
}

/* What is not given stays as it is; who is new begins at the log's end. */
static bool read_put(const struct control_request *request, struct planner_reader *reader,
		     const char **name, struct error *error)
{
	const char *note = NULL;
	const struct control_arg args[] = {
		{ "name", CONTROL_TEXT, true, name },
		{ "position", CONTROL_NUMBER, false, &reader->position },
		{ "posted", CONTROL_NUMBER, false, &reader->posted },
		{ "failed", CONTROL_NUMBER, false, &reader->failed },
		{ "failing_ms", CONTROL_NUMBER, false, &reader->failing_ms },
		{ "suspended_ms", CONTROL_NUMBER, false, &reader->suspended_ms },
		{ "note", CONTROL_TEXT, false, &note },
	};

	if (!control_read(request->json, request->command, args, array_count(args), error))
		return false;
	if (!name_is_fine(*name))
		return error_set(error,
				 "reader.put: \"name\" must be 1 to %d letters, digits, '-', '_' "
				 "and '.'",
				 PLANNER_READER_NAME_MAX);
	slice_copy(reader->name, sizeof(reader->name), slice_of(*name));
	if (note)
		slice_copy(reader->note, sizeof(reader->note), slice_of(note));
	return true;
}

void control_reader_put(struct control_link *link, const struct control_request *request)
{
	struct planner *planner = link->control->params.planner;
	const char *given = json_string_value(json_object_get(request->json, "name"));
	const struct planner_reader *known =
		planner_reader_find(planner, slice_of(given ? given : ""));
	struct planner_reader reader = { 0 };
	const char *name = NULL;
	struct error error;

	if (known)
		reader = *known;
	else if (!find_last(link, &reader.position))
		return;
	if (!read_put(request, &reader, &name, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (planner_reader_put(planner, &reader, &error))
		reply_reader(link, name);
	else
		link_refuse(link, CONTROL_FAILED, error.text);
}

void control_reader_remove(struct control_link *link, const struct control_request *request)
{
	const char *name = read_name(link, request);
	struct error error;

	if (!name)
		return;
	log_info("send", "command", "command=%s reader=%s", request->command, name);
	if (planner_reader_remove(link->control->params.planner, slice_of(name), &error))
		link_reply(link, json_object());
	else
		link_refuse(link, CONTROL_FAILED, error.text);
}

void control_reader_resume(struct control_link *link, const struct control_request *request)
{
	struct planner *planner = link->control->params.planner;
	const char *name = read_name(link, request);
	struct planner_reader reader;
	struct error error;

	if (!name)
		return;
	log_info("send", "command", "command=%s reader=%s", request->command, name);
	reader = *planner_reader_find(planner, slice_of(name));
	reader.suspended_ms = 0;
	reader.failing_ms = 0;
	reader.note[0] = '\0';
	if (planner_reader_put(planner, &reader, &error))
		reply_reader(link, name);
	else
		link_refuse(link, CONTROL_FAILED, error.text);
}

void control_reader_test(struct control_link *link, const struct control_request *request)
{
	const char *name = read_name(link, request);

	if (name && planner_reader_ask_test(link->control->params.planner, slice_of(name)))
		reply_reader(link, name);
}

void control_reader_tested(struct control_link *link, const struct control_request *request)
{
	struct planner *planner = link->control->params.planner;
	const char *name = NULL;
	const char *note = NULL;
	const struct control_arg args[] = { { "name", CONTROL_TEXT, true, &name },
					    { "note", CONTROL_TEXT, true, &note } };
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error))
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else if (planner_reader_test_done(planner, slice_of(name), slice_of(note)))
		reply_reader(link, name);
	else
		link_refuse(link, CONTROL_NOT_FOUND, "the delivery log has no such reader");
}

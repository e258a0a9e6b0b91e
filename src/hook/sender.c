#include "hook/sender.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

#define AGAIN_NS NS_PER_S
#define PATIENCE_MS 30000
#define WORK 100000 /* entries looked at for one batch: some milliseconds of the sender's */

void hook_sender_init(struct hook_sender *sender, const char *path)
{
	*sender = (struct hook_sender){ .path = path };
}

void hook_sender_done(struct hook_sender *sender)
{
	control_client_close(sender->client);
	sender->client = NULL;
}

static bool lost(struct hook_sender *sender, const struct error *error, u64 now_ns)
{
	if (!sender->was_lost)
		log_warn("hook", "the sender cannot be asked", "reason=%s", error->text);
	sender->was_lost = true;
	sender->next_try_ns = now_ns + AGAIN_NS;
	hook_sender_done(sender);
	return false;
}

bool hook_sender_ready(struct hook_sender *sender, u64 now_ns)
{
	enum control_problem problem;
	struct error error;

	if (sender->client)
		return true;
	if (now_ns < sender->next_try_ns)
		return false;
	sender->client = control_client_open(sender->path, &problem, &error);
	if (!sender->client)
		return lost(sender, &error, now_ns);
	control_client_set_patience(sender->client, PATIENCE_MS);
	if (sender->was_lost)
		log_info("hook", "the sender answers again", "");
	sender->was_lost = false;
	return true;
}

/* ---- a question ---- */

/*
 * Items go into the list `items`, when there is one. *reply is NULL when it was refused. False: the
 * connection is gone.
 */
static bool ask(struct hook_sender *sender, json_t *request, json_t *items, json_t **reply,
		u64 now_ns)
{
	struct error error;
	json_t *json = NULL;
	enum control_answer answer;

	*reply = NULL;
	answer = control_client_request(sender->client, request, &error);
	while (answer == CONTROL_SENT || answer == CONTROL_ITEM) {
		answer = control_client_next(sender->client, &json, &error);
		if (answer == CONTROL_ITEM && items)
			json_array_append(items, json);
		if (answer == CONTROL_ITEM)
			json_decref(json);
	}
	if (answer == CONTROL_REPLY)
		*reply = json;
	else if (answer == CONTROL_REFUSED)
		log_warn("hook", "the sender refused", "reason=%s", error.text);
	else
		return lost(sender, &error, now_ns);
	return true;
}

static u64 number_of(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (u64)value : 0;
}

static json_t *number(u64 value)
{
	return json_integer((json_int_t)min_u64(value, INT64_MAX));
}

/* ---- looking ---- */

static void hear(struct courier *courier, const json_t *reader, u64 now_ns)
{
	const struct courier_news news = {
		.position = number_of(reader, "position"),
		.posted = number_of(reader, "posted"),
		.failed = number_of(reader, "failed"),
		.failing_ms = number_of(reader, "failing_ms"),
		.suspended_ms = number_of(reader, "suspended_ms"),
		.tests_wanted = number_of(reader, "tests_wanted"),
		.tests_done = number_of(reader, "tests_done"),
	};

	courier_heard(courier, &news, now_ns, clock_wall_ms());
}

static const json_t *find_reader(const json_t *readers, const char *name)
{
	size_t i;
	const json_t *reader;

	json_array_foreach ((json_t *)(uintptr_t)readers, i, reader) {
		const char *its = json_string_value(json_object_get(reader, "name"));

		if (its && strcmp(its, name) == 0)
			return reader;
	}
	return NULL;
}

/* The first time that the sender hears of it: it begins at the log's end. */
static bool introduce(struct hook_sender *sender, struct courier *courier, u64 now_ns)
{
	json_t *reply;

	if (!ask(sender,
		 json_pack("{s:s, s:s}", "command", "reader.put", "name", courier->config->name),
		 NULL, &reply, now_ns))
		return false;
	if (reply) {
		log_info("hook", "a new hook begins at the log's end", "hook=%s",
			 courier->config->name);
		hear(courier, reply, now_ns);
	}
	json_decref(reply);
	return true;
}

bool hook_sender_look(struct hook_sender *sender, struct courier *couriers, size_t count,
		      u64 now_ns)
{
	json_t *readers = json_array();
	json_t *reply;
	bool done = ask(sender, json_pack("{s:s}", "command", "reader.list"), readers, &reply,
			now_ns);

	sender->last = number_of(reply, "last");
	for (size_t i = 0; i < count && done && reply; i++) {
		const json_t *reader = find_reader(readers, couriers[i].config->name);

		if (reader)
			hear(&couriers[i], reader, now_ns);
		else
			done = introduce(sender, &couriers[i], now_ns);
	}
	json_decref(readers);
	json_decref(reply);
	return done;
}

/* ---- entries ---- */

static json_t *events_json(const struct config_list *events)
{
	json_t *list;

	if (events->count == 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < events->count; i++)
		json_array_append_new(list, json_string(events->items[i]));
	return list;
}

bool hook_sender_fetch(struct hook_sender *sender, struct courier *courier, u64 now_ns)
{
	json_t *items = json_array();
	json_t *request = json_pack("{s:s, s:o, s:i, s:i, s:o*}", "command", "log.show", "after",
				    number(courier->position), "limit",
				    (int)courier->config->batch, "work", WORK, "outcomes",
				    events_json(&courier->config->events));
	json_t *reply;
	bool done = ask(sender, request, items, &reply, now_ns);

	if (reply && !courier_take(courier, items, number_of(reply, "next"), now_ns,
				   clock_wall_ms()))
		log_warn("hook", "out of memory for a batch", "hook=%s", courier->config->name);
	/* Not asked again at once, whatever it was that the sender refused. */
	if (done && !reply)
		courier->next_try_ns = now_ns + AGAIN_NS;
	json_decref(items);
	json_decref(reply);
	return done;
}

/* ---- telling ---- */

bool hook_sender_tell(struct hook_sender *sender, struct courier *courier, u64 now_ns)
{
	json_t *request = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "command",
				    "reader.put", "name", courier->config->name, "position",
				    number(courier->position), "posted", number(courier->posted),
				    "failed", number(courier->failed), "failing_ms",
				    number(courier->failing_ms), "suspended_ms",
				    number(courier->suspended_ms), "note", courier->note);
	json_t *reply;
	bool done = ask(sender, request, NULL, &reply, now_ns);

	if (reply)
		courier_told(courier, number_of(reply, "position"), now_ns);
	else if (done)
		courier->next_ack_ns = now_ns + AGAIN_NS;
	json_decref(reply);
	return done;
}

bool hook_sender_tell_test(struct hook_sender *sender, struct courier *courier, u64 now_ns)
{
	json_t *reply;
	bool done = ask(sender,
			json_pack("{s:s, s:s, s:s}", "command", "reader.tested", "name",
				  courier->config->name, "note", courier->test_note),
			NULL, &reply, now_ns);

	if (done)
		courier->has_test_note = false;
	json_decref(reply);
	return done;
}

#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/terminal.h"

#include <poll.h>
#include <stdio.h>

#define PATIENCE_MS (60 * 1000) /* a service may take its time to end what it has begun */
#define LOOK_MS 200

/* ---- list ---- */

static const char *const titles[] = { "service", "state", "for", "process", "restarts",
				      "last exit" };

static void add_row(struct table *table, const json_t *service)
{
	u64 pid = answer_number(service, "pid");

	table_text(table, answer_text(service, "name"));
	table_text(table, answer_text(service, "state"));
	table_duration(table, answer_number(service, "since_ms"));
	if (pid > 0)
		table_plain(table, pid);
	else
		table_text(table, SLICE(""));
	table_number(table, answer_number(service, "restarts"));
	table_text(table, answer_text(service, "last_exit"));
}

int service_list_run(struct console *console, int argc, char **argv)
{
	const json_t *services;
	struct table table;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	code = link_ask_init(console, "system.status", &reply);
	if (code != CONSOLE_OK)
		return code;
	services = json_object_get(reply, "services");
	table_init(&table, stdout, titles, array_count(titles), 0x1c);
	for (size_t i = 0; i < json_array_size(services); i++) {
		if (console->json)
			link_print_json(json_array_get(services, i));
		else
			add_row(&table, json_array_get(services, i));
	}
	table_done(&table);
	json_decref(reply);
	return code;
}

/* ---- orders ---- */

/* The service of that name as init sees it now: a new reference, or NULL and *code. */
static json_t *ask_for(const struct console *console, struct slice name, int *code)
{
	json_t *found = NULL;
	json_t *service;
	json_t *reply;
	size_t i;

	*code = link_ask_init(console, "system.status", &reply);
	json_array_foreach (json_object_get(reply, "services"), i, service) {
		if (slice_equal(answer_text(service, "name"), name))
			found = json_incref(service);
	}
	json_decref(reply);
	return found;
}

/* `before` is init's answer to the order: the process in it is the one that is to go, if `goes`. */
static bool has_settled(const json_t *service, const json_t *before, bool goes)
{
	struct slice state = answer_text(service, "state");

	if (slice_equal(state, SLICE("starting")) || slice_equal(state, SLICE("stopping")))
		return false;
	if (slice_equal(state, SLICE("running")))
		return !goes || answer_number(service, "pid") != answer_number(before, "pid");
	if (slice_equal(state, SLICE("backing-off")))
		return answer_number(service, "restarts") > answer_number(before, "restarts");
	return true;
}

/* Waits PATIENCE_MS at most for what becomes of an order; `*service` becomes the latest. */
static int wait_for_it(const struct console *console, bool goes, json_t **service)
{
	const u64 end_ns = clock_mono_ns() + (u64)PATIENCE_MS * NS_PER_MS;
	json_t *before = json_incref(*service);
	int code = CONSOLE_OK;

	for (int wait_ms = 0; code == CONSOLE_OK; wait_ms = LOOK_MS) {
		json_t *now;

		poll(NULL, 0, wait_ms);
		now = ask_for(console, answer_text(before, "name"), &code);
		if (!now)
			break;
		json_decref(*service);
		*service = now;
		if (has_settled(now, before, goes) || clock_mono_ns() >= end_ns)
			break;
	}
	json_decref(before);
	return code;
}

static void print_service(const json_t *service)
{
	struct slice state = answer_text(service, "state");
	struct buf text;

	buf_init(&text, 1024);
	human_text(&text, answer_text(service, "name"));
	buf_add_text(&text, " is ");
	human_text(&text, state);
	if (answer_number(service, "pid") > 0)
		buf_add_format(&text, ", process %u", (unsigned)answer_number(service, "pid"));
	if (slice_equal(state, SLICE("backing-off"))) {
		buf_add_text(&text, ": it ended with ");
		human_text(&text, answer_text(service, "last_exit"));
		buf_add_text(&text, "; `logs ");
		human_text(&text, answer_text(service, "name"));
		buf_add_text(&text, "` tells more");
	}
	puts(buf_text(&text));
	buf_done(&text);
}

/* `goes`: the process that is there now must go. */
static int order(struct console *console, const char *command, bool goes, int argc, char **argv)
{
	json_t *service;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	code = link_run_init(console, json_pack("{s:s, s:s}", "command", command, "name", argv[0]),
			     LINK_PATIENCE_MS, link_ignore_item, NULL, &service);
	if (code == CONSOLE_OK)
		code = wait_for_it(console, goes, &service);
	if (code == CONSOLE_OK && console->json)
		link_print_json(service);
	else if (code == CONSOLE_OK)
		print_service(service);
	if (code == CONSOLE_OK && slice_equal(answer_text(service, "state"), SLICE("backing-off")))
		code = CONSOLE_FAILED;
	json_decref(service);
	return code;
}

int service_restart_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.restart", true, argc, argv);
}

int service_kill_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.kill", true, argc, argv);
}

int service_stop_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.stop", true, argc, argv);
}

int service_start_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.start", false, argc, argv);
}

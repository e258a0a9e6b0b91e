#include "console/command.h"

#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/terminal.h"

#include <stdio.h>

#define PATIENCE_MS (60 * 1000) /* a service may take its time to end what it has begun */

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
	code = link_run_init(console, json_pack("{s:s}", "command", "system.status"),
			     LINK_PATIENCE_MS, link_ignore_item, NULL, &reply);
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

static int order(struct console *console, const char *command, int argc, char **argv)
{
	struct buf text;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	code = link_run_init(console, json_pack("{s:s, s:s}", "command", command, "name", argv[0]),
			     PATIENCE_MS, NULL, NULL, &reply);
	if (code != CONSOLE_OK || console->json) {
		json_decref(reply);
		return code;
	}
	buf_init(&text, 1024);
	human_text(&text, answer_text(reply, "name"));
	buf_add_text(&text, " is ");
	human_text(&text, answer_text(reply, "state"));
	if (answer_number(reply, "pid") > 0)
		buf_add_format(&text, ", process %u", (unsigned)answer_number(reply, "pid"));
	puts(buf_text(&text));
	buf_done(&text);
	json_decref(reply);
	return code;
}

int service_restart_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.restart", argc, argv);
}

int service_stop_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.stop", argc, argv);
}

int service_start_run(struct console *console, int argc, char **argv)
{
	return order(console, "service.start", argc, argv);
}

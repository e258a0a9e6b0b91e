/* `suppression`: addresses that get no mail. */
#include "console/command.h"

#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/recipients.h"

#include <errno.h>
#include <string.h>

#define BATCH 500 /* addresses of one request */

static const char *const reasons[] = { "manual", "import", "complaint", "unsubscribe", NULL };

/* What goes with each address of a command. */
struct details {
	const char *customer;
	const char *list; /* of the customer */
	const char *text;
	u32 reason; /* of reasons */
};

static json_t *request_of(const char *command, const struct details *details, json_t *addresses)
{
	json_t *request = json_pack("{s:s, s:o, s:s*, s:s*, s:s*}", "command", command, "addresses",
				    addresses, "customer", details->customer, "list",
				    details->list, "text", details->text);

	if (strcmp(command, "suppression.add") == 0)
		json_object_set_new(request, "reason", json_string(reasons[details->reason]));
	return request;
}

static void print_count(u64 count, const char *what)
{
	struct buf text;

	buf_init(&text, 64);
	human_number(&text, count);
	printf("%s address%s %s\n", buf_text(&text), count == 1 ? "" : "es", what);
	buf_done(&text);
}

/* The addresses of a command line. */
static int change(struct console *console, const char *command, const char *done,
		  const struct details *details, int words, char **argv)
{
	json_t *addresses = json_array();
	json_t *reply;
	int code;

	if (words == 0 || words > BATCH) {
		json_decref(addresses);
		return console_fail(console, CONSOLE_USAGE, "say which: one address or more");
	}
	for (int i = 0; i < words; i++)
		json_array_append_new(addresses, json_string(argv[i]));
	code = link_run(console, request_of(command, details, addresses), NULL, NULL, &reply);
	if (code == CONSOLE_OK && !console->json)
		print_count(answer_number(reply, "count"), done);
	json_decref(reply);
	return code;
}

#define CUSTOMER_OPTION(details)                                                                   \
	{                                                                                          \
		"customer", OPTION_TEXT, &(details).customer, "DOMAIN",                            \
			"of this customer's mail alone", NULL                                      \
	}
#define LIST_OPTION(details)                                                                       \
	{                                                                                          \
		"list", OPTION_TEXT, &(details).list, "NAME", "of this list of the customer alone",\
			NULL                                                                       \
	}
#define TEXT_OPTION(details)                                                                       \
	{                                                                                          \
		"text", OPTION_TEXT, &(details).text, "TEXT", "for the history", NULL              \
	}
#define REASON_OPTION(details)                                                                     \
	{                                                                                          \
		"reason", OPTION_WORD, &(details).reason, "REASON",                                \
			"manual, import, complaint or unsubscribe", reasons                        \
	}

int suppression_add_run(struct console *console, int argc, char **argv)
{
	struct details details = { .reason = 0 };
	const struct option options[] = {
		CUSTOMER_OPTION(details),
		LIST_OPTION(details),
		REASON_OPTION(details),
		TEXT_OPTION(details),
	};
	int words;
	int code;

	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	return change(console, "suppression.add", "get no mail any more", &details, words, argv);
}

int suppression_remove_run(struct console *console, int argc, char **argv)
{
	struct details details = { .reason = 0 };
	const struct option options[] = { CUSTOMER_OPTION(details), LIST_OPTION(details),
					  TEXT_OPTION(details) };
	int words;
	int code;

	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	return change(console, "suppression.remove", "may have mail again", &details, words, argv);
}

/* ---- show, list, export ---- */

static const char *const titles[] = { "address", "customer", "list", "state",
				      "since",	 "reason",   "text" };

static void print_one(void *arg, const json_t *item)
{
	const json_t *history = json_object_get(item, "history");
	struct table *table = arg;

	for (size_t i = json_array_size(history); i > 0; i--) {
		const json_t *event = json_array_get(history, i - 1);
		bool is_last = i == json_array_size(history);

		table_text(table, is_last ? answer_text(item, "address") : SLICE(""));
		table_text(table, is_last ? answer_text(item, "customer") : SLICE(""));
		table_text(table, is_last ? answer_text(item, "list") : SLICE(""));
		table_text(table, !is_last		     ? SLICE("before")
				  : answer_flag(item, "active") ? SLICE("suppressed")
								: SLICE("not suppressed"));
		table_time(table, answer_number(event, "time_ms"));
		table_text(table, answer_text(event, "reason"));
		table_text(table, answer_text(event, "text"));
	}
}

static int show(struct console *console, json_t *request)
{
	struct table table;
	json_t *reply;
	int code;

	table_init(&table, stdout, titles, array_count(titles), 0);
	code = link_run(console, request, print_one, &table, &reply);
	table_done(&table);
	if (code == CONSOLE_OK && answer_number(reply, "count") == 0 && !console->json)
		code = console_fail(console, CONSOLE_FAILED, "it is not on the list");
	json_decref(reply);
	return code;
}

int suppression_show_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return show(console, json_pack("{s:s, s:s}", "command", "suppression.show", "address",
				       argv[0]));
}

int suppression_list_run(struct console *console, int argc, char **argv)
{
	struct table table;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	table_init(&table, stdout, titles, array_count(titles), 0);
	code = link_run(console, json_pack("{s:s}", "command", "suppression.list"), print_one,
			&table, &reply);
	table_done(&table);
	json_decref(reply);
	return code;
}

/* `warmup`: source addresses that are new to their receivers, and how far they are. */
#include "console/command.h"

#include "base/text.h"
#include "console/human.h"
#include "console/link.h"

static const char *const titles[] = { "source", "receiver", "state", "day",  "sent",
				      "of",	"refused",  "left",  "reason" };

static void print_source(struct table *table, const json_t *item)
{
	static const char *const none = "-";

	table_text(table, answer_text(item, "source"));
	table_text(table, slice_of(none));
	table_text(table, answer_text(item, "state"));
	for (int i = 0; i < 5; i++)
		table_text(table, slice_of(none));
	table_text(table, slice_equal(answer_text(item, "by"), SLICE("operator")) ?
				  SLICE("by the operator's order") :
				  SLICE("by the configuration"));
}

static void print_status(void *context, const json_t *item)
{
	const struct slice receiver = answer_text(item, "receiver");
	const bool is_done = answer_number(item, "days_left") == 0;
	struct table *table = context;

	if (receiver.len == 0) {
		print_source(table, item);
		return;
	}
	table_text(table, answer_text(item, "source"));
	table_text(table, slice_equal(receiver, SLICE("default")) ? SLICE("everybody else")
								  : receiver);
	table_text(table, answer_text(item, "state"));
	table_number(table, answer_number(item, "day"));
	table_number(table, answer_number(item, "sent"));
	if (is_done)
		table_text(table, SLICE_NONE);
	else
		table_number(table, answer_number(item, "quota"));
	table_number(table, answer_number(item, "refused"));
	table_duration(table, answer_number(item, "days_left") * 86400 * 1000);
	table_text(table, answer_text(item, "reason"));
}

int warmup_show_run(struct console *console, int argc, char **argv)
{
	struct table table;
	const char *source;
	json_t *reply;
	int words;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 1, &code) ||
	    !console_options(console, NULL, 0, argc, argv, &words, &code))
		return code;
	source = words > 0 ? argv[0] : NULL;
	table_init(&table, stdout, titles, array_count(titles), 0xf8);
	code = link_run(console,
			json_pack("{s:s, s:s*}", "command", "warmup.list", "source",
				  source),
			print_status, &table, &reply);
	table_done(&table);
	if (code == CONSOLE_OK && !console->json && answer_number(reply, "count") == 0)
		puts(source ? "it is in no warm-up" : "no source address is in its warm-up");
	json_decref(reply);
	return code;
}

/* ---- orders ---- */

static int give_order(struct console *console, json_t *request, const char *done)
{
	json_t *reply;
	int code = link_run(console, request, NULL, NULL, &reply);

	if (code == CONSOLE_OK && !console->json) {
		const struct slice source = answer_text(reply, "source");

		printf("%.*s %s\n", SLICE_FMT(source), done);
	}
	json_decref(reply);
	return code;
}

int warmup_start_run(struct console *console, int argc, char **argv)
{
	u64 day = 0;
	const struct option options[] = {
		{ "day", OPTION_NUMBER, &day, "N", "of the plan, to begin at", NULL },
	};
	json_t *request;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	request = json_pack("{s:s, s:s}", "command", "warmup.start", "source", argv[0]);
	if (day > 0 && request)
		json_object_set_new(request, "day", json_integer((json_int_t)day));
	return give_order(console, request, "is in its warm-up");
}

int warmup_pause_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return give_order(console,
			  json_pack("{s:s, s:s}", "command", "warmup.pause", "source", argv[0]),
			  "stays at its day of the plan");
}

int warmup_skip_run(struct console *console, int argc, char **argv)
{
	const char *receiver = NULL;
	const struct option options[] = {
		{ "receiver", OPTION_TEXT, &receiver, "RULE", "only there, such as gmail", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	return give_order(console,
			  json_pack("{s:s, s:s, s:s*}", "command", "warmup.skip", "source", argv[0],
				    "receiver", receiver),
			  "is a day of the plan ahead");
}

int warmup_stop_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return give_order(console,
			  json_pack("{s:s, s:s}", "command", "warmup.stop", "source", argv[0]),
			  "is in no warm-up any more");
}

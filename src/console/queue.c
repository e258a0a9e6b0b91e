#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"

#include <string.h>

/* What the operator picked; texts that were not given are NULL. */
struct picked {
	const char *campaign;
	const char *domain;
	const char *address;
	const char *site;
	bool all;
};

static json_t *picked_request(const char *command, const struct picked *picked)
{
	json_t *request = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "command", command, "campaign",
				    picked->campaign, "domain", picked->domain, "address",
				    picked->address, "site", picked->site);

	if (picked->all)
		json_object_set_new(request, "all", json_true());
	return request;
}

static u32 picked_count(const struct picked *picked)
{
	return (picked->campaign != NULL) + (picked->domain != NULL) + (picked->address != NULL) +
	       (picked->site != NULL) + picked->all;
}

static int run_counted(const struct console *console, json_t *request, const char *what)
{
	struct buf text;
	json_t *reply;
	int code = link_run(console, request, NULL, NULL, &reply);

	if (code == CONSOLE_OK && !console->json) {
		u64 count = answer_number(reply, "count");

		buf_init(&text, 64);
		human_number(&text, count);
		printf("%s recipient%s %s\n", buf_text(&text), count == 1 ? "" : "s", what);
		buf_done(&text);
	}
	json_decref(reply);
	return code;
}

/* ---- list ---- */

static const char *const site_titles[] = { "site",     "queued",   "deferred", "sessions",
					   "rate",     "next try", "state",    "reason" };
static const char *const row_titles[] = { "next try", "address", "campaign",
					  "tries",    "code",	 "reason" };

/* A moment to come, as the time that is left; past ones are "now". */
static void table_until(struct table *table, u64 wall_ms)
{
	u64 now_ms = clock_wall_ms();

	if (wall_ms == 0)
		table_text(table, SLICE("-"));
	else if (wall_ms <= now_ms)
		table_text(table, SLICE("now"));
	else
		table_duration(table, wall_ms - now_ms);
}

static void print_site(void *arg, const json_t *item)
{
	struct table *table = arg;

	table_text(table, answer_text(item, "site"));
	table_number(table, answer_number(item, "queued"));
	table_number(table, answer_number(item, "deferred"));
	table_number(table, answer_number(item, "sessions"));
	table_rate(table, answer_real(item, "rate"));
	table_until(table, answer_number(item, "next_ms"));
	table_text(table, answer_text(item, "state"));
	table_text(table, answer_text(item, "reason"));
}

static void print_deferred(void *arg, const json_t *item)
{
	struct table *table = arg;

	table_until(table, answer_number(item, "due_ms"));
	table_text(table, answer_text(item, "address"));
	table_text(table, answer_text(item, "campaign"));
	table_number(table, answer_number(item, "attempts"));
	table_number(table, answer_number(item, "code"));
	table_text(table, answer_text(item, "reason"));
}

static void print_more(const struct console *console, const json_t *reply)
{
	struct buf text;

	if (!answer_flag(reply, "more"))
		return;
	/* A last line of its own: without it a program could not go on. */
	if (console->json) {
		link_print_json(reply);
		return;
	}
	buf_init(&text, 4096);
	human_text(&text, answer_text(reply, "next"));
	printf("There are more; go on with --after %s\n", buf_text(&text));
	buf_done(&text);
}

static int list_run(const struct console *console, json_t *request, bool rows)
{
	struct table table;
	json_t *reply;
	int code;

	if (rows)
		table_init(&table, stdout, row_titles, array_count(row_titles), 0x19);
	else
		table_init(&table, stdout, site_titles, array_count(site_titles), 0x3e);
	code = link_run(console, request, rows ? print_deferred : print_site, &table, &reply);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&table);
	table_done(&table);
	print_more(console, reply);
	json_decref(reply);
	return code;
}

int queue_list_run(struct console *console, int argc, char **argv)
{
	struct picked picked = { 0 };
	const char *after = NULL;
	u64 limit = 1000;
	bool rows = false;
	const struct option options[] = {
		{ "rows", OPTION_FLAG, &rows, NULL, "deferred recipients instead of sites", NULL },
		{ "campaign", OPTION_TEXT, &picked.campaign, "ID|NAME", "of one campaign", NULL },
		{ "domain", OPTION_TEXT, &picked.domain, "DOMAIN", "of one domain", NULL },
		{ "limit", OPTION_NUMBER, &limit, "N", "at most so many lines (1000)", NULL },
		{ "after", OPTION_TEXT, &after, "CURSOR", "go on where an earlier list ended",
		  NULL },
	};
	json_t *request;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (limit == 0 || limit > INT64_MAX)
		return console_fail(console, CONSOLE_USAGE, "--limit must be 1 or more");
	request = picked_request("queue.list", &picked);
	json_object_set_new(request, "limit", json_integer((json_int_t)limit));
	if (rows)
		json_object_set_new(request, "rows", json_true());
	if (after)
		json_object_set_new(request, "after", json_string(after));
	return list_run(console, request, rows);
}

/* ---- show ---- */

static void print_pair(const char *title, struct slice value)
{
	struct buf text;

	buf_init(&text, 8192);
	human_text(&text, slice_first(value, 1024));
	if (value.len > 0)
		printf("  %-11s %s\n", title, buf_text(&text));
	buf_done(&text);
}

static void print_history(const json_t *history)
{
	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *entry = json_array_get(history, i);
		struct buf text;

		buf_init(&text, 16384);
		human_time(&text, answer_number(entry, "time_ms"));
		buf_add_text(&text, "  ");
		human_text(&text, answer_text(entry, "outcome"));
		buf_add_text(&text, "  ");
		human_text(&text, answer_text(entry, "host"));
		buf_add_format(&text, "  %u ", (unsigned)answer_number(entry, "code"));
		human_text(&text, slice_first(answer_text(entry, "reply"), 1024));
		printf("    %s\n", buf_text(&text));
		buf_done(&text);
	}
}

static void print_found(void *arg, const json_t *item)
{
	u32 *found = arg;
	struct buf text;

	if ((*found)++ > 0)
		putchar('\n');
	buf_init(&text, 8192);
	human_text(&text, answer_text(item, "address"));
	puts(buf_text(&text));
	print_pair("campaign", answer_text(item, "campaign"));
	print_pair("state", answer_text(item, "state"));
	buf_reset(&text);
	human_number(&text, answer_number(item, "attempts"));
	print_pair("attempts", buf_slice(&text));
	if (answer_number(item, "due_ms") > 0) {
		buf_reset(&text);
		human_time(&text, answer_number(item, "due_ms"));
		print_pair("next try", buf_slice(&text));
	}
	print_pair("host", answer_text(item, "host"));
	print_pair("reply", answer_text(item, "reply"));
	print_history(json_object_get(item, "history"));
	buf_done(&text);
}

int queue_show_run(struct console *console, int argc, char **argv)
{
	struct picked picked = { 0 };
	u32 found = 0;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	picked.address = argv[0];
	code = link_run(console, picked_request("queue.show", &picked), print_found, &found,
			&reply);
	if (code == CONSOLE_OK && !console->json && found == 0)
		code = console_fail(console, CONSOLE_FAILED,
				    "%.300s is neither queued nor in the delivery log", argv[0]);
	json_decref(reply);
	return code;
}

/* ---- retry, bounce ---- */

int queue_retry_run(struct console *console, int argc, char **argv)
{
	struct picked picked = { 0 };
	const struct option options[] = {
		{ "campaign", OPTION_TEXT, &picked.campaign, "ID|NAME", "of one campaign", NULL },
		{ "domain", OPTION_TEXT, &picked.domain, "DOMAIN", "of one domain", NULL },
		{ "address", OPTION_TEXT, &picked.address, "ADDRESS", "one recipient", NULL },
		{ "all", OPTION_FLAG, &picked.all, NULL, "everything that is deferred", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (picked_count(&picked) != 1)
		return console_fail(console, CONSOLE_USAGE,
				    "say which: one of --campaign, --domain, --address, --all");
	return run_counted(console, picked_request("queue.retry", &picked), "due now");
}

int queue_bounce_run(struct console *console, int argc, char **argv)
{
	struct picked picked = { 0 };
	const struct option options[] = {
		{ "campaign", OPTION_TEXT, &picked.campaign, "ID|NAME", "of one campaign", NULL },
		{ "domain", OPTION_TEXT, &picked.domain, "DOMAIN", "of one domain", NULL },
		{ "address", OPTION_TEXT, &picked.address, "ADDRESS", "one recipient", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (picked_count(&picked) == 0)
		return console_fail(console, CONSOLE_USAGE,
				    "say which: --campaign, --domain or --address");
	return run_counted(console, picked_request("queue.bounce", &picked), "given up");
}

/* ---- suspend, resume ---- */

static int suspend_run(struct console *console, const char *command, const char *done, int argc,
		       char **argv)
{
	struct picked picked = { 0 };
	const struct option options[] = {
		{ "site", OPTION_TEXT, &picked.site, "NAME", "a site, as `queue list` names it",
		  NULL },
	};
	struct buf text;
	json_t *reply;
	int words;
	int code;

	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	picked.domain = words > 0 ? argv[0] : NULL;
	if (words > 1 || picked_count(&picked) != 1)
		return console_fail(console, CONSOLE_USAGE,
				    "name one domain, or one site with --site");
	code = link_run(console, picked_request(command, &picked), NULL, NULL, &reply);
	if (code == CONSOLE_OK && !console->json) {
		struct slice site = answer_text(reply, "site");

		buf_init(&text, 8192);
		human_text(&text, site);
		buf_add_format(&text, " %s", done);
		/* A provider has many domains, and it is the provider that has a pause. */
		if (picked.domain && !slice_equal_nocase(site, slice_of(picked.domain))) {
			buf_add_text(&text, ": mail for ");
			human_text(&text, slice_of(picked.domain));
			buf_add_text(&text, " and for every other domain whose mail goes there");
		}
		puts(buf_text(&text));
		buf_done(&text);
	}
	json_decref(reply);
	return code;
}

int queue_suspend_run(struct console *console, int argc, char **argv)
{
	return suspend_run(console, "queue.suspend", "is suspended", argc, argv);
}

int queue_resume_run(struct console *console, int argc, char **argv)
{
	return suspend_run(console, "queue.resume", "goes on", argc, argv);
}

/* ---- doubt ---- */

static const char *const doubt_titles[] = { "since", "address", "campaign", "tries", "host" };

static void print_doubt(void *arg, const json_t *item)
{
	struct table *table = arg;

	table_time(table, answer_number(item, "since_ms"));
	table_text(table, answer_text(item, "address"));
	table_text(table, answer_text(item, "campaign"));
	table_number(table, answer_number(item, "attempts"));
	table_text(table, answer_text(item, "host"));
}

static int doubt_list_run(const struct console *console, json_t *request)
{
	struct table table;
	json_t *reply;
	int code;

	table_init(&table, stdout, doubt_titles, array_count(doubt_titles), 0x8);
	code = link_run(console, request, print_doubt, &table, &reply);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&table);
	table_done(&table);
	json_decref(reply);
	return code;
}

int queue_doubt_run(struct console *console, int argc, char **argv)
{
	struct picked picked = { 0 };
	const struct option options[] = {
		{ "campaign", OPTION_TEXT, &picked.campaign, "ID|NAME", "of one campaign", NULL },
		{ "address", OPTION_TEXT, &picked.address, "ADDRESS", "one recipient", NULL },
		{ "all", OPTION_FLAG, &picked.all, NULL, "all that are held", NULL },
	};
	json_t *request;
	bool is_list;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	is_list = strcmp(argv[0], "list") == 0;
	if (!is_list && strcmp(argv[0], "resend") != 0 && strcmp(argv[0], "drop") != 0)
		return console_fail(console, CONSOLE_USAGE,
				    "queue doubt: \"%.64s\" is not one of list, resend, drop",
				    argv[0]);
	if (!is_list && picked_count(&picked) != 1)
		return console_fail(console, CONSOLE_USAGE,
				    "say which: one of --campaign, --address, --all");
	request = picked_request("queue.doubt", &picked);
	json_object_set_new(request, "action", json_string(argv[0]));
	if (is_list)
		return doubt_list_run(console, request);
	return run_counted(console, request,
			   strcmp(argv[0], "drop") == 0 ? "dropped" : "will be sent again");
}

/* ---- unknown ---- */

static const char *const unknown_titles[] = { "count", "code", "class", "last", "host", "reply" };

static void print_unknown(void *arg, const json_t *item)
{
	struct table *table = arg;

	table_number(table, answer_number(item, "count"));
	table_number(table, answer_number(item, "code"));
	table_text(table, answer_text(item, "class"));
	table_time(table, answer_number(item, "last_ms"));
	table_text(table, answer_text(item, "host"));
	table_text(table, answer_text(item, "reply"));
}

int queue_unknown_run(struct console *console, int argc, char **argv)
{
	struct table table;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	table_init(&table, stdout, unknown_titles, array_count(unknown_titles), 0x3);
	code = link_run(console, json_pack("{s:s}", "command", "queue.unknown"), print_unknown,
			&table, &reply);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&table);
	table_done(&table);
	json_decref(reply);
	return code;
}

/* `site`: limits toward receivers, where each comes from, and what was learned. */
#include "console/command.h"

#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/lookup.h"

#include <string.h>

#define OPTIONS_MAX 2048

/* ---- list ---- */

static const char *const rule_titles[] = { "rule",   "sessions", "a session", "a second",
					   "minute", "hour",     "day",	      "from" };

/* The value of an option, in an answer's list of them; "" when it is not there. */
static struct slice value_of(const json_t *options, const char *name)
{
	for (size_t i = 0; i < json_array_size(options); i++) {
		const json_t *option = json_array_get(options, i);

		if (slice_equal(answer_text(option, "option"), slice_of(name)))
			return answer_text(option, "value");
	}
	return SLICE_NONE;
}

/* A limit of which 0 means that there is none. */
static void table_limit(struct table *table, struct slice value)
{
	table_text(table, slice_equal(value, SLICE("0")) ? SLICE("-") : value);
}

static bool is_set(const json_t *options)
{
	for (size_t i = 0; i < json_array_size(options); i++) {
		if (slice_equal(answer_text(json_array_get(options, i), "from"), SLICE("set")))
			return true;
	}
	return false;
}

static void print_rule(void *arg, const json_t *item)
{
	static const char *const limits[] = { "sessions",   "messages-per-session", "rate",
					      "per-minute", "per-hour",		    "per-day" };
	const json_t *options = json_object_get(item, "options");
	struct table *table = arg;

	table_text(table, answer_text(item, "rule"));
	for (size_t i = 0; i < array_count(limits); i++)
		table_limit(table, value_of(options, limits[i]));
	table_text(table, is_set(options) ? SLICE("set") : answer_text(item, "from"));
}

int site_list_run(struct console *console, int argc, char **argv)
{
	struct table table;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	table_init(&table, stdout, rule_titles, array_count(rule_titles), 0x7e);
	code = link_run(console, json_pack("{s:s}", "command", "site.list"), print_rule, &table,
			&reply);
	table_done(&table);
	json_decref(reply);
	return code;
}

/* ---- show ---- */

static void print_options(const json_t *options)
{
	static const char *const titles[] = { "option", "value", "from" };
	struct table table;

	table_init(&table, stdout, titles, array_count(titles), 0);
	for (size_t i = 0; i < json_array_size(options); i++) {
		const json_t *option = json_array_get(options, i);

		table_text(&table, answer_text(option, "option"));
		table_text(&table, answer_text(option, "value"));
		table_text(&table, answer_text(option, "from"));
	}
	table_done(&table);
}

static void print_routes(const json_t *routes)
{
	static const char *const titles[] = { "site",	"source", "state", "rate",  "minute",
					      "hour",	"day",	  "pause", "reason" };
	struct table table;

	if (json_array_size(routes) == 0)
		return;
	putchar('\n');
	table_init(&table, stdout, titles, array_count(titles), 0xf8);
	for (size_t i = 0; i < json_array_size(routes); i++) {
		const json_t *route = json_array_get(routes, i);

		table_text(&table, answer_text(route, "site"));
		table_text(&table, answer_text(route, "source"));
		table_text(&table, answer_text(route, "state"));
		if (answer_real(route, "rate") > 0)
			table_rate(&table, answer_real(route, "rate"));
		else
			table_text(&table, SLICE("-"));
		table_number(&table, answer_number(route, "minute"));
		table_number(&table, answer_number(route, "hour"));
		table_number(&table, answer_number(route, "day"));
		if (answer_number(route, "paused_ms") > 0)
			table_duration(&table, answer_number(route, "paused_ms"));
		else
			table_text(&table, SLICE("-"));
		table_text(&table, answer_text(route, "reason"));
	}
	table_done(&table);
}

/* One line for each route that is held back by a warm-up. */
static void print_warmups(const json_t *routes)
{
	struct buf text;

	buf_init(&text, 4096);
	for (size_t i = 0; i < json_array_size(routes); i++) {
		const json_t *route = json_array_get(routes, i);

		if (answer_number(route, "warmup_quota") == 0)
			continue;
		buf_reset(&text);
		human_text(&text, answer_text(route, "source"));
		buf_add_text(&text, " to ");
		human_text(&text, answer_text(route, "site"));
		printf("warm-up of %s, day %llu: %llu of %llu\n", buf_text(&text),
		       (unsigned long long)answer_number(route, "warmup_day"),
		       (unsigned long long)answer_number(route, "warmup_sent"),
		       (unsigned long long)answer_number(route, "warmup_quota"));
	}
	buf_done(&text);
}

static void print_total(const json_t *total)
{
	if (total)
		printf("all source addresses together: %llu messages in the last minute, %llu in "
		       "the hour, %llu in the day\n",
		       (unsigned long long)answer_number(total, "minute"),
		       (unsigned long long)answer_number(total, "hour"),
		       (unsigned long long)answer_number(total, "day"));
}

static void print_view(const json_t *reply)
{
	struct slice site = answer_text(reply, "site");
	struct buf text;

	buf_init(&text, 4096);
	human_text(&text, answer_text(reply, "rule"));
	printf("rule  %s\n", buf_text(&text));
	buf_reset(&text);
	human_text(&text, site);
	if (site.len > 0)
		printf("site  %s\n", buf_text(&text));
	buf_done(&text);
	putchar('\n');
	print_options(json_object_get(reply, "options"));
	print_routes(json_object_get(reply, "routes"));
	print_warmups(json_object_get(reply, "routes"));
	print_total(json_object_get(reply, "total"));
}

/*
 * The first exchanger of a domain that no mail went to yet; "" when that is not to be known. What
 * was typed may as well be the name of a rule.
 */
static void host_of(const struct console *console, const char *typed, char host[256])
{
	char name[QUESTION_NAME_SIZE];
	struct mx_answer answer;
	struct lookup_dns dns;
	struct error error;

	host[0] = '\0';
	if (!strchr(typed, '.') || !lookup_name(typed, name) ||
	    !lookup_open(console, &dns, &error))
		return;
	if (lookup_mx(&dns, name, &answer, &error) && answer.status == MX_OK &&
	    answer.host_count > 0)
		slice_copy(host, 256, slice_of(answer.hosts[0].name));
	lookup_close(&dns);
}

/* Asks and prints. `options`: as if these were set, too; NULL: none. */
static int show(struct console *console, const char *name, const char *options)
{
	char host[256];
	json_t *reply;
	int code;

	host_of(console, name, host);
	code = link_run(console,
			json_pack("{s:s, s:s, s:s*, s:s*}", "command", "site.show", "name", name,
				  "host", host[0] ? host : NULL, "options", options),
			NULL, NULL, &reply);
	if (code == CONSOLE_OK && !console->json)
		print_view(reply);
	json_decref(reply);
	return code;
}

int site_show_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return show(console, argv[0], NULL);
}

/* ---- set, unset, forgive ---- */

static int change(struct console *console, json_t *request)
{
	json_t *reply;
	int code = link_run(console, request, NULL, NULL, &reply);

	if (code == CONSOLE_OK && !console->json)
		print_view(reply);
	json_decref(reply);
	return code;
}

int site_set_run(struct console *console, int argc, char **argv)
{
	bool is_trial = false;
	const struct option options[] = {
		{ "dry-run", OPTION_FLAG, &is_trial, NULL, "show what would count; change nothing",
		  NULL },
	};
	struct buf text;
	int words;
	int code;

	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	if (words < 2)
		return console_fail(console, CONSOLE_USAGE,
				    "say what is to be set: site set gmail rate=20");
	buf_init(&text, OPTIONS_MAX);
	for (int i = 1; i < words; i++)
		buf_add_format(&text, "%s%s", i > 1 ? " " : "", argv[i]);
	if (text.failed)
		code = console_fail(console, CONSOLE_USAGE, "more than can be set");
	else if (is_trial)
		code = show(console, argv[0], buf_text(&text));
	else
		code = change(console, json_pack("{s:s, s:s, s:s}", "command", "site.set", "name",
						 argv[0], "options", buf_text(&text)));
	buf_done(&text);
	return code;
}

/* A domain stands for the site that takes its mail; what is no domain's is a site's own name. */
static int suspend_run(struct console *console, const char *command, const char *done, int argc,
		       char **argv)
{
	struct slice site;
	struct buf text;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	code = link_run(console, json_pack("{s:s, s:s}", "command", "site.show", "name", argv[0]),
			link_ignore_item, NULL, &reply);
	if (code != CONSOLE_OK)
		return code;
	site = answer_text(reply, "site");
	buf_init(&text, 4096);
	buf_add_slice(&text, site.len > 0 ? site : slice_of(argv[0]));
	json_decref(reply);
	code = link_run(console,
			json_pack("{s:s, s:s}", "command", command, "site", buf_text(&text)), NULL,
			NULL, &reply);
	if (code == CONSOLE_OK && !console->json) {
		buf_reset(&text);
		human_text(&text, answer_text(reply, "site"));
		printf("%s %s: so it is for every domain whose mail goes there\n",
		       buf_text(&text), done);
	}
	buf_done(&text);
	json_decref(reply);
	return code;
}

static int change_run(struct console *console, const char *command, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return change(console, json_pack("{s:s, s:s}", "command", command, "name", argv[0]));
}

int site_suspend_run(struct console *console, int argc, char **argv)
{
	return suspend_run(console, "queue.suspend", "is suspended", argc, argv);
}

int site_resume_run(struct console *console, int argc, char **argv)
{
	return suspend_run(console, "queue.resume", "goes on", argc, argv);
}

int site_unset_run(struct console *console, int argc, char **argv)
{
	return change_run(console, "site.unset", argc, argv);
}

int site_forgive_run(struct console *console, int argc, char **argv)
{
	return change_run(console, "site.forgive", argc, argv);
}

#include "console/command.h"

#include "base/text.h"
#include "base/version.h"
#include "console/human.h"
#include "console/link.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define STOP_WAIT_MS (60 * 1000)

/* ---- status ---- */

static const char *const site_titles[] = { "site",	"queued", "deferred", "sessions",
					   "rate",	"state",  "reason" };

struct field {
	const char *title;
	const char *object;
	const char *name;
};

static void print_numbers(const json_t *status, const char *title, const struct field *fields,
			  size_t count)
{
	struct buf text;

	buf_init(&text, 1024);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_text(&text, ", ");
		human_number(&text, answer_number(json_object_get(status, fields[i].object),
						  fields[i].name));
		buf_add_format(&text, " %s", fields[i].title);
	}
	printf("%-9s %s\n", title, buf_text(&text));
	buf_done(&text);
}

static void print_rates(const json_t *status)
{
	const json_t *rates = json_object_get(status, "rates");
	struct buf text;

	buf_init(&text, 256);
	human_rate(&text, answer_real(rates, "1m"));
	buf_add_text(&text, " (1 min), ");
	human_rate(&text, answer_real(rates, "5m"));
	buf_add_text(&text, " (5 min), ");
	human_rate(&text, answer_real(rates, "15m"));
	buf_add_text(&text, " (15 min)");
	printf("%-9s %s\n", "sent", buf_text(&text));
	buf_done(&text);
}

static void print_head(const json_t *status)
{
	struct buf text;

	buf_init(&text, 4096);
	buf_add_text(&text, "hikyaku ");
	human_text(&text, answer_text(status, "version"));
	buf_add_text(&text, " is ");
	human_text(&text, answer_text(status, "state"));
	buf_add_text(&text, ", up ");
	human_duration(&text, answer_number(status, "uptime_ms"));
	buf_add_format(&text, ", process %u", (unsigned)answer_number(status, "pid"));
	puts(buf_text(&text));
	buf_done(&text);
}

static void print_store(const json_t *status)
{
	const json_t *queue = json_object_get(status, "queue");
	struct buf text;

	buf_init(&text, 256);
	human_bytes(&text, answer_number(queue, "map_used"));
	buf_add_text(&text, " of at most ");
	human_bytes(&text, answer_number(queue, "map_max"));
	if (answer_flag(queue, "lacks_room"))
		buf_add_text(&text, ": NO ROOM, sending and imports wait");
	else if (answer_flag(queue, "nearly_full"))
		buf_add_text(&text, ": NEARLY FULL, imports wait");
	printf("%-9s %s\n", "store", buf_text(&text));
	buf_done(&text);
}

static void print_sites(const json_t *sites)
{
	struct table table;

	if (json_array_size(sites) == 0)
		return;
	putchar('\n');
	table_init(&table, stdout, site_titles, array_count(site_titles), 0x1e);
	for (size_t i = 0; i < json_array_size(sites); i++) {
		const json_t *site = json_array_get(sites, i);

		table_text(&table, answer_text(site, "site"));
		table_number(&table, answer_number(site, "queued"));
		table_number(&table, answer_number(site, "deferred"));
		table_number(&table, answer_number(site, "sessions"));
		table_rate(&table, answer_real(site, "rate"));
		table_text(&table, answer_text(site, "state"));
		table_text(&table, answer_text(site, "reason"));
	}
	table_done(&table);
}

static void print_status(const json_t *status)
{
	static const struct field totals[] = {
		{ "sent", "totals", "delivered" },
		{ "failed", "totals", "failed" },
		{ "deferrals", "totals", "deferred" },
		{ "in doubt", "totals", "in_doubt" },
	};
	static const struct field queue[] = {
		{ "waiting", "queue", "waiting" },
		{ "deferred", "queue", "deferred" },
		{ "in flight", "queue", "in_flight" },
		{ "held", "queue", "held" },
	};
	static const struct field sessions[] = {
		{ "open", "sessions", "open" },
		{ "busy", "sessions", "busy" },
		{ "idle", "sessions", "idle" },
	};
	static const struct field campaigns[] = {
		{ "running", "campaigns", "running" },
		{ "paused", "campaigns", "paused" },
		{ "ready", "campaigns", "ready" },
		{ "done", "campaigns", "done" },
	};

	print_head(status);
	print_rates(status);
	print_numbers(status, "totals", totals, array_count(totals));
	print_numbers(status, "queue", queue, array_count(queue));
	print_numbers(status, "sessions", sessions, array_count(sessions));
	print_numbers(status, "campaigns", campaigns, array_count(campaigns));
	print_store(status);
	print_sites(json_object_get(status, "sites"));
}

static void pause_ms(u64 ms)
{
	struct timespec wait = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&wait, NULL);
}

/* Asks again and again on one connection, until it ends, nobody reads or `rounds` are done. */
static int watch(const struct console *console, struct control_client *client, u64 interval_ms,
		 u64 rounds)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	json_t *reply;
	int code;

	for (;;) {
		code = link_ask(console, client, json_pack("{s:s}", "command", "status"), NULL,
				NULL, &reply);
		if (code != CONSOLE_OK)
			return code;
		if (!console->json && is_terminal)
			fputs("\033[H\033[2J", stdout); /* home, clear */
		if (!console->json)
			print_status(reply);
		json_decref(reply);
		if (fflush(stdout) != 0 || (rounds > 0 && --rounds == 0))
			return CONSOLE_OK;
		if (!console->json && !is_terminal)
			putchar('\n');
		pause_ms(interval_ms);
	}
}

int status_run(struct console *console, int argc, char **argv)
{
	struct control_client *client;
	bool is_watched = false;
	u64 interval_ms = 2000;
	u64 rounds = 0;
	const struct option options[] = {
		{ "watch", OPTION_FLAG, &is_watched, NULL, "again and again, until interrupted",
		  NULL },
		{ "interval", OPTION_DURATION, &interval_ms, "TIME", "between two looks (2s)",
		  NULL },
		{ "rounds", OPTION_NUMBER, &rounds, "N", "with --watch: end after so many", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (interval_ms < 100)
		return console_fail(console, CONSOLE_USAGE, "--interval must be 100ms or more");
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	code = watch(console, client, interval_ms, is_watched ? rounds : 1);
	control_client_close(client);
	return code;
}

/* ---- stop ---- */

int stop_run(struct console *console, int argc, char **argv)
{
	struct control_client *client;
	bool waits = false;
	const struct option options[] = {
		{ "wait", OPTION_FLAG, &waits, NULL, "until the daemon has ended", NULL },
	};
	json_t *reply;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	code = link_ask(console, client, json_pack("{s:s}", "command", "stop"), NULL, NULL, &reply);
	if (code == CONSOLE_OK && waits && !control_client_wait_closed(client, STOP_WAIT_MS))
		code = console_fail(console, CONSOLE_FAILED, "the daemon still runs after %d s",
				    STOP_WAIT_MS / 1000);
	else if (code == CONSOLE_OK && !console->json)
		puts(waits ? "stopped" : "stopping");
	json_decref(reply);
	control_client_close(client);
	return code;
}

/* ---- version ---- */

int version_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (console->json)
		puts("{\"version\":\"" HIKYAKU_VERSION "\"}");
	else
		puts("hikyaku " HIKYAKU_VERSION);
	return CONSOLE_OK;
}

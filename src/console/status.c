#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"
#include "console/certificate.h"
#include "console/human.h"
#include "console/identity.h"
#include "console/link.h"
#include "console/log_lines.h"
#include "console/lookup.h"
#include "console/status.h"
#include "console/terminal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define STOP_WAIT_MS (60 * 1000)
#define SENDER_PATIENCE_MS 3000
#define TROUBLES_MAX 5
#define PTR_PATIENCE_MS 2000 /* the screen waits no longer for it */

/* ---- status ---- */

#define SILENT_MS (5 * 60 * 1000) /* who takes mail in says every minute that he is there */

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

/* What came back of mail, if anybody takes it in. */
static void print_inbound(const json_t *status)
{
	static const struct field back[] = {
		{ "bounced", "inbound", "bounced" },
		{ "complained", "inbound", "complained" },
		{ "unsubscribed", "inbound", "unsubscribed" },
		{ "forged", "inbound", "forged" },
	};
	const json_t *inbound = json_object_get(status, "inbound");
	struct buf text;

	if (!inbound)
		return;
	print_numbers(status, "came back", back, array_count(back));
	if (answer_number(inbound, "files") == 0 && answer_number(inbound, "told_ms") < SILENT_MS)
		return;
	buf_init(&text, 256);
	human_number(&text, answer_number(inbound, "files"));
	buf_add_text(&text, " messages to be read, the oldest came ");
	human_duration(&text, answer_number(inbound, "oldest_ms"));
	buf_add_text(&text, " ago");
	if (answer_number(inbound, "told_ms") >= SILENT_MS)
		buf_add_text(&text, "; NOTHING IS READ NOW");
	printf("%-9s %s\n", "", buf_text(&text));
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

void status_print_work(const json_t *status)
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

	print_rates(status);
	print_numbers(status, "totals", totals, array_count(totals));
	print_numbers(status, "queue", queue, array_count(queue));
	print_numbers(status, "sessions", sessions, array_count(sessions));
	print_numbers(status, "campaigns", campaigns, array_count(campaigns));
	print_inbound(status);
	print_store(status);
}

static void print_web(const json_t *web)
{
	struct buf text;

	if (!web)
		return;
	buf_init(&text, 4096);
	certificate_add_line(&text, web, clock_wall_ms());
	printf("%-9s %s\n", "web", buf_text(&text));
	buf_done(&text);
}

static void print_status(const json_t *status, const json_t *web)
{
	print_head(status);
	status_print_work(status);
	print_web(web);
	print_sites(json_object_get(status, "sites"));
}

/* ---- the appliance ---- */

static json_t *ask_sender(const struct console *console)
{
	enum control_problem problem;
	struct control_client *client;
	struct error ignored;
	json_t *reply = NULL;
	char path[256];

	if (!link_socket_path(console, path, sizeof(path), &ignored))
		return NULL;
	client = control_client_open(path, &problem, &ignored);
	if (!client)
		return NULL;
	control_client_set_patience(client, SENDER_PATIENCE_MS);
	if (control_client_request(client, json_pack("{s:s}", "command", "status"), &ignored) !=
		    CONTROL_SENT ||
	    control_client_next(client, &reply, &ignored) != CONTROL_REPLY)
		reply = NULL;
	control_client_close(client);
	return reply;
}

static void keep_trouble(void *arg, const json_t *item)
{
	json_t *list = arg;

	if (log_line_is_trouble(answer_text(item, "line")) &&
	    json_array_append(list, (json_t *)item) == 0 && json_array_size(list) > TROUBLES_MAX)
		json_array_remove(list, 0);
}

static int show_appliance(const struct console *console, const char *ptr)
{
	struct console quiet = *console;
	json_t *troubles = json_array();
	json_t *system;
	json_t *sender;
	json_t *web;
	json_t *all;
	json_t *reply;
	int code;

	quiet.json = false;
	code = link_ask_init(&quiet, "system.status", &system);
	if (code != CONSOLE_OK) {
		json_decref(troubles);
		return code;
	}
	(void)link_run_init(&quiet, json_pack("{s:s, s:i}", "command", "log.read", "lines", 500),
			    LINK_PATIENCE_MS, keep_trouble, troubles, &reply);
	json_decref(reply);
	sender = ask_sender(console);
	web = certificate_read_here(console);
	if (console->json) {
		all = json_pack("{s:O, s:O?, s:O, s:s?, s:O?}", "system", system, "sender", sender,
				"troubles", troubles, "ptr", ptr, "web", web);
		link_print_json(all);
		json_decref(all);
	} else {
		status_print_appliance(system, sender, troubles, ptr, web);
	}
	json_decref(web);
	json_decref(system);
	json_decref(sender);
	json_decref(troubles);
	return CONSOLE_OK;
}

/* What DNS says of our first address, as a receiver would see it; "" when nothing is known. */
static void describe_ptr(const struct console *console, char *text, size_t size)
{
	struct identity identity;
	struct lookup_dns dns;
	struct error ignored;
	char name[QUESTION_NAME_SIZE];
	const char *address = NULL;
	struct question_within within;
	enum question_status status;
	bool is_confirmed;

	text[0] = '\0';
	if (!identity_read_addresses(console, &identity, &ignored))
		return;
	if (identity.records.address_count > 0)
		address = identity.records.addresses[0];
	if (!address || !lookup_open(console, &dns, &ignored))
		return;
	within = (struct question_within){ dns.asker, PTR_PATIENCE_MS };
	status = question_find_ptr(question_ask_within, &within, address, name);
	is_confirmed = status == QUESTION_OK &&
		       question_has_address(question_ask_within, &within, name, address);
	lookup_close(&dns);
	if (status != QUESTION_OK)
		snprintf(text, size, "%s: NONE (%s)", address, question_status_text(status));
	else
		snprintf(text, size, "%s is %s%s", address, name,
			 is_confirmed ? ", confirmed" : ", NOT CONFIRMED by its address records");
}

/* ---- again and again ---- */

static void pause_ms(u64 ms)
{
	struct timespec wait = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&wait, NULL);
}

static int show_sender(const struct console *console, struct control_client *client)
{
	json_t *reply;
	json_t *web;
	int code = link_ask(console, client, json_pack("{s:s}", "command", "status"), NULL, NULL,
			    &reply);

	if (code == CONSOLE_OK && !console->json) {
		web = certificate_read_here(console);
		print_status(reply, web);
		json_decref(web);
	}
	json_decref(reply);
	return code;
}

struct watch {
	u64 interval_ms;
	u64 rounds; /* 0: for ever */
	bool is_appliance;
	char ptr[400];
};

/* Asks again and again on one connection, until it ends, nobody reads or `rounds` are done. */
static int watch_run(const struct console *console, struct watch *watch)
{
	struct control_client *client = NULL;
	int code = watch->is_appliance ? CONSOLE_OK : link_open(console, &client);

	while (code == CONSOLE_OK) {
		if (!console->json && terminal_can_draw() && watch->rounds != 1)
			fputs("\033[H\033[2J", stdout); /* home, clear */
		code = watch->is_appliance ? show_appliance(console, watch->ptr)
					   : show_sender(console, client);
		if (code != CONSOLE_OK || fflush(stdout) != 0 ||
		    (watch->rounds > 0 && --watch->rounds == 0))
			break;
		if (!console->json && !terminal_can_draw())
			putchar('\n');
		pause_ms(watch->interval_ms);
	}
	control_client_close(client);
	return code;
}

int status_run(struct console *console, int argc, char **argv)
{
	struct watch watch = { .interval_ms = 2000 };
	bool is_watched = false;
	const struct option options[] = {
		{ "watch", OPTION_FLAG, &is_watched, NULL, "again and again, until interrupted",
		  NULL },
		{ "interval", OPTION_DURATION, &watch.interval_ms, "TIME",
		  "between two looks (2s)", NULL },
		{ "rounds", OPTION_NUMBER, &watch.rounds, "N", "with --watch: end after so many",
		  NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (watch.interval_ms < 100)
		return console_fail(console, CONSOLE_USAGE, "--interval must be 100ms or more");
	if (!is_watched)
		watch.rounds = 1;
	/* Who names a sender's socket means that sender. */
	watch.is_appliance = !console->socket_path && link_has_init();
	if (watch.is_appliance)
		describe_ptr(console, watch.ptr, sizeof(watch.ptr));
	return watch_run(console, &watch);
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

#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/certificate.h"
#include "console/human.h"
#include "console/link.h"
#include "console/log_lines.h"
#include "console/network.h"
#include "console/status.h"
#include "console/terminal.h"

#include <stdio.h>

#define COLUMNS 80
#define LABEL "%-9s "

/* ---- the screen ---- */

/* A label and a text, cut where the screen ends. */
static void print_line(const char *label, struct buf *text)
{
	struct slice rest = buf_slice(text);

	bool is_cut = human_width(rest) > COLUMNS - 10 - 1;

	while (is_cut && human_width(rest) > COLUMNS - 10 - 4)
		rest.len--;
	printf(LABEL "%.*s%s\n", label, SLICE_FMT(rest), is_cut ? "..." : "");
	buf_reset(text);
}

static void print_head(const json_t *system, struct buf *text)
{
	struct buf right;
	size_t width;

	buf_init(&right, 1024);
	buf_add_text(&right, "hikyaku ");
	human_text(&right, answer_text(system, "version"));
	if (answer_text(system, "slot").len > 0) {
		buf_add_text(&right, ", slot ");
		human_text(&right, answer_text(system, "slot"));
	}
	if (answer_flag(system, "trial"))
		buf_add_text(&right, " ON TRIAL");
	buf_add_text(&right, ", up ");
	human_duration(&right, answer_number(system, "uptime_ms"));
	human_text(text, slice_first(answer_text(system, "hostname"), 64));
	width = human_width(buf_slice(text)) + human_width(buf_slice(&right));
	printf("%s%*s%s\n", buf_text(text), width + 1 < COLUMNS ? (int)(COLUMNS - 1 - width) : 1,
	       "", buf_text(&right));
	buf_reset(text);
	buf_done(&right);
}

static void print_network(const json_t *system, struct buf *text)
{
	const json_t *interfaces = network_interfaces(system);

	for (size_t i = 0; i < json_array_size(interfaces); i++) {
		const json_t *interface = json_array_get(interfaces, i);
		const json_t *addresses = json_object_get(interface, "addresses");

		if (slice_equal(answer_text(interface, "name"), SLICE("lo")))
			continue;
		if (text->len > 0)
			buf_add_text(text, "; ");
		human_text(text, answer_text(interface, "name"));
		if (!answer_flag(interface, "carrier"))
			buf_add_text(text, " (no carrier)");
		for (size_t k = 0; k < json_array_size(addresses); k++) {
			const char *address = json_string_value(json_array_get(addresses, k));

			/* Every interface has a link-local one; it says nothing. */
			if (!address || strncmp(address, "fe80:", 5) == 0)
				continue;
			buf_add_char(text, ' ');
			human_text(text, slice_of(address));
		}
	}
	if (text->len == 0)
		buf_add_text(text, "no interface");
	print_line("network", text);
}

static void add_clock(const json_t *clock, struct buf *text)
{
	double offset_us = answer_real(clock, "offset_us");

	human_time(text, clock_wall_ms());
	buf_add_char(text, ' ');
	human_zone(text, clock_wall_ms());
	buf_add_text(text, ", ");
	if (!answer_flag(clock, "synced")) {
		buf_add_text(text, "NOT IN STEP with any time server");
		return;
	}
	buf_add_format(text, "in step, off by %.1f ms",
		       (offset_us < 0 ? -offset_us : offset_us) / 1000);
	if (answer_text(clock, "source").len > 0) {
		buf_add_text(text, " (");
		human_text(text, answer_text(clock, "source"));
		buf_add_char(text, ')');
	}
}

static void print_machine(const json_t *system, struct buf *text)
{
	const json_t *data = json_object_get(system, "data");
	const json_t *memory = json_object_get(system, "memory");
	const json_t *load = json_object_get(system, "load");
	u64 total = answer_number(memory, "total");

	add_clock(json_object_get(system, "clock"), text);
	print_line("clock", text);
	if (answer_number(data, "size") > 0) {
		human_bytes(text, answer_number(data, "used"));
		buf_add_text(text, " of ");
		human_bytes(text, answer_number(data, "size"));
		buf_add_text(text, " used, ");
	}
	human_text(text, answer_text(data, "state"));
	if (answer_text(data, "note").len > 0) {
		buf_add_text(text, ": ");
		human_text(text, answer_text(data, "note"));
	}
	print_line("data", text);
	human_bytes(text, total - min_u64(total, answer_number(memory, "available")));
	buf_add_text(text, " of ");
	human_bytes(text, total);
	buf_add_format(text, " used; load %.2f %.2f %.2f",
		       json_number_value(json_array_get(load, 0)),
		       json_number_value(json_array_get(load, 1)),
		       json_number_value(json_array_get(load, 2)));
	print_line("memory", text);
}

/* Those that run in one word each; what does not run, or came back often, with the facts. */
static void print_services(const json_t *system, struct buf *text)
{
	const json_t *services = json_object_get(system, "services");

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);
		struct slice state = answer_text(service, "state");
		struct slice name = answer_text(service, "name");

		bool is_running = slice_equal(state, SLICE("running"));

		/* There is one for each terminal and interface; when they run, nobody asks. */
		if (is_running && (slice_has_prefix(name, SLICE("console-")) ||
				   slice_has_prefix(name, SLICE("dhcp-"))))
			continue;
		if (text->len > 0)
			buf_add_text(text, ", ");
		human_text(text, name);
		if (!is_running) {
			buf_add_char(text, ' ');
			for (size_t k = 0; k < state.len; k++) {
				bool is_small = state.ptr[k] >= 'a' && state.ptr[k] <= 'z';

				buf_add_char(text, is_small ? (char)(state.ptr[k] - 32)
							    : state.ptr[k]);
			}
		}
		if (answer_number(service, "restarts") > 0)
			buf_add_format(text, " (restarted %u)",
				       (unsigned)answer_number(service, "restarts"));
	}
	print_line("services", text);
}

/* Nobody has set the machine up, or not yet. */
static bool sender_waits(const json_t *system)
{
	const json_t *services = json_object_get(system, "services");

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);

		if (slice_equal(answer_text(service, "name"), SLICE("send")))
			return slice_equal(answer_text(service, "state"), SLICE("waiting"));
	}
	return false;
}

static void print_troubles(const json_t *troubles, struct buf *text)
{
	size_t count = json_array_size(troubles);

	if (count == 0)
		puts("\nno errors or warnings in the last lines of the log");
	else
		puts("\nlast errors and warnings (`logs` shows all)");
	for (size_t i = 0; i < count; i++) {
		struct slice line;

		log_line_format(text, json_array_get(troubles, i));
		/* The day is less than what happened. */
		line = slice_from(buf_slice(text), 5);
		while (human_width(line) > COLUMNS - 3)
			line.len--;
		printf("  %.*s\n", SLICE_FMT(line));
		buf_reset(text);
	}
}

void status_print_appliance(const json_t *system, const json_t *sender, const json_t *troubles,
			    const char *ptr, const json_t *web)
{
	struct buf text;

	buf_init(&text, 64u << 10);
	print_head(system, &text);
	print_network(system, &text);
	if (ptr && *ptr) {
		buf_add_text(&text, ptr);
		print_line("PTR", &text);
	}
	print_machine(system, &text);
	print_services(system, &text);
	if (web) {
		certificate_add_line(&text, web, clock_wall_ms());
		print_line("web", &text);
	}
	putchar('\n');
	if (sender)
		status_print_work(sender);
	else
		puts(sender_waits(system) ? "The sender waits for its configuration: `setup`." :
					    "The sender does not answer.");
	print_troubles(troubles, &text);
	buf_done(&text);
}

/* ---- time ---- */

int time_run(struct console *console, int argc, char **argv)
{
	struct console quiet = *console;
	json_t *clock;
	json_t *reply;
	struct buf text;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	quiet.json = false;
	code = link_ask_init(&quiet, "system.status", &reply);
	if (code != CONSOLE_OK)
		return code;
	clock = json_object_get(reply, "clock");
	if (console->json) {
		json_object_set_new(clock, "time_ms", json_integer((json_int_t)clock_wall_ms()));
		link_print_json(clock);
	} else {
		buf_init(&text, 1024);
		add_clock(clock, &text);
		puts(buf_text(&text));
		buf_done(&text);
	}
	json_decref(reply);
	return code;
}

/* ---- at the machine itself ---- */

bool system_has_data(struct console *console)
{
	const json_t *data;
	struct slice state;
	struct buf text;
	json_t *reply;
	bool has_data;

	if (link_ask_init(console, "system.status", &reply) != CONSOLE_OK)
		return false;
	data = json_object_get(reply, "data");
	state = answer_text(data, "state");
	has_data = !slice_equal(state, SLICE("none")) && !slice_equal(state, SLICE("read-only"));
	if (!has_data) {
		buf_init(&text, 4096);
		human_text(&text, answer_text(data, "note"));
		printf("NO DATA VOLUME THAT CAN BE WRITTEN: %s.\n", buf_text(&text));
		puts("Nothing is sent and nobody gets in by ssh until there is one: `logs init`.");
		buf_done(&text);
	}
	json_decref(reply);
	return has_data;
}

/* ---- the end ---- */

static int end(struct console *console, const char *command, const char *question,
	       const char *done, int argc, char **argv)
{
	bool is_sure = false;
	const struct option options[] = {
		{ "yes", OPTION_FLAG, &is_sure, NULL, "without asking", NULL },
	};
	json_t *reply;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	/* Not the appliance: say so, instead of asking in vain. */
	if (link_has_init() && !is_sure && !terminal_confirm(question))
		return console_fail(console, CONSOLE_FAILED, "nothing was done");
	code = link_run_init(console, json_pack("{s:s}", "command", command), LINK_PATIENCE_MS,
			     NULL, NULL, &reply);
	if (code == CONSOLE_OK && !console->json)
		puts(done);
	json_decref(reply);
	return code;
}

int reboot_run(struct console *console, int argc, char **argv)
{
	return end(console, "system.reboot",
		   "Sending goes on after the start. Restart the machine?",
		   "The machine restarts; sessions end behind the message they are sending.", argc,
		   argv);
}

int poweroff_run(struct console *console, int argc, char **argv)
{
	return end(console, "system.poweroff",
		   "It can only be switched on by hand. Switch it off?",
		   "The machine switches off; sessions end behind the message they are sending.",
		   argc, argv);
}

/*
 * `suppression import` and `export`: the list as a CSV file, with whose mail each address gets none
 * of. What export writes import reads, on this machine or on another.
 */
#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/recipients.h"
#include "store/row_values.h"

#include <string.h>

#define BATCH 500      /* addresses of one request */
#define BATCHES 8      /* scopes that are gathered at once */
#define COLUMNS_MAX 256
#define FIELD_SIZE 256

static const char *const reasons[] = { "manual", "import", "complaint", "unsubscribe", NULL };
/* Columns that count beside `email`, in the order of struct group's fields. */
static const char *const columns[] = { "customer", "list", "reason" };

/* Addresses that go with the same words. */
struct group {
	char fields[array_count(columns)][FIELD_SIZE];
	json_t *addresses;
};

struct import {
	struct console *console;
	struct control_client *client;
	struct recipients *file;
	/* Of the command line: where the file says nothing. */
	const char *customer;
	const char *list;
	const char *text;
	u32 reason;
	struct group groups[BATCHES];
	u32 next; /* the group that gives way to a new one */
	u64 count;
	u64 refused;
	int code;
};

/* ---- import ---- */

static void send_group(struct import *import, struct group *group)
{
	json_t *addresses = group->addresses;
	json_t *reply = NULL;

	group->addresses = NULL;
	if (json_array_size(addresses) == 0 || import->code != CONSOLE_OK) {
		json_decref(addresses);
		return;
	}
	import->code = link_ask(
		import->console, import->client,
		json_pack("{s:s, s:o, s:s*, s:s*, s:s, s:s*}", "command", "suppression.add",
			  "addresses", addresses, "customer",
			  group->fields[0][0] ? group->fields[0] : NULL, "list",
			  group->fields[1][0] ? group->fields[1] : NULL, "reason",
			  group->fields[2], "text", import->text),
		link_ignore_item, NULL, &reply);
	if (import->code == CONSOLE_OK)
		import->count += answer_number(reply, "count");
	json_decref(reply);
}

/* The words of a reason of our own that no order can give stand for the nearest that it can. */
static const char *reason_of(struct slice text, const char *fallback)
{
	for (size_t i = 0; reasons[i]; i++) {
		if (slice_equal_nocase(text, slice_of(reasons[i])))
			return reasons[i];
	}
	return text.len > 0 ? "import" : fallback;
}

/* What the row says of itself, else what the command line does. */
static void read_fields(const struct import *import, struct slice packed, struct group *group)
{
	const char *const given[] = { import->customer, import->list, reasons[import->reason] };
	struct slice values[COLUMNS_MAX];
	const char *const *names;
	size_t count = recipients_columns(import->file, &names);

	for (size_t f = 0; f < array_count(columns); f++)
		slice_copy(group->fields[f], FIELD_SIZE, slice_of(given[f] ? given[f] : ""));
	if (count > COLUMNS_MAX || !row_values_unpack(packed, values, count))
		return;
	for (size_t i = 0; i < count; i++) {
		for (size_t f = 0; f < array_count(columns); f++) {
			if (strcmp(names[i], columns[f]) != 0 || values[i].len == 0)
				continue;
			slice_copy(group->fields[f], FIELD_SIZE,
				   f == 2 ? slice_of(reason_of(values[i], given[2])) : values[i]);
		}
	}
}

static struct group *group_of(struct import *import, const struct group *wanted)
{
	struct group *group = NULL;

	for (u32 i = 0; i < BATCHES && !group; i++) {
		if (import->groups[i].addresses &&
		    memcmp(import->groups[i].fields, wanted->fields, sizeof(wanted->fields)) == 0)
			group = &import->groups[i];
	}
	if (group)
		return group;
	group = &import->groups[import->next++ % BATCHES];
	send_group(import, group);
	*group = *wanted;
	group->addresses = json_array();
	return group;
}

static void on_row(void *arg, struct slice address, struct slice packed)
{
	struct import *import = arg;
	struct group wanted;
	struct group *group;

	memset(&wanted, 0, sizeof(wanted));
	read_fields(import, packed, &wanted);
	group = group_of(import, &wanted);
	json_array_append_new(group->addresses, json_stringn(address.ptr, address.len));
	if (json_array_size(group->addresses) == BATCH)
		send_group(import, group);
}

static void on_refused(void *arg, u64 line, const char *reason)
{
	struct import *import = arg;

	import->refused++;
	fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, reason);
}

static void read_file(struct import *import, const char *path)
{
	const struct recipients_params params = {
		.path = path, .on_row = on_row, .on_refused = on_refused, .arg = import
	};
	struct error error;
	int more;

	import->file = recipients_open(&params, &error);
	more = import->file && recipients_read_header(import->file, &error) ? 1 : -1;
	while (more > 0 && import->code == CONSOLE_OK)
		more = recipients_read(import->file, &error);
	if (more < 0)
		import->code = console_fail_error(import->console, CONSOLE_FAILED, &error);
	for (u32 i = 0; i < BATCHES; i++)
		send_group(import, &import->groups[i]);
	recipients_close(import->file);
}

static void print_count(const struct import *import)
{
	struct buf text;

	if (import->console->json) {
		printf("{\"count\":%llu,\"refused\":%llu}\n", (unsigned long long)import->count,
		       (unsigned long long)import->refused);
		return;
	}
	buf_init(&text, 64);
	human_number(&text, import->count);
	printf("%s address%s get no mail any more\n", buf_text(&text),
	       import->count == 1 ? "" : "es");
	buf_done(&text);
}

int suppression_import_run(struct console *console, int argc, char **argv)
{
	static struct import import;
	const struct option options[] = {
		{ "customer", OPTION_TEXT, &import.customer, "DOMAIN",
		  "of this one's mail, where the file does not say", NULL },
		{ "list", OPTION_TEXT, &import.list, "NAME",
		  "of this list of the customer alone, likewise", NULL },
		{ "reason", OPTION_WORD, &import.reason, "REASON",
		  "manual, import, complaint or unsubscribe, likewise", reasons },
		{ "text", OPTION_TEXT, &import.text, "TEXT", "for the history", NULL },
	};
	int code;

	import = (struct import){ .console = console, .reason = 1 };
	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	import.code = link_open(console, &import.client);
	if (import.code != CONSOLE_OK)
		return import.code;
	read_file(&import, argv[0]);
	control_client_close(import.client);
	print_count(&import);
	return import.code;
}

/* ---- export ---- */

/* RFC 4180; the last one is free text: what a spreadsheet would take for a formula is made text. */
static void print_field(struct slice text, bool is_last)
{
	const bool is_formula = is_last && text.len > 0 && memchr("=+-@\t\r", text.ptr[0], 6);
	bool quotes = is_formula;

	for (size_t i = 0; i < text.len && !quotes; i++)
		quotes = memchr(",\"\r\n", text.ptr[i], 4) != NULL;
	if (quotes)
		putchar('"');
	if (is_formula)
		putchar('\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			putchar('"');
		putchar(text.ptr[i]);
	}
	if (quotes)
		putchar('"');
	fputs(is_last ? "\r\n" : ",", stdout);
}

static void print_row(void *arg, const json_t *item)
{
	const json_t *history = json_object_get(item, "history");
	const json_t *last = json_array_get(history, json_array_size(history) - 1);
	char date[CLOCK_RFC3339_SIZE];

	(void)arg;
	clock_format_rfc3339(date, answer_number(last, "time_ms"));
	print_field(answer_text(item, "address"), false);
	print_field(answer_text(item, "customer"), false);
	print_field(answer_text(item, "list"), false);
	print_field(answer_text(last, "reason"), false);
	print_field(slice_of(date), false);
	print_field(answer_text(last, "text"), true);
}

int suppression_export_run(struct console *console, int argc, char **argv)
{
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (console->json)
		return console_fail(console, CONSOLE_USAGE,
				    "an export is CSV: `suppression list --json` is the other");
	fputs("email,customer,list,reason,since,text\r\n", stdout);
	code = link_run(console, json_pack("{s:s}", "command", "suppression.list"), print_row, NULL,
			&reply);
	json_decref(reply);
	if (fflush(stdout) != 0 && code == CONSOLE_OK)
		code = console_fail(console, CONSOLE_FAILED, "it could not be written");
	return code;
}

/* `contacts`: what becomes of an import, and those that there are. */
#include "console/contacts.h"

#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 300

const char *contacts_path(char room[CONTACTS_PATH_SIZE], u64 import, const char *what)
{
	snprintf(room, CONTACTS_PATH_SIZE, "imports/%llu%s%s", (unsigned long long)import,
		 *what ? "/" : "", what);
	return room;
}

/* ---- one import ---- */

static bool is_state(const json_t *import, const char *state)
{
	return slice_equal(answer_text(import, "state"), slice_of(state));
}

static bool is_under_way(const json_t *import)
{
	return is_state(import, "running") || is_state(import, "trying") ||
	       is_state(import, "undoing");
}

static u64 count_of(const json_t *import, const char *name)
{
	return answer_number(json_object_get(import, "counts"), name);
}

static void print_counts(const json_t *import)
{
	static const struct {
		const char *name;
		const char *words;
	} rows[] = {
		{ "rows", "rows" },
		{ "added", "added" },
		{ "updated", "changed" },
		{ "same", "nothing new" },
		{ "known", "left as they were" },
		{ "bad", "refused" },
		{ "duplicates", "twice in the file" },
		{ "erased", "asked to be erased" },
		{ "stopped", "get no mail" },
		{ "suppressed", "on the sender's list" },
		{ "odd", "odd addresses, taken" },
		{ "values_bad", "values left out" },
		{ "undone", "undone" },
		{ "kept", "changed since, kept" },
	};
	struct buf number;

	buf_init(&number, 64);
	for (size_t i = 0; i < array_count(rows); i++) {
		u64 count = count_of(import, rows[i].name);

		if (count == 0 && i > 0)
			continue;
		buf_reset(&number);
		human_number(&number, count);
		printf("%14s  %s\n", buf_text(&number), rows[i].words);
	}
	buf_done(&number);
}

static void print_import(const struct console *console, const json_t *import)
{
	unsigned long long id = answer_number(import, "id");
	struct slice problem = answer_text(import, "problem");

	if (console->json) {
		link_print_json(import);
		return;
	}
	printf("import %llu: %.*s\n", id, SLICE_FMT(answer_text(import, "state")));
	print_counts(import);
	if (problem.len > 0) {
		struct buf text;

		buf_init(&text, 4096);
		human_text(&text, problem);
		printf("%s\n", buf_text(&text));
		buf_done(&text);
	}
	if (count_of(import, "reports") > 0)
		printf("`hikyaku contacts report %llu` tells of each row.\n", id);
	if (is_state(import, "tried"))
		printf("Nothing is changed yet: `hikyaku contacts run %llu` carries it out.\n", id);
}

/* ---- waiting ---- */

static void show_progress(const struct console *console, const json_t *import)
{
	struct buf number;

	if (console->json || !isatty(STDERR_FILENO))
		return;
	buf_init(&number, 64);
	human_number(&number, is_state(import, "undoing") ? count_of(import, "undone") :
							    count_of(import, "rows"));
	fprintf(stderr, "\r%14s %s \x1b[K", buf_text(&number),
		is_state(import, "undoing") ? "undone" : "rows");
	buf_done(&number);
}

static void end_progress(const struct console *console)
{
	if (!console->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\x1b[K");
}

/* *import, owned, is as it was last. */
static int wait_for_end(struct web_link *link, u64 id, json_t **import)
{
	char path[CONTACTS_PATH_SIZE];
	int code = CONSOLE_OK;

	while (code == CONSOLE_OK && is_under_way(*import) && !web_link_is_interrupted()) {
		show_progress(link->console, *import);
		poll(NULL, 0, LOOK_MS);
		if (web_link_is_interrupted())
			break;
		json_decref(*import);
		code = web_link_call(link, "GET", contacts_path(path, id, ""), NULL, import);
	}
	end_progress(link->console);
	return code;
}

static int say_interrupted(const struct web_link *link, u64 id)
{
	unsigned long long number = id;

	return console_fail(link->console, CONSOLE_FAILED,
			    "import %llu goes on without you: `hikyaku contacts status %llu` "
			    "looks at it, `contacts cancel %llu` stops it", number, number, number);
}

int contacts_act(struct web_link *link, u64 id, const char *what)
{
	static const struct web_upload nothing = { .fd = -1, .type = "application/json" };
	char path[CONTACTS_PATH_SIZE];
	json_t *import = NULL;
	int code = web_link_call(link, "POST", contacts_path(path, id, what), &nothing, &import);

	if (code == CONSOLE_OK)
		code = wait_for_end(link, id, &import);
	if (web_link_is_interrupted()) {
		code = say_interrupted(link, id);
	} else if (code == CONSOLE_OK) {
		print_import(link->console, import);
		if (is_state(import, "failed") || is_state(import, "cancelled"))
			code = CONSOLE_FAILED;
	}
	json_decref(import);
	return code;
}

/* ---- commands that name one ---- */

/* The import that the command names, and the way to the service. False: *code is its answer. */
static bool begin(struct console *console, int argc, char **argv, struct web_link *link, u64 *id,
		  int *code)
{
	u32 number = 0;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, code))
		return false;
	if (!slice_to_u32(slice_of(argv[0]), &number) || number == 0) {
		*code = console_fail(console, CONSOLE_USAGE, "%.40s is no number of an import",
				     argv[0]);
		return false;
	}
	*id = number;
	*code = web_link_open(console, link);
	return *code == CONSOLE_OK;
}

static int act(struct console *console, int argc, char **argv, const char *what)
{
	struct web_link link;
	u64 id;
	int code;

	if (!begin(console, argc, argv, &link, &id, &code))
		return code;
	code = contacts_act(&link, id, what);
	web_link_close(&link);
	return code;
}

int contacts_run_run(struct console *console, int argc, char **argv)
{
	return act(console, argc, argv, "run");
}

int contacts_undo_run(struct console *console, int argc, char **argv)
{
	return act(console, argc, argv, "undo");
}

/* One call, whose answer is an import as it is. */
static int ask_one(struct console *console, int argc, char **argv, const char *method,
		   const char *what)
{
	static const struct web_upload nothing = { .fd = -1, .type = "application/json" };
	bool posts = strcmp(method, "POST") == 0;
	char path[CONTACTS_PATH_SIZE];
	struct web_link link;
	json_t *import;
	u64 id;
	int code;

	if (!begin(console, argc, argv, &link, &id, &code))
		return code;
	code = web_link_call(&link, method, contacts_path(path, id, what),
			     posts ? &nothing : NULL, &import);
	if (code == CONSOLE_OK)
		print_import(console, import);
	json_decref(import);
	web_link_close(&link);
	return code;
}

int contacts_cancel_run(struct console *console, int argc, char **argv)
{
	return ask_one(console, argc, argv, "POST", "cancel");
}

int contacts_status_run(struct console *console, int argc, char **argv)
{
	return ask_one(console, argc, argv, "GET", "");
}

int contacts_report_run(struct console *console, int argc, char **argv)
{
	char path[CONTACTS_PATH_SIZE];
	struct web_link link;
	u64 id;
	int code;

	if (!begin(console, argc, argv, &link, &id, &code))
		return code;
	fflush(stdout);
	code = web_link_download(&link, contacts_path(path, id, "report"), STDOUT_FILENO);
	web_link_close(&link);
	return code;
}

/* ---- all of them ---- */

static void list_one(struct table *table, const json_t *import)
{
	table_plain(table, answer_number(import, "id"));
	table_text(table, answer_text(import, "state"));
	table_text(table, slice_first(answer_text(import, "created"), 16));
	table_number(table, count_of(import, "rows"));
	table_number(table, count_of(import, "added"));
	table_number(table, count_of(import, "updated"));
	table_number(table, count_of(import, "bad") + count_of(import, "duplicates") +
				    count_of(import, "erased"));
	table_text(table, answer_text(import, "by"));
	table_text(table, answer_text(import, "name"));
}

int contacts_list_imports_run(struct console *console, int argc, char **argv)
{
	static const char *const titles[] = { "import", "state",   "brought", "rows", "added",
					      "changed", "refused", "by",      "file" };
	const json_t *imports;
	struct web_link link;
	struct table table;
	json_t *json;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	code = web_link_open(console, &link);
	if (code != CONSOLE_OK)
		return code;
	code = web_link_call(&link, "GET", "imports", NULL, &json);
	web_link_close(&link);
	imports = json_object_get(json, "imports");
	table_init(&table, stdout, titles, array_count(titles), 1 | 8 | 16 | 32 | 64);
	for (size_t i = 0; i < json_array_size(imports); i++) {
		if (console->json)
			link_print_json(json_array_get(imports, i));
		else
			list_one(&table, json_array_get(imports, i));
	}
	table_done(&table);
	json_decref(json);
	return code;
}

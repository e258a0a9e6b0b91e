/*
 * `hook list`, `test`, `resume` and `remove`: webhooks, as the sender knows them; `hook secret`:
 * what their posts are signed with. What posts is the role `hikyaku hook`.
 */
#include "base/clock.h"
#include "base/config.h"
#include "base/file.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"
#include "console/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEST_PATIENCE_MS 40000 /* longer than a post may take */
#define TEST_POLL_MS 100
#define SECRET_FILE_MAX 4096 /* bytes */

/* ---- list ---- */

static const char *const titles[] = { "hook", "state",	"waiting", "posted",
				      "failed tries", "lost", "since",	 "note" };

static struct slice state_of(const json_t *item)
{
	if (answer_number(item, "suspended_ms") > 0)
		return SLICE("suspended");
	if (answer_number(item, "failing_ms") > 0)
		return SLICE("failing");
	return answer_number(item, "waiting") > 0 ? SLICE("behind") : SLICE("up to date");
}

static void print_hook(void *arg, const json_t *item)
{
	struct table *table = arg;
	u64 since_ms = answer_number(item, "suspended_ms");

	table_text(table, answer_text(item, "name"));
	table_text(table, state_of(item));
	table_number(table, answer_number(item, "waiting"));
	table_number(table, answer_number(item, "posted"));
	table_number(table, answer_number(item, "failed"));
	table_number(table, answer_number(item, "lost"));
	table_time(table, since_ms ? since_ms : answer_number(item, "failing_ms"));
	table_text(table, answer_text(item, "note"));
}

int hook_list_run(struct console *console, int argc, char **argv)
{
	struct table table;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	table_init(&table, stdout, titles, array_count(titles), 0x3c);
	code = link_run(console, json_pack("{s:s}", "command", "reader.list"), print_hook, &table,
			&reply);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&table);
	table_done(&table);
	json_decref(reply);
	return code;
}

/* ---- test ---- */

struct tested {
	const char *name;
	u64 wanted;
	u64 done;
	char note[256];
};

static void look(void *arg, const json_t *item)
{
	struct tested *tested = arg;

	if (!slice_equal(answer_text(item, "name"), slice_of(tested->name)))
		return;
	tested->done = answer_number(item, "tests_done");
	slice_copy(tested->note, sizeof(tested->note), answer_text(item, "test_note"));
}

static int wait_for_test(const struct console *console, struct control_client *client,
			 struct tested *tested)
{
	const u64 until_ns = clock_mono_ns() + TEST_PATIENCE_MS * NS_PER_MS;
	struct console quiet = *console;

	quiet.json = false;
	while (clock_mono_ns() < until_ns) {
		json_t *reply;
		int code = link_ask(&quiet, client, json_pack("{s:s}", "command", "reader.list"),
				    look, tested, &reply);

		json_decref(reply);
		if (code != CONSOLE_OK || tested->done >= tested->wanted)
			return code;
		usleep(TEST_POLL_MS * 1000);
	}
	return console_fail(console, CONSOLE_FAILED,
			    "nobody posts for %s: does `hikyaku hook` run, and is the hook in its "
			    "configuration?",
			    tested->name);
}

int hook_test_run(struct console *console, int argc, char **argv)
{
	struct control_client *client;
	struct console quiet;
	struct tested tested;
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	tested = (struct tested){ .name = argv[0] };
	quiet = *console;
	quiet.json = false;
	code = link_ask(&quiet, client,
			json_pack("{s:s, s:s}", "command", "reader.test", "name", argv[0]),
			link_ignore_item, NULL, &reply);
	tested.wanted = answer_number(reply, "tests_wanted");
	json_decref(reply);
	if (code == CONSOLE_OK)
		code = wait_for_test(console, client, &tested);
	control_client_close(client);
	if (code != CONSOLE_OK)
		return code;
	if (strncmp(tested.note, "ok: ", 4) != 0)
		return console_fail(console, CONSOLE_FAILED, "%s: %s", tested.name, tested.note);
	if (console->json) {
		json_t *json = json_pack("{s:s, s:s}", "name", tested.name, "answer",
					 tested.note + 4);

		link_print_json(json);
		json_decref(json);
	} else {
		printf("%s took it: %s\n", tested.name, tested.note + 4);
	}
	return CONSOLE_OK;
}

/* ---- resume, remove ---- */

static int ask(const struct console *console, json_t *request, const char *done, const char *name)
{
	json_t *reply;
	int code = link_run(console, request, NULL, NULL, &reply);

	if (code == CONSOLE_OK && !console->json)
		printf("%s %s\n", name, done);
	json_decref(reply);
	return code;
}

int hook_resume_run(struct console *console, int argc, char **argv)
{
	u64 after = UINT64_MAX;
	const struct option options[] = {
		{ "after", OPTION_NUMBER, &after, "N", "post again what stands behind entry N",
		  NULL },
	};
	json_t *reply = NULL;
	struct console quiet;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	quiet = *console;
	quiet.json = false;
	/* First: nobody is made by this who was never there. */
	code = link_run(&quiet,
			json_pack("{s:s, s:s}", "command", "reader.resume", "name", argv[0]),
			link_ignore_item, NULL, &reply);
	if (code == CONSOLE_OK && after == UINT64_MAX && console->json)
		link_print_json(reply);
	json_decref(reply);
	if (code == CONSOLE_OK && after != UINT64_MAX)
		return ask(console,
			   json_pack("{s:s, s:s, s:I}", "command", "reader.put", "name", argv[0],
				     "position", (json_int_t)min_u64(after, INT64_MAX)),
			   "goes on from there", argv[0]);
	if (code == CONSOLE_OK && !console->json)
		printf("%s goes on\n", argv[0]);
	return code;
}

int hook_remove_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return ask(console, json_pack("{s:s, s:s}", "command", "reader.remove", "name", argv[0]),
		   "is forgotten", argv[0]);
}

/* ---- secret ---- */

static int show_secret(const struct console *console, const struct config_hook *hook)
{
	struct error error;
	struct slice text;

	if (!file_read(hook->secret_file, SECRET_FILE_MAX, &text, &error)) {
		if (errno == ENOENT)
			return console_fail(console, CONSOLE_FAILED,
					    "%s is not there; `hikyaku hook` makes it when it "
					    "starts",
					    hook->secret_file);
		return console_fail_error(console, CONSOLE_FAILED, &error);
	}
	if (console->json) {
		json_t *json = json_pack("{s:s, s:s%}", "name", hook->name, "secrets", text.ptr,
					 text.len);

		link_print_json(json);
		json_decref(json);
	} else {
		printf("%.*s", SLICE_FMT(text));
	}
	free((char *)text.ptr);
	return CONSOLE_OK;
}

int hook_secret_run(struct console *console, int argc, char **argv)
{
	char path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error error;
	int code;

	if (task_instead(console, "hook-secret", argc, argv, &code))
		return code;
	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	if (!config_read(&config, console_config_path(console, path), &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	code = -1;
	for (size_t i = 0; i < config.hook_count && code < 0; i++) {
		if (strcmp(config.hooks[i].name, argv[0]) == 0)
			code = show_secret(console, &config.hooks[i]);
	}
	if (code < 0)
		code = console_fail(console, CONSOLE_FAILED,
				    "the configuration has no hook \"%.64s\"", argv[0]);
	config_free(&config);
	return code;
}

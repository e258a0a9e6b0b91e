#include "console/task.h"

#include "base/text.h"
#include "console/command.h"
#include "console/fetch.h"
#include "console/human.h"
#include "console/link.h"
#include "console/who.h"
#include "console/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK (256u << 10)

struct listener {
	void (*on_line)(void *arg, struct slice line);
	void *arg;
};

static void on_item(void *arg, const json_t *item)
{
	const struct listener *listener = arg;

	listener->on_line(listener->arg, answer_text(item, "line"));
}

static json_t *make_request(const char *name, int argc, char **argv, bool has_input)
{
	json_t *arguments = json_array();
	char who[WHO_SIZE];

	for (int i = 0; i < argc; i++)
		json_array_append_new(arguments, json_string(argv[i]));
	who_describe(who);
	return json_pack("{s:s, s:s, s:o, s:b, s:s}", "command", "task.run", "name", name,
			 "arguments", arguments, "input", has_input, "who", who);
}

/* Lines that came meanwhile are shown at once: they are the progress. */
static void hand_on_pending(struct control_client *client, struct listener *listener)
{
	json_t *item;

	while ((item = control_client_pending(client))) {
		on_item(listener, item);
		json_decref(item);
	}
}

static enum control_answer send_input(struct control_client *client, int input,
				      struct listener *listener, struct error *error)
{
	static char bytes[CHUNK];
	enum control_answer answer = CONTROL_SENT;
	ssize_t n;

	while (answer == CONTROL_SENT && (n = read(input, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_errno(error, errno, "the input cannot be read");
			return CONTROL_LOST;
		}
		answer = control_client_bytes(client, (struct slice){ bytes, (size_t)n }, error);
		hand_on_pending(client, listener);
	}
	return answer == CONTROL_SENT ? control_client_end(client, error) : answer;
}

static int run(const struct console *console, const char *name, int argc, char **argv, int input,
	       struct listener *listener)
{
	struct control_client *client;
	enum control_answer answer;
	struct error error;
	json_t *json = NULL;
	int code = link_open_init(console, &client);

	if (code != CONSOLE_OK)
		return code;
	/* An upgrade or a backup may say nothing for long. */
	control_client_set_patience(client, 0);
	answer = control_client_request(client, make_request(name, argc, argv, input >= 0), &error);
	if (answer == CONTROL_SENT && input >= 0)
		answer = send_input(client, input, listener, &error);
	while (answer == CONTROL_SENT || answer == CONTROL_ITEM) {
		answer = control_client_next(client, &json, &error);
		if (answer == CONTROL_ITEM)
			on_item(listener, json);
		if (answer == CONTROL_REPLY)
			code = (int)answer_number(json, "exit");
		if (answer == CONTROL_ITEM || answer == CONTROL_REPLY)
			json_decref(json);
	}
	if (answer != CONTROL_REPLY)
		code = link_failed(console, client, answer, &error);
	control_client_close(client);
	return code;
}

/* A task has one output; its own program told errors from answers, and words lead the former. */
static void print_line(void *arg, struct slice line)
{
	struct buf text;

	(void)arg;
	buf_init(&text, 64u << 10);
	human_text(&text, line);
	puts(buf_text(&text));
	fflush(stdout);
	buf_done(&text);
}

int task_run(const struct console *console, const char *name, int argc, char **argv, int input)
{
	struct listener listener = { print_line, NULL };

	return run(console, name, argc, argv, input, &listener);
}

int task_collect(const struct console *console, const char *name, int argc, char **argv,
		 void (*on_line)(void *arg, struct slice line), void *arg)
{
	struct listener listener = { on_line, arg };

	return run(console, name, argc, argv, -1, &listener);
}

bool task_instead(const struct console *console, const char *name, int argc, char **argv,
		  int *code)
{
	static char json_option[] = "--json";
	char *words[WORDS_MAX + 1];
	int count = 0;

	if (!console->is_inside || console->describe || console->help || !link_has_init())
		return false;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return false;
	}
	while (count < argc && count < WORDS_MAX)
		words[count] = argv[count], count++;
	if (console->json)
		words[count++] = json_option;
	*code = task_run(console, name, count, words, -1);
	return true;
}

/* ---- upgrade, backup, restore ---- */

static int open_input(const struct console *console, const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0) {
		if (isatty(STDIN_FILENO))
			return console_fail(console, CONSOLE_USAGE,
					    "- is standard input, and that is the terminal; say "
					    "`ssh admin@host upgrade - <file` elsewhere"), -1;
		return dup(STDIN_FILENO);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		console_fail(console, CONSOLE_FAILED, "%.200s: %s", path, strerror(errno));
	return fd;
}

int upgrade_command_run(struct console *console, int argc, char **argv)
{
	static char downgrade_option[] = "--allow-downgrade";
	static char from_input[] = "-";
	char *words[] = { from_input, NULL };
	char *words_downgrade[] = { downgrade_option, from_input, NULL };
	bool allows_downgrade = false;
	const struct option options[] = {
		{ "allow-downgrade", OPTION_FLAG, &allows_downgrade, NULL,
		  "take an older version than the one that runs", NULL },
	};
	struct fetch fetch = { .fd = -1 };
	struct error error;
	int input;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (!link_has_init())
		return task_run(console, "upgrade", 0, NULL, -1); /* says what it is not */
	if (!fetch_is_url(argv[0]))
		input = open_input(console, argv[0]);
	else if (fetch_begin(&fetch, argv[0], &error))
		input = fetch.fd;
	else
		return console_fail_error(console, CONSOLE_FAILED, &error);
	if (input < 0)
		return CONSOLE_FAILED;
	code = allows_downgrade ? task_run(console, "upgrade", 2, words_downgrade, input)
				: task_run(console, "upgrade", 1, words, input);
	/* A bundle that was cut off is refused by the task; this tells why it was cut off. */
	if (fetch.fd < 0)
		close(input);
	else if (!fetch_end(&fetch, &error))
		return console_fail(console, CONSOLE_FAILED, "%.100s: %s", argv[0], error.text);
	if (code == CONSOLE_OK && !console->json)
		puts("The new system is tried at the next start: `reboot`.");
	return code;
}

/* The task does it, with the rights of whom the data belongs to; it knows its own options. */
static int run_task(struct console *console, const char *name, int least, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, least, 1, &code))
		return code;
	return task_run(console, name, argc > 1 ? 1 : argc, argv, -1);
}

int backup_run(struct console *console, int argc, char **argv)
{
	return run_task(console, "backup", 0, argc, argv);
}

int restore_run(struct console *console, int argc, char **argv)
{
	return run_task(console, "restore", 1, argc, argv);
}

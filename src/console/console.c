#include "console/console.h"

#include "console/command.h"
#include "console/human.h"
#include "console/link.h"

#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

const char *console_etc_path(const char *name, char path[CONSOLE_PATH_SIZE])
{
	const char *folder = getenv("HIKYAKU_ETC");

	snprintf(path, CONSOLE_PATH_SIZE, "%s/%s", folder && *folder ? folder : CONSOLE_ETC_PATH,
		 name);
	return path;
}

const char *console_config_path(const struct console *console, char path[CONSOLE_PATH_SIZE])
{
	if (!console->config_path && link_has_init())
		return console_etc_path("hikyaku.conf", path);
	snprintf(path, CONSOLE_PATH_SIZE, "%s",
		 console->config_path ? console->config_path : CONSOLE_CONFIG_PATH);
	return path;
}

/* ---- complaints ---- */

static void complain_json(const char *sentence)
{
	json_t *json = json_pack("{s:s}", "error", sentence);

	if (json) {
		json_dumpf(json, stderr, JSON_COMPACT);
		fputc('\n', stderr);
	} else {
		fputs("{\"error\":\"(the reason is not UTF-8)\"}\n", stderr);
	}
	json_decref(json);
}

int console_fail(const struct console *console, enum console_exit code, const char *fmt, ...)
{
	struct error error;
	va_list args;

	va_start(args, fmt);
	vsnprintf(error.text, sizeof(error.text), fmt, args);
	va_end(args);
	return console_fail_error(console, code, &error);
}

int console_fail_error(const struct console *console, enum console_exit code,
		       const struct error *error)
{
	struct buf text;

	fflush(stdout);
	if (console->json) {
		complain_json(error->text);
		return (int)code;
	}
	/* A sentence may quote what a peer or a file says. */
	buf_init(&text, 8 * ERROR_TEXT_MAX);
	human_text(&text, (struct slice){ error->text, strlen(error->text) });
	fprintf(stderr, "%s%s\n", console->is_inside ? "" : "hikyaku: ", buf_text(&text));
	buf_done(&text);
	return (int)code;
}

static int usage_failed(const struct console *console, const struct error *error,
			const struct command *command)
{
	int code = console_fail_error(console, CONSOLE_USAGE, error);
	char name[64];

	if (console->json)
		return code;
	fprintf(stderr, "Try `%s", console->is_inside ? "" : "hikyaku ");
	if (command)
		fprintf(stderr, "%s --help`.\n", command_name(command, name, sizeof(name)));
	else
		fprintf(stderr, "%s`.\n", console->is_inside ? "help" : "--help");
	return code;
}

/* ---- options of a command ---- */

static void describe(struct console *console, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count && console->described < COMMAND_OPTIONS_MAX; i++)
		console->describe[console->described++] = options[i];
}

bool console_options(struct console *console, const struct option *options, size_t count, int argc,
		     char **argv, int *words, int *code)
{
	struct option global[CONSOLE_GLOBAL_OPTIONS];
	const struct option_table tables[] = { { options, count },
					       { global, CONSOLE_GLOBAL_OPTIONS } };
	struct error error;

	*code = CONSOLE_OK;
	if (console->describe) {
		describe(console, options, count);
		return false;
	}
	command_global_options(console, global);
	if (!option_parse(tables, array_count(tables), argc, argv, words, &error)) {
		/* Somebody who asks for help gets it, whatever else is wrong. */
		for (int i = 0; i < argc; i++)
			console->help |= strcmp(argv[i], "--help") == 0;
		if (!console->help) {
			*code = usage_failed(console, &error, console->command);
			return false;
		}
	}
	if (console->help) {
		command_help(stdout, console, options, count);
		return false;
	}
	return true;
}

bool console_arguments(struct console *console, const struct option *options, size_t count,
		       int argc, char **argv, int least, int most, int *code)
{
	struct error error;
	char name[64];
	int words;

	if (!console_options(console, options, count, argc, argv, &words, code))
		return false;
	if (words >= least && words <= most)
		return true;
	if (words > most)
		error_set(&error, "too many words: \"%.64s\"", argv[most]);
	else
		error_set(&error, "something is missing: %s%s %s",
			  console->is_inside ? "" : "hikyaku ",
			  command_name(console->command, name, sizeof(name)),
			  console->command->usage);
	*code = usage_failed(console, &error, console->command);
	return false;
}

/* ---- main ---- */

/* Global options may stand before the command; returns how many words they take, -1 when bad. */
static int take_leading_options(struct console *console, int argc, char **argv)
{
	struct option global[CONSOLE_GLOBAL_OPTIONS];
	const struct option_table table = { global, CONSOLE_GLOBAL_OPTIONS };
	struct error error;
	int at = 0;
	int words;

	command_global_options(console, global);
	while (at < argc && argv[at][0] == '-') {
		int n = at + 1 < argc && !strchr(argv[at], '=') &&
			strcmp(argv[at], "--json") != 0 && strcmp(argv[at], "--help") != 0 ?
				2 : 1;
		char *pair[2] = { argv[at], n == 2 ? argv[at + 1] : NULL };

		if (!option_parse(&table, 1, n, pair, &words, &error)) {
			usage_failed(console, &error, NULL);
			return -1;
		}
		at += n;
	}
	return at;
}

static bool asks_for_help(const struct console *console, int argc, char **argv)
{
	bool asks = console->help;

	for (int i = 0; i < argc; i++)
		asks |= strcmp(argv[i], "--help") == 0;
	return asks;
}

static int run_words(struct console *console, int argc, char **argv)
{
	const char *group = NULL;
	struct error error;
	int code;
	int used;

	if (argc > 1 && strcmp(argv[0], "help") == 0) {
		console->help = true;
		argc--, argv++;
	}
	if (argc == 0 || strcmp(argv[0], "help") == 0) {
		command_help_all(argc > 0 || console->help ? stdout : stderr, console);
		return argc > 0 || console->help ? CONSOLE_OK : CONSOLE_USAGE;
	}
	console->command = command_find(argv, argc, &used, &group, &error);
	if (console->command) {
		code = console->command->run(console, argc - used, argv + used);
	} else if (group && (argc == 1 || asks_for_help(console, argc, argv))) {
		bool asks = asks_for_help(console, argc, argv);

		command_help_group(asks ? stdout : stderr, console, group);
		code = asks ? CONSOLE_OK : CONSOLE_USAGE;
	} else {
		code = usage_failed(console, &error, NULL);
	}
	return code;
}

int console_run(struct console *console, int argc, char **argv)
{
	int at = take_leading_options(console, argc, argv);
	int code;

	if (at < 0)
		return CONSOLE_USAGE;
	code = run_words(console, argc - at, argv + at);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CONSOLE_OK)
		code = CONSOLE_FAILED;
	return code;
}

int console_main(int argc, char **argv)
{
	struct console console = { 0 };

	/* A reader that goes away (`| head`) is an error of the output, not a signal that kills. */
	signal(SIGPIPE, SIG_IGN);
	return console_run(&console, argc - 1, argv + 1);
}

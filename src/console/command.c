#include "console/command.h"

#include "base/text.h"
#include "base/version.h"
#include "console/nearest.h"

#include <stdio.h>
#include <string.h>

/* ---- finding ---- */

static bool is_group(const char *word)
{
	for (size_t i = 0; i < command_count(); i++) {
		if (command_at(i)->group && strcmp(command_at(i)->group, word) == 0)
			return true;
	}
	return false;
}

static const struct command *unknown_in(const char *group, const char *typed, struct error *error)
{
	struct nearest nearest;

	nearest_init(&nearest, typed);
	for (size_t i = 0; i < command_count(); i++) {
		const char *of = command_at(i)->group;

		if (group ? of && strcmp(of, group) == 0 : !of)
			nearest_offer(&nearest, command_at(i)->name);
		else if (!group)
			nearest_offer(&nearest, of);
	}
	if (nearest_word(&nearest))
		error_set(error, "unknown command \"%s%s%.64s\"; did you mean \"%s%s%s\"?",
			  group ? group : "", group ? " " : "", typed, group ? group : "",
			  group ? " " : "", nearest_word(&nearest));
	else
		error_set(error, "unknown command \"%s%s%.64s\"", group ? group : "",
			  group ? " " : "", typed);
	return NULL;
}

static const struct command *find_in(const char *group, const char *name)
{
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_at(i);

		if (strcmp(command->name, name) != 0)
			continue;
		if (group ? command->group && strcmp(command->group, group) == 0 : !command->group)
			return command;
	}
	return NULL;
}

const struct command *command_find(char **words, int count, int *used, const char **group,
				   struct error *error)
{
	const struct command *command = count > 1 ? find_in(words[0], words[1]) : NULL;

	*group = NULL;
	*used = 2;
	if (command)
		return command;
	*used = 1;
	command = find_in(NULL, words[0]);
	if (command)
		return command;
	if (!is_group(words[0]))
		return unknown_in(NULL, words[0], error);
	*group = words[0];
	if (count < 2 || words[1][0] == '-') {
		error_set(error, "%s what? Say for instance `hikyaku %s --help`", words[0],
			  words[0]);
		return NULL;
	}
	return unknown_in(words[0], words[1], error);
}

/* ---- help ---- */

const char *command_name(const struct command *command, char *room, size_t size)
{
	snprintf(room, size, "%s%s%s", command->group ? command->group : "",
		 command->group ? " " : "", command->name);
	return room;
}

/* Text as it stands in the table; inside the appliance without "hikyaku " before commands. */
static void print_text(FILE *out, const struct console *console, const char *text)
{
	bool may_begin = true; /* a command may begin here */

	while (*text) {
		if (console->is_inside && may_begin && strncmp(text, "hikyaku ", 8) == 0)
			text += 8;
		may_begin = *text == '\n' || *text == '`' || (may_begin && *text == ' ') ||
			    *text == '|';
		fputc(*text++, out);
	}
}

static void list(FILE *out, const char *group, u32 mask, u32 flags)
{
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_at(i);
		char name[64];

		if (group && (!command->group || strcmp(command->group, group) != 0))
			continue;
		if ((command->flags & mask) == flags)
			fprintf(out, "  %-21s  %s\n", command_name(command, name, sizeof(name)),
				command->summary);
	}
}

void command_help_all(FILE *out, const struct console *console)
{
	if (console->is_inside) {
		list(out, NULL, 0, 0);
		fputs("  help [COMMAND]     this list, or one command explained; also `?`\n"
		      "  history            what was typed\n"
		      "  exit               end this session\n",
		      out);
		return;
	}
	fputs("hikyaku " HIKYAKU_VERSION
	      ": sends mail in bulk, signed and aligned (SPF, DKIM, DMARC).\n"
	      "\n"
	      "usage: hikyaku [--config FILE] [--socket PATH] [--json] COMMAND ...\n"
	      "\n",
	      out);
	list(out, NULL, COMMAND_APPLIANCE, 0);
	fputs("\nOn the appliance also:\n", out);
	list(out, NULL, COMMAND_APPLIANCE, COMMAND_APPLIANCE);
	fputs("\n"
	      "A first campaign:\n"
	      "  hikyaku check\n"
	      "  hikyaku keys new --domain example.jp --selector s2026\n"
	      "  hikyaku send &\n"
	      "  hikyaku campaign create --name first --customer example.jp \\\n"
	      "      --template news.eml --recipients list.csv --start\n"
	      "  hikyaku status --watch\n"
	      "\n"
	      "`hikyaku COMMAND --help` explains one command. Exit status: 0 done,\n"
	      "1 refused or failed, 2 wrong command line, 3 no daemon listens.\n"
	      "The daemon itself is `hikyaku send`, see hikyaku-send(8).\n",
	      out);
}

void command_help_group(FILE *out, const struct console *console, const char *group)
{
	fprintf(out, "usage: %s%s COMMAND ...\n\n", console->is_inside ? "" : "hikyaku ", group);
	list(out, group, 0, 0);
	fprintf(out, "\n`%s%s COMMAND --help` explains one of them.\n",
		console->is_inside ? "" : "hikyaku ", group);
}

static void help_options(FILE *out, const char *title, const struct option *options, size_t count)
{
	bool has_title = false;

	for (size_t i = 0; i < count; i++) {
		char left[64];

		if (!options[i].help)
			continue;
		if (!has_title)
			fprintf(out, "\n%s:\n", title);
		has_title = true;
		snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
			 options[i].value ? " " : "", options[i].value ? options[i].value : "");
		fprintf(out, "  %-26s %s\n", left, options[i].help);
	}
}

void command_help(FILE *out, const struct console *console, const struct option *options,
		  size_t count)
{
	const struct command *command = console->command;
	struct console unused = { 0 };
	struct option global[CONSOLE_GLOBAL_OPTIONS];
	char name[64];

	fprintf(out, "usage: %s%s%s%s%s\n\n%s.\n\n", console->is_inside ? "" : "hikyaku ",
		command_name(command, name, sizeof(name)), *command->usage ? " " : "",
		command->usage, count > 0 ? " [options]" : "", command->summary);
	print_text(out, console, command->text);
	fputc('\n', out);
	help_options(out, "Options", options, count);
	command_global_options(&unused, global);
	if (console->is_inside)
		help_options(out, "Everywhere", &global[CONSOLE_GLOBAL_OPTIONS - 2], 2);
	else
		help_options(out, "Everywhere", global, CONSOLE_GLOBAL_OPTIONS);
}

size_t command_options(const struct command *command, struct option options[COMMAND_OPTIONS_MAX])
{
	struct console console = { .command = command, .describe = options };

	(void)command->run(&console, 0, NULL);
	return console.described;
}

void command_global_options(struct console *console, struct option options[CONSOLE_GLOBAL_OPTIONS])
{
	const struct option global[CONSOLE_GLOBAL_OPTIONS] = {
		{ "config", OPTION_TEXT, &console->config_path, "FILE",
		  "configuration (default " CONSOLE_CONFIG_PATH ")", NULL },
		{ "socket", OPTION_TEXT, &console->socket_path, "PATH",
		  "control socket, instead of the configured one", NULL },
		{ "json", OPTION_FLAG, &console->json, NULL,
		  "answers as JSON: one document, or one per line", NULL },
		{ "help", OPTION_FLAG, &console->help, NULL, "this text", NULL },
	};

	memcpy(options, global, sizeof(global));
}

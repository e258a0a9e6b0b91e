/*
 * The operator's side: the command line client (one command, one run), and the appliance's console,
 * which reads command after command. console_main is called by main() when the first word is not
 * the name of a role; repl.h is the console. What goes wrong is said on standard error in one
 * sentence; with --json it is a JSON object there.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "base/error.h"
#include "base/types.h"
#include "console/option.h"

#define CONSOLE_CONFIG_PATH "/etc/hikyaku/hikyaku.conf"
#define CONSOLE_ETC_PATH "/data/etc" /* of the appliance; HIKYAKU_ETC names another, for tests */
#define CONSOLE_SOCKET_PATH "/run/hikyaku/send.sock"

/* What the process ends with. */
enum console_exit {
	CONSOLE_OK = 0,
	CONSOLE_FAILED = 1,    /* refused by the daemon, or could not be done */
	CONSOLE_USAGE = 2,     /* the command line is wrong; nothing was tried */
	CONSOLE_NO_DAEMON = 3, /* no daemon listens */
};

struct command;

struct console {
	const char *config_path; /* NULL: the default one, which may be missing */
	const char *socket_path; /* NULL: as configured */
	bool json;
	bool help;
	bool is_inside; /* on the appliance's console: commands have no "hikyaku" before them */
	const struct command *command; /* the one that runs */
	/* Not NULL: the command gives its options away instead of running; see command_options. */
	struct option *describe;
	size_t described;
};

int console_main(int argc, char **argv);

/*
 * Runs the command of these words, global options in front included; what it returns is an exit
 * code. Standard output is flushed.
 */
int console_run(struct console *console, int argc, char **argv);

#define CONSOLE_PATH_SIZE 512
/* The sender's configuration: as --config says, else the appliance's or host's. Returns path. */
const char *console_config_path(const struct console *console, char path[CONSOLE_PATH_SIZE]);
/* A file of the appliance's folder of settings, such as "appliance.conf". Returns path. */
const char *console_etc_path(const char *name, char path[CONSOLE_PATH_SIZE]);

/*
 * Prints "hikyaku: sentence" (on the appliance's console the sentence alone, with --json an object)
 * on standard error and returns `code`.
 */
int console_fail(const struct console *console, enum console_exit code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
int console_fail_error(const struct console *console, enum console_exit code,
		       const struct error *error);

/*
 * For commands: reads options and words. Returns true when the command is to go on; else the
 * command returns *code (--help was answered, or the command line is wrong).
 */
bool console_options(struct console *console, const struct option *options, size_t count, int argc,
		     char **argv, int *words, int *code);
/* As console_options for commands that take from `least` to `most` words. */
bool console_arguments(struct console *console, const struct option *options, size_t count,
		       int argc, char **argv, int least, int most, int *code);

#endif

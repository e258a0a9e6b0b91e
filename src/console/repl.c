#include "console/repl.h"

#include "base/text.h"
#include "base/version.h"
#include "console/audit.h"
#include "console/command.h"
#include "console/editor.h"
#include "console/history.h"
#include "console/link.h"
#include "console/pager.h"
#include "console/setup.h"
#include "console/status.h"
#include "console/who.h"
#include "console/words.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct repl {
	struct editor *editor;
	struct words words;
	char history_path[CONSOLE_PATH_SIZE];
	struct termios mode; /* of the terminal, between commands */
	bool is_terminal;
	bool is_over;
	int code; /* of the last command */
};

static volatile sig_atomic_t was_interrupted; /* while a command runs */

static void on_interrupt(int number)
{
	(void)number;
	was_interrupted = 1;
}

/* ---- one command ---- */

/* A word `hikyaku` in front, and `?` at the end, are taken as people mean them. */
static void normalise(int *argc, char ***argv)
{
	static char help[] = "help";
	static char *only_help[] = { help, NULL };
	int count = *argc;

	if (count > 0 && strcmp((*argv)[0], "hikyaku") == 0)
		(*argv)++, count--;
	if (count > 0 && strcmp((*argv)[count - 1], "?") == 0) {
		static char option[] = "--help";

		if (count == 1)
			*argv = only_help;
		else
			(*argv)[count - 1] = option;
	}
	*argc = count;
}

static int run_words(int argc, char **argv)
{
	struct console console = { .is_inside = true };

	return console_run(&console, argc, argv);
}

/* Commands that talk to the terminal themselves; all others go through the pager. */
static bool is_paged(int argc, char **argv)
{
	const struct command *command;
	const char *group;
	struct error error;
	int used;

	while (argc > 0 && argv[0][0] == '-')
		argc--, argv++;
	if (argc == 0 || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return false;
	command = command_find(argv, argc, &used, &group, &error);
	if (!command || !(command->flags & COMMAND_SCREEN))
		return true;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

static NORETURN void be_command(int argc, char **argv, int output)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGWINCH, SIG_DFL);
	if (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0))
		_exit(CONSOLE_FAILED);
	if (output >= 0)
		close(output);
	/* Lines are shown as they come, also through the pager. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	_exit(run_words(argc, argv));
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return CONSOLE_FAILED;
	}
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGINT)
		fputs("\n", stdout);
	else
		printf("The command ended by signal %d.\n", WTERMSIG(status));
	return CONSOLE_FAILED;
}

static int run_command(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	struct sigaction before;
	int output[2] = { -1, -1 };
	int code;
	pid_t pid;

	if (is_paged(argc, argv) && pipe2(output, O_CLOEXEC) < 0)
		return CONSOLE_FAILED;
	fflush(stdout);
	was_interrupted = 0;
	sigaction(SIGINT, &action, &before);
	pid = fork();
	if (pid == 0)
		be_command(argc, argv, output[1]);
	if (output[1] >= 0)
		close(output[1]);
	if (pid > 0 && output[0] >= 0)
		pager_run(output[0], &was_interrupted);
	if (output[0] >= 0)
		close(output[0]);
	if (pid < 0)
		fprintf(stderr, "There is no memory for another command.\n");
	code = pid > 0 ? wait_for(pid) : CONSOLE_FAILED;
	sigaction(SIGINT, &before, NULL);
	return code;
}

/* ---- lines ---- */

static bool is_word(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static void run_line(struct repl *repl, const char *line)
{
	struct error error;
	char **argv = repl->words.at;
	int argc;

	if (!words_split(&repl->words, slice_of(line), &error)) {
		fprintf(stderr, "%s\n", error.text);
		repl->code = CONSOLE_USAGE;
		return;
	}
	argc = repl->words.count;
	if (argc == 0)
		return;
	audit_note(line);
	normalise(&argc, &argv);
	if (argc == 1 && is_word(argv[0], "exit", "quit", "logout")) {
		repl->is_over = true;
	} else if (argc == 1 && strcmp(argv[0], "history") == 0) {
		editor_print_history(repl->editor);
	} else {
		repl->code = run_command(argc, argv);
		if (repl->is_terminal)
			(void)tcsetattr(STDIN_FILENO, TCSANOW, &repl->mode);
	}
}

static void remember(void *arg, const char *line)
{
	editor_remember(arg, line);
}

static void keep(struct repl *repl, const char *line)
{
	if (!repl->is_terminal || !history_is_kept(line))
		return;
	editor_remember(repl->editor, line);
	history_add(repl->history_path, line);
}

/*
 * At the machine itself, until it is set up. A machine has a screen and a serial line, and somebody
 * sits at one of them: the questions begin where Enter is pressed.
 */
static void begin_setup(struct repl *repl)
{
	static char setup_line[] = "setup";
	enum editor_result result;
	const char *line;

	struct console console = { 0 };

	if (!repl->is_terminal || who_is_remote() || !link_has_init())
		return;
	if (!system_has_data(&console) || !setup_is_due())
		return;
	puts("This machine is not set up yet. Enter begins with that; Ctrl-C leaves it for\n"
	     "later, for the command `setup`.");
	result = editor_ask(repl->editor, "Enter begins: ", NAME_NONE, &line);
	if (result == EDITOR_LINE)
		run_line(repl, setup_line);
	else
		putchar('\n');
}

static void make_prompt(char prompt[96])
{
	char host[65] = "";

	if (gethostname(host, sizeof(host)) < 0 || !*host || strcmp(host, "(none)") == 0)
		snprintf(host, sizeof(host), "hikyaku");
	host[64] = '\0';
	snprintf(prompt, 96, "%s> ", host);
}

static int run_session(struct repl *repl)
{
	enum editor_result result;
	const char *line;
	char prompt[96];

	begin_setup(repl);
	while (!repl->is_over) {
		make_prompt(prompt); /* the host's name may have changed */
		result = editor_read(repl->editor, prompt, &line);
		if (result == EDITOR_INTERRUPTED) {
			puts("^C");
			continue;
		}
		if (result == EDITOR_END) {
			if (repl->is_terminal)
				puts("exit");
			break;
		}
		keep(repl, line);
		run_line(repl, line);
	}
	fflush(stdout);
	return repl->is_terminal ? CONSOLE_OK : repl->code;
}

/* ---- beginning ---- */

/*
 * init gives us a terminal as standard input, and Ctrl-C only works on one that is the controlling
 * terminal of our session.
 */
static void take_terminal(void)
{
	if (tcgetsid(STDIN_FILENO) == getsid(0))
		return;
	if (getsid(0) != getpid())
		(void)setsid(); /* the leader of a group stays where it is */
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
}

static int run_interactive(void)
{
	struct repl *repl = calloc(1, sizeof(*repl));
	int code;

	if (!repl)
		return CONSOLE_FAILED;
	repl->is_terminal = isatty(STDIN_FILENO);
	if (repl->is_terminal) {
		take_terminal();
		(void)tcgetattr(STDIN_FILENO, &repl->mode);
		puts("hikyaku " HIKYAKU_VERSION ". `help` lists commands, Tab completes them.");
	}
	repl->editor = editor_open();
	if (!repl->editor) {
		free(repl);
		return CONSOLE_FAILED;
	}
	history_path(repl->history_path);
	if (repl->is_terminal)
		history_read(repl->history_path, remember, repl->editor);
	code = run_session(repl);
	editor_close(repl->editor);
	free(repl);
	return code;
}

static int run_one(const char *line)
{
	struct words *words = calloc(1, sizeof(*words));
	struct error error;
	int code = CONSOLE_OK;
	char **argv;
	int argc;

	if (!words)
		return CONSOLE_FAILED;
	if (!words_split(words, slice_of(line), &error)) {
		fprintf(stderr, "%s\n", error.text);
		free(words);
		return CONSOLE_USAGE;
	}
	argv = words->at;
	argc = words->count;
	if (argc > 0) {
		audit_note(line);
		normalise(&argc, &argv);
		code = run_words(argc, argv);
	}
	free(words);
	return code;
}

int console_repl_main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	/* A line that drops ends it, also when whoever started it ignores that. */
	signal(SIGHUP, SIG_DFL);
	/* There is no other program that could take the terminal meanwhile. */
	signal(SIGTSTP, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return run_one(argv[2]);
	if (argc > 1) {
		fputs("usage: console [-c COMMAND]\n", stderr);
		return CONSOLE_USAGE;
	}
	return run_interactive();
}

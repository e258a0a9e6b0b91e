#include "init/spawn.h"

#include "base/text.h"
#include "init/kernel_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A word that was too long: no program is called so, and the sentence is clear. */
#define SPOILT "(a word of the command was too long)"

static void add_word(char (*words)[SPAWN_WORD_SIZE], u32 max, const char *fmt, va_list args)
{
	u32 at = 0;
	int len;

	while (at < max && words[at][0])
		at++;
	if (at + 1 >= max) {
		slice_copy(words[0], SPAWN_WORD_SIZE, SLICE(SPOILT));
		return;
	}
	len = vsnprintf(words[at], SPAWN_WORD_SIZE, fmt, args);
	if (len < 0 || len >= SPAWN_WORD_SIZE)
		slice_copy(words[0], SPAWN_WORD_SIZE, SLICE(SPOILT));
}

void spawn_add_word(struct spawn_plan *plan, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_word(plan->words, SPAWN_WORDS_MAX, fmt, args);
	va_end(args);
}

void spawn_add_environment(struct spawn_plan *plan, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_word(plan->environment, SPAWN_ENVIRONMENT_MAX, fmt, args);
	va_end(args);
}

/* ---- in the child ---- */

NORETURN static void give_up(const char *what)
{
	dprintf(2, "%s\n", what);
	_exit(SPAWN_FAILED);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The user of the service owns the terminal while it is at it, as a login would make it. */
static void take_terminal(const struct spawn_plan *plan)
{
	int fd = open(plan->terminal, O_RDWR | O_NOCTTY);

	if (fd < 0 || ioctl(fd, TIOCSCTTY, 1) < 0)
		_exit(SPAWN_FAILED);
	if (fchown(fd, plan->sandbox.user, plan->sandbox.group) < 0 || fchmod(fd, 0600) < 0)
		_exit(SPAWN_FAILED);
	for (int to = 0; to <= 2; to++)
		dup2(fd, to);
	if (fd > 2)
		close(fd);
}

static void take_pipes(int input, int output)
{
	if (input < 0)
		input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (input > 0)
		dup2(input, 0);
	dup2(output, 1);
	dup2(output, 2);
}

static void set_oom_score(int score)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", score);
	/* Without /proc there is no appliance around us. */
	if (!kernel_file_write("/proc/self/oom_score_adj", text) && errno != ENOENT)
		dprintf(2, "oom_score_adj: %s\n", strerror(errno));
}

NORETURN static void become(const struct spawn_plan *plan)
{
	const char *words[SPAWN_WORDS_MAX + 1] = { 0 };
	const char *environment[SPAWN_ENVIRONMENT_MAX + 4] = { "PATH=/bin:/sbin", "HOME=/",
							       "LANG=C.UTF-8" };
	struct error error = { "" };

	for (u32 i = 0; i < SPAWN_WORDS_MAX && plan->words[i][0]; i++)
		words[i] = plan->words[i];
	for (u32 i = 0; i < SPAWN_ENVIRONMENT_MAX && plan->environment[i][0]; i++)
		environment[3 + i] = plan->environment[i];
	if (!words[0])
		give_up("there is nothing to run");
	set_oom_score(plan->oom_score);
	if (!cgroup_enter(plan->name) && errno != ENOENT)
		give_up("cannot enter its cgroup");
	if (plan->folder && chdir(plan->folder) < 0)
		give_up("cannot enter its folder");
	umask(027);
	if (!sandbox_enter(&plan->sandbox, &error))
		give_up(error.text);
	/* Nothing of init's but 0, 1 and 2, also if one of its own was not marked to be closed. */
	if (syscall(SYS_close_range, 3u, ~0u, 0) < 0)
		give_up("cannot close what is not its own");
	execve(words[0], (char *const *)(uintptr_t)words, (char *const *)(uintptr_t)environment);
	dprintf(2, "%s: %s\n", words[0], strerror(errno));
	_exit(SPAWN_FAILED);
}

/* ---- in init ---- */

struct pipes {
	int output[2]; /* -1: a terminal */
	int input[2];  /* -1: none */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_pipes(struct pipes *pipes)
{
	for (u32 i = 0; i < 2; i++) {
		close_end(&pipes->output[i]);
		close_end(&pipes->input[i]);
	}
}

static bool make_pipes(const struct spawn_plan *plan, bool has_input, struct pipes *pipes,
		       struct error *error)
{
	*pipes = (struct pipes){ { -1, -1 }, { -1, -1 } };
	if ((!plan->terminal[0] && (pipe2(pipes->output, O_CLOEXEC) < 0 ||
				    fcntl(pipes->output[0], F_SETFL, O_NONBLOCK) < 0)) ||
	    (has_input && (pipe2(pipes->input, O_CLOEXEC) < 0 ||
			   fcntl(pipes->input[1], F_SETFL, O_NONBLOCK) < 0))) {
		error_set_errno(error, errno, "%s: pipe", plan->name);
		close_pipes(pipes);
		return false;
	}
	return true;
}

pid_t spawn_with_input(const struct spawn_plan *plan, int *output, int *input, struct error *error)
{
	struct pipes pipes;
	pid_t pid;

	*output = -1;
	if (!make_pipes(plan, input != NULL, &pipes, error))
		return -1;
	pid = fork();
	if (pid < 0) {
		error_set_errno(error, errno, "%s: fork", plan->name);
		close_pipes(&pipes);
		return -1;
	}
	if (pid == 0) {
		reset_signals();
		setsid();
		if (plan->terminal[0])
			take_terminal(plan);
		else
			take_pipes(pipes.input[0], pipes.output[1]);
		become(plan);
	}
	*output = pipes.output[0];
	if (input)
		*input = pipes.input[1];
	close_end(&pipes.output[1]);
	close_end(&pipes.input[0]);
	return pid;
}

pid_t spawn(const struct spawn_plan *plan, int *output, struct error *error)
{
	return spawn_with_input(plan, output, NULL, error);
}

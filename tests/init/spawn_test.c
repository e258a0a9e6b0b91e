/*
 * Processes of services: what they say, what they inherit, the terminal they get.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "init/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct spawn_plan plan_of(const char *script)
{
	struct spawn_plan plan = { .name = "spawn-test",
				   .sandbox = { .user = geteuid(), .group = getegid() } };

	spawn_add_word(&plan, "/bin/sh");
	spawn_add_word(&plan, "-c");
	spawn_add_word(&plan, "%s", script);
	return plan;
}

/* All that comes out of fd until it ends. */
static void read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ssize_t n;

	do {
		assert_int_equal(poll(&wait, 1, 20000), 1);
		n = read(fd, text + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[len] = '\0';
	close(fd);
}

static int run(const struct spawn_plan *plan, char *text, size_t size)
{
	struct error error = { "" };
	int output;
	int status;
	pid_t pid = spawn(plan, &output, &error);

	if (pid < 0)
		fail_msg("%s", error.text);
	read_all(output, text, size);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void both_outputs_come_through_the_pipe(void **state)
{
	struct spawn_plan plan = plan_of("echo out; echo err >&2; exit 3");
	char text[256];

	(void)state;
	assert_int_equal(run(&plan, text, sizeof(text)), 3);
	assert_string_equal(text, "out\nerr\n");
}

static void nothing_of_inits_is_inherited(void **state)
{
	struct spawn_plan plan = plan_of(
		"env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort; ls /proc/self/fd | wc -l;"
		" grep SigBlk /proc/self/status; ps -o sid= -p $$ | tr -d ' '; echo $$; umask");
	char text[1024];
	char expected[1024];
	sigset_t all;
	char *end;
	long sid;

	(void)state;
	setenv("SECRET", "of init", 1);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	spawn_add_environment(&plan, "TZ=%s", "Asia/Tokyo");
	assert_int_equal(run(&plan, text, sizeof(text)), 0);
	end = strstr(text, "0000\n");
	assert_non_null(end);
	sid = strtol(end + 5, NULL, 10);
	/* Descriptors: the three, and ls's own of the folder. A session of its own. */
	snprintf(expected, sizeof(expected),
		 "HOME=/\nLANG=C.UTF-8\nPATH=/bin:/sbin\nTZ=Asia/Tokyo\n4\n"
		 "SigBlk:\t0000000000000000\n%ld\n%ld\n0027\n",
		 sid, sid);
	assert_string_equal(text, expected);
}

static void a_program_that_is_not_there_is_told_in_its_output(void **state)
{
	struct spawn_plan plan = { .name = "spawn-test" };
	char text[256];

	(void)state;
	plan.sandbox.user = geteuid();
	plan.sandbox.group = getegid();
	spawn_add_word(&plan, "/nowhere/program");
	assert_int_equal(run(&plan, text, sizeof(text)), SPAWN_FAILED);
	assert_string_equal(text, "/nowhere/program: No such file or directory\n");
}

static void a_word_that_is_too_long_runs_nothing(void **state)
{
	struct spawn_plan plan = plan_of("echo ran");
	char long_word[SPAWN_WORD_SIZE + 1];
	char text[256];

	(void)state;
	memset(long_word, 'x', SPAWN_WORD_SIZE);
	long_word[SPAWN_WORD_SIZE] = '\0';
	spawn_add_word(&plan, "%s", long_word);
	assert_int_equal(run(&plan, text, sizeof(text)), SPAWN_FAILED);
	assert_null(strstr(text, "ran"));
	assert_non_null(strstr(text, "a word of the command was too long"));
}

static void more_words_than_there_is_room_for_run_nothing(void **state)
{
	struct spawn_plan plan = plan_of("echo ran");
	char text[256];

	(void)state;
	for (int i = 0; i < SPAWN_WORDS_MAX; i++)
		spawn_add_word(&plan, "%d", i);
	assert_int_equal(run(&plan, text, sizeof(text)), SPAWN_FAILED);
	assert_null(strstr(text, "ran\n"));
}

static void input_goes_in_and_ends(void **state)
{
	struct spawn_plan plan = plan_of("wc -c");
	struct error error = { "" };
	char text[256];
	int output;
	int input;
	int status;
	pid_t pid = spawn_with_input(&plan, &output, &input, &error);

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(write(input, "12345", 5), 5);
	close(input);
	read_all(output, text, sizeof(text));
	assert_string_equal(text, "5\n");
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void a_console_has_the_terminal_as_its_own(void **state)
{
	struct spawn_plan plan =
		plan_of("tty; exec 3<>/dev/tty && echo controlling >&3; stat -c %a $(tty)");
	struct error error = { "" };
	char text[256] = "";
	size_t len = 0;
	int master;
	int slave;
	int output;
	int status;
	char name[64];
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&master, &slave, name, NULL, NULL), 0);
	assert_true(slice_copy(plan.terminal, sizeof(plan.terminal), slice_of(name)));
	pid = spawn(&plan, &output, &error);
	assert_true(pid > 0);
	assert_int_equal(output, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(slave);
	for (ssize_t n; (n = read(master, text + len, sizeof(text) - 1 - len)) > 0;)
		len += (size_t)n;
	close(master);
	assert_non_null(strstr(text, name));
	assert_non_null(strstr(text, "controlling"));
	assert_non_null(strstr(text, "600"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_outputs_come_through_the_pipe),
		cmocka_unit_test(nothing_of_inits_is_inherited),
		cmocka_unit_test(a_program_that_is_not_there_is_told_in_its_output),
		cmocka_unit_test(a_word_that_is_too_long_runs_nothing),
		cmocka_unit_test(more_words_than_there_is_room_for_run_nothing),
		cmocka_unit_test(input_goes_in_and_ends),
		cmocka_unit_test(a_console_has_the_terminal_as_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

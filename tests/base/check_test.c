/* The two words for what cannot go on. */
#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void crash(void)
{
	CRASH("the %s is gone", "disk");
}

static void break_promise(void)
{
	signal(SIGABRT, SIG_DFL);
	ASSERT(1 + 1 == 3);
}

static int status_of(void (*run)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		close(2);
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void what_cannot_go_on_ends_with_its_exit_code(void **state)
{
	int status = status_of(crash);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CRASH_EXIT);
}

static void a_broken_promise_ends_with_a_signal(void **state)
{
	int status = status_of(break_promise);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_go_on_ends_with_its_exit_code),
		cmocka_unit_test(a_broken_promise_ends_with_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "web/front_server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX 8192	    /* bytes of what the program says of itself */
#define ANSWER_MS 10000
#define LOOK_MS 20
#define H2_MODULE_SINCE 72 /* of 1.4: before, HTTP/2 is part of the server */
#define LIMITS_WORD SLICE("hikyaku limits")

/* ---- in the child ---- */

/* Only who holds the right to change groups has any that are to go. */
static bool drop_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];
	const u32 kept = 1u << CAP_NET_BIND_SERVICE;

	if (syscall(SYS_capget, &header, sets) < 0)
		return false;
	if (!(sets[0].effective & (1u << CAP_SETGID)))
		return true;
	if (setgroups(0, NULL) < 0)
		return false;
	/* What leaves these sets leaves the ambient one, too. */
	for (u32 i = 0; i < 2; i++) {
		sets[i].effective &= i == 0 ? kept : 0;
		sets[i].permitted &= i == 0 ? kept : 0;
		sets[i].inheritable &= i == 0 ? kept : 0;
	}
	return syscall(SYS_capset, &header, sets) == 0;
}

bool front_child(bool drop)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && (!drop || drop_rights());
}

NORETURN static void become(const struct front_server *server, char *const *words, int out)
{
	if (!front_child(true)) {
		fprintf(stderr, "hikyaku: www: rights cannot be given up: %s\n", strerror(errno));
		_exit(1);
	}
	if (out >= 0 && (dup2(out, 1) < 0 || dup2(out, 2) < 0))
		_exit(1);
	execv(server->program, words);
	fprintf(stderr, "hikyaku: www: %s: %s\n", server->program, strerror(errno));
	_exit(1);
}

/* ---- questions ---- */

/* All that it says until it ends or `ANSWER_MS` are over; cut at the size. */
static size_t read_answer(int fd, char *answer, size_t size)
{
	u64 until_ns = clock_mono_ns() + ANSWER_MS * NS_PER_MS;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < size && clock_mono_ns() < until_ns) {
		n = poll(&wait, 1, LOOK_MS);
		if (n < 0 && errno != EINTR)
			break;
		if (n <= 0) {
			n = 1;
			continue;
		}
		n = read(fd, answer + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

/* Its exit code; -1: it was not to be started, or did not end by itself. */
static int ask(const struct front_server *server, char *const *words, char *answer, size_t size,
	       size_t *len)
{
	int pipes[2];
	int status = 0;
	pid_t pid;

	*len = 0;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(server, words, pipes[1]);
	close(pipes[1]);
	if (pid > 0) {
		*len = read_answer(pipes[0], answer, size);
		kill(pid, SIGKILL); /* one that ended is not hurt by it */
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	close(pipes[0]);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool front_server_probe(struct front_server *server, struct error *error)
{
	char *words[] = { (char *)(uintptr_t)server->program, "-V", NULL };
	char answer[ANSWER_MAX];
	size_t len;
	int code = ask(server, words, answer, sizeof(answer), &len);
	struct slice said = { answer, len };
	u32 patch = 0;
	size_t at = sizeof("lighttpd/1.4.") - 1;

	if (code != 0 || !slice_has_prefix(said, SLICE("lighttpd/1.4.")))
		return error_set(error, "%s is no lighttpd 1.4: %.*s", server->program,
				 SLICE_FMT(slice_first(said, 200)));
	for (; at < len && ascii_is_digit(answer[at]) && patch < 1000; at++)
		patch = patch * 10 + (u32)(answer[at] - '0');
	server->has_h2_module = patch >= H2_MODULE_SINCE;
	server->has_limits = slice_find(said, LIMITS_WORD) >= 0;
	return true;
}

bool front_server_check(const struct front_server *server, struct error *error)
{
	char *words[] = { (char *)(uintptr_t)server->program, "-tt", "-f",
			  (char *)(uintptr_t)server->config, NULL };
	char answer[ANSWER_MAX];
	size_t len;

	if (ask(server, words, answer, sizeof(answer), &len) == 0)
		return true;
	return error_set(error, "lighttpd refuses its configuration: %.*s",
			 SLICE_FMT(slice_first((struct slice){ answer, len }, 400)));
}

/* ---- its life ---- */

bool front_server_start(struct front_server *server, struct error *error)
{
	char *words[] = { (char *)(uintptr_t)server->program, "-D", "-f",
			  (char *)(uintptr_t)server->config, NULL };

	fflush(NULL);
	server->pid = fork();
	if (server->pid == 0)
		become(server, words, -1);
	if (server->pid < 0) {
		server->pid = 0;
		return error_set_errno(error, errno, "fork");
	}
	return true;
}

static void tell(const struct front_server *server, int number)
{
	if (server->pid > 0 && kill(server->pid, number) < 0)
		log_warn("www", "lighttpd was not told", "signal=%d errno=%d", number, errno);
}

void front_server_renew(const struct front_server *server)
{
	tell(server, SIGUSR1);
}

void front_server_reopen(const struct front_server *server)
{
	tell(server, SIGHUP);
}

bool front_server_runs(struct front_server *server)
{
	int status;

	if (server->pid > 0 && waitpid(server->pid, &status, WNOHANG) == server->pid) {
		log_error("www", "lighttpd ended", "code=%d signal=%d",
			  WIFEXITED(status) ? WEXITSTATUS(status) : -1,
			  WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		server->pid = 0;
	}
	return server->pid > 0;
}

/* Whether it is gone within that time. */
static bool wait_for_end(struct front_server *server, u64 wait_ms)
{
	u64 until_ns = clock_mono_ns() + wait_ms * NS_PER_MS;

	do {
		if (waitpid(server->pid, NULL, WNOHANG) != 0) {
			server->pid = 0;
			return true;
		}
		poll(NULL, 0, LOOK_MS);
	} while (clock_mono_ns() < until_ns);
	return false;
}

void front_server_stop(struct front_server *server, u64 patience_ms)
{
	if (server->pid <= 0)
		return;
	tell(server, SIGINT); /* finishes what is under way */
	if (wait_for_end(server, patience_ms))
		return;
	tell(server, SIGTERM);
	if (wait_for_end(server, 1000))
		return;
	tell(server, SIGKILL);
	if (!wait_for_end(server, 1000))
		log_error("www", "lighttpd does not end", "pid=%d", (int)server->pid);
}

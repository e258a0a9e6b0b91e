/* Programs that make and mend file systems; their words go to the log. */
#include "init/volume_disk.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_SIZE 256

NORETURN static void become(const char *const *argv, int output)
{
	/* Without a configuration file; the words of the program decide. */
	char *const environment[] = { "PATH=/sbin:/usr/sbin", "MKE2FS_CONFIG=/dev/null",
				      "E2FSCK_CONFIG=/dev/null", NULL };
	int input = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execve(argv[0], (char *const *)argv, environment);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void log_lines(int fd, const char *program)
{
	char line[LINE_MAX_SIZE];
	size_t len = 0;
	char c;

	while (read(fd, &c, 1) == 1) {
		if (c != '\n' && c != '\b' && len + 1 < sizeof(line)) {
			line[len++] = c;
			continue;
		}
		line[len] = '\0';
		if (len > 0 && c == '\n')
			log_info("volume", "program says", "program=%s line=%s", program, line);
		if (c == '\n')
			len = 0;
	}
}

int volume_run(const char *const *argv, struct error *error)
{
	int ends[2];
	int status = 0;
	pid_t pid;
	pid_t done;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		error_set_errno(error, errno, "%s", argv[0]);
		return -1;
	}
	pid = fork();
	if (pid == 0)
		become(argv, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		error_set_errno(error, errno, "%s", argv[0]);
		close(ends[0]);
		return -1;
	}
	log_lines(ends[0], argv[0]);
	close(ends[0]);
	do
		done = waitpid(pid, &status, 0);
	while (done < 0 && errno == EINTR);
	if (done == pid && WIFEXITED(status) && WEXITSTATUS(status) != 127)
		return WEXITSTATUS(status);
	error_set(error, "%s did not run to its end", argv[0]);
	return -1;
}

/* Programs that make and mend file systems; their words go to the log. */
#include "init/volume_disk.h"

#include "base/log.h"
#include "base/stream.h"

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

static void log_line(void *arg, struct slice line)
{
	char text[LINE_MAX_SIZE];
	int len = 0;

	/* They count up on a terminal, and take it back. */
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] != '\b')
			text[len++] = line.ptr[i];
	}
	if (len > 0)
		log_info("volume", "program says", "program=%s line=%.*s", (const char *)arg, len,
			 text);
}

static void log_output(int fd, const char *program)
{
	struct stream_lines lines = { .max = LINE_MAX_SIZE };
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			stream_cut(&lines, (struct slice){ bytes, (size_t)n }, log_line,
				   (void *)program);
	}
	stream_cut_rest(&lines, log_line, (void *)program);
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
	log_output(ends[0], argv[0]);
	close(ends[0]);
	do
		done = waitpid(pid, &status, 0);
	while (done < 0 && errno == EINTR);
	if (done == pid && WIFEXITED(status) && WEXITSTATUS(status) != 127)
		return WEXITSTATUS(status);
	error_set(error, "%s did not run to its end", argv[0]);
	return -1;
}

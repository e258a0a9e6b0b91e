#include "base/role.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

const char *role_config_path(int argc, char **argv, const char *usage, int *code)
{
	const char *path = ROLE_CONFIG;

	*code = -1;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			path = argv[++i];
			continue;
		}
		*code = strcmp(argv[i], "--help") == 0 ? 0 : 2;
		fputs(usage, *code == 0 ? stdout : stderr);
	}
	return path;
}

int role_watch_signals(struct error *error)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files is answered to the write, as a full disk is. */
	signal(SIGXFSZ, SIG_IGN);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		error_set_errno(error, errno, "signalfd");
	return fd;
}

u32 role_take_signals(int fd)
{
	struct signalfd_siginfo info;
	u32 count = 0;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		count++;
	return count;
}

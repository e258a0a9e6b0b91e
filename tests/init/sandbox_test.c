/*
 * What is left to a process in its sandbox: each test asks the kernel, in a child that enters one.
 * Needs root and landlock; elsewhere the tests are skipped, and say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/remove_tree.h"
#include "init/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 101
#define GROUP 110
#define OTHER_GROUP 111

static char folder[] = "/tmp/sandbox-test-XXXXXX";
static char allowed[64];
static char shown[64];
static char hidden[64];

static void put_file(const char *in, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", in, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	/* Whatever the umask: only the sandbox is to refuse. */
	assert_int_equal(fchmod(fd, 0777), 0);
	close(fd);
}

static int make_folders(void **state)
{
	const struct {
		char *path;
		const char *name;
	} made[] = { { allowed, "allowed" }, { shown, "shown" }, { hidden, "hidden" } };

	(void)state;
	if (geteuid() != 0 || sandbox_landlock_version() == 0) {
		puts("skipped: needs root and landlock");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0777), 0);
	for (size_t i = 0; i < 3; i++) {
		snprintf(made[i].path, 64, "%s/%s", folder, made[i].name);
		assert_int_equal(mkdir(made[i].path, 0777), 0);
		assert_int_equal(chmod(made[i].path, 0777), 0);
		put_file(made[i].path, "file", "text");
	}
	return 0;
}

static int remove_folders(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

static struct sandbox plain(void)
{
	struct sandbox sandbox = {
		.user = USER, .group = GROUP, .groups = { OTHER_GROUP }, .group_count = 1
	};

	sandbox.paths[0] = (struct sandbox_path){ allowed, SANDBOX_WRITE };
	sandbox.paths[1] = (struct sandbox_path){ shown, SANDBOX_READ };
	sandbox.paths[2] = (struct sandbox_path){ "/proc", SANDBOX_READ };
	return sandbox;
}

/* Runs `what` in the sandbox; its result (0-100), or a failed test. */
static int within(const struct sandbox *sandbox, int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct error error = { "" };

		if (!sandbox_enter(sandbox, &error)) {
			fprintf(stderr, "%s\n", error.text);
			_exit(120);
		}
		_exit(what());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) <= 100);
	return WEXITSTATUS(status);
}

/* What happened, as the child's result: 0, or the errno. */
static int outcome(long result)
{
	return result >= 0 ? 0 : errno;
}

static int open_in(const char *in, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", in, name);
	return outcome(open(path, flags | O_CLOEXEC, 0600));
}

/* ---- files ---- */

static int write_allowed(void)
{
	return open_in(allowed, "file", O_RDWR | O_TRUNC);
}

static int make_allowed(void)
{
	return open_in(allowed, "new", O_WRONLY | O_CREAT | O_EXCL);
}

static int read_shown(void)
{
	return open_in(shown, "file", O_RDONLY);
}

static int write_shown(void)
{
	return open_in(shown, "file", O_WRONLY);
}

static int make_shown(void)
{
	return open_in(shown, "new", O_WRONLY | O_CREAT);
}

static int read_hidden(void)
{
	return open_in(hidden, "file", O_RDONLY);
}

static int link_hidden(void)
{
	char from[128];
	char to[128];

	snprintf(from, sizeof(from), "%s/file", hidden);
	snprintf(to, sizeof(to), "%s/link", allowed);
	return outcome(link(from, to));
}

static int run_from_allowed(void)
{
	char path[128];
	char *words[] = { path, NULL };

	snprintf(path, sizeof(path), "%s/file", allowed);
	return outcome(execv(path, words));
}

static void files_outside_of_its_paths_are_out_of_reach(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	assert_int_equal(within(&sandbox, write_allowed), 0);
	assert_int_equal(within(&sandbox, make_allowed), 0);
	assert_int_equal(within(&sandbox, read_shown), 0);
	assert_int_equal(within(&sandbox, write_shown), EACCES);
	assert_int_equal(within(&sandbox, make_shown), EACCES);
	assert_int_equal(within(&sandbox, read_hidden), EACCES);
	assert_true(within(&sandbox, link_hidden) != 0);
}

static void what_can_be_written_cannot_be_run(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	put_file(allowed, "file", "#!/bin/true\n");
	assert_int_equal(within(&sandbox, run_from_allowed), EACCES);
}

static void a_path_that_is_not_there_is_passed_over(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	sandbox.paths[2] = (struct sandbox_path){ "/nowhere/at/all", SANDBOX_WRITE };
	assert_int_equal(within(&sandbox, read_shown), 0);
}

/* ---- users and capabilities ---- */

static int is_the_user(void)
{
	gid_t groups[8];
	int count = getgroups(8, groups);

	return !(getuid() == USER && geteuid() == USER && getgid() == GROUP && count == 1 &&
		 groups[0] == OTHER_GROUP);
}

static int come_back(void)
{
	return outcome(setuid(0));
}

static int has_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];
	int count = 0;

	if (syscall(SYS_capget, &header, sets) < 0)
		return 100;
	for (int i = 0; i <= 40; i++) {
		count += prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1;
		count += (int)(sets[i / 32].effective >> (i % 32) & 1);
	}
	return count;
}

static int bind_to_25(void)
{
	/* 127.0.0.1:25 in network order */
	struct sockaddr address = { .sa_family = AF_INET, .sa_data = { 0, 25, 127, 0, 0, 1 } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return outcome(bind(fd, &address, 16));
}

static void it_is_another_user_for_good(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	assert_int_equal(within(&sandbox, is_the_user), 0);
	assert_int_equal(within(&sandbox, come_back), EPERM);
}

static void it_has_the_named_capabilities_and_no_other(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	assert_int_equal(within(&sandbox, has_capabilities), 0);
	assert_int_equal(within(&sandbox, bind_to_25), EACCES);
	sandbox.capabilities = 1ull << CAP_NET_BIND_SERVICE;
	/* Once in the bounding set, once in effect. */
	assert_int_equal(within(&sandbox, has_capabilities), 2);
	assert_int_equal(within(&sandbox, bind_to_25), 0);
}

/* ---- system calls ---- */

static int mount_something(void)
{
	return outcome(mount("none", allowed, "tmpfs", 0, NULL));
}

static int unmount_something(void)
{
	return outcome(umount(allowed));
}

static int trace_parent(void)
{
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int new_user_namespace(void)
{
	return outcome(unshare(CLONE_NEWUSER));
}

static int clone_into_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int plain_fork(void)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(0);
	return waitpid(pid, &status, 0) == pid ? status : 1;
}

static int make_ring(void)
{
	/* Bad arguments: EFAULT says that the kernel looked at them. */
	return outcome(syscall(SYS_io_uring_setup, 1, NULL));
}

static int packet_socket(void)
{
	return outcome(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int netlink_socket(void)
{
	return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int vsock_socket(void)
{
	return outcome(socket(40, SOCK_STREAM, 0));
}

static int inet_socket(void)
{
	return outcome(socket(AF_INET6, SOCK_STREAM, 0));
}

static int look_at_clock(void)
{
	struct timex state = { .modes = 0 };

	return outcome(adjtimex(&state));
}

static void namespaces_tracing_and_mounts_are_refused_even_to_root(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	sandbox.user = 0;
	sandbox.capabilities = 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE;
	assert_int_equal(within(&sandbox, mount_something), EPERM);
	assert_int_equal(within(&sandbox, unmount_something), EPERM);
	assert_int_equal(within(&sandbox, trace_parent), EPERM);
	assert_int_equal(within(&sandbox, new_user_namespace), EPERM);
	assert_int_equal(within(&sandbox, clone_into_namespace), EPERM);
	assert_int_equal(within(&sandbox, plain_fork), 0);
}

static void mounting_is_for_the_upgrade_and_not_with_a_view_of_its_own(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	sandbox.user = 0;
	sandbox.capabilities = 1ull << CAP_SYS_ADMIN;
	sandbox.rights = SANDBOX_MOUNTS;
	/* Landlock refuses what would change what its paths mean. */
	assert_int_equal(within(&sandbox, mount_something), EPERM);
	sandbox.paths[0].path = NULL;
	assert_int_equal(within(&sandbox, mount_something), 0);
	assert_int_equal(within(&sandbox, unmount_something), 0);
}

static void rings_are_for_those_who_have_the_right(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	assert_int_equal(within(&sandbox, make_ring), EPERM);
	sandbox.rights = SANDBOX_RINGS;
	assert_int_equal(within(&sandbox, make_ring), EFAULT);
}

static void sockets_are_of_the_named_families(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	sandbox.capabilities = 1ull << CAP_NET_RAW;
	assert_int_equal(within(&sandbox, inet_socket), 0);
	assert_int_equal(within(&sandbox, packet_socket), EAFNOSUPPORT);
	assert_int_equal(within(&sandbox, netlink_socket), EAFNOSUPPORT);
	sandbox.rights = SANDBOX_PACKETS | SANDBOX_NETLINK;
	assert_int_equal(within(&sandbox, packet_socket), 0);
	assert_int_equal(within(&sandbox, netlink_socket), 0);
	assert_int_equal(within(&sandbox, vsock_socket), EAFNOSUPPORT);
}

static void the_clock_is_for_the_time_client(void **state)
{
	struct sandbox sandbox = plain();

	(void)state;
	assert_int_equal(within(&sandbox, look_at_clock), EPERM);
	sandbox.rights = SANDBOX_CLOCK;
	assert_int_equal(within(&sandbox, look_at_clock), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_outside_of_its_paths_are_out_of_reach),
		cmocka_unit_test(what_can_be_written_cannot_be_run),
		cmocka_unit_test(a_path_that_is_not_there_is_passed_over),
		cmocka_unit_test(it_is_another_user_for_good),
		cmocka_unit_test(it_has_the_named_capabilities_and_no_other),
		cmocka_unit_test(namespaces_tracing_and_mounts_are_refused_even_to_root),
		cmocka_unit_test(mounting_is_for_the_upgrade_and_not_with_a_view_of_its_own),
		cmocka_unit_test(rings_are_for_those_who_have_the_right),
		cmocka_unit_test(sockets_are_of_the_named_families),
		cmocka_unit_test(the_clock_is_for_the_time_client),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}

/*
 * A network of its own for a test: a namespace with eth0 and eth1, whose other ends p0 and p1 are
 * in a second namespace, "peer"; a /run and a host name of its own. Needs root.
 */
#ifndef TESTS_INIT_NETWORK_WORLD_H
#define TESTS_INIT_NETWORK_WORLD_H

#include "base/clock.h"
#include "base/text.h"
#include "control/request.h"
#include "init/network.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WORLD_PATIENCE_MS 30000
#define WORLD_PROCESSES_MAX 8

static struct network *world_network;
static int world_server = -1; /* what init's control socket is to dhcp-event */
static pid_t world_processes[WORLD_PROCESSES_MAX];
static size_t world_process_count;
static char world_events[256]; /* names of the DHCP events so far, each with a space behind */
static size_t world_events_len;

static inline u64 now_ms(void)
{
	return clock_mono_ns() / NS_PER_MS;
}

/* Whether a command of the shell ends well; its words are not shown. */
static inline bool holds(const char *fmt, ...) PRINTF_LIKE(1, 2);
static inline bool holds(const char *fmt, ...)
{
	char command[1024];
	char whole[1100];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "( %s ) >/dev/null 2>&1", command);
	return system(whole) == 0;
}

#define MUST(...)                                                                                  \
	do {                                                                                       \
		if (!holds(__VA_ARGS__))                                                           \
			fail_msg("failed: " __VA_ARGS__);                                          \
	} while (0)

/* One event of a DHCP client, answered as init does. */
static inline void serve_one(void)
{
	struct frame_decoder decoder;
	struct control_request request = { .json = NULL };
	struct error error = { "" };
	struct frame frame;
	struct buf out;
	char bytes[16384];
	int fd = accept4(world_server, NULL, NULL, SOCK_CLOEXEC);
	ssize_t got;
	bool fine;

	assert_true(fd >= 0);
	frame_decoder_init(&decoder);
	buf_init(&out, 4096);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		struct slice rest = { bytes, (size_t)got };

		if (frame_decoder_take(&decoder, &rest, &frame, &error) != FRAME_READY)
			continue;
		assert_true(control_request_parse(&request, frame.payload, &error));
		assert_string_equal(request.command, "network.dhcp");
		world_events_len += (size_t)snprintf(
			world_events + world_events_len, sizeof(world_events) - world_events_len,
			"%s ", json_string_value(json_object_get(request.json, "event")));
		fine = network_dhcp_event(world_network, request.json, now_ms(), &error)
			       ? control_add_json(&out, FRAME_REPLY, json_object())
			       : control_add_error(&out, CONTROL_BAD_REQUEST, error.text);
		assert_true(fine);
		assert_int_equal(write(fd, out.ptr, out.len), out.len);
		control_request_done(&request);
		break;
	}
	buf_done(&out);
	frame_decoder_done(&decoder);
	close(fd);
}

/* As init's loop does it, for at most so long. */
static inline void turn(u64 most_ms)
{
	struct pollfd fds[] = { { .fd = network_fd(world_network), .events = POLLIN },
				{ .fd = world_server, .events = POLLIN } };
	u64 next = network_next_ms(world_network);
	u64 wait = next > now_ms() ? min_u64(next - now_ms(), most_ms) : 0;

	poll(fds, 2, (int)wait);
	if (fds[1].revents)
		serve_one();
	network_run(world_network, now_ms());
}

/* Runs the network until the command ends well. */
#define UNTIL(...)                                                                                 \
	do {                                                                                       \
		u64 end = now_ms() + WORLD_PATIENCE_MS;                                            \
		while (!holds(__VA_ARGS__)) {                                                      \
			if (now_ms() > end) {                                                      \
				(void)!system("ip address >&2; ip route >&2; ip -6 route >&2; "    \
					      "cat /run/log* >&2");                                \
				fail_msg("never: " __VA_ARGS__);                                   \
			}                                                                          \
			turn(50);                                                                  \
		}                                                                                  \
	} while (0)

static inline void run_for(u64 ms)
{
	u64 end = now_ms() + ms;

	while (now_ms() < end)
		turn(end - now_ms());
}

static inline void configure(const char *text)
{
	struct error error = { "" };
	struct appliance appliance;

	if (!appliance_parse(&appliance, slice_of(text), "t.conf", &error) ||
	    !network_configure(world_network, &appliance, now_ms(), &error))
		fail_msg("%s", error.text);
	appliance_free(&appliance);
}

/* A process that ends with the test; its words are in /run/log.N. */
static inline pid_t start(const char *command)
{
	char whole[1024];
	pid_t pid;

	assert_true(world_process_count < WORLD_PROCESSES_MAX);
	snprintf(whole, sizeof(whole), "exec %s >/run/log.%zu 2>&1", command, world_process_count);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", whole, NULL);
		_exit(127);
	}
	world_processes[world_process_count++] = pid;
	return pid;
}

static inline void end(pid_t pid)
{
	for (size_t i = 0; i < world_process_count; i++) {
		if (world_processes[i] == pid)
			world_processes[i] = 0;
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* A value of network.show of one interface; borrowed until the next call. */
static inline json_t *shown(const char *interface, const char *name)
{
	static json_t *json;
	json_t *item;
	size_t i;

	json_decref(json);
	json = network_json(world_network, now_ms());
	assert_non_null(json);
	json_array_foreach(json_object_get(json, "interfaces"), i, item) {
		if (strcmp(json_string_value(json_object_get(item, "name")), interface) == 0)
			return json_object_get(item, name);
	}
	return NULL;
}

static inline void listen_as_init(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONTROL_INIT_PATH };

	assert_int_equal(mkdir("/run/hikyaku", 0755), 0);
	world_server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(world_server >= 0);
	assert_int_equal(bind(world_server, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world_server, 8), 0);
}

static inline int world_begin(void **state)
{
	struct error error = { "" };

	(void)state;
	if (geteuid() != 0)
		return 0;
	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("none", "/sys", "sysfs", 0, NULL), 0);
	MUST("ip netns add peer");
	MUST("ip link add eth0 address 52:54:00:00:00:01 type veth peer name p0 netns peer");
	MUST("ip link add eth1 address 52:54:00:00:00:02 type veth peer name p1 netns peer");
	MUST("ip netns exec peer ip link set p0 up && ip netns exec peer ip link set p1 up");
	listen_as_init();
	world_events[0] = '\0';
	world_events_len = 0;
	network_settings();
	world_network = network_new(&error);
	assert_non_null(world_network);
	return 0;
}

static inline int world_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < world_process_count; i++) {
		if (world_processes[i] > 0)
			end(world_processes[i]);
	}
	world_process_count = 0;
	network_free(world_network);
	world_network = NULL;
	if (world_server >= 0)
		close(world_server);
	world_server = -1;
	return 0;
}

#define NEEDS_ROOT()                                                                               \
	do {                                                                                       \
		if (geteuid() != 0) {                                                              \
			print_message("needs root: a network namespace\n");                        \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

#endif

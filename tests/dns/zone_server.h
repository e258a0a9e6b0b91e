/*
 * For tests of the resolver: a real name server. tests/dns/serve-zones writes and signs zones and
 * serves them on loopback; two more ports are bound where nobody ever answers, and closed.
 */
#ifndef TESTS_DNS_ZONE_SERVER_H
#define TESTS_DNS_ZONE_SERVER_H

#include "base/types.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STUB_COUNT 7

static struct zones {
	char dir[64];
	char stubs[STUB_COUNT][64];
	const char *stub_list[STUB_COUNT];
	char anchors[2][256];
	const char *anchor_list[2];
	int silent; /* a UDP socket that nobody reads */
	pid_t nsd;
} zones;

/* A port that was free a moment ago; the socket stays open when `keep` is given. */
static unsigned int free_port(int type, int *keep)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	if (keep)
		*keep = fd;
	else
		close(fd);
	return ntohs(address.sin_port);
}

static bool listens(unsigned int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((u16)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return connected;
}

static void read_anchors(void)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/anchors", zones.dir);
	file = fopen(path, "r");
	assert_non_null(file);
	for (size_t i = 0; i < 2; i++) {
		assert_non_null(fgets(zones.anchors[i], sizeof(zones.anchors[i]), file));
		zones.anchor_list[i] = zones.anchors[i];
	}
	fclose(file);
}

static int zones_serve(void **state)
{
	static const char *const names[STUB_COUNT] = { "plain.example",	 "signed.example",
						       "broken.example", "lame.example",
						       "dead.example",	 "closed.example",
						       "other.example" };
	unsigned int ports[STUB_COUNT];
	unsigned int port = free_port(SOCK_STREAM, NULL);
	char port_text[16];
	char other_text[16];

	(void)state;
	for (int i = 0; i < 4; i++)
		ports[i] = port;
	ports[4] = free_port(SOCK_DGRAM, &zones.silent);
	ports[5] = free_port(SOCK_DGRAM, NULL);
	ports[6] = free_port(SOCK_STREAM, NULL);
	for (int i = 0; i < STUB_COUNT; i++) {
		snprintf(zones.stubs[i], sizeof(zones.stubs[i]), "%s 127.0.0.1@%u", names[i],
			 ports[i]);
		zones.stub_list[i] = zones.stubs[i];
	}
	snprintf(zones.dir, sizeof(zones.dir), "/tmp/hikyaku-zones-XXXXXX");
	assert_non_null(mkdtemp(zones.dir));
	snprintf(port_text, sizeof(port_text), "%u", port);
	snprintf(other_text, sizeof(other_text), "%u", ports[6]);
	zones.nsd = fork();
	assert_true(zones.nsd >= 0);
	if (zones.nsd == 0) {
		execl("tests/dns/serve-zones", "serve-zones", zones.dir, port_text, other_text,
		      NULL);
		_exit(127);
	}
	for (int tries = 0; !listens(port) || !listens(ports[6]); tries++) {
		assert_int_equal(waitpid(zones.nsd, NULL, WNOHANG), 0);
		assert_true(tries < 600);
		usleep(50000);
	}
	read_anchors();
	return 0;
}

static int zones_stop(void **state)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	(void)state;
	kill(zones.nsd, SIGTERM);
	waitpid(zones.nsd, NULL, 0);
	close(zones.silent);
	dir = opendir(zones.dir);
	while (dir && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", zones.dir, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(zones.dir);
	return 0;
}

#endif

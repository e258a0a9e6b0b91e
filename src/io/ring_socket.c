/*
 * Sockets of a ring: made by ordinary system calls (once per connection, not per message), then
 * moved into the ring's table, so that they are not among the process's open files. Those that
 * listen stay outside.
 */
#include "io/ring_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* Moves an ordinary descriptor into the table; closes it in any case. */
static i32 install(struct ring *ring, int fd)
{
	u32 index;
	int ret;

	if (ring->free_count == 0) {
		close(fd);
		return -ENFILE;
	}
	index = ring->free_files[ring->free_count - 1];
	ret = io_uring_register_files_update(&ring->uring, index, &fd, 1);
	close(fd);
	if (ret < 0)
		return ret;
	ring->free_count--;
	ring->stats.open_handles++;
	return (i32)index;
}

socklen_t ring_sockaddr(struct sockaddr_storage *ss, const struct net_address *a)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == 4) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(a->port);
		memcpy(&sin->sin_addr, a->ip, 4);
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(a->port);
	memcpy(&sin6->sin6_addr, a->ip, 16);
	return sizeof(*sin6);
}

i32 ring_socket(struct ring *ring, const struct net_address *to, const struct net_address *from)
{
	struct sockaddr_storage ss;
	int one = 1;
	int fd = socket(to->family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/*
	 * Replies and pipelined commands are small; waiting for more of them would cost round
	 * trips.
	 */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (from) {
		socklen_t len = ring_sockaddr(&ss, from);

		/* The port is chosen at connect, by destination: 64k per receiver, not in all. */
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (bind(fd, (struct sockaddr *)&ss, len) < 0) {
			int code = errno;

			close(fd);
			return -code;
		}
	}
	return install(ring, fd);
}

/* Not blocking while it connects, which is at once or not at all; rings need it blocking behind. */
i32 ring_connect_unix(struct ring *ring, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || fcntl(fd, F_SETFL, 0) < 0) {
		int code = errno;

		close(fd);
		return -code;
	}
	return install(ring, fd);
}

static bool address_of(struct net_address *address, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;

	*address = (struct net_address){ .family = ss->ss_family == AF_INET ? 4 : 6 };
	if (ss->ss_family == AF_INET) {
		address->port = ntohs(sin->sin_port);
		memcpy(address->ip, &sin->sin_addr, 4);
	} else {
		address->port = ntohs(sin6->sin6_port);
		memcpy(address->ip, &sin6->sin6_addr, 16);
	}
	return ss->ss_family == AF_INET || ss->ss_family == AF_INET6;
}

i32 ring_accept_one(struct ring *ring, int listener, struct net_address *peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int one = 1;
	int fd;

	memset(&ss, 0, sizeof(ss));
	fd = accept4(listener, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!address_of(peer, &ss)) {
		close(fd);
		return -EAFNOSUPPORT;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return install(ring, fd);
}

i32 ring_take_peer(struct ring *ring, struct ring_accept *accept, int fd)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		int code = errno;

		close(fd);
		return -code;
	}
	accept->user = peer.uid;
	return install(ring, fd);
}

/*
 * A process that was killed gives up its listening sockets only when the kernel has taken its rings
 * apart, some time behind its death: whoever starts again at once waits for that.
 */
/* A web server connects once for each request; at a full queue connect() fails at once. */
#define UNIX_BACKLOG 1024
#define IN_USE_TRIES 60
#define IN_USE_WAIT_US (50 * 1000)

static int listen_tcp(const struct net_address *at)
{
	struct sockaddr_storage ss;
	socklen_t len = ring_sockaddr(&ss, at);
	int one = 1;
	int code;
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (at->family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, 512) < 0) {
		code = errno;
		close(fd);
		return -code;
	}
	return fd;
}

int ring_listen(const struct net_address *at)
{
	int fd = listen_tcp(at);

	for (u32 i = 0; fd == -EADDRINUSE && i < IN_USE_TRIES; i++) {
		usleep(IN_USE_WAIT_US);
		fd = listen_tcp(at);
	}
	return fd;
}

/* True when a socket file exists but nobody listens on it. */
static bool unix_socket_is_stale(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int code;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (unix_socket_is_stale(&sun))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, UNIX_BACKLOG) < 0) {
		code = errno;
		close(fd);
		return -code;
	}
	return fd;
}

int ring_listen_unix(const char *path)
{
	int fd = listen_unix(path);

	for (u32 i = 0; fd == -EADDRINUSE && i < IN_USE_TRIES; i++) {
		usleep(IN_USE_WAIT_US);
		fd = listen_unix(path);
	}
	return fd;
}

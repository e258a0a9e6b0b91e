/*
 * For tests of the ring: ordinary, non-blocking sockets on loopback as the other side, and turns
 * until something came true. A test that waits for what never comes ends by its number of turns.
 */
#ifndef TESTS_IO_LOOPBACK_H
#define TESTS_IO_LOOPBACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/ring.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_NS 1000000ull
#define TURNS_MAX 20000

#define turn_until(ring, cond)                                                                     \
	do {                                                                                       \
		u32 turns_left = TURNS_MAX;                                                        \
		while (!(cond)) {                                                                  \
			if (turns_left-- == 0)                                                     \
				fail_msg("never: %s", #cond);                                      \
			ring_turn(ring, TURN_NS);                                                  \
		}                                                                                  \
	} while (0)

static inline struct ring *loopback_ring(const struct ring_params *params)
{
	struct error error = { "" };
	struct ring *ring = ring_open(params, &error);

	if (!ring)
		fail_msg("%s", error.text);
	return ring;
}

/* Until no handle is left; under kernels before 6.13 a thread of the kernel ends a connection. */
static inline void loopback_handles_end(struct ring *ring)
{
	struct ring_stats stats;

	turn_until(ring, (ring_stats(ring, &stats), stats.open_handles == 0));
}

/* Nothing is in flight and no socket is left. */
static inline void loopback_ring_close(struct ring *ring)
{
	struct ring_stats stats;

	loopback_handles_end(ring);
	ring_stats(ring, &stats);
	assert_int_equal(stats.in_flight, 0);
	ring_close(ring);
}

/* A listening socket of the host's; `at` says where. */
static inline int loopback_listen(struct net_address *at)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*at = (struct net_address){ .family = 4,
				    .port = ntohs(sin.sin_port),
				    .ip = { 127, 0, 0, 1 } };
	return fd;
}

/* An address where nobody listens (any more). */
static inline struct net_address loopback_free(void)
{
	struct net_address at;

	close(loopback_listen(&at));
	return at;
}

static inline int loopback_dial(const struct net_address *to)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				   .sin_port = htons(to->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

/* Closes so that the peer sees a reset. */
static inline void loopback_reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

#endif

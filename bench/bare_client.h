/* What bare_client.c, bare_options.c and bare_tls.c share. */
#ifndef BENCH_BARE_CLIENT_H
#define BENCH_BARE_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum mode { MODE_BDAT, MODE_DATA, MODE_PLAIN, MODE_STEPS };
enum tls_way { TLS_NONE, TLS_MEMORY, TLS_KERNEL };
enum send_way { SEND_COPY, SEND_ZERO_COPY, SEND_REGISTERED };

struct bare_options {
	struct sockaddr_in to;
	unsigned addresses;
	uint64_t messages;
	size_t size;
	unsigned sessions;
	enum mode mode;
	const char *mode_name;
	double seconds;
	int cpu;
	enum send_way way;
	enum tls_way tls;
	unsigned napi_us; /* how long the ring looks into the card's queue before it sleeps; 0: never */
	bool sqpoll;
	bool huge;
};

/* One session's TLS; lives as long as the process. */
struct bare_tls;

void bare_parse(struct bare_options *options, int argc, char **argv);
/* Prints why, and ends the process with status 1. */
_Noreturn void bare_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Greeting, EHLO, STARTTLS and the handshake on a connected, blocking socket. */
struct bare_tls *bare_tls_start(int fd, bool kernel);
/* The parts as records; they stay valid until the next call. Not with a kernel that makes them. */
size_t bare_tls_seal(struct bare_tls *t, const struct iovec *parts, unsigned count, void **records);
void bare_tls_feed(struct bare_tls *t, const void *records, size_t len);
/* Text out of what was fed; 0: no more. */
size_t bare_tls_read(struct bare_tls *t, char *clear, size_t size);

#endif

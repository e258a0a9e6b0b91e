/* What bare_client.c and bare_options.c share. */
#ifndef BENCH_BARE_CLIENT_H
#define BENCH_BARE_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mode { MODE_BDAT, MODE_DATA, MODE_PLAIN, MODE_STEPS };
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
	bool sqpoll;
	bool huge;
};

void bare_parse(struct bare_options *options, int argc, char **argv);
/* Prints why, and ends the process with status 1. */
_Noreturn void bare_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

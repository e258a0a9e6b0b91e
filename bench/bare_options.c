/* The command line of bare_client. */
#include "bare_client.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void bare_fail(const char *format, ...)
{
	va_list args;

	fputs("bare_client: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static double parse_number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max))
		bare_fail("bad number: %s", text);
	return value;
}

static void parse_to(struct bare_options *o, const char *text)
{
	const char *colon = strchr(text, ':');
	char host[INET_ADDRSTRLEN];

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		bare_fail("bad --to: %s", text);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	o->to.sin_family = AF_INET;
	o->to.sin_port = htons((uint16_t)parse_number(colon + 1, 1, 65535));
	if (inet_pton(AF_INET, host, &o->to.sin_addr) != 1)
		bare_fail("bad --to: %s", text);
}

static void parse_mode(struct bare_options *o, const char *text)
{
	static const char *const names[] = { "bdat", "data", "plain", "steps" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			o->mode = (enum mode)i;
			o->mode_name = names[i];
			return;
		}
	}
	bare_fail("bad --mode: %s", text);
}

static enum tls_way parse_tls(const char *text)
{
	if (strcmp(text, "memory") != 0 && strcmp(text, "kernel") != 0)
		bare_fail("bad --tls: %s", text);
	return *text == 'm' ? TLS_MEMORY : TLS_KERNEL;
}

static const char help[] =
	"bare_client [--to ADDR:PORT] [--addresses N] [--messages N] [--seconds S]\n"
	"  [--size BYTES] [--sessions N] [--mode bdat|data|plain|steps] [--cpu N]\n"
	"  [--zero-copy | --registered] [--sqpoll] [--huge]\n"
	"  [--tls memory|kernel] [--napi MICROSECONDS]\n";

void bare_parse(struct bare_options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "to", required_argument, NULL, 't' },
		{ "addresses", required_argument, NULL, 'a' },
		{ "messages", required_argument, NULL, 'n' },
		{ "size", required_argument, NULL, 's' },
		{ "sessions", required_argument, NULL, 'c' },
		{ "mode", required_argument, NULL, 'm' },
		{ "seconds", required_argument, NULL, 'S' },
		{ "cpu", required_argument, NULL, 'p' },
		{ "zero-copy", no_argument, NULL, 'z' },
		{ "registered", no_argument, NULL, 'r' },
		{ "sqpoll", no_argument, NULL, 'q' },
		{ "huge", no_argument, NULL, 'h' },
		{ "tls", required_argument, NULL, 'T' },
		{ "napi", required_argument, NULL, 'N' },
		{ NULL, 0, NULL, 0 },
	};
	int id;

	*o = (struct bare_options){ .addresses = 1, .size = 8192, .sessions = 64, .cpu = -1 };
	parse_to(o, "127.0.0.1:2525");
	parse_mode(o, "bdat");
	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (id) {
		case 't': parse_to(o, optarg); break;
		case 'a': o->addresses = (unsigned)parse_number(optarg, 1, 10000); break;
		case 'n': o->messages = (uint64_t)parse_number(optarg, 1, 1e15); break;
		case 's': o->size = (size_t)parse_number(optarg, 1, 1e9); break;
		case 'c': o->sessions = (unsigned)parse_number(optarg, 1, 1e6); break;
		case 'm': parse_mode(o, optarg); break;
		case 'S': o->seconds = parse_number(optarg, 0, 1e6); break;
		case 'p': o->cpu = (int)parse_number(optarg, 0, 1023); break;
		case 'z': o->way = SEND_ZERO_COPY; break;
		case 'r': o->way = SEND_REGISTERED; break;
		case 'q': o->sqpoll = true; break;
		case 'h': o->huge = true; break;
		case 'T': o->tls = parse_tls(optarg); break;
		case 'N': o->napi_us = (unsigned)parse_number(optarg, 0, 1e6); break;
		default:
			fputs(help, stderr);
			exit(2);
		}
	}
	if (o->tls != TLS_NONE && o->way != SEND_COPY)
		bare_fail("--tls with --zero-copy or --registered is not tried here");
	if (!o->messages && o->seconds <= 0)
		o->messages = 100000;
}

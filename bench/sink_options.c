/* The command line of sink. */
#include "sink.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum option_id {
	OPT_LISTEN = 1, OPT_ADDRESSES, OPT_PROCESSES, OPT_DELAY, OPT_STARTTLS, OPT_CERT, OPT_KEY,
	OPT_NO_CHUNKING, OPT_NO_PIPELINING, OPT_REJECT, OPT_DEFER, OPT_VANISH, OPT_MAX_MESSAGES,
	OPT_SAVE, OPT_SAVE_EVERY, OPT_LEDGER, OPT_DOUBT, OPT_NO_HASH, OPT_SECONDS, OPT_STATS,
	OPT_SEED, OPT_NO_RESUMPTION, OPT_NEW_KEYS, OPT_QUIET, OPT_PROFILE, OPT_HELP,
};

static const struct option table[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "addresses", required_argument, NULL, OPT_ADDRESSES },
	{ "processes", required_argument, NULL, OPT_PROCESSES },
	{ "delay-ms", required_argument, NULL, OPT_DELAY },
	{ "starttls", no_argument, NULL, OPT_STARTTLS },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "no-resumption", no_argument, NULL, OPT_NO_RESUMPTION },
	{ "new-keys-after", required_argument, NULL, OPT_NEW_KEYS },
	{ "no-chunking", no_argument, NULL, OPT_NO_CHUNKING },
	{ "no-pipelining", no_argument, NULL, OPT_NO_PIPELINING },
	{ "reject-percent", required_argument, NULL, OPT_REJECT },
	{ "defer-percent", required_argument, NULL, OPT_DEFER },
	{ "close-after-dot-percent", required_argument, NULL, OPT_VANISH },
	{ "max-messages", required_argument, NULL, OPT_MAX_MESSAGES },
	{ "save", required_argument, NULL, OPT_SAVE },
	{ "save-every", required_argument, NULL, OPT_SAVE_EVERY },
	{ "ledger", required_argument, NULL, OPT_LEDGER },
	{ "doubt-ledger", required_argument, NULL, OPT_DOUBT },
	{ "no-hash", no_argument, NULL, OPT_NO_HASH },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "stats-every", required_argument, NULL, OPT_STATS },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"sink: an SMTP receiver for tests and benches\n"
	"  --listen ADDR:PORT            may be repeated; [v6]:PORT; port 0: any (printed)\n"
	"  --addresses N                 that address and the N - 1 that follow it\n"
	"  --processes N                 one ring each; each holds up to the open-file limit\n"
	"  --delay-ms MIN-MAX            every answer waits a random time in this range\n"
	"  --starttls [--cert F --key F] offer STARTTLS; without F a certificate is made\n"
	"  --no-resumption               every TLS handshake is a full one\n"
	"  --new-keys-after N            messages of a connection; then the peer is to change its keys\n"
	"  --no-chunking, --no-pipelining\n"
	"  --reject-percent P            550 at RCPT\n"
	"  --defer-percent P             451 at RCPT\n"
	"  --close-after-dot-percent P   take the message, then close without a reply\n"
	"  --max-messages N              for one connection, then 421\n"
	"  --save DIR [--save-every K]   write every K-th message and its envelope to DIR\n"
	"  --ledger FILE                 append a line for each recipient before its 250 leaves\n"
	"  --doubt-ledger FILE           the same for messages taken and not answered\n"
	"  --no-hash                     no SHA-256 in the ledgers\n"
	"  --seconds N                   then end\n"
	"  --stats-every S               a JSON line on stderr\n"
	"  --seed N                      of the random choices\n"
	"  --quiet                       no line on stderr when ready\n"
	"  --profile FILE                listen on the addresses of these providers, too, with\n"
	"                                their limits and refusals (see bench/providers.conf)\n"
	"SIGUSR1 prints the totals as a JSON line; SIGTERM and SIGINT print it and end.\n";

static _Noreturn void misuse(const char *what, const char *value)
{
	fprintf(stderr, "sink: bad %s: %s\n", what, value);
	exit(2);
}

static double parse_number(const char *text, const char *what, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max))
		misuse(what, text);
	return value;
}

static void parse_delay(struct sink_options *o, const char *text)
{
	unsigned min, max;
	char extra;

	if (sscanf(text, "%u-%u%c", &min, &max, &extra) != 2) {
		min = (unsigned)parse_number(text, "--delay-ms", 0, 600000);
		max = min;
	}
	if (min > max || max > 600000)
		misuse("--delay-ms", text);
	o->delay_min_ms = min;
	o->delay_max_ms = max;
}

static void add_address(struct sink_options *o, const char *text)
{
	struct sink_address a = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a.addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a.addr;
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len;
	uint16_t port;

	if (!colon || (len = (size_t)(colon - text)) >= sizeof(host))
		misuse("--listen", text);
	port = htons((uint16_t)parse_number(colon + 1, "--listen", 0, 65535));
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		a.len = sizeof(*v4);
	} else if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
			misuse("--listen", text);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		a.len = sizeof(*v6);
	} else {
		misuse("--listen", text);
	}
	o->listen = reallocarray(o->listen, o->listen_count + 1, sizeof(*o->listen));
	if (!o->listen)
		sink_fail("out of memory");
	o->listen[o->listen_count++] = a;
}

/* The addresses behind each given one. */
static void add_followers(struct sink_options *o, unsigned addresses)
{
	unsigned given = o->listen_count;

	o->listen = reallocarray(o->listen, (size_t)given * addresses, sizeof(*o->listen));
	if (!o->listen)
		sink_fail("out of memory");
	for (unsigned i = 0; i < given; i++) {
		for (unsigned step = 1; step < addresses; step++) {
			struct sink_address a = o->listen[i];
			struct sockaddr_in *v4 = (struct sockaddr_in *)&a.addr;

			if (v4->sin_family != AF_INET)
				misuse("--addresses", "only for IPv4");
			v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + step);
			o->listen[o->listen_count++] = a;
		}
	}
}

/* Each provider listens on its own address, on the port of the first one. */
static void add_providers(struct sink_options *o)
{
	const struct sockaddr_in *first = (const struct sockaddr_in *)&o->listen[0].addr;

	if (first->sin_family != AF_INET)
		misuse("--profile", "only for IPv4");
	o->listen = reallocarray(o->listen, o->listen_count + o->provider_count,
		sizeof(*o->listen));
	if (!o->listen)
		sink_fail("out of memory");
	for (unsigned i = 0; i < o->provider_count; i++) {
		struct sink_address a = o->listen[0];
		struct sockaddr_in *v4 = (struct sockaddr_in *)&a.addr;

		v4->sin_addr = o->providers[i].address;
		o->listen[o->listen_count++] = a;
	}
}

/* Values with a number; false: not one of them. */
static bool take_number(struct sink_options *o, int id, const char *text, unsigned *addresses)
{
	switch (id) {
	case OPT_ADDRESSES:
		*addresses = (unsigned)parse_number(text, "--addresses", 1, 10000);
		return true;
	case OPT_PROCESSES:
		o->processes = (unsigned)parse_number(text, "--processes", 1, 256);
		return true;
	case OPT_REJECT:
		o->reject_percent = parse_number(text, "--reject-percent", 0, 100);
		return true;
	case OPT_DEFER:
		o->defer_percent = parse_number(text, "--defer-percent", 0, 100);
		return true;
	case OPT_VANISH:
		o->vanish_percent = parse_number(text, "--close-after-dot-percent", 0, 100);
		return true;
	case OPT_MAX_MESSAGES:
		o->max_messages = (uint32_t)parse_number(text, "--max-messages", 0, 4e9);
		return true;
	case OPT_NEW_KEYS:
		o->new_keys_after = (uint32_t)parse_number(text, "--new-keys-after", 0, 4e9);
		return true;
	case OPT_SAVE_EVERY:
		o->save_every = (uint64_t)parse_number(text, "--save-every", 1, 1e15);
		return true;
	case OPT_SECONDS:
		o->seconds = parse_number(text, "--seconds", 0, 1e9);
		return true;
	case OPT_STATS:
		o->stats_every = parse_number(text, "--stats-every", 0.01, 1e9);
		return true;
	case OPT_SEED:
		o->seed = (uint64_t)parse_number(text, "--seed", 0, 1e15);
		return true;
	default:
		return false;
	}
}

static void take_option(struct sink_options *o, int id, char *text)
{
	switch (id) {
	case OPT_LISTEN: add_address(o, text); break;
	case OPT_DELAY: parse_delay(o, text); break;
	case OPT_STARTTLS: o->starttls = true; break;
	case OPT_CERT: o->cert_path = text; break;
	case OPT_KEY: o->key_path = text; break;
	case OPT_NO_RESUMPTION: o->no_resumption = true; break;
	case OPT_NO_CHUNKING: o->no_chunking = true; break;
	case OPT_NO_PIPELINING: o->no_pipelining = true; break;
	case OPT_SAVE: o->save_dir = text; break;
	case OPT_LEDGER: o->ledger_path = text; break;
	case OPT_DOUBT: o->doubt_path = text; break;
	case OPT_NO_HASH: o->no_hash = true; break;
	case OPT_QUIET: o->quiet = true; break;
	case OPT_PROFILE: o->profile_path = text; break;
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	default:
		fputs(help, stderr);
		exit(2);
	}
}

void sink_options_parse(struct sink_options *o, int argc, char **argv)
{
	unsigned addresses = 1;
	int id;

	*o = (struct sink_options){ .processes = 1, .save_every = 1 };
	o->seed = (uint64_t)time(NULL);
	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1)
		if (!take_number(o, id, optarg, &addresses))
			take_option(o, id, optarg);
	if (optind != argc)
		misuse("argument", argv[optind]);
	if (!o->cert_path != !o->key_path)
		misuse("certificate", "--cert and --key go together");
	if (!o->listen_count)
		add_address(o, "127.0.0.1:2525");
	add_followers(o, addresses);
	if (o->profile_path) {
		provider_read_profile(o);
		add_providers(o);
	}
}

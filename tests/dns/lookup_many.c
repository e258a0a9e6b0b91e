/*
 * Looks up where mail for many domains goes, all at once, and writes one line for each answer. For
 * tests that watch the name server's side, and for looking at a resolver by hand.
 *
 *   lookup_many [--stub "ZONE IP@PORT"]... [--forward IP@PORT]... [--anchor "DS LINE"]...
 *               [--allow RANGE]... [--no-root-anchor] [--timeout MS] < domains
 *
 * Line: domain, status, "secure" or "insecure", TTL, then host/preference=address,address..., with
 * "!" and what DANE says behind it where that is something.
 */
#include "base/text.h"
#include "dns/mx.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 32
#define DOMAINS_MAX 20000

static const char *forwarders[LIST_MAX];
static const char *stubs[LIST_MAX];
static const char *anchors[LIST_MAX];
static struct net_range allowed[LIST_MAX];
static struct mx_params params = {
	.forwarders = forwarders,
	.stub_zones = stubs,
	.trust_anchors = anchors,
	.allowed = allowed,
	.ipv4 = true,
	.ipv6 = true,
};
static char domains[DOMAINS_MAX][256];
static size_t domain_count;

static const char *const status_names[] = {
	[MX_OK] = "ok",
	[MX_NULL] = "null",
	[MX_NO_DOMAIN] = "no-domain",
	[MX_NO_HOST] = "no-host",
	[MX_ONLY_FORBIDDEN] = "only-forbidden",
	[MX_TEMPORARY] = "temporary",
	[MX_BOGUS] = "bogus",
};

static const char *const dane_names[] = {
	[DANE_UNUSABLE] = "unusable",
	[DANE_USABLE] = "dane",
	[DANE_FAILED] = "failed",
};

static bool take_option(const char *name, const char *value)
{
	if (strcmp(name, "--stub") == 0 && params.stub_zone_count < LIST_MAX)
		stubs[params.stub_zone_count++] = value;
	else if (strcmp(name, "--forward") == 0 && params.forwarder_count < LIST_MAX)
		forwarders[params.forwarder_count++] = value;
	else if (strcmp(name, "--anchor") == 0 && params.trust_anchor_count < LIST_MAX)
		anchors[params.trust_anchor_count++] = value;
	else if (strcmp(name, "--allow") == 0 && params.allowed_count < LIST_MAX)
		return net_range_parse(&allowed[params.allowed_count++], slice_of(value));
	else if (strcmp(name, "--timeout") == 0)
		return slice_to_u32(slice_of(value), &params.timeout_ms);
	else
		return false;
	return true;
}

static bool take_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--no-root-anchor") == 0) {
			params.trust_anchor_file = "";
			continue;
		}
		if (i + 1 == argc || !take_option(argv[i], argv[i + 1])) {
			fprintf(stderr, "lookup_many: what is %s?\n", argv[i]);
			return false;
		}
		i++;
	}
	return true;
}

static void read_domains(void)
{
	while (domain_count < DOMAINS_MAX &&
	       fgets(domains[domain_count], sizeof(domains[0]), stdin)) {
		domains[domain_count][strcspn(domains[domain_count], "\n")] = '\0';
		domain_count++;
	}
}

static void print_answer(const char *domain, const struct mx_answer *answer)
{
	printf("%s\t%s\t%s\t%u", domain, status_names[answer->status],
	       answer->secure ? "secure" : "insecure", answer->ttl_s);
	for (u32 i = 0; i < answer->host_count; i++) {
		const struct mx_host *host = &answer->hosts[i];

		printf("\t%s/%u", host->name, host->preference);
		for (u32 j = 0; j < host->address_count; j++) {
			char text[NET_ADDRESS_TEXT_SIZE];

			net_address_format(text, &answer->addresses[host->address_first + j], true);
			printf("%c%s", j == 0 ? '=' : ',', text);
		}
		if (host->dane != DANE_ABSENT)
			printf("!%s", dane_names[host->dane]);
	}
	printf("\n");
}

static bool answer_all(struct mx_resolver *resolver)
{
	struct pollfd ready = { .fd = mx_resolver_fd(resolver), .events = POLLIN };
	struct mx_answer answer;
	size_t asked = 0;
	size_t answered = 0;
	u64 cookie;

	while (answered < domain_count) {
		while (asked < domain_count && mx_lookup(resolver, slice_of(domains[asked]), asked))
			asked++;
		if (poll(&ready, 1, 60000) != 1)
			return false;
		mx_resolver_process(resolver);
		while (mx_next_answer(resolver, &cookie, &answer)) {
			print_answer(domains[cookie], &answer);
			answered++;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct error error = { "" };
	struct mx_resolver *resolver;
	bool done;

	if (!take_options(argc, argv))
		return 2;
	resolver = mx_resolver_open(&params, &error);
	if (!resolver) {
		fprintf(stderr, "lookup_many: %s\n", error.text);
		return 1;
	}
	read_domains();
	done = answer_all(resolver);
	mx_resolver_close(resolver);
	return done ? 0 : 1;
}
